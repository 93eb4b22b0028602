"""Pairs of companies as they are really called, all in one portfolio: one company, or two that look like one."""

import polars as pl

from accountpulse.accounts.likeness import THRESHOLD
from accountpulse.accounts.suggestions import suggest
from accountpulse.core.records import CUSTOMERS

Pair = tuple[str, str] | tuple[str, str, str]  # account, candidate, and the website that both have
SAME: tuple[Pair, ...] = (
    ("Andersson Åkeri AB (publ)", "ANDERSSON AAKERI AB"),
    ("Zambezi Mining (Pty) Ltd", "Zambezi Mining Proprietary Limited"),
    ("Deshmukh Textiles (Pvt.) Ltd.", "Deshmukh Textiles Private Limited"),
    ("Löffler Werkzeugbau GmbH&Co.KG", "Loeffler Werkzeugbau GmbH u. Co. KG"),
    ("Kühn Gartenbau e. K.", "Kühn Gartenbau"),
    ("Veselý Sklárny společnost s ručením omezeným", "Vesely Sklarny s.r.o."),
    ("Hämäläinen Konepaja Osakeyhtiö", "Hamalainen Konepaja Oy"),
    ("Łukasik Hurtownia Spółka z ograniczoną odpowiedzialnością", "Lukasik Hurtownia Sp. z o.o."),
    ("Béranger Vignobles S.à r.l.", "Beranger Vignobles SARL"),
    ("Longo Ceramiche S.r.l. unipersonale", "Longo Ceramiche Srl"),
    ("Lechner Seilbahnen Ges.m.b.H.", "Lechner Seilbahnen Gesellschaft m.b.H."),
    ("Kılıç Nakliyat A.Ş.", "Kilic Nakliyat Anonim Şirketi"),
    ("Varga Gépgyár Kft.", "Varga Gepgyar Korlátolt Felelősségű Társaság"),
    ("ООО «Хлебный Дом»", "OOO Khlebny Dom"),
    ("АО «Северсталь Логистика»", "JSC Severstal Logistika"),
    ("Παπαδόπουλος Τρόφιμα Α.Ε.", "Papadopoulos Trofima S.A."),
    ("Ευρωτεχνική ΕΠΕ", "Evrotechniki Ltd"),
    ("(주)아크메솔루션", "아크메솔루션"),
    ("株式会社サクラミナト", "サクラミナト(株)"),
    ("Holgate Brewing (formerly Quillfeather Ales)", "Quillfeather Ales Ltd"),
    ("Çalık Örme San. ve Tic. A.Ş.", "Calik Orme"),
    ("Kivitec Oy", "Kivitec Oy Ab"),
    ("Egger Holzbau e.U.", "Egger Holzbau"),
    ("Mølgaard Tømrer I/S", "Molgaard Tomrer"),
    ("Brightwell (EU) Ltd", "Brightwell EU Ltd"),
    ("7-Eleven Inc.", "7 Eleven"),
    ("1&1 Versatel AG", "1 & 1 Versatel AG"),
    ("Universität Siegen", "University of Siegen", "uni-siegen.de"),
    ("IBM", "International Business Machines Corp.", "ibm.com"),
    ("BMW AG", "Bayerische Motoren Werke AG", "bmw.de"),
    ("P&G", "Procter & Gamble", "pg.com"),
    ("Data", "Data GmbH", "data.example"),
    ("Schmitz GmbH", "Schmitz", "schmitz-kran.de"),
    ("Wintersen Pivovar", "Wintersne Pivovar", "wintersen.cz"),
    ("Borealis Software Inc.", "Borealis", "borealis.example"),
    ("Cormorant Wharf Foods Ltd", "Cormorant Wharf", "cormorantwharffoods.co.uk"),
    ("北京博远电子有限公司", "Boyuan Electronics", "boyuan.example"),
    ("Pemberton-Hale Haulage", "Pemberton Hale Hauluage Ltd"),  # Haulage is a word of many
)
OTHERS: tuple[Pair, ...] = (
    ("Andersen Consulting", "Anderson Consulting"),  # two names with one letter between them
    ("Schmid Maschinenbau", "Schmidt Maschinenbau"),
    ("Hofmann Elektro", "Hoffmann Elektro"),
    ("Stadtwerke Gießen", "Stadtwerke Giesen"),
    ("Sparkasse Neuburg", "Sparkasse Neuberg"),
    ("Carrington Haulage", "Harrington Haulage"),
    ("Thomson Electronics", "Thompson Electronics"),
    ("Fernandes Foods", "Fernandez Foods"),
    ("山本電機", "山本電気"),
    ("Морис Групп", "Mars Group"),  # the same consonants
    ("Карат Медиа", "Kert Media"),
    ("Северсталь Плюс", "Severstal Pluto"),
    ("Software GmbH", "Software"),  # names that many have
    ("Smart Solutions", "Smart Solutions GmbH"),
    ("Becker", "Becker KG"),
    ("Nguyen", "Nguyen Co Ltd"),
    ("Weber Haulage", "Haulage Weber Ltd"),
    ("Weber Brewing", "Brewing Weber"),
    ("Kraft Heinz", "Heinz Kraft"),  # a food company, and a person
    ("Park Hotel", "Hotel Park"),
    ("Schmidt, Müller & Partner", "Müller, Schmidt & Partner"),
    ("Quorn Textiles (formerly Delta)", "Delta Ltd"),
    ("Fontane Moden NL", "Fontane Moden", "fontane.example"),
    ("Studio 54 Design", "Studio 45 Design"),
    ("Motel 6", "Motel 8"),
    ("B2B Software AG", "B2C Software AG"),
    ("Gallo Impianti", "Gallo Impianti Brescia", "galloimpianti.it"),  # a branch
    ("Postma Kwekerij Zwolle", "Postma Kwekerij B.V.", "postma.nl"),
    ("Hargreaves Joinery", "Hargreaves Haulage", "hargreaves.co.uk"),  # sister companies
    ("Fjordlaks Rederi AS", "Fjordlaks AS", "fjordlaks.no"),  # perhaps the parent
    ("Kestrel Holdings plc", "Kestrel plc", "kestrel.co.uk"),
    ("Tessaro Vini", "Lido Marketing", "tessaro.it"),  # an agency
    ("Institut für Informatik, Universität Passau", "Universität Passau", "uni-passau.de"),
    ("Alpha Bau Stuttgart", "ABS"),
)


