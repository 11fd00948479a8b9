"""One act of the office: one transaction at one moment. Every command, step and timer happens inside one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from rules.periods import SHANGHAI
from runtime.resources import Resources


@dataclass(frozen=True)
class Act:
    """The transaction, the moment, and what is at hand."""

    session: Session
    resources: Resources
    at: datetime

    @property
    def day(self) -> date:
        """The day in Asia/Shanghai."""
        return self.at.astimezone(SHANGHAI).date()


@contextmanager
def acting(resources: Resources, *, at: datetime) -> Iterator[Act]:
    """Open an act: all that happens in the block stands together, or nothing of it when it raises."""
    with resources.database.write() as session:
        yield Act(session=session, resources=resources, at=at)
