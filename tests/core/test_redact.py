"""Secrets stay inside, in whatever form a text holds them, and everything else stays as it is."""

import base64
import json
import textwrap

import polars as pl
import pytest

from accountpulse.core.redact import MASK, REDACT, Redactor
from accountpulse.core.secret import Secret, learn_tokens
from leaks import ODD, forms, found_in, pem, secrets


@pytest.mark.parametrize("name", [*ODD, "a line of a key"])
def test_a_secret_is_found_in_every_form_that_texts_give_it(name: str) -> None:
    secret = ODD.get(name) or pem().splitlines()[3]
    redact = Redactor([secret])
    for way, form in forms(secret).items():
        assert redact(f"{{before {form} after}}") == f"{{before {MASK} after}}", way
        assert redact(f"id={form}&next") == f"id={MASK}&next", way


def test_a_key_is_found_by_its_lines_its_parts_and_as_a_whole() -> None:
    text, redact = pem(), Redactor([pem()])
    body = "".join(text.splitlines()[1:-1])
    lines = text.splitlines()[1:-1]
    whole = (text, json.dumps(text), text.replace("\n", "\\n"), body, textwrap.fill(body, 76))
    parts = (text[:900], body[301:420])
    coded = [base64.b64encode((before + text).encode()).decode() for before in ("", "a", "ab")]
    for form in (*whole, *parts, *coded, *lines):
        clean = redact(form)
        assert MASK in clean
        assert not [at for at in range(len(body) - 15) if body[at : at + 16] in clean]
        assert not [at for at in range(len(coded[0]) - 24) if any(each[at : at + 24] in clean for each in coded)]


def test_a_key_whose_line_feeds_are_written_as_two_characters_is_the_same_key() -> None:
    assert Redactor([pem().replace("\n", "\\n")])(f"a {pem().splitlines()[5]} b") == f"a {MASK} b"


def test_a_secret_beyond_the_first_plane_or_read_with_losses_is_found() -> None:
    secret = "pa\N{KEY}ss9Wörd"
    lost = "pass9Größe-Öl"
    assert Redactor([secret])(f"a {secret!a} b") == f"a '{MASK}' b"
    assert Redactor([lost])(f"a {lost.encode('latin-1').decode('utf-8', 'replace')} b") == f"a {MASK} b"


def test_a_secret_that_begins_with_another_one_is_replaced_whole() -> None:
    assert Redactor(["token", "token-and-more"])("a token-and-more b token c") == "a ••• b ••• c"


def test_any_sixteen_characters_of_a_random_value_are_masked_and_fewer_are_not() -> None:
    redact = Redactor(["Zk3vQ9xLm2Tt7BwR5yNc8HjD"])
    assert redact("cut off: Zk3vQ9xLm2Tt7BwR") == f"cut off: {MASK}"
    assert redact("its end: m2Tt7BwR5yNc8HjD.") == f"its end: {MASK}."
    assert redact("too little: Zk3vQ9xLm2Tt7Bw") == "too little: Zk3vQ9xLm2Tt7Bw"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("hunter", "hunters of the hunterhouse, Hunter and bountyhunter"),
        ("sunshine", "sunshines, Sunshine Ltd"),
        ("20261031", "120261031 rows, id 202610310"),
        ("aB3$", "xaB3$y"),
        ("abc", "abc is a basic idea"),
        ("2026-10", "the run of 2026-10 from 2026-10-31"),
        ("Salesforce", "Salesforce: salesforce could not be read"),
        ("conversations", "1,534 conversations, total_conversations"),
        ("not_linked", "csat_score is not_linked"),
        ("", "nothing"),
    ],
)
def test_ordinary_words_and_numbers_stay_whole(secret: str, text: str) -> None:
    assert Redactor([secret])(text) == text


@pytest.mark.parametrize("secret", ["hunter", "sunshine", "20261031", "aB3$"])
def test_a_word_or_a_number_that_is_a_secret_is_masked_where_it_stands_by_itself(secret: str) -> None:
    redact = Redactor([secret])
    for before, after in ((" ", " "), ('"', '"'), ("=", "&"), (">", "<"), ("\\n", "\\n"), ("%20", "%20"), ("_", ".")):
        assert redact(f"x{before}{secret}{after}y") == f"x{before}{MASK}{after}y"


