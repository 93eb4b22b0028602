"""The same tests over a folder and over a bucket."""

from pathlib import Path

import boto3
import pytest


@pytest.fixture
def bucket(aws: dict[str, str], tmp_path: Path) -> str:
    """An empty bucket's name; the environment leads to it."""
    assert aws
    name = "state-" + tmp_path.name.replace("_", "-").lower()[:40].strip("-")
    made = boto3.client("s3")
    made.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    made.close()
    return name


@pytest.fixture(params=["folder", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A root of state, on each kind of store."""
    if request.param == "folder":
        return str(tmp_path / "state")
    return f"s3://{request.getfixturevalue('bucket')}/some/prefix"
