"""The heartbeat of the sweeps: a sweep that has not run must be seen."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Data, Instant, Moment


class SweepBeat(Base):
    """The last pass of one sweep."""

    __tablename__ = "sweep_beats"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_at: Mapped[Moment]
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    counts: Mapped[Data]
