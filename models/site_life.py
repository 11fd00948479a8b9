"""What a listed parlour does: spells of its status, themes, activities, publicity; and what the office did about it."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, Data, Instant, Key, Long, Moment, Short, one_of, word_type
from models.case import Document, Site
from models.registry import Person, Unit
from policies.life_words import DutyKind, DutyStep
from policies.vocabulary import Door, SiteStatus


class SiteSpell(Base):
    """A site's status in a span of days, half-open `[since, until)`; the last one is open-ended."""

    __tablename__ = "site_spells"
    __table_args__ = (
        UniqueConstraint("site_id", "since"),
        one_of("ordered", "until IS NULL OR until > since"),
        Index("ix_site_spells_span", "status", "since", "until"),
    )

    id: Mapped[Key]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    status: Mapped[SiteStatus] = mapped_column(word_type(SiteStatus))
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date | None] = mapped_column(Date)
    because: Mapped[str] = mapped_column(Text, default="")
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), comment="the case that brought it about")
    site: Mapped[Site] = relationship()


class Theme(Base):
    """A site's theme for a month (D0-R12)."""

    __tablename__ = "themes"
    __table_args__ = (UniqueConstraint("site_id", "month"),)

    id: Mapped[Key]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    month: Mapped[date] = mapped_column(Date, comment="its first day")
    title: Mapped[Short]
    plan: Mapped[Long] = mapped_column(comment="what is planned, may be empty")
    recorded_at: Mapped[Moment] = mapped_column(comment="when it was first reported")
    changed_at: Mapped[datetime | None] = mapped_column(Instant, comment="when it was last changed")
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    door: Mapped[Door] = mapped_column(word_type(Door))
    late: Mapped[bool] = mapped_column(comment="first reported after the due day")
    site: Mapped[Site] = relationship()
    recorded_by: Mapped[Person] = relationship()


class Activity(Base):
    """An activity as it was recorded; event date and entry date are kept apart (D0-R13)."""

    __tablename__ = "activities"
    __table_args__ = (
        UniqueConstraint("key"),
        one_of("attendance_counted", "attendance >= 0"),
        one_of("voided_completely", "(voided_at IS NULL) = (voided_by_id IS NULL)"),
        Index("ix_activities_week", "week", "site_id"),
        Index("ix_activities_site", "site_id", "held_on"),
    )

    id: Mapped[Key]
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"))
    key: Mapped[str] = mapped_column(String(100), comment="what recorded it; the same key records it only once")
    held_on: Mapped[date] = mapped_column(Date)
    week: Mapped[date] = mapped_column(Date, comment="the Monday of its week")
    category: Mapped[str] = mapped_column(String(40), comment="code of the edition's activity categories")
    title: Mapped[Short]
    attendance: Mapped[int]
    organiser: Mapped[Short]
    summary: Mapped[Long]
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"))
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    door: Mapped[Door] = mapped_column(word_type(Door))
    voided_at: Mapped[datetime | None] = mapped_column(Instant, comment="entered by mistake: counts no more")
    voided_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    voided_because: Mapped[str] = mapped_column(Text, default="")
    site: Mapped[Site] = relationship()
    recorded_by: Mapped[Person] = relationship(foreign_keys=[recorded_by_id])
    document: Mapped[Document | None] = relationship()


class PublicityItem(Base):
    """Something published about sites in one of the edition's channels (D0-R16)."""

    __tablename__ = "publicity_items"
    __table_args__ = (UniqueConstraint("key"), Index("ix_publicity_items_published_on", "published_on"))

    id: Mapped[Key]
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), comment="the town")
    key: Mapped[str] = mapped_column(String(100), comment="what recorded it; the same key records it only once")
    channel: Mapped[str] = mapped_column(String(40), comment="code of the edition's publicity channels")
    published_on: Mapped[date] = mapped_column(Date)
    title: Mapped[Short]
    reference: Mapped[str] = mapped_column(String(300), comment="address, issue and page, or file")
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    voided_at: Mapped[datetime | None] = mapped_column(Instant)
    voided_because: Mapped[str] = mapped_column(Text, default="")
    unit: Mapped[Unit] = relationship()
    sites: Mapped[list[Site]] = relationship(secondary="publicity_sites")


class PublicitySite(Base):
    """Which sites an item is about."""

    __tablename__ = "publicity_sites"

    item_id: Mapped[int] = mapped_column(ForeignKey("publicity_items.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True, index=True)


class DutyRound(Base):
    """What the office has done about a duty of a town for a period: each step once, whoever comes first."""

    __tablename__ = "duty_rounds"
    __table_args__ = (UniqueConstraint("unit_id", "duty", "period", "step", "seq"),)

    id: Mapped[Key]
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), comment="the town")
    duty: Mapped[DutyKind] = mapped_column(word_type(DutyKind))
    period: Mapped[date] = mapped_column(Date, comment="first day of the month, week, quarter or year")
    step: Mapped[DutyStep] = mapped_column(word_type(DutyStep))
    seq: Mapped[int] = mapped_column(comment="the n-th reminder; else 1")
    due_on: Mapped[date] = mapped_column(Date)
    done_at: Mapped[Moment]
    late_days: Mapped[int] = mapped_column(default=0)
    merged: Mapped[bool] = mapped_column(default=False, comment="missed, and overtaken by a later step: not told")
    counts: Mapped[Data]


def spell_on(session: Session, site: Site, day: date) -> SiteSpell | None:
    """Return the spell in which a site is on a day; None before it was listed."""
    return session.scalars(
        select(SiteSpell).where(
            SiteSpell.site_id == site.id,
            SiteSpell.since <= day,
            (SiteSpell.until.is_(None)) | (SiteSpell.until > day),
        )
    ).one_or_none()
