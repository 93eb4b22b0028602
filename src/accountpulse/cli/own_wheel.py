"""accountpulse itself as a wheel, for a package or an image that is to run the same version."""

import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from io import BytesIO
from pathlib import Path

from accountpulse import __version__
from accountpulse.core.errors import UsageError

NAME = f"accountpulse-{__version__}-py3-none-any.whl"
KEPT = {"METADATA", "WHEEL", "entry_points.txt"}  # of *.dist-info; the rest is what the installer noted for itself


def built(clone: Path) -> bytes:
    """The wheel of a clone; a UsageError where it can't be built."""
    with tempfile.TemporaryDirectory(prefix="accountpulse-") as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            why = (done.stderr.strip() or done.stdout.strip()).rpartition("\n")[2]
            raise UsageError(f"accountpulse's wheel can't be built of {clone} ({why}): pip install hatchling")
        return (Path(folder) / NAME).read_bytes()


def installed() -> bytes:
    """The wheel that was installed, packed again of its files: equal bytes for equal files.

    A UsageError where nothing says which files they are, or one of them is gone.
    """
    try:
        files = [file for file in metadata.files("accountpulse") or () if _came_in_the_wheel(file)]
        contents = {str(file): file.read_binary() for file in files}
    except (metadata.PackageNotFoundError, OSError) as error:
        raise UsageError(
            f"accountpulse was not installed from a wheel, or not whole ({error}): install it anew"
        ) from None
    if not files:
        raise UsageError("the installer of accountpulse kept no list of its files: install it with pip, pipx or uv")
    record = next(file.parent for file in files if file.name == "METADATA") / "RECORD"
    rows = [f"{file},{file.hash.mode}={file.hash.value},{file.size}" for file in files if file.hash]
    contents[str(record)] = "\n".join([*rows, f"{record},,", ""]).encode()
    return _zipped(contents)


def _came_in_the_wheel(file: metadata.PackagePath) -> bool:
    if file.parts[0] == "accountpulse":
        return file.suffix != ".pyc"
    return file.parts[0].endswith(".dist-info") and (file.name in KEPT or file.parts[1] == "licenses")


def _zipped(contents: dict[str, bytes]) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name)  # 1980, always
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(info, content)
    return made.getvalue()
