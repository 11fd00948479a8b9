"""Open gates, what time does to them, how they are asked in Prefect, and the decisions that close them."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Data, Digest, Instant, Key, Listing, Long, Moment, one_of, word_type
from models.case import Case
from models.registry import Person
from policies.vocabulary import Door, Gate, Role, TimerKind, Verdict, WorkItemStatus


class WorkItem(Base):
    """A gate that waits, or waited: who, due when."""

    __tablename__ = "work_items"
    __table_args__ = (
        UniqueConstraint("case_id", "gate", "round"),
        one_of("closed_at_known", "(status = 'open') = (closed_at IS NULL)"),
        Index(
            "ix_work_items_open",
            "gate",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_work_items_to_lapse",
            "due_at",
            # As SQLAlchemy writes it in each: SQLite compares the words.
            sqlite_where=text("status = 'open' AND lapses = 1"),
            postgresql_where=text("status = 'open' AND lapses"),
        ),
        Index(
            "ix_work_items_provisional",
            "due_on",
            sqlite_where=text("status = 'open' AND provisional = 1"),
            postgresql_where=text("status = 'open' AND provisional"),
        ),
        Index(
            "ix_work_items_letter",
            "subject_id",
            sqlite_where=text("subject_id IS NOT NULL"),
            postgresql_where=text("subject_id IS NOT NULL"),
        ),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    gate: Mapped[Gate] = mapped_column(word_type(Gate))
    round: Mapped[int]
    status: Mapped[WorkItemStatus] = mapped_column(word_type(WorkItemStatus), default=WorkItemStatus.OPEN)
    role: Mapped[Role] = mapped_column(word_type(Role), comment="who decides")
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), comment="after 转办: only this person")
    opened_at: Mapped[Moment]
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    due_on: Mapped[date] = mapped_column(Date, comment="last day, Asia/Shanghai")
    due_at: Mapped[Moment] = mapped_column(comment="the end of that day")
    provisional: Mapped[bool] = mapped_column(comment="the calendar of a year counted was not published yet")
    due_named: Mapped[bool] = mapped_column(default=False, comment="the last day was named, not counted")
    lapses: Mapped[bool] = mapped_column(comment="the end of the due day decides")
    last_urged_at: Mapped[datetime | None] = mapped_column(Instant)
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    refusal: Mapped[str] = mapped_column(Text, default="", comment="why the last answer was refused")
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"), comment="of an undelivered letter")
    case: Mapped[Case] = relationship()
    assignee: Mapped[Person | None] = relationship()
    decision: Mapped["Decision | None"] = relationship(back_populates="work_item")


class Timer(Base):
    """What time will do to an open work item: fires once."""

    __tablename__ = "timers"
    __table_args__ = (
        UniqueConstraint("work_item_id", "kind", "seq"),
        Index(
            "ix_timers_due",
            "fires_at",
            sqlite_where=text("fired_at IS NULL"),
            postgresql_where=text("fired_at IS NULL"),
        ),
    )

    id: Mapped[Key]
    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"))
    kind: Mapped[TimerKind] = mapped_column(word_type(TimerKind))
    seq: Mapped[int]
    fires_at: Mapped[Moment]
    fired_at: Mapped[datetime | None] = mapped_column(Instant)
    failures: Mapped[int] = mapped_column(default=0, comment="times that firing it failed")
    last_error: Mapped[str] = mapped_column(Text, default="")
    work_item: Mapped[WorkItem] = relationship()


class Ask(Base):
    """A form that stands open in a suspended Prefect run; its answer is applied once."""

    __tablename__ = "asks"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(
            "ix_asks_open",
            "case_id",
            sqlite_where=text("consumed_at IS NULL"),
            postgresql_where=text("consumed_at IS NULL"),
        ),
        Index("ix_asks_case", "case_id"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"))
    flow_run_id: Mapped[str] = mapped_column(String(36))
    key: Mapped[str] = mapped_column(String(100), comment="the suspend key, [a-z0-9-] only")
    asked_at: Mapped[Moment]
    consumed_at: Mapped[datetime | None] = mapped_column(Instant)
    work_item: Mapped[WorkItem] = relationship()


class RowHandedIn(Base):
    """A row of a sheet that was handed in while this work item waited: by that it is for no later one."""

    __tablename__ = "rows_handed_in"
    __table_args__ = (UniqueConstraint("work_item_id", "sheet", "sha256", "said"),)

    id: Mapped[Key]
    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"))
    sheet: Mapped[Long] = mapped_column(comment="its name")
    sha256: Mapped[Digest] = mapped_column(comment="of the sheet's bytes")
    said: Mapped[str] = mapped_column(String(64), comment="digest of the row; empty: it could not be read")
    handed_in_at: Mapped[Moment]


class Decision(Base):
    """What was decided at a gate; closes its work item."""

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("work_item_id"),
        one_of("somebody_or_time", "(decided_by_id IS NULL) = (door IN ('lapse', 'system'))"),
    )

    id: Mapped[Key]
    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    verdict: Mapped[Verdict] = mapped_column(word_type(Verdict))
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), comment="null: time or the system")
    door: Mapped[Door] = mapped_column(word_type(Door))
    decided_at: Mapped[Moment] = mapped_column(comment="when it was recorded")
    effective_at: Mapped[Moment] = mapped_column(comment="when it counts from: a lapse counts from its due time")
    acknowledged: Mapped[Listing] = mapped_column(comment="codes of warnings the reviewer acknowledged")
    details: Mapped[Data] = mapped_column(comment="what else belongs to this verdict")
    work_item: Mapped[WorkItem] = relationship(back_populates="decision")
    decided_by: Mapped[Person | None] = relationship()
