"""The same tests over a folder and over a bucket."""

from pathlib import Path

import pytest


@pytest.fixture(params=["folder", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A root of state, on each kind of store."""
    if request.param == "folder":
        return str(tmp_path / "state")
    return f"s3://{request.getfixturevalue('bucket')}/some/prefix"
