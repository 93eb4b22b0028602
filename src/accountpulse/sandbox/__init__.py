"""A local stand-in for each system: one invented company, its customers, and servers that answer for them.

Imports nothing else of the project, so that a misunderstanding of ours can't hide in it.

This is the register: a system is one folder and one line here. The parts of a world are built in this order and draw
from the same random numbers, so a new system comes last.
"""

from importlib import import_module
from typing import Any

from accountpulse.sandbox.stand_in import StandIn

REGISTER = (
    "looker",
    "intercom",
    "jira",
    "salesforce",
)
STAND_INS: tuple[StandIn[Any, Any], ...] = tuple(
    import_module(f"accountpulse.sandbox.{name}").STAND_IN for name in REGISTER
)
