import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountpulse.accounts.company_names import read_name
from accountpulse.accounts.domains import registered


@pytest.mark.parametrize(
    ("written", "words", "form"),
    [
        ("Acme GmbH", "acme", "gmbh"),
        ("ACME G.m.b.H.", "acme", "gmbh"),
        ("Acme Gesellschaft mit beschränkter Haftung", "acme", "gmbh"),
        ("Müller & Söhne GmbH & Co. KG", "muller sohne", "gmbh co kg"),
        ("Mueller und Soehne", "muller sohne", ""),
        ("Acme (Deutschland) GmbH", "acme deutschland", "gmbh"),
        ("The Coca-Cola Company", "coca cola", "co"),
        ("Acme Sp. z o.o.", "acme", "sp zoo"),
        ("Acme Spółka z o.o.", "acme", "sp zoo"),
        ("UAB Acme", "acme", "uab"),
        ("Acme Private Limited", "acme", "pvt ltd"),
        ("Acme Pvt. Ltd.", "acme", "pvt ltd"),
        ("Acme S.p.A.", "acme", "spa"),
        ("O'Brien & Sons Ltd.", "obrien sons", "ltd"),
        ("Closed Loop Partners", "closed loop partners", ""),
        ("Company", "company", ""),
        ("", "", ""),
        ("GmbH", "gmbh", ""),
        ("🚀", "rocket", ""),  # as anyascii reads it
    ],
)
def test_a_name_is_its_words_without_legal_form_and_accents(written: str, words: str, form: str) -> None:
    name = read_name(written)
    assert " ".join(name.words).strip(":") == words
    assert name.form == form


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("株式会社サンプル", "sanpuru"),
        ("ООО «Газпром нефть»", "gazprom neft"),
        ("ΕΛΛΗΝΙΚΑ ΠΕΤΡΕΛΑΙΑ Α.Ε.", "ellinika petrelaia"),
        ("삼성전자 주식회사", "samseongjeonja"),
    ],
)
def test_other_scripts_are_written_in_latin_letters_and_lose_their_own_legal_forms(written: str, words: str) -> None:
    name = read_name(written)
    assert (" ".join(name.words), name.form, name.foreign) == (words, "other script", True)


@pytest.mark.parametrize(
    ("native", "latin"),
    [("شركة النور الواحة", "Al Noor Al Waha"), ("Хим Энерго", "Him Energo"), ("Цемент Юг", "Cement Iug")],
)
def test_names_of_two_scripts_sound_alike(native: str, latin: str) -> None:
    assert read_name(native).sound == read_name(latin).sound


@pytest.mark.parametrize(
    ("written", "others"),
    [
        ("Globex AG (formerly Initech Inc)", {"initech"}),
        ("Globex AG, vormals Initech AG", {"initech"}),
        ("Globex (ex Initech)", {"initech"}),
        ("Globex - ex-Initech", {"initech"}),
        ("Яндекс (Yandex LLC)", {"yandex"}),
        ("Initech - part of Globex Group", set()),
        ("Initech Inc., a Globex company", set()),
        ("Exxon Now Ltd", set()),
    ],
)
def test_earlier_and_other_names_are_told_and_owners_are_not(written: str, others: set[str]) -> None:
    assert {" ".join(each) for each in read_name(written).others} == others


@pytest.mark.parametrize(
    "written", ["Acme GmbH i.L.", "Acme GmbH (in liquidation)", "Acme GmbH - dissolved", "Acme GmbH (closed)"]
)
def test_a_company_that_is_no_more_has_the_same_name(written: str) -> None:
    name = read_name(written)
    assert (name.words, name.form, name.dissolved) == (("acme",), "gmbh", True)


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.acme.co.uk/en?x=1", "acme.co.uk"),
        ("ACME.com", "acme.com"),
        ("//shop.acme.com:8080", "acme.com"),
        ("acme.github.io", "acme.github.io"),  # the private part of the list
        ("www.acme.example", "acme.example"),  # an ending that no list has
        ("xn--mnchen-3ya.de", "münchen.de"),
        ("gmail.com", None),
        ("yahoo.co.uk", None),
        ("https://www.facebook.com/acme", None),
        ("127.0.0.1", None),
        ("localhost", None),
        ("github.io", None),
        ("", None),
        ("n/a", None),
    ],
)
def test_a_domain_is_what_somebody_has_registered(address: str, domain: str | None) -> None:
    assert registered(address) == domain


@given(st.text(max_size=30) | st.from_regex(r"[A-Za-z.()/,' -]{1,30}", fullmatch=True))
def test_whatever_people_write_is_read(text: str) -> None:
    name = read_name(text)
    assert name.joined == "".join(name.words)
    assert name.joined.isascii()
    domain = registered(text)
    assert domain is None or registered(domain) == domain
