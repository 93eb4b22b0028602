"""`python -m accountpulse`."""

from accountpulse.cli import main

main()
