"""What a run leaves behind: checkpoints, metrics, scores and a manifest, under one folder."""

from accountpulse.state.folder import State

__all__ = ["State"]
