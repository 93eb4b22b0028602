"""The digest as two files in a folder: text for people, JSON for programs."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from accountpulse.notify.errors import NotSent
from accountpulse.notify.message import Digest, Receipt
from accountpulse.notify.rendering import as_data, identifier, plain_text, ready


class FileChannel:
    """Writes `digest-<day>-<id>.txt` and `.json`, which nobody but their owner may read; a repeat replaces them."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        """`folder` is made where it is not there."""
        self._folder = folder

    def send(self, digest: Digest, before: Mapping[str, str]) -> Receipt:  # noqa: ARG002 - Channel's
        """As Channel says. The JSON comes last: where it is, both are whole."""
        clean = ready(digest)
        name = f"digest-{digest.as_of.isoformat()}-{identifier(digest)[:12]}"
        data = json.dumps(as_data(clean), ensure_ascii=False, indent=1) + "\n"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for ending, text in (("txt", plain_text(clean)), ("json", data)):
                _put(self._folder / f"{name}.{ending}", text.encode())
        except OSError as error:
            said = f"{self._folder}: {error.strerror}"
            raise NotSent("file", said, "Check digest.file.folder in accountpulse.yaml.") from None
        return Receipt({})


def _put(path: Path, content: bytes) -> None:
    """Put bytes at a path, whole or not at all. Temporary files are private, and so is what becomes of one."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
