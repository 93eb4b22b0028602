"""The sandbox as a real server, and settings that lead to it."""

import os
from collections.abc import Iterator
from pathlib import Path

import boto3
import hypothesis
import pytest
from moto.moto_api import recorder
from moto.server import ThreadedMotoServer

from accountpulse import settings
from accountpulse.core.period import Period, Scope, scope_of
from accountpulse.core.redact import REDACT
from accountpulse.sandbox.server import Sandbox
from accountpulse.sandbox.world import build
from accountpulse.sandbox.world.model import World
from accountpulse.settings import Settings
from support import NOW, Configure, promises


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that docs/reliability.md names: `pytest -m fault`, `pytest -m "fault(n=19)"`."""
    numbers: dict[tuple[str, str], list[int]] = {}
    for number, tests in promises().items():
        for test in tests:
            numbers.setdefault(test, []).append(number)
    for item in items:
        if isinstance(item, pytest.Function):
            file = item.path.relative_to(Path(__file__).parent).as_posix()
            for number in numbers.get((file, item.originalname), ()):
                item.add_marker(pytest.mark.fault(n=number))


# other processes share the machine: how long an example takes says nothing
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
# for `make mutants`: a law that fails has noticed the mutant; its smallest example, a minute each, is not looked for
hypothesis.settings.register_profile(
    "mutants", deadline=None, phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate)
)

# the tests' servers come with authorities of their own; the machine's hundred and certifi's, which vouch for none of
# them, would be read for every session and every connection anew, and that is a fifth of a small run
for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
    os.environ.setdefault(name, str(Path(__file__).with_name("authority.pem")))

AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture(scope="module", autouse=True)
def _own_secrets() -> Iterator[None]:
    """What one file's tests take for a secret may be an ordinary word in another's."""
    known = vars(REDACT).copy()
    yield
    vars(REDACT).update(known)


@pytest.fixture(scope="session")
def world() -> World:
    """The demo's world at a fixed instant. Tests that change it build their own."""
    return build(seed=7, accounts=120, until=NOW)


@pytest.fixture
def sandbox(world: World) -> Iterator[Sandbox]:
    """A fresh server over the shared world; what was loaded into it is taken away afterwards."""
    with Sandbox(world) as running:
        yield running
    world.salesforce.objects["Health_Score__c"].rows.clear()


@pytest.fixture(scope="session")
def company() -> World:
    """A small company, for runs whose faults count and not its size. Tests that change it build their own."""
    return build(seed=7, accounts=25, until=NOW)


@pytest.fixture
def served(company: World) -> Iterator[Sandbox]:
    """A fresh server over the small company; what was loaded into it is taken away afterwards."""
    with Sandbox(company) as running:
        yield running
    company.salesforce.objects["Health_Score__c"].rows.clear()


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """Settings for a sandbox, with changes to the environment; None takes a name away."""

    def made(running: Sandbox, **changes: str | None) -> Settings:
        environment: dict[str, str | None] = {
            **running.environment(),
            "ACCOUNTPULSE_STATE": str(tmp_path / "state"),
            **changes,
        }
        return settings.load({name: value for name, value in environment.items() if value is not None})

    return made


@pytest.fixture(scope="session")
def scope() -> Scope:
    """October 2026, seen from NOW."""
    return scope_of(Period(2026, 10), NOW)


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an AWS of our own: moto's server speaks S3 and Secrets Manager on a real socket."""
    # its recorder would write into the current folder, where other processes of the tests do too
    recorder._location = str(tmp_path_factory.mktemp("moto") / "recorded")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(aws_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment leads to that AWS; what leads there."""
    led = {**AWS, "AWS_ENDPOINT_URL": aws_server, "AWS_CONFIG_FILE": str(tmp_path / "none")}
    for name, value in led.items():
        monkeypatch.setenv(name, value)
    return led


@pytest.fixture
def bucket(aws: dict[str, str], tmp_path: Path) -> str:
    """An empty bucket's name; the environment leads to it."""
    assert aws
    name = "state-" + tmp_path.name.replace("_", "-").lower()[:40].strip("-")
    made = boto3.client("s3")
    made.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    made.close()
    return name
