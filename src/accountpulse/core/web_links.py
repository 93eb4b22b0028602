"""Addresses at which a person finds an account in the systems."""

from typing import NamedTuple


class WebLink(NamedTuple):
    """A place to look: `label` is what people read, such as `Salesforce`."""

    system: str
    label: str
    url: str
