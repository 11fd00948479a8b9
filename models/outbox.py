"""Letters on their way: a row is written in the business transaction, delivered after it, then marked."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Data, Instant, Key, Moment, Short, one_of, word_type
from policies.vocabulary import Letter, LetterStatus


class OutboxEntry(Base):
    """One letter to one person."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("dedup_key"),
        UniqueConstraint("message_id"),
        one_of("sent_at_known", "(status = 'sent') = (sent_at IS NOT NULL)"),
        Index(
            "ix_outbox_due",
            "next_attempt_at",
            sqlite_where=text("status = 'queued'"),
            postgresql_where=text("status = 'queued'"),
        ),
        Index(
            "ix_outbox_dead",
            "id",
            sqlite_where=text("status = 'dead'"),
            postgresql_where=text("status = 'dead'"),
        ),
        Index("ix_outbox_case", "case_id"),
    )

    id: Mapped[Key]
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    letter: Mapped[Letter] = mapped_column(word_type(Letter))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"))
    to_name: Mapped[Short]
    to_address: Mapped[str | None] = mapped_column(String(254), comment="null: no e-mail address known")
    context: Mapped[Data] = mapped_column(comment="the letter's typed context, as JSON")
    dedup_key: Mapped[str] = mapped_column(String(200), comment="the same event writes the same letter only once")
    message_id: Mapped[str] = mapped_column(String(200), comment="stable over every attempt")
    status: Mapped[LetterStatus] = mapped_column(word_type(LetterStatus), default=LetterStatus.QUEUED)
    created_at: Mapped[Moment]
    next_attempt_at: Mapped[Moment] = mapped_column(comment="also the lease of who delivers it now")
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    last_error: Mapped[str] = mapped_column(Text, default="")
    sent_subject: Mapped[str] = mapped_column(String(300), default="")
    sent_text: Mapped[str] = mapped_column(Text, default="", comment="the text as it was sent")
