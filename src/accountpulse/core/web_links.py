"""Addresses in the systems' own pages, for people: where an account, its conversations and its bugs can be seen.

A run fills the templates and keeps the addresses with the account (`urls` of its evidence), so that whatever is made
of the state later needs neither the settings nor a system.
"""

from collections.abc import Iterable, Mapping, Sequence
from string import Formatter
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import polars as pl

from accountpulse.core.loopback import is_loopback
from accountpulse.core.records import Source, SourceName

MOST = 5  # addresses of one account in one system


class WebLink(NamedTuple):
    """A link that is shown: the system's name, what the link is called, and where it leads."""

    system: SourceName
    label: str
    url: str


def filled(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders filled; values are escaped, so that none changes what the address means."""
    return template.format_map({name: quote(value, safe="") for name, value in values.items()})


def template_problem(template: str, placeholders: Iterable[str]) -> str | None:
    """What is wrong with a template, as the end of a sentence that begins with its setting; None: nothing."""
    known = dict.fromkeys(placeholders, "x")
    offer = " or ".join(f"{{{name}}}" for name in known)
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return "has a brace { or } that belongs to no placeholder"
    named = [(name, conversion or spec) for _text, name, spec, conversion in parts if name is not None]
    if wrong := [name for name, more in named if name not in known or more]:
        return f"has {{{wrong[0]}}}, which stands for nothing here: write {offer}"
    if not named:
        return f"leads to one place for all accounts: write {offer} where the account's own part stands"
    if not leads_to_a_page(template):
        return "is not an address such as https://example.com/{id}: no blanks, no password, http: on this machine only"
    return "must name its host, without a placeholder" if "{" in urlsplit(template).netloc else None


def leads_to_a_page(template: str) -> bool:
    """Whether a template is a web address, whatever stands for its placeholders: values are escaped."""
    names = [name for _text, name, _spec, _conversion in Formatter().parse(template) if name is not None]
    return is_web_address(filled(template, dict.fromkeys(names, "x")))


def is_web_address(url: str) -> bool:
    """Whether a page may link to it: https, or http on this machine; no password, no blanks or control characters."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def links_of_all(evidence: pl.DataFrame | None, sources: Sequence[Source]) -> dict[str, tuple[WebLink, ...]]:
    """The links of every account that has any, by its id, in the order of `sources`.

    `evidence`: what a run kept of its sources; None, or without `urls`, where an older version wrote it: no links.
    """
    if evidence is None or "urls" not in evidence.columns:
        return {}
    order, found = {source.name: source for source in sources}, dict[str, dict[str, list[WebLink]]]()
    for account, name, urls in evidence.select("account_id", "source", "urls").drop_nulls().iter_rows():
        if name in order:
            found.setdefault(account, {})[name] = _links(order[name], urls)
    return {
        account: tuple(link for name in order for link in by_source.get(name, ()))
        for account, by_source in found.items()
    }


def account_links(evidence: pl.DataFrame | None, account_id: str, sources: Sequence[Source]) -> list[WebLink]:
    """The same of one account; [] where it has none."""
    mine = None if evidence is None else evidence.filter(pl.col("account_id") == account_id)
    return list(links_of_all(mine, sources).get(account_id, ()))


def _links(source: Source, urls: Sequence[str]) -> list[WebLink]:
    """What isn't an address that a page may link to is left out; several are numbered."""
    good = [url for url in urls if is_web_address(url)]
    return [
        WebLink(source.name, source.title if len(good) == 1 else f"{source.title} {number}", url)
        for number, url in enumerate(good, start=1)
    ]
