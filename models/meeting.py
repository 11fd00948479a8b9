"""Joint meetings of the liaisons, who came, and what was decided there (D1-R4)."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Instant, Key, Listing, Long, Moment, Short, word_type
from models.case import Case, Document
from models.registry import Person, Unit
from policies.life_words import MeetingSeat


class Meeting(Base):
    """A meeting: called for a day, with an agenda; held, with minutes."""

    __tablename__ = "meetings"
    __table_args__ = (UniqueConstraint("case_id"), Index("ix_meetings_unit", "unit_id", "meets_at"))

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), comment="the town")
    period: Mapped[date | None] = mapped_column(Date, comment="of a routine meeting: first day of its period")
    meets_at: Mapped[Moment]
    place: Mapped[Short]
    chair: Mapped[Short]
    agenda: Mapped[Listing] = mapped_column(comment="points, in their order")
    held_on: Mapped[date | None] = mapped_column(Date)
    minutes: Mapped[Long] = mapped_column(default="")
    guests: Mapped[Long] = mapped_column(default="", comment="who else was there (列席), as text")
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"), comment="signed minutes, or the list")
    case: Mapped[Case] = relationship()
    unit: Mapped[Unit] = relationship()
    document: Mapped[Document | None] = relationship()
    seats: Mapped[list["MeetingAttendance"]] = relationship(order_by="MeetingAttendance.id")


class MeetingAttendance(Base):
    """Who was invited, frozen when the meeting was called, and whether they came."""

    __tablename__ = "meeting_attendances"
    __table_args__ = (UniqueConstraint("meeting_id", "person_id"),)

    id: Mapped[Key]
    meeting_id: Mapped[int] = mapped_column(ForeignKey("meetings.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), comment="for which they come: a village, or the town")
    seat: Mapped[MeetingSeat | None] = mapped_column(word_type(MeetingSeat), comment="null: not recorded yet")
    signed_at: Mapped[datetime | None] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(Text, default="")
    person: Mapped[Person] = relationship()
    unit: Mapped[Unit] = relationship()


class Resolution(Base):
    """Something a meeting decided: who does what by when; followed up as a case of its own."""

    __tablename__ = "resolutions"
    __table_args__ = (UniqueConstraint("case_id"), UniqueConstraint("meeting_case_id", "seq"))

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    meeting_case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    seq: Mapped[int]
    text: Mapped[Long]
    responsible_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date] = mapped_column(Date, comment="as put off")
    postponed: Mapped[Listing] = mapped_column(comment="[{from, to, by, reason}]")
    done_on: Mapped[date | None] = mapped_column(Date)
    result: Mapped[Long] = mapped_column(default="")
    case: Mapped[Case] = relationship(foreign_keys=[case_id])
    meeting_case: Mapped[Case] = relationship(foreign_keys=[meeting_case_id])
    responsible: Mapped[Person] = relationship()
