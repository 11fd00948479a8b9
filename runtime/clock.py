"""The only reader of the clock. Everything below takes `at` as an argument."""

from datetime import UTC, datetime, timedelta
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
