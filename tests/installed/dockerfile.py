"""A Dockerfile as its instructions, and which files a .dockerignore lets through."""

import json
import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction: `RUN`, and what follows it on its line and the lines that go on."""

    name: str
    text: str

    def words(self) -> list[str]:
        """What follows, as a list: of JSON, or of words."""
        found: list[str] = json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)
        return found


@dataclass(frozen=True)
class Stage:
    """From one FROM to the next."""

    image: str
    name: str
    instructions: tuple[Instruction, ...]

    def of(self, name: str) -> list[Instruction]:
        """The instructions of one name."""
        return [each for each in self.instructions if each.name == name]


def stages(file: Path) -> list[Stage]:
    """The stages of a Dockerfile in their order."""
    text = re.sub(r"^\s*#.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    found: list[tuple[str, str, list[Instruction]]] = []
    for line in filter(None, map(str.strip, lines)):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            image, _, alias = rest.partition(" AS ")
            found.append((image, alias, []))
        else:
            found[-1][2].append(Instruction(name, rest.strip()))
    return [Stage(image, alias, tuple(instructions)) for image, alias, instructions in found]


def context(folder: Path) -> list[str]:
    """The files of a folder that its .dockerignore lets through: the last pattern that matches decides."""
    rules = [
        line
        for line in (folder / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line[:1] not in {"", "#"}
    ]
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in names if _passes(name, rules)]


def _passes(name: str, rules: list[str]) -> bool:
    passes = True
    for rule in rules:
        pattern = rule.removeprefix("!")
        if fnmatchcase(name, pattern) or fnmatchcase(name.partition("/")[0], pattern):
            passes = rule.startswith("!")
    return passes
