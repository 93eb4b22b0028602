"""Addresses for people: templates that are checked, values that are escaped, and what a page may link to."""

import polars as pl
import pytest

from accountpulse.core.records import Source
from accountpulse.core.web_links import account_links, filled, is_web_address, links_of_all, template_problem

CRM, DESK = Source("crm", "CRM", "id", str, has_accounts=True), Source("desk", "Desk", "key", str)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("https://acme.example/a/{id}", None),
        ("http://127.0.0.1:8080/{key}", None),
        ("https://acme.example/?q={key}&x={{y}}", None),
        ("https://acme.example/accounts", "leads to one place for all accounts"),
        ("https://acme.example/{name}", "has {name}, which stands for nothing here"),
        ("https://acme.example/{}", "has {}, which"),
        ("https://acme.example/{id.__class__}", "has {id.__class__}, which"),
        ("https://acme.example/{id!r}", "has {id}, which"),
        ("https://acme.example/{id", "has a brace"),
        ("https://{key}.example/{id}", "must name its host"),
        ("http://acme.example/{id}", "is not an address"),
        ("https://user:word@acme.example/{id}", "is not an address"),
        ("javascript:alert({id})", "is not an address"),
        ("https://acme.example/a b/{id}", "is not an address"),
    ],
)
def test_a_template_is_an_address_with_a_place_for_the_account(template: str, said: str | None) -> None:
    problem = template_problem(template, ("id", "key"))
    assert problem is None if said is None else problem is not None and problem.startswith(said)


def test_a_value_can_not_change_what_the_address_means() -> None:
    url = filled("https://acme.example/{id}?q={key}", {"id": "001/../x", "key": 'a&b="c" #ä{id}'})
    assert url == "https://acme.example/001%2F..%2Fx?q=a%26b%3D%22c%22%20%23%C3%A4%7Bid%7D"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "http://acme.example/", "//acme.example/", "https://a@b/", ""]
)
def test_a_page_links_to_nothing_else(url: str) -> None:
    assert not is_web_address(url)


def test_links_stand_in_the_order_of_the_sources_and_several_are_numbered() -> None:
    rows = [
        ("A", "desk", ["https://desk.example/1", "https://desk.example/2"]),
        ("A", "crm", ["https://crm.example/A"]),
        ("B", "desk", ["javascript:alert(1)", "https://desk.example/3"]),
        ("C", "desk", None),
        ("A", "gone", ["https://gone.example/"]),
    ]
    evidence = pl.DataFrame(
        rows, schema={"account_id": pl.String, "source": pl.String, "urls": pl.List(pl.String)}, orient="row"
    )
    found = links_of_all(evidence, [CRM, DESK])
    assert [(link.label, link.url) for link in found["A"]] == [
        ("CRM", "https://crm.example/A"),
        ("Desk 1", "https://desk.example/1"),
        ("Desk 2", "https://desk.example/2"),
    ]
    assert [(link.system, link.label) for link in account_links(evidence, "B", [CRM, DESK])] == [("desk", "Desk")]
    assert account_links(evidence, "C", [CRM, DESK]) == []


def test_a_run_of_an_older_version_has_none() -> None:
    older = pl.DataFrame({"account_id": ["A"], "source": ["crm"], "rows": [1]})
    assert links_of_all(older, [CRM]) == {}
    assert account_links(None, "A", [CRM]) == []
