"""What the vendors' own OpenAPI files say about the answers that a reader heard."""

from collections.abc import Iterable

import pytest

from accountpulse.sandbox.server import Exchange
from sandbox.openapi import SPECS, vendor
from sandbox.test_vendor_specs import mistakes

needs_files = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendors' OpenAPI files are not here")


def mistakes_in(heard: Iterable[Exchange], file: str, prefix: str) -> list[str]:
    """Where answers, or what was asked, differ from a vendor's file."""
    return mistakes(vendor(file, prefix), heard)
