"""The house: who may import whom, how long things are, which words stay outside."""

import ast
import re
from pathlib import Path
from statistics import median

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "accountpulse"
FILES = sorted(PACKAGE.rglob("*.py"))

PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"


def may_import() -> dict[str, set[str]]:
    """Part → parts that it may import, from the page's table; within a part, modules are neighbours."""
    house = PAGE.read_text(encoding="utf-8").partition("## The house\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", house, re.MULTILINE)
    return {part: set(re.findall(r"`(\w+)`", allowed)) for part, allowed in rows if allowed != "everything"}


MAY_IMPORT = may_import()


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path: Path) -> set[tuple[str, ...]]:
    """Our own modules that a file names in an import, also inside functions, as parts below the package."""
    found: set[tuple[str, ...]] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {tuple(name.split(".")[1:]) for name in names if name.split(".")[0] == "accountpulse"}
    return found


def module_of(target: tuple[str, ...]) -> Path | None:
    """The file that an import names: the module itself, or the one that holds the name."""
    for depth in (len(target), len(target) - 1):
        stem = PACKAGE.joinpath(*target[:depth])
        for candidate in (stem.with_suffix(".py"), stem / "__init__.py"):
            if depth and candidate.is_file():
                return candidate
    return None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_part_imports_only_what_the_table_allows(path: Path) -> None:
    part = part_of(path)
    if part in {"cli", "__init__", "__main__"}:
        return
    strangers = {target[0] for target in imports_of(path) if target} - MAY_IMPORT[part] - {part, "__version__"}
    assert not strangers, f"{path.name} ({part}) imports {sorted(strangers)}"


def test_the_page_has_a_line_for_every_part() -> None:
    parts = {part_of(path) for path in FILES} - {"__init__", "__main__"}
    assert MAY_IMPORT.keys() == parts - {"cli"}
    assert set().union(*MAY_IMPORT.values()) <= parts
    assert not MAY_IMPORT["core"]
    assert not MAY_IMPORT["sandbox"]


def test_a_system_imports_no_other_system() -> None:
    folders = {path.name for path in (PACKAGE / "systems").iterdir() if path.is_dir()}
    for path in (PACKAGE / "systems").rglob("*.py"):
        own = path.relative_to(PACKAGE / "systems").parts[0]
        if own not in folders:
            continue
        for target in imports_of(path):
            if target[:1] == ("systems",) and len(target) > 1 and target[1] in folders:
                assert target[1] == own, f"{path.relative_to(PACKAGE)} imports {target[1]}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {path: {found for t in imports_of(path) if (found := module_of(t))} - {path} for path in FILES}
    done: set[Path] = set()

    def visit(path: Path, trail: tuple[Path, ...]) -> None:
        assert path not in trail, " → ".join(str(p.relative_to(PACKAGE)) for p in (*trail, path))
        if path not in done:
            for following in graph[path]:
                visit(following, (*trail, path))
            done.add(path)

    for path in FILES:
        visit(path, ())


def body_length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_functions_and_files_stay_short_and_annotated(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 500, "a file holds one idea"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert body_length(node) <= 50, f"{node.name} is too long"
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in {"self", "cls"}]
            assert node.returns is not None, f"{node.name} has no return annotation"
            assert not bare, f"{node.name}: {bare} have no annotation"


def functions_of(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_half_of_all_functions_have_at_most_twelve_lines() -> None:
    assert median(body_length(node) for path in FILES for node in functions_of(path)) <= 12


def types_of(path: Path) -> set[str]:
    """Classes and aliases of types at the top of a module; a leading underscore doesn't count."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id for each in targets if isinstance(each, ast.Name)}
    return {name.lstrip("_") for name in found if re.fullmatch(r"_?[A-Z][a-z]\w*", name)}


def test_the_name_of_a_type_is_used_once() -> None:
    """The sandbox speaks for the vendors: its names may be theirs."""
    used: dict[str, list[str]] = {}
    for path in FILES:
        if part_of(path) != "sandbox":
            for name in types_of(path):
                used.setdefault(name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: places for name, places in used.items() if len(places) > 1} == {}


def test_too_many_positional_arguments_are_for_commands_alone() -> None:
    allowed = {str(p.relative_to(PACKAGE)): p.read_text(encoding="utf-8").count("PLR0917") for p in FILES}
    assert sum(allowed.values()) <= 4
    assert {file for file, count in allowed.items() if count} <= {"cli/commands.py"}


@pytest.mark.parametrize("part", ["systems", "metrics", "scoring"])
def test_no_function_of_theirs_takes_all_settings(part: str) -> None:
    for path in (path for path in FILES if part_of(path) == part):
        for node in functions_of(path):
            for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
                annotation = "" if argument.annotation is None else ast.unparse(argument.annotation)
                assert argument.arg != "settings", f"{path}: {node.name}"
                assert not re.search(r"\bSettings\b", annotation), f"{path}: {node.name}"


def test_no_package_hides_a_module_of_its_behind_a_function() -> None:
    """`from a.b import b` or `def b` in `a/__init__.py`: whoever then imports `a.b` as a module gets the function."""
    for path in (path for path in FILES if path.name == "__init__.py"):
        modules = {each.stem for each in path.parent.iterdir() if each.suffix == ".py" or each.is_dir()}
        package = ("accountpulse", *path.parent.relative_to(PACKAGE).parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            named = {node.name} if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else set()
            if isinstance(node, ast.ImportFrom) and node.module != ".".join(package):
                named = {alias.asname or alias.name for alias in node.names}
            assert not named & modules, f"{path.relative_to(PACKAGE)}: {named & modules}"


VENDOR_WORDS = re.compile(
    r"\b(jql|soql|explores?|sobjects?|conversation parts?|intercom|jira|looker|salesforce)\b", re.I
)
PURE = [path for path in FILES if part_of(path) in {"metrics", "scoring", "proof", "report", "accounts"}]


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_middle_knows_no_vendor(path: Path) -> None:
    assert not VENDOR_WORDS.findall(path.read_text(encoding="utf-8"))


IMPURE = {
    "os",
    "time",
    "socket",
    "subprocess",
    "pathlib",
    "requests",
    "aiohttp",
    "urllib",
    "tempfile",
    "shutil",
    "random",
}


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_middle_asks_no_clock_environment_disk_or_network(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & IMPURE
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in IMPURE
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today", "environ", "getenv"}
        if isinstance(node, ast.Name):
            assert node.id != "open"
