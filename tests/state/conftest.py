"""The same tests over a folder and over a bucket: moto's server speaks S3 on a real socket."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """The address of an S3 of our own."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """An empty bucket's name; the environment leads to it."""
    for name, value in {**AWS, "AWS_ENDPOINT_URL": aws, "AWS_CONFIG_FILE": str(tmp_path / "none")}.items():
        monkeypatch.setenv(name, value)
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
