"""What one system is given of the settings: its own access and mapping, and never the others'."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

A = TypeVar("A")
M = TypeVar("M")


@dataclass(frozen=True)
class Connection(Generic[A, M]):
    """How to reach a system, and what the company maps there.

    `blocks` are the further blocks of accountpulse.yaml that are its own. `link_fields` are the account's fields that
    hold the keys of every configured system, by name: who knows the accounts reads them. `own_metrics` are those that
    it is asked for, each in its form.
    """

    access: A
    mapping: M
    blocks: Mapping[str, Any] = field(default_factory=dict)
    link_fields: Mapping[str, str] = field(default_factory=dict)
    own_metrics: Mapping[str, Any] = field(default_factory=dict)
    ca_bundle: Path | None = None
