"""What a run leaves behind: checkpoints, history, the runs' documents and the lock; in a folder or `s3://`."""

from pathlib import Path

from accountpulse.core import spooled
from accountpulse.core.period import Scope
from accountpulse.state.backtests import Backtests
from accountpulse.state.checkpoints import Checkpoints
from accountpulse.state.dry_runs import DryRuns
from accountpulse.state.files import Files
from accountpulse.state.folder import Folder
from accountpulse.state.history import History
from accountpulse.state.ledgers import Ledgers
from accountpulse.state.lock import Locks
from accountpulse.state.outcomes import Outcomes
from accountpulse.state.runs import Runs
from accountpulse.state.snapshots import Snapshots
from accountpulse.state.store import Store

__all__ = ["State", "store_at"]


CALIBRATION = "calibration.yaml"  # scoring/calibration.py reads it; its checksum is in its content
FOLDERS = (
    "runs/", "extract/", "history/", "snapshots/", "outcomes/", "scorecards/", "proof/", "locks/", "reports/",
    "dry-runs/", "digests/", "aside/",
)  # fmt: skip


class State:
    """Everything under one root; nothing is opened or made before it is needed."""

    def __init__(self, root: str | Path) -> None:
        """`root`: a folder, or `s3://bucket/prefix`."""
        self.files = Files(store_at(root))
        self.checkpoints = Checkpoints(self.files)
        self.history = History(self.files)
        self.outcomes = Outcomes(self.files)
        self.backtests = Backtests(self.files)
        self.runs = Runs(self.files)
        self.snapshots = Snapshots(self.files)
        self.dry_runs = DryRuns(self.files)
        self.ledgers = Ledgers(self.files)
        self.locks = Locks(self.files)

    def calibration(self) -> str | None:
        """The text of the calibration; None where there is none."""
        return self.files.read_text(CALIBRATION)

    def save_calibration(self, text: str) -> None:
        """Keep a calibration in place of the one before."""
        self.files.write_text(CALIBRATION, text)

    def sweep(self, scope: Scope, run_id: str) -> None:
        """Take away what killed processes have left half written; for the run that holds the period."""
        spooled.sweep()
        self._sweep_writes()
        self.checkpoints.sweep(scope, run_id)

    def forget(self, account_id: str) -> int:
        """Erase an account, and those that were merged into it; how many rows of history and outcomes they had.

        Checkpoints hold what systems said, under their own ids: they are taken away whole, since they can be read
        again. So are reports and dry runs, which can be made again, and what was set aside or half
        written, which can't be searched.
        """
        self._sweep_writes()
        merged = [loser for loser, survivor in self.outcomes.survivors().items() if survivor == account_id]
        accounts = (account_id, *merged)
        rows = sum(self.history.forget(each) + self.snapshots.forget(each) for each in accounts)
        rows += self.outcomes.forget(accounts)
        for each in accounts:
            rows += self.ledgers.forget(each)
            self.runs.forget(each)
        self.checkpoints.forget()
        for prefix in ("reports/", "dry-runs/", "aside/", "probe/"):
            self.files.remove_all(prefix)
        return rows

    def _sweep_writes(self) -> None:
        for prefix in FOLDERS:
            self.files.store.sweep(prefix)


def store_at(root: str | Path, named_by: str = "ACCOUNTPULSE_STATE") -> Store:
    """The store that `root` names: a folder, or `s3://bucket/prefix`. Nothing is opened or made here.

    `named_by`: the setting that names it, for messages.
    """
    text = str(root)
    if not text.startswith("s3://"):
        return Folder(Path(text))
    from accountpulse.state.bucket import Bucket  # boto3 takes a third of a second to import

    bucket, _, prefix = text.removeprefix("s3://").partition("/")
    return Bucket(bucket, prefix.strip("/"), named_by)
