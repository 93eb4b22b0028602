"""The built package holds what the program needs besides code, and what it carries of others says so."""

import csv
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from installed.dockerfile import context, stages
from program import CLEAN, Said, call

ROOT = Path(__file__).parent.parent
CONTAINER = ROOT / "deploy" / "container"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages as an installer leaves it: with files of its own, and bytecode."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    (info,) = folder.glob("*.dist-info")
    (info / "INSTALLER").write_text("pip\n")
    (info / "direct_url.json").write_text("{}")
    added = [
        f"{info.name}/INSTALLER,,",
        f"{info.name}/direct_url.json,,",
        "accountpulse/__pycache__/x.cpython-311.pyc,,",
    ]
    with (info / "RECORD").open("a") as record:
        record.write("\n".join(["../../bin/accountpulse,,", *added, ""]))
    return folder


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, check=True, text=True)
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}


def test_the_wheel_carries_every_file_of_the_package_and_of_what_goes_with_it_and_no_other(wheel: Path) -> None:
    ours = {name.removeprefix("src/") for name in tracked("src")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    beside = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {source: f"accountpulse/{source}" for source in beside} == beside
    more = {f"accountpulse/{name}" for name in tracked(*beside)}
    assert {
        "accountpulse/py.typed",
        "accountpulse/report/charts/vega.js",
        "accountpulse/sandbox/accountpulse.yaml",
    } <= ours
    assert {"accountpulse/deploy/container/Dockerfile", "accountpulse/requirements.txt"} <= more
    assert {name for name in contents(wheel) if ".dist-info/" not in name} == ours | more


def test_the_wheel_carries_the_licences_of_everything_in_it(wheel: Path) -> None:
    """What others wrote lies in a folder with a LICENSES.txt, which the metadata names."""
    names = contents(wheel)
    (info,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    metadata = message_from_string(names[f"{info}/METADATA"].decode())
    theirs = {name for name in tracked("src") if name.endswith("LICENSES.txt")}
    assert set(metadata.get_all("License-File") or ()) == {"LICENSE"} | theirs
    assert {f"{info}/licenses/{name}" for name in {"LICENSE"} | theirs} <= names.keys()
    vendored = re.findall(r"^(\S+) .*linguist-vendored", (ROOT / ".gitattributes").read_text(), re.MULTILINE)
    assert {str(Path(name).parent / "LICENSES.txt") for name in vendored} == theirs


def test_the_metadata_names_no_host_of_a_registry_and_every_python_that_is_tried(wheel: Path) -> None:
    names = contents(wheel)
    text = next(content.decode() for name, content in names.items() if name.endswith("METADATA"))
    metadata = message_from_string(text)
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Programming Language :: Python :: 3.11" in metadata.get_all("Classifier", [])
    assert metadata["Project-URL"] is None
    assert metadata["Description-Content-Type"] == "text/markdown"


def test_an_installed_wheel_hands_itself_out_as_it_was(wheel: Path, installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "accountpulse", "deploy-files", "container", "image"]
    subprocess.run(command, cwd=tmp_path, env={**CLEAN, "PYTHONPATH": str(installed)}, check=True, capture_output=True)
    made, given = contents(tmp_path / "image" / wheel.name), contents(wheel)
    (record,) = (name for name in given if name.endswith("/RECORD"))
    rows = [{tuple(row) for row in csv.reader(each.pop(record).decode().splitlines())} for each in (made, given)]
    assert made == given
    assert rows[0] == rows[1]
    assert (tmp_path / "image" / "Dockerfile").read_bytes() == (CONTAINER / "Dockerfile").read_bytes()
    assert (tmp_path / "image" / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()


def test_an_installation_with_a_file_missing_hands_out_no_wheel(installed: Path, tmp_path: Path) -> None:
    broken = tmp_path / "site-packages"
    shutil.copytree(installed, broken)
    (broken / "accountpulse" / "main.py").unlink()
    command = [sys.executable, "-m", "accountpulse", "deploy-files", "aws", "stack"]
    given = {**CLEAN, "PYTHONPATH": str(broken)}
    done = subprocess.run(command, cwd=tmp_path, env=given, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert "main.py" in done.stderr
    assert "install it anew" in done.stderr
    assert not (tmp_path / "stack").exists()


def org_files(folder: Path, *more: str) -> Said:
    return call(folder, "deploy-files", "salesforce", "org", *more)


def test_deploy_files_lists_what_it_wrote_and_says_what_comes_next(tmp_path: Path) -> None:
    said = org_files(tmp_path)
    assert said.exit_code == 0
    written = {
        path.relative_to(tmp_path / "org").as_posix() for path in (tmp_path / "org").rglob("*") if path.is_file()
    }
    assert written == {name.removeprefix("deploy/salesforce/") for name in tracked("deploy/salesforce")}
    assert set(re.findall(r"^wrote +org/(.*)$", said.stdout, re.MULTILINE)) == written
    assert "Next:\n  cd org\n  sf org login web" in said.stdout


def test_deploy_files_replaces_what_differs_only_when_told_to(tmp_path: Path) -> None:
    org_files(tmp_path)
    changed, kept = tmp_path / "org" / "sfdx-project.json", tmp_path / "org" / "mine.txt"
    original = changed.read_bytes()
    changed.write_text("of ours")
    kept.write_text("of ours")
    (tmp_path / "org" / "health-score").rename(tmp_path / "elsewhere")
    refused = org_files(tmp_path)
    assert refused.exit_code == 2
    assert "\n  sfdx-project.json" in refused.stderr
    assert changed.read_text() == "of ours"
    assert not (tmp_path / "org" / "health-score").exists()
    replaced = org_files(tmp_path, "--force")
    assert replaced.exit_code == 0
    assert "replaced org/sfdx-project.json" in replaced.stdout
    assert changed.read_bytes() == original
    assert kept.read_text() == "of ours"
    again = org_files(tmp_path)
    assert again.exit_code == 0
    assert "wrote" not in again.stdout
    assert org_files(tmp_path, "--quiet", "--force") == Said(0, "", "")


def test_a_file_that_moved_to_another_folder_is_named_and_goes_with_force(tmp_path: Path) -> None:
    """Beside its new place it would be deployed twice, with the old formula."""
    org_files(tmp_path)
    name = "churn-signal/main/default/objects/Health_Score__c/fields/Final_Score__c.field-meta.xml"
    old = tmp_path / "org" / name
    old.parent.mkdir(parents=True)
    old.write_text("of an earlier version")
    refused = org_files(tmp_path)
    assert (refused.exit_code, old.exists()) == (2, True)
    assert f"\n  {name}" in refused.stderr
    assert org_files(tmp_path, "--force").exit_code == 0
    assert not old.exists()
    assert (tmp_path / "org" / "health-score" / name.removeprefix("churn-signal/")).is_file()


def test_another_versions_wheel_stays_until_told_otherwise(tmp_path: Path) -> None:
    """Two wheels in one context could not be installed."""
    old = tmp_path / "image" / "accountpulse-0.0.9-py3-none-any.whl"
    old.parent.mkdir()
    old.write_bytes(b"")
    refused = call(tmp_path, "deploy-files", "container", "image")
    assert refused.exit_code == 2
    assert old.name in refused.stderr
    assert list(old.parent.iterdir()) == [old]
    assert call(tmp_path, "deploy-files", "container", "image", "--force").exit_code == 0
    assert [path.name for path in old.parent.glob("*.whl")] != [old.name]
    assert len(list(old.parent.glob("*.whl"))) == 1


def test_a_place_that_is_no_folder_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "org").write_text("a file")
    refused = org_files(tmp_path)
    assert refused.exit_code == 2
    assert "Not a directory" in refused.stderr


def test_lambda_gets_neither_the_command_line_nor_what_is_deployed(wheel: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "aws" / "package.py", tmp_path)
    runpy.run_path(str(tmp_path / "package.py"))["add_ours"](wheel, None)
    held = {
        path.relative_to(tmp_path / "lambda").as_posix() for path in (tmp_path / "lambda").rglob("*") if path.is_file()
    }
    assert {"accountpulse/main.py", "accountpulse/scoring/default.yaml", "accountpulse.yaml"} <= held
    parts = {part for name in held for part in name.split("/")}
    assert not parts & {"cli", "sandbox", "deploy", "charts", "requirements.txt", "__main__.py"}


def test_the_image_is_slim_pinned_by_hash_and_runs_as_nobody_special() -> None:
    build, final = stages(CONTAINER / "Dockerfile")
    assert (build.image, final.image) == ("python:3.13-slim", "python:3.13-slim")  # no registry's host
    assert [each.words() for each in final.of("COPY")] == [["--from=build", "/opt/accountpulse", "/opt/accountpulse"]]
    installs = [text for each in build.of("RUN") for text in each.text.split("&&") if "pip install" in text]
    assert all("--require-hashes" in text or "--no-index --no-deps" in text for text in installs)
    assert len(installs) == 2
    (user,) = final.of("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.text)  # by number: an orchestrator can see that it isn't root
    (started,), (volume,) = final.of("ENTRYPOINT"), final.of("VOLUME")
    assert started.words() == ["accountpulse"]
    assert f"ACCOUNTPULSE_STATE={volume.text}" in final.of("ENV")[0].words()


def test_the_builder_sees_what_the_image_is_made_of_and_no_secret(tmp_path: Path) -> None:
    wheel = "accountpulse-0.1.0-py3-none-any.whl"
    for name in (".env", "accountpulse.yaml", "settings.json", "requirements.txt", wheel, ".accountpulse/runs/a.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    shutil.copy(CONTAINER / ".dockerignore", tmp_path)
    seen = context(tmp_path)
    assert seen == sorted([wheel, "requirements.txt"])
    (copied,) = stages(CONTAINER / "Dockerfile")[0].of("COPY")
    assert all(any(Path(name).match(pattern) for name in seen) for pattern in copied.words()[:-1])


@pytest.mark.parametrize("command", [[], ["run"], ["score"], ["scorecard", "check"]])
def test_asking_for_help_imports_nothing_heavy(command: list[str]) -> None:
    heavy = "polars narwhals duckdb pyspark pyarrow pandas aiohttp looker_sdk simple_salesforce boto3 botocore "
    heavy += "requests starlette uvicorn rich yaml msgspec"
    if not command:
        heavy += " pydantic"  # Typer itself uses it to read a command's own options
    code = f"""
import sys
from accountpulse.cli import app
try:
    app([*{command!r}, "--help"])
except SystemExit:
    pass
print([name for name in {heavy.split()!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Usage" in done.stdout
