"""Build what AWS Lambda runs: lambda/ and lambda.zip beside this file, of hashed requirements, without containers.

usage: package.py [CONFIG]     CONFIG: the accountpulse.yaml to put in; default: the one in the current folder, if any

It lies in the folder that `accountpulse deploy-files aws DIR` writes, beside requirements.txt and accountpulse's wheel.
Wheels are taken for Lambda's Python and processor, whatever runs this. Left out is what only the command line and the
sandbox need, and the descriptions of AWS services that nothing here calls.
"""

import importlib.metadata
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
TARGET = HERE / "lambda"
PYTHON = "3.13"
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_28_aarch64")
LEFT_OUT = (
    "typer", "rich", "pygments", "markdown-it-py", "mdurl", "shellingham", "starlette", "uvicorn", "trustme",
    "jinja2", "markupsafe",  # `accountpulse report` makes the page anywhere
    "xlsxwriter",  # spreadsheets are written on people's machines
    "rapidfuzz", "tldextract", "filelock", "requests-file", "anyascii", "cleanco",  # `accountpulse accounts --suggest`
)  # fmt: skip
PARTS_LEFT_OUT = {"cli", "sandbox", "__main__.py", "charts", "deploy", "docs", "README.md", "requirements.txt"}
SERVICES = ("s3", "secretsmanager", "lambda", "sts", "sso", "sso-oidc", "signin")
LIMIT = 250 * 1024 * 1024  # bytes, unpacked: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html


def install() -> None:
    """The requirements' wheels, for Lambda's platform."""
    shutil.rmtree(TARGET, ignore_errors=True)
    where = [word for platform in PLATFORMS for word in ("--platform", platform)]
    what = ["--python-version", PYTHON, "--implementation", "cp", "--only-binary=:all:", "--no-compile", "--no-deps"]
    files = ["--require-hashes", "-r", str(HERE / "requirements.txt")]
    quiet = ["--quiet", "--disable-pip-version-check", "--target", str(TARGET)]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, *where, *what, *files], check=True)


def leave_out() -> None:
    """Take away what the handler never imports."""
    for found in importlib.metadata.distributions(path=[str(TARGET)]):
        if found.metadata["Name"].lower() in LEFT_OUT:
            for file in found.files or ():
                (TARGET / file).unlink(missing_ok=True)
    shutil.rmtree(TARGET / "bin", ignore_errors=True)
    for service in (TARGET / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    for folder in sorted(TARGET.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def add_ours(wheel: Path, config: Path | None) -> None:
    """The package without command line and sandbox, and the mapping file."""
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            parts = name.split("/")
            if parts[0] == "accountpulse" and PARTS_LEFT_OUT.isdisjoint(parts):
                packed.extract(name, TARGET)
    text = config.read_text(encoding="utf-8") if config is not None else "# every key has its default\n"
    (TARGET / "accountpulse.yaml").write_text(text, encoding="utf-8")


def pack() -> Path:
    """The same as one zip, with equal bytes for equal content."""
    path = TARGET.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for file in sorted(each for each in TARGET.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(file.relative_to(TARGET).as_posix())
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(info, file.read_bytes())
    return path


def main() -> int:
    """Build it and print its sizes; 1 where Lambda would refuse it."""
    named = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("accountpulse.yaml")
    if len(sys.argv) > 1 and not named.is_file():
        print(f"{named} is not there", file=sys.stderr)
        return 2
    wheels = list(HERE.glob("accountpulse-*.whl"))
    if len(wheels) != 1 or not (HERE / "requirements.txt").is_file():
        what = "requirements.txt and one accountpulse-*.whl must lie there"
        print(f"{HERE}: {what}, as `accountpulse deploy-files aws DIR` writes them", file=sys.stderr)
        return 2
    install()
    leave_out()
    add_ours(wheels[0], named if named.is_file() else None)
    unpacked = sum(file.stat().st_size for file in TARGET.rglob("*") if file.is_file())
    path = pack()
    print(f"{path}: {path.stat().st_size / 2**20:.0f} MB, unpacked {unpacked / 2**20:.0f} MB of 250")
    return int(unpacked >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
