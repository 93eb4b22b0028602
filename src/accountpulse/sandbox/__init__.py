"""A local stand-in for each system: one invented company, its customers, and servers that answer for them.

Imports nothing else of the project, so that a misunderstanding of ours can't hide in it.

This is the register: a system is one folder and one line here. The parts of a world are built in this order and draw
from the same random numbers, so a new system comes last.
"""

from typing import Any

from accountpulse.sandbox.intercom import INTERCOM
from accountpulse.sandbox.jira import JIRA
from accountpulse.sandbox.looker import LOOKER
from accountpulse.sandbox.salesforce import SALESFORCE
from accountpulse.sandbox.stand_in import StandIn

STAND_INS: tuple[StandIn[Any, Any], ...] = (
    LOOKER,
    INTERCOM,
    JIRA,
    SALESFORCE,
)
