"""`make container-steps`: every step of the Dockerfile, in a Debian of its own, where no builder of images exists.

    python tests/installed/container.py CONTEXT

CONTEXT is the folder that `accountpulse deploy-files container` writes. `python:3.13-slim` is Debian 13 with Python
3.13, so debootstrap makes such a Debian in build/. Each stage begins with a copy of it; RUN is run in it as it stands
(chroot), COPY copies what .dockerignore lets through, and ENTRYPOINT is started with the image's environment and as its
user, and goes the way of a newcomer. Needs root and debootstrap. Exit code 1 where a step fails.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from dockerfile import Instruction, Stage, context, stages
from journey import Broken, Journey

ROOT = Path(__file__).parents[2]
PLACE = ROOT / "build" / "install-container"
BASE = {"python:3.13-slim": ("trixie", "python3.13")}
BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")  # this machine's way to the packages, as a builder has one


class Image:
    """A stage: a file system below `root`, and how its program is started."""

    def __init__(self, stage: Stage, root: Path, build_context: Path, before: dict[str, "Image"]) -> None:
        """`before`: the stages before by their names, which COPY --from takes from."""
        self.root, self._context, self._before = root, build_context, before
        self.environment = {"PATH": BASE_PATH}
        self.workdir, self.user, self.entrypoint = "/", "0:0", [""]
        subprocess.run(["cp", "-a", str(base(stage.image)), str(root)], check=True)
        for step in stage.instructions:
            print(f"  {step.name} {step.text}"[:150], flush=True)
            getattr(self, f"_{step.name.lower()}")(step)

    def inside(self, path: str) -> Path:
        """A path of the image, seen from here."""
        return self.root / path.removeprefix("/")

    def _run(self, step: Instruction) -> None:
        command = ["chroot", str(self.root), "/bin/sh", "-c", step.text]
        subprocess.run(command, check=True, env=self.environment)

    def _copy(self, step: Instruction) -> None:
        *sources, target = step.words()
        if sources[0].startswith("--from="):
            origin = self._before[sources[0].removeprefix("--from=")]
            subprocess.run(["cp", "-a", str(origin.inside(sources[1])), str(self.inside(target))], check=True)
            return
        self.inside(target).mkdir(parents=True, exist_ok=True)
        for source in sources:
            taken = [name for name in context(self._context) if Path(name).match(source)]
            if not taken:
                raise Broken(f"COPY {source}: the context has none")
            for name in taken:
                shutil.copy(self._context / name, self.inside(target))

    def _env(self, step: Instruction) -> None:
        for word in step.words():
            name, _, value = word.partition("=")
            self.environment[name] = value.replace("$PATH", self.environment["PATH"])

    def _workdir(self, step: Instruction) -> None:
        self.workdir = step.text
        self.inside(step.text).mkdir(parents=True, exist_ok=True)

    def _user(self, step: Instruction) -> None:
        self.user = step.text

    def _volume(self, step: Instruction) -> None:
        if not self.inside(step.text).is_dir():
            raise Broken(f"VOLUME {step.text}: nothing made that folder")

    def _entrypoint(self, step: Instruction) -> None:
        self.entrypoint = step.words()

    def _cmd(self, step: Instruction) -> None:
        step.words()

    def started(self) -> list[str]:
        """The words that start its program."""
        at_workdir = ["/bin/sh", "-c", f'cd {self.workdir} && exec "$@"', "sh"]
        return ["chroot", f"--userspec={self.user}", "--groups=", str(self.root), *at_workdir, *self.entrypoint]


def base(image: str) -> Path:
    """What FROM names: a Debian with that Python, made once."""
    suite, python = BASE[image]
    place = PLACE / "base" / suite
    if not place.exists():
        making = place.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        options = ["--variant=minbase", f"--include={python},{python}-venv,ca-certificates"]
        subprocess.run(["debootstrap", *options, suite, str(making)], check=True, stdout=subprocess.DEVNULL)
        for name in ("python", "python3"):
            (making / "usr" / "local" / "bin" / name).symlink_to(f"/usr/bin/{python}")
        if (Path("/") / CERTIFICATES).exists():
            shutil.copy(Path("/") / CERTIFICATES, making / CERTIFICATES)
        making.rename(place)
    return place


def main() -> int:
    """Build the stages, then walk through the program of the last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("context", type=Path, help="what deploy-files container wrote")
    build_context = parser.parse_args().context
    done: dict[str, Image] = {}
    for number, stage in enumerate(stages(build_context / "Dockerfile")):
        print(f"FROM {stage.image}", flush=True)
        root = PLACE / f"stage{number}"
        shutil.rmtree(root, ignore_errors=True)
        done[stage.name] = Image(stage, root, build_context, done)
    image = done[""]
    Journey(image.started(), image.inside(image.workdir), image.environment).walk()
    if not list(image.inside("/state").iterdir()):
        raise Broken("nothing was kept in /state")
    print("the image's program walked through everything as its user")
    return 0


if __name__ == "__main__":
    sys.exit(main())
