"""Whose an address is: the part of a host or an e-mail domain that somebody has registered."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from accountpulse.accounts.company_words import FREE_MAIL, FREE_MAIL_NAMES, SHARED_HOSTS

if TYPE_CHECKING:
    from tldextract import TLDExtract

_HOST = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?/*(?:[^/?#@\s]*@)?([^/?#:\s@,;]+)", re.IGNORECASE)
_NUMBERS = re.compile(r"[\d.]+")


def registered(address: str) -> str | None:
    """The registered domain of a web address, a host or an e-mail domain: `https://www.acme.co.uk/en` → `acme.co.uk`.

    By the public suffix list that tldextract brings along, its private part as well (`acme.github.io` is one). An
    ending that the list doesn't know counts as one (its rule `*`). None: no domain, or one that says nothing of who
    somebody is (free mail, social networks, shared hosting).
    """
    found = _HOST.match(address)
    return None if found is None else _registered(found[1].strip(".").lower())


@lru_cache(maxsize=200_000)
def _registered(host: str) -> str | None:
    if "." not in host or _NUMBERS.fullmatch(host):
        return None
    parts = _suffixes().extract_str(_unicode(host))
    domain, suffix = parts.domain, parts.suffix
    if not suffix:
        domain, suffix = _unicode(host).rsplit(".", 2)[-2:]
    if not domain:
        return None
    whole = f"{domain}.{suffix}"
    nobodys = domain in FREE_MAIL_NAMES or whole in FREE_MAIL or whole in SHARED_HOSTS
    return None if nobodys else whole


def _unicode(host: str) -> str:
    """A host with letters of other scripts, in one of its two ways to be written."""
    return ".".join(map(_label, host.split("."))) if "xn--" in host else host


def _label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label


@lru_cache(maxsize=1)
def _suffixes() -> "TLDExtract":
    """The packaged list: nothing is fetched, nothing is written."""
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def brand(domain: str) -> str:
    """The first part of a registered domain, which a company has under several endings: `acme.co.uk` → `acme`."""
    return domain.partition(".")[0]