def test_numbers_of_data_and_tables_are_never_touched() -> None:
    redact = Redactor(["123456", "0.25"])
    data = {"rows": 123456, "share": 0.25, "text": "pin 123456", "none": None, "many": [123456, ("0.25", True)]}
    clean = {"rows": 123456, "share": 0.25, "text": "pin •••", "none": None, "many": [123456, ["•••", True]]}
    assert redact.data(data) == clean
    assert redact.data({"a 123456 key": 1, 5: "five"}) == {"a ••• key": 1, 5: "five"}
    assert Redactor(["counts"]).data({"counts": {"x counts": "counts"}}) == {"counts": {"x •••": "•••"}}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("sent Authorization: Bearer abc.def-123456", "sent Authorization: Bearer •••"),
        ('{"Authorization": "Basic b3BzOnNlY3JldA=="}', '{"Authorization": "Basic •••"}'),
        ("with Bearer abc.def-123456 and more", "with Bearer ••• and more"),
        ("Basic b3BzOnNlY3JldA== was refused", "Basic ••• was refused"),
        ("sid 00D5g00000AbCdE!AQEAQKw.tHx_9Zs8 ended", "sid ••• ended"),
        ("jwt eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln-X_0 here", "jwt ••• here"),
        ("proxy http://ops:pa-ss@proxy.example:8080/ said no", "proxy http://•••@proxy.example:8080/ said no"),
        ('{"access_token": "abcdefgh12", "n": 1}', '{"access_token": "•••", "n": 1}'),
        ("<sessionId>abc!defgh.ij</sessionId>", "<sessionId>•••</sessionId>"),
        ("Authorization: OAuth abcdefghij ended", "Authorization: OAuth ••• ended"),
        ("Authorization: administrators decide", "Authorization: administrators decide"),
        ("Basic Enterprise plan of Bearer Technologies", "Basic Enterprise plan of Bearer Technologies"),
        ("https://example.com/a:b and 00Dogs are no secrets", "https://example.com/a:b and 00Dogs are no secrets"),
    ],
)
def test_what_looks_like_a_credential_goes_even_if_nobody_told_us(text: str, clean: str) -> None:
    assert Redactor()(text) == clean


def test_what_was_rotated_stays_known_beside_the_new_value() -> None:
    redact = Redactor(["first-token"])
    redact.learn(["second-token"])
    assert redact("first-token second-token") == "••• •••"


def test_the_process_knows_a_secret_as_soon_as_there_is_one() -> None:
    Secret("made-only-for-this-test-1")
    learn_tokens('{"access_token" : "learnt-only-here-2", "refresh_token":"learnt-only-here-3"}')
    learn_tokens("<ns:sessionId>learnt-only-here-4</ns:sessionId>")
    assert REDACT("made-only-for-this-test-1") == MASK
    assert [REDACT(f"learnt-only-here-{number}") for number in (2, 3, 4)] == [MASK] * 3


def test_texts_and_lists_of_a_table_are_cleaned_and_nothing_else() -> None:
    rows = {"name": ["a token-1 b", None, "c"], "n": [1, 2, 3], "keys": [["token-1", "k"], None, []]}
    table = pl.DataFrame(rows, schema_overrides={"keys": pl.List(pl.String)})
    clean = Redactor(["token-1", "token-1-longer"]).table(table)
    assert clean.rows() == [("a ••• b", 1, ["•••", "k"]), (None, 2, None), ("c", 3, [])]
    assert clean.schema == table.schema
    assert Redactor().table(table).equals(table)


def test_a_table_a_document_and_a_long_text_are_cleaned_of_every_form() -> None:
    redact = Redactor([*ODD.values(), pem()])
    texts = [form for secret in secrets() for form in forms(secret).values()]
    table = redact.table(pl.DataFrame({"text": texts}))
    shown = ("\n".join(table["text"]), "\n".join(redact.data(texts)), redact("\n".join(["x" * 20_000, *texts])))
    for each in shown:
        assert found_in(each, secrets()) == []
