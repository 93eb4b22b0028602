"""A made-up destination: a table that scores are written to, one row an account and month."""

from accountpulse.systems.logbook.settings import VARIABLES, LogbookAccess, LogbookMapping, access

from accountpulse.systems.system import System, later

SYSTEM: System[LogbookAccess, LogbookMapping] = System(
    name="logbook",
    title="Logbook",
    variables=VARIABLES,
    access=access,
    mapping=LogbookMapping,
    destination=later(f"{__name__}.load", "Logbook"),
)
