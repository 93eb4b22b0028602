"""A made-up destination: a table that scores are written to, one row an account and month."""

from accountpulse.systems.ledger.settings import VARIABLES, LedgerAccess, LedgerMapping, access

from accountpulse.systems.system import System, later

SYSTEM: System[LedgerAccess, LedgerMapping] = System(
    name="ledger",
    title="Ledger",
    variables=VARIABLES,
    access=access,
    mapping=LedgerMapping,
    destination=later(f"{__name__}.load", "Ledger"),
)
