"""The only reader of the clock. Everything below takes `at` as an argument."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the moment; asked once per command, pass or sweep."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""


def machine_now() -> datetime:
    """Return the machine's own time, aware, UTC: only to compare with what other programs on it have stamped."""
    return datetime.now(UTC)


class SystemClock:
    """
    The machine's clock, shifted by a fixed span.

    Args:
        offset: added to the machine's time; zero but for training and rehearsal.
    """

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset

    def now(self) -> datetime:
        """Return the machine's time plus the offset."""
        return machine_now() + self.offset


class TrainingClock(SystemClock):
    """
    The machine's clock, moved forward by hand for all processes of a training system at once.

    Args:
        offset: as for `SystemClock`.
        file: holds by how many seconds it was moved so far; absent: not at all.
    """

    def __init__(self, offset: timedelta = timedelta(), *, file: Path) -> None:
        super().__init__(offset)
        self.file = file

    def now(self) -> datetime:
        """Return the machine's time plus the offset and what it was moved by."""
        return super().now() + self.moved

    @property
    def moved(self) -> timedelta:
        """By how much it was moved so far."""
        try:
            return timedelta(seconds=int(self.file.read_text()))
        except FileNotFoundError:
            return timedelta()

    def move_to(self, at: datetime) -> None:
        """Move the clock; ValueError when that would be backwards."""
        ahead = at - self.now()
        if ahead < timedelta():
            raise ValueError(f"clock would go back by {-ahead}")
        # Rounded up, so that it is not just before the moment that was asked for.
        seconds = int((self.moved + ahead).total_seconds()) + 1
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.file)


class MovedClock:
    """A clock that stands until it is moved: for rehearsals and tests."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return where the clock stands."""
        return self._at

    def move_to(self, at: datetime) -> None:
        """Move the clock; ValueError when that would be backwards."""
        if at < self._at:
            raise ValueError(f"clock would go back from {self._at} to {at}")
        self._at = at.astimezone(UTC)

    def advance(self, span: timedelta) -> None:
        """Move the clock by a span."""
        self.move_to(self._at + span)
