"""`accountpulse deploy-files`: what a deployment needs, in a folder of one's own."""

import shlex
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import accountpulse
from accountpulse.cli.voice import VOICE
from accountpulse.core.errors import UsageError


class DeployTarget(StrEnum):
    """The folders of deploy/."""

    SALESFORCE = "salesforce"
    AWS = "aws"
    CONTAINER = "container"


NEXT = {
    DeployTarget.SALESFORCE: """\
  cd {folder}
  sf org login web --alias our-org
  sf project deploy start --target-org our-org --source-dir health-score --source-dir churn-signal
  sf org assign permset --target-org our-org --on-behalf-of integration@example.com \\
      --name Accountpulse_Integration --name Accountpulse_Integration_Signals
An org with signals of its own has own-signals in place of churn-signal, without Accountpulse_Integration_Signals.
Where the digest is to make Tasks, add --source-dir tasks and --name Accountpulse_Integration_Tasks.
The user's licence and the app to sign in with: `accountpulse docs salesforce`.""",
    DeployTarget.AWS: """\
  python3 {folder}/package.py accountpulse.yaml
  cd {folder}
  sam deploy --guided --stack-name accountpulse --capabilities CAPABILITY_IAM
The secret comes before, and a dry run after: `accountpulse docs aws`.""",
    DeployTarget.CONTAINER: """\
  docker build -t accountpulse {folder}
  docker run --rm accountpulse demo
  docker run --rm --env-file .env -v accountpulse:/state -v "$PWD":/work --user "$(id -u)" accountpulse run --dry-run
/state is what runs leave behind, /work the folder with accountpulse.yaml.""",
}
# of earlier versions, and since in another folder: beside that they would be deployed twice
RETIRED = ("churn-signal/main/default/objects/Health_Score__c/fields/Final_Score__c.field-meta.xml",)


def register(app: typer.Typer) -> None:
    """Hang the command into the program."""
    app.command()(deploy_files)


def deploy_files(
    target: Annotated[DeployTarget, typer.Argument(help="What to deploy to.")],
    folder: Annotated[Path, typer.Argument(help="Where to write; it is made where it is not there.")],
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there and differ.")] = False,
) -> None:
    """Write what a deployment needs: the org's objects, the stack and Lambda's code, or a Dockerfile.

    Nothing is replaced without --force.
    """
    files = files_of(target)
    others = [path for path in folder.glob("accountpulse-*.whl") if path.name not in files]
    others += [folder / name for name in RETIRED if (folder / name).exists()]
    differing = sorted(name for name, content in files.items() if _differs(folder / name, content))
    if (differing or others) and not force:
        names = "".join(f"\n  {name}" for name in [*differing, *(path.relative_to(folder) for path in others)])
        raise UsageError(f"{folder} holds these in another version; nothing was written. --force replaces them:{names}")
    new = [name for name in files if not (folder / name).exists()]
    _write(folder, {name: files[name] for name in [*new, *differing]}, others)
    if VOICE.quiet:
        return
    for name in sorted([*new, *differing]):
        typer.echo(f"{'replaced' if name in differing else 'wrote   '} {folder / name}")
    if same := len(files) - len(new) - len(differing):
        typer.echo(f"{same} of {len(files)} files were there already, unchanged")
    typer.echo(f"\nNext:\n{NEXT[target].format(folder=shlex.quote(str(folder)))}")


def files_of(target: DeployTarget) -> Mapping[str, bytes]:
    """Path in the folder → content. A package and an image hold accountpulse itself, and what it needs, by hash."""
    base = _base()
    place = base / "deploy" / target
    paths = [path for path in sorted(place.rglob("*")) if path.is_file() and not _is_hidden(path.relative_to(place))]
    files = {path.relative_to(place).as_posix(): path.read_bytes() for path in paths}
    if target is not DeployTarget.SALESFORCE:
        from accountpulse.cli import own_wheel

        files["requirements.txt"] = (base / "requirements.txt").read_bytes()
        files[own_wheel.NAME] = own_wheel.installed() if _is_installed(base) else own_wheel.built(base)
    return files


def _base() -> Path:
    """Where deploy/ and requirements.txt lie: in the installed package, or at the top of the clone that runs."""
    package = Path(accountpulse.__file__).parent
    for base in (package, package.parents[1]):
        if (base / "deploy").is_dir() and (base / "requirements.txt").is_file():
            return base
    raise UsageError(f"{package} comes without the files of a deployment: install accountpulse from its wheel")


def _is_installed(base: Path) -> bool:
    return (base / "__init__.py").is_file()


def _is_hidden(path: Path) -> bool:
    """What tools leave behind where they run, such as .sf/ and __pycache__/."""
    return any(part.startswith((".", "__")) for part in path.parent.parts)


def _differs(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() != content
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UsageError(f"{path} can't be read ({error.strerror})") from None


def _write(folder: Path, files: Mapping[str, bytes], others: list[Path]) -> None:
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for path in others:
            path.unlink()
    except OSError as error:
        raise UsageError(f"{error.filename} can't be written ({error.strerror})") from None
