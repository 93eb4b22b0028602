"""Secrets stay inside, in whatever form a text holds them."""

import json
from urllib.parse import quote, urlencode

import polars as pl
import pytest

from accountpulse.core.redact import MASK, Redactor


def test_a_secret_that_begins_with_another_one_is_replaced_whole() -> None:
    assert Redactor(["token", "token-and-more"])("a token-and-more b token c") == "a ••• b ••• c"


def test_an_authorization_value_goes_even_if_nobody_told_us_the_secret() -> None:
    assert Redactor()("sent Authorization: Bearer abc.def-123456") == "sent Authorization: Bearer •••"


def test_ordinary_text_stays() -> None:
    assert Redactor(["", "abc"])("abc is a basic idea") == "abc is a basic idea"


SECRET = 'pä"ss\\w ord/&<1>'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps({"password": SECRET}),
        json.dumps({"password": SECRET}, ensure_ascii=False),
        repr({"password": SECRET}),
        f"/login?{urlencode({'password': SECRET})}",
        f"/login/{quote(SECRET, safe='')}",
        '<password>pä"ss\\w ord/&amp;&lt;1&gt;</password>',
    ],
    ids=["plain", "json", "json-as-it-is", "python", "form", "address", "xml"],
)
def test_a_secret_is_found_in_every_form_that_texts_give_it(text: str) -> None:
    clean = Redactor([SECRET])(text)
    assert MASK in clean
    assert not [part for part in ("ss\\w", "w ord", "w+ord", "w%20ord") if part in clean]


def test_what_was_rotated_stays_known_beside_the_new_value() -> None:
    redact = Redactor(["first-token"])
    redact.learn(["second-token"])
    assert redact("first-token second-token") == "••• •••"


def test_texts_of_a_table_are_cleaned_and_nothing_else() -> None:
    table = pl.DataFrame({"name": ["a token-1 b", None], "n": [1, 2], "day": [0.5, None]})
    clean = Redactor(["token-1", "token-1-longer"]).table(table)
    assert clean.rows() == [("a ••• b", 1, 0.5), (None, 2, None)]
    assert clean.schema == table.schema
    assert Redactor().table(table).equals(table)
