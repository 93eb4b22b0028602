"""Write what is generated: docs/mapping.md, docs/scorecard.md, tables of README.md and docs/evidence.md, a JSON Schema.

usage: docs.py [--check]     with --check: exit 1 where a file is not what would be written
"""

import difflib
import json
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import structs

from accountpulse.scoring import schema, scorecard
from accountpulse.scoring.scorecard_page import markdown
from accountpulse.settings import NAMES, AccountpulseYaml
from accountpulse.systems.mapping_parts import MappingBlock, kinds_of

ROOT = Path(__file__).parent.parent
KINDS = re.compile(r"(\| key \| may name \|\n\| --- \| --- \|\n)(?:.*\n)*?\n")
TRUTHFUL = re.compile(r"(\| answer \| what changes \| what may be true \|\n\| --- \| --- \| --- \|\n)(?:\|.*\n)*")
TABLE = re.compile(r"(\| name \| for \|\n\| --- \| --- \|\n)(?:.*\n)*?\n")


def settings_table() -> str:
    """The README's table of environment names."""
    return "".join(f"| `{name}` | {purpose} |\n" for name, purpose in NAMES.items())


def mapping_page() -> str:
    """Every key of accountpulse.yaml with its default and meaning."""
    lines = [
        "# accountpulse.yaml: how your systems are mapped",
        "",
        "<!-- written by tools/docs.py; change settings/mapping.py and systems/*/settings.py -->",
        "",
        "The file lies in the current folder, or where `ACCOUNTPULSE_CONFIG` says. Every key has a default, so write",
        "only what differs. Unknown keys and wrong values are reported all at once, with their lines. `where` texts",
        "are SOQL conditions as an administrator of the org would write them.",
        "",
        "`accountpulse init` writes a first one from what your systems hold: see [setup.md](setup.md).",
        "",
        "The whole file with its defaults:",
        "",
        "```yaml",
        yaml.safe_dump(
            json.loads(msgspec.json.encode(AccountpulseYaml())),
            sort_keys=False,
            allow_unicode=True,
            width=100,
        ).rstrip(),
        "```",
        "",
        "`currency` is the ISO code of the org's corporate currency, such as `EUR`: the report shows amounts with it.",
        "",
        "`none` in place of a whole part (`signals`, `looker.usage`, `.features`, `salesforce.payment`,",
        "`.downgrades`, `.arr_history`, `.reviews`, `.champions`, `.expansion`, `.outcomes`) says that it is not in",
        "use: its metrics stay empty with the reason `not_configured`.",
        "",
        *section("", AccountpulseYaml, {}),
    ]
    return "\n".join(lines).rstrip() + "\n"


def kinds_table() -> str:
    """Which kinds of field each key of accountpulse.yaml may name, as rows; a key with several ways once for each."""
    rows = dict.fromkeys(_kinds("", AccountpulseYaml))
    return "".join(f"| `{key}` | {', '.join(kinds)} |\n" for key, kinds in rows)


def _kinds(path: str, model: type[MappingBlock]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for declared in structs.fields(model):
        key = f"{path}{declared.encode_name}"
        if kinds := kinds_of(declared.type):
            yield key, kinds
        for part in parts_of(declared.type):
            yield from _kinds(f"{key}.", part)


def truthful_table() -> str:
    """What tests take for another truth of the vendor (tests/mutations/truthful.py), as rows."""
    found = runpy.run_path(str(ROOT / "tests" / "mutations" / "truthful.py"))["TABLE"]
    return "".join(f"| {each.of} | {', '.join(each.mutations)} | {each.why} |\n" for each in found)


def scorecard_page() -> str:
    """What `accountpulse scorecard show` prints of the packaged scorecard, before any pillar is configured."""
    head, _, rest = markdown(scorecard.default()).partition("\n")
    lead = (
        "<!-- written by tools/docs.py from `accountpulse scorecard show`; change src/accountpulse/scoring/default.yaml"
        " instead -->\n\n"
        "The packaged scorecard ([default.yaml](../src/accountpulse/scoring/default.yaml)), as"
        " `accountpulse scorecard show` prints it.\nHow scores are calculated, with an example by hand:"
        " [scoring.md](scoring.md)."
    )
    return f"{head}\n\n{lead}\n{rest}"


def section(path: str, model: type[MappingBlock], seen: dict[tuple[str, str], str]) -> list[str]:
    """What each part is for, depth first; a long text once."""
    lines: list[str] = []
    for declared in structs.fields(model):
        ways = parts_of(declared.type)
        for part in ways:
            key = f"{path}{declared.encode_name}"
            if (key, part.__name__) not in seen:
                text = (part.__doc__ or "").strip()
                told = seen.setdefault(("", text), key)
                text = text if told == key or "\n" not in text else f"{text.splitlines()[0]} See `{told}`."
                seen[key, part.__name__] = key
                lines += [
                    f"- `{key}`{way(part, ways)}: {text}",
                    *section(f"{key}.", part, seen),
                ]
    return lines


def way(part: type[MappingBlock], ways: list[type[MappingBlock]]) -> str:
    """For one of several ways to read something: its `from`, and its keys with their defaults."""
    fields = {declared.name: declared for declared in structs.fields(part)}
    if len(ways) < 2 or "source" not in fields:
        return ""
    source = default(fields.pop("source"))
    shown = [f"{declared.encode_name}: {default(declared)}" for declared in fields.values()]
    return f" with `from: {source}`" + (f" ({'; '.join(f'`{each}`' for each in shown)})" if shown else "")


def default(declared: structs.FieldInfo) -> str:
    """A key's default on one line."""
    if declared.required:
        return "…"
    value = declared.default if declared.default_factory is msgspec.NODEFAULT else declared.default_factory()
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False).replace('"', "")


def parts_of(annotation: Any) -> list[type[MappingBlock]]:
    """The models inside a type."""
    if isinstance(annotation, type) and issubclass(annotation, MappingBlock):
        return [annotation]
    return [part for argument in getattr(annotation, "__args__", ()) for part in parts_of(argument)]


def pages() -> dict[Path, str]:
    """Each generated file with its right text."""
    readme = ROOT / "README.md"
    text = TABLE.sub(lambda match: f"{match[1]}{settings_table()}\n", readme.read_text(encoding="utf-8"))
    evidence = ROOT / "docs" / "evidence.md"
    kinds = KINDS.sub(lambda match: f"{match[1]}{kinds_table()}\n", evidence.read_text(encoding="utf-8"))
    kinds = TRUTHFUL.sub(lambda match: f"{match[1]}{truthful_table()}", kinds)
    return {
        ROOT / "docs" / "mapping.md": mapping_page(),
        evidence: kinds,
        ROOT / "docs" / "scorecard.md": scorecard_page(),
        readme: text,
        ROOT / "src" / "accountpulse" / "scoring" / schema.SHIPPED: schema.generated(),
    }


def main() -> int:
    """Write, or check; the number of stale files."""
    stale = 0
    for path, text in pages().items():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        if old == text:
            continue
        stale += 1
        if "--check" in sys.argv:
            print(
                *difflib.unified_diff(old.splitlines(), text.splitlines(), str(path), "generated", lineterm=""),
                sep="\n",
            )
        else:
            path.write_text(text, encoding="utf-8")
    return stale if "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
