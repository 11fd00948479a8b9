"""Public notices (公示) and the objections against them (D2-R10)."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Data, Digest, Instant, Key, Listing, Long, Moment, Short, one_of, word_type
from models.case import Case
from policies.vocabulary import NoticeKind, ObjectionChannel, ObjectionFinding


class Notice(Base):
    """A notice as it was published; its text never changes afterwards (a change is a new notice)."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("case_id"),
        one_of("edition_counted", "edition >= 1"),
        Index(
            "ix_notices_to_show",
            "published_at",
            sqlite_where=text("page_seq < changed_seq"),
            postgresql_where=text("page_seq < changed_seq"),
        ),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[NoticeKind] = mapped_column(word_type(NoticeKind))
    edition: Mapped[int] = mapped_column(comment="the n-th notice of the same matter")
    text: Mapped[Long] = mapped_column(comment="what is made known, paragraphs by line breaks")
    items: Mapped[Listing] = mapped_column(comment="what can be objected against: [{case, label}], case may be null")
    channels: Mapped[Listing] = mapped_column(comment="codes of policies.vocabulary.ObjectionChannel")
    contact: Mapped[Short]
    place: Mapped[Short]
    published_at: Mapped[Moment]
    period: Mapped[Long] = mapped_column(comment="the rule by which the last day was counted, in words")
    sha256: Mapped[Digest] = mapped_column(comment="over everything that was published, see tasks.notices")
    prolonged: Mapped[Listing] = mapped_column(comment="[{on, from, to, by, reason}]")
    ends_on: Mapped[date] = mapped_column(Date, comment="last day, as prolonged")
    closed_at: Mapped[datetime | None] = mapped_column(Instant, comment="the legal end, or when it was cancelled")
    closed_because: Mapped[str] = mapped_column(Text, default="")
    changed_seq: Mapped[int] = mapped_column(default=1, comment="changes of what the page shows")
    page_seq: Mapped[int] = mapped_column(default=0, comment="changes that stand on the page")
    page: Mapped[str] = mapped_column(String(60), comment="file name below the notices folder")
    case: Mapped[Case] = relationship()


class Objection(Base):
    """An objection, how it was handled, and how its author was told."""

    __tablename__ = "objections"
    __table_args__ = (
        UniqueConstraint("notice_id", "seq"),
        UniqueConstraint("key"),
        one_of("handled_completely", "(finding IS NULL) = (handled_at IS NULL)"),
        one_of("answered_after_handling", "answered_at IS NULL OR handled_at IS NOT NULL"),
        Index("ix_objections_notice", "notice_id"),
    )

    id: Mapped[Key]
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"))
    seq: Mapped[int] = mapped_column(comment="1, 2, ... within the notice")
    key: Mapped[str] = mapped_column(String(100), comment="what recorded it; the same key records it once")
    channel: Mapped[ObjectionChannel] = mapped_column(word_type(ObjectionChannel))
    name: Mapped[Short] = mapped_column(comment="who objects; empty: anonymous")
    contact: Mapped[str] = mapped_column(String(200), comment="e-mail, phone or address; shown masked")
    content: Mapped[Long]
    against_case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"), comment="which item; null: the whole")
    received_at: Mapped[Moment] = mapped_column(comment="when it reached the office, not when it was keyed in")
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    finding: Mapped[ObjectionFinding | None] = mapped_column(word_type(ObjectionFinding))
    reasons: Mapped[str] = mapped_column(Text, default="")
    handled_at: Mapped[datetime | None] = mapped_column(Instant)
    handled_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    answered_by: Mapped[str] = mapped_column(String(200), default="", comment="how, e.g. by letter, by phone on …")
    details: Mapped[Data]
    notice: Mapped[Notice] = relationship()
