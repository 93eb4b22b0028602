"""PartStore that a test keeps, and a walk that dies in its middle."""

from accountpulse.core.spooled import CheckpointPart


class Killed(Exception):
    """What ends the walk of these tests."""


class Shelf:
    """Keeps parts of `size` rows, and lets the walk die after `lives` of them."""

    def __init__(self, lives: int, size: int = 60) -> None:
        self.lives = lives
        self.size = size
        self.parts: list[CheckpointPart] = []

    def kept(self) -> list[CheckpointPart]:
        return list(self.parts)

    def keep(self, part: CheckpointPart) -> None:
        if len(self.parts) == self.lives:
            raise Killed
        self.parts.append(part)
