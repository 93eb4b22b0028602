"""Files that people name: what is larger, deeper or more entangled than any of ours is refused in words, and soon."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.given_files import Unreadable, read, read_text
from accountpulse.core.yaml_files import parse

LAUGHS = "\n".join(
    ["a: &a [lol, lol, lol]", *(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghi"))]
)
MERGES = "\n".join(
    ["a: &a {x: 1, y: 2}", *(f"{b}: &{b} {{<<: [{', '.join([f'*{a}'] * 9)}]}}" for a, b in pairwise("abcdefghi"))]
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, r"line \d: with its aliases it has more than 100,000 entries"),
        (MERGES, r"line \d: with its aliases it has more than 100,000 entries"),
        ("a: &a [*a]", "line 1: nested deeper than 50 levels, or within itself"),
        ("a: &a\n  b: *a", "nested deeper than 50 levels, or within itself"),
        ("[" * 60 + "]" * 60, "nested deeper than 50 levels"),
        ("[" * 100_000, "nested deeper than 50 levels"),
        ("{a: " * 100_000, "nested deeper than 50 levels"),
        ("a: " + "x" * 70_000, "line 1: a text of more than 65,536 characters"),
        ("a: 1" + ":59" * 30_000, "line 1: a text of more than 65,536 characters"),
        ("a: b\n" * 110_000, "it is larger than 512 KiB"),
        ("a: " + "9" * 5_000, "not YAML"),
        ("? [a, b]\n: c", "line 1: not YAML: found unhashable key"),
        ("a: \x00", "not YAML"),
    ],
)
def test_a_document_that_nobody_wrote_by_hand_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        parse(text, "accountpulse.yaml")
    assert len(str(caught.value)) < 300


def test_a_few_aliases_and_merges_are_what_they_stand_for() -> None:
    found = parse("base: &b {x: 1, deep: [1, {y: 2}]}\nmore: {<<: *b, z: 3}\nagain: *b\n", "a.yaml")
    assert found.data["more"] == {"x": 1, "deep": [1, {"y": 2}], "z": 3}
    assert found.data["again"] == found.data["base"]
    assert found.where(("more", "z")) == "line 2, more.z"


def test_a_file_is_read_up_to_its_bound_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert read(path, 6) == b"\xef\xbb\xbfabc"
    assert read_text(path, 6) == "abc"
    for most, size in ((5, "0 KiB"), (1 << 10, "1 KiB"), (2 << 20, "2 MiB")):
        path.write_bytes(bytes(most + 1))
        with pytest.raises(Unreadable, match=f"it is larger than {size}"):
            read(path, most)


@pytest.mark.parametrize("path", ["/dev/zero", "/nowhere/at/all", "/" + "a" * 5_000, "a\0b", os.curdir])
def test_what_is_no_file_is_said_in_words(path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(Path(path), 1_000)
    assert str(caught.value)


def test_a_text_in_another_encoding_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes("name: größe".encode("latin-1"))
    with pytest.raises(Unreadable, match="UTF-8"):
        read_text(tmp_path / "a.yaml", 1_000)
