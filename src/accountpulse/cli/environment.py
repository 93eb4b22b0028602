"""What the command line is set up with: the environment, and the .env beside accountpulse.yaml beneath it."""

import os
from collections.abc import Mapping

from accountpulse.cli.voice import note

_told: set[str] = set()  # remarks are made once a process


def environment() -> Mapping[str, str]:
    """The environment with what the `.env` adds; one that others can read is remarked on stderr."""
    from accountpulse.settings import dotenv

    found = dotenv.read(dotenv.beside(os.environ))
    if found.remark and found.remark not in _told:
        _told.add(found.remark)
        note([found.remark])
    return found.beneath(os.environ)