def test_of_all_these_no_two_companies_are_taken_for_one_and_nearly_all_that_are_one_are_found() -> None:
    found = _found([*SAME, *OTHERS])
    assert {OTHERS[row - len(SAME)] for row in found if row >= len(SAME)} == set()
    assert [SAME[row] for row in range(len(SAME)) if row not in found] == []


def test_a_number_that_two_sister_companies_share_may_be_chance() -> None:
    ours = _table([("a", "Egger Seilbahnen Wels", None)], ["2310"])
    theirs = _table([("k", "Egger Seilbahnen Linz", None)], ["2310"])
    assert suggest(ours, theirs)["score"].max() < THRESHOLD  # type: ignore[operator]


def test_of_two_names_with_a_town_and_other_words_none_is_called_a_branch_of_the_other() -> None:
    reasons = suggest(_table([("a", "Kühn Maschinenbau Trier", "x.de")]), _table([("k", "Gärtner & Kühn", "x.de")]))
    assert reasons["reasons"].to_list() == ["the names have in common: kuhn; same website x.de"]


def test_the_same_name_of_everyday_words_says_so() -> None:
    found = suggest(_table([("a", "Smart Solutions", None)]), _table([("k", "Smart Solutions GmbH", None)]))
    assert found["reasons"].to_list() == ["same name but for legal form and spelling; many are called so"]


def _found(pairs: list[Pair]) -> set[int]:
    """The places of the pairs that are linked from the threshold on."""
    ours = _table([(f"a{row}", pair[0], _site(pair)) for row, pair in enumerate(pairs)])
    theirs = _table([(f"k{row}", pair[1], _site(pair)) for row, pair in enumerate(pairs)])
    sure = suggest(ours, theirs).filter((pl.col("rank") == 1) & (pl.col("score") >= THRESHOLD))
    places = {int(account[1:]): int(key[1:]) for account, key in sure.select("account_id", "key").iter_rows()}
    assert all(account == key for account, key in places.items())
    return set(places)


def _site(pair: Pair) -> str | None:
    return pair[2] if len(pair) == 3 else None


def _table(rows: list[tuple[str, str, str | None]], keys: list[str] | None = None) -> pl.DataFrame:
    made = [(key, name, [site] if site else [], [], keys or []) for key, name, site in rows]
    return pl.DataFrame(made, schema=dict(CUSTOMERS), orient="row")
