"""What the pages promise exists."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from accountpulse import __version__
from accountpulse.cli import app
from accountpulse.cli.docs import topics
from accountpulse.core.catalogue import METRICS
from accountpulse.systems.salesforce.record import FIELDS, OPTIONAL
from support import promises

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "accountpulse"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    for line in re.findall(r"accountpulse ([a-z]+[^`\n]*)", page.read_text(encoding="utf-8")):
        words = line.split()
        if words[0] not in known:
            assert not line.startswith(("run", "score", "demo", "check")), line
            continue
        command = known[words[0]]
        command = getattr(command, "commands", {}).get(words[1] if len(words) > 1 else "", command)
        options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
        named = {word for word in words[1:] if word.startswith("--")}
        assert named <= options, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def names_in(path: Path) -> set[str]:
    """Functions and classes at the top of a module, and the methods of these classes."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            found |= {f"{node.name}.{method.name}" for method in methods}
    return found


def is_there(module: str, name: str) -> bool:
    """Whether a module, as the end of its path, has the function, class or method."""
    files = [PACKAGE / "__init__.py", *PACKAGE.rglob("*.py")]
    places = {path: f"/{path.relative_to(PACKAGE).with_suffix('')}".removesuffix("/__init__") for path in files}
    return any(name in names_in(path) for path, place in places.items() if place.endswith(f"/{module}"))


def test_a_message_names_a_page_as_the_command_shows_it() -> None:
    """A file of docs/ isn't there for whoever has installed the wheel."""
    pages = set(topics())
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"`accountpulse docs ([a-z-]+)", text)) <= pages, path
        if not re.search(r"docs/[a-z-]+\.md", text):
            continue
        tree = ast.parse(text)
        told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
                assert not re.search(r"docs/[a-z-]+\.md", node.value), f"{path}:{node.lineno}"


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_and_function_that_a_page_of_the_code_names_exists(page: str) -> None:
    named = re.findall(r"`([^`\n]+)`", (ROOT / page).read_text(encoding="utf-8"))
    files = [name for name in named if re.fullmatch(r"[\w/.-]*(\w/|\.(py|yaml|json|md|txt))", name)]
    functions = [name for name in named if re.fullmatch(r"[\w/]+(\.\w+){1,2}", name) and name not in files]
    loose = {"settings.py", "wire.py", "rows.py", "lookup.py", "extract.py"}  # of any system
    for name in set(files) - loose:
        assert (PACKAGE / name).exists() or (ROOT / name).exists(), name
    for name in functions:
        module, _, function = name.partition(".")
        assert is_there(module, function), name
    assert files


def test_the_walk_from_an_answer_to_a_metric_is_eight_modules() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walk = page.partition("## From a page of conversations to a metric\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\| `[\w/]+\.py` \|", walk, re.MULTILINE)) == 8


def test_every_metric_is_defined_on_its_page() -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")))
    assert set(METRICS) <= named


def test_every_field_that_is_written_is_on_the_salesforce_page() -> None:
    named = set(re.findall(r"`(\w+__c)`", (ROOT / "docs" / "salesforce.md").read_text(encoding="utf-8")))
    assert {*FIELDS, *OPTIONAL} <= named


def test_the_changelog_has_a_section_for_what_comes() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_no_file_names_a_package_registry_or_a_folder_of_a_development_machine() -> None:
    hosts = (
        "pypi" + ".org",
        "python" + "hosted",
        "npm" + "js",
        "deb." + "debian",
        "--index" + "-url http",
        "/wo" + "rk/",
    )
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", errors="replace")
        assert not [host for host in hosts if host in text], path


def test_every_requirement_carries_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        blocks = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / name).read_text(encoding="utf-8").strip())
        assert len(blocks) > 30
        assert all("--hash=sha256:" in block for block in blocks), name


def test_every_promise_names_tests_that_exist() -> None:
    named = promises()
    assert sorted(named) == list(range(1, len(named) + 1))
    assert len(named) > 50
    for file, test in {each for tests in named.values() for each in tests}:
        assert re.search(rf"def {test}\(", (ROOT / "tests" / file).read_text(encoding="utf-8")), (file, test)


def test_every_test_that_a_page_names_exists() -> None:
    named = set(re.findall(r"::(test_\w+)", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    written = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert named <= written
