"""Changes of a listed site: another leader, another place, a rest, the end."""

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Data, Instant, Key, one_of, word_type
from models.case import Case, Site
from models.registry import Household, Person
from policies.life_words import ChangeKind
from policies.vocabulary import LeaderSource


class SiteChange(Base):
    """What is asked for, and how it was before; of an application that has one kind, the other fields are null."""

    __tablename__ = "site_changes"
    __table_args__ = (
        UniqueConstraint("case_id"),
        Index(
            "ix_site_changes_to_begin",
            "rests_from",
            sqlite_where=text("kind = 'suspension' AND effective_on IS NULL"),
            postgresql_where=text("kind = 'suspension' AND effective_on IS NULL"),
        ),
        one_of("leader_named", "(kind = 'leader') = (leader_id IS NOT NULL)"),
        one_of("place_named", "(kind = 'move') = (household_id IS NOT NULL)"),
        one_of("rest_ends", "(kind = 'suspension') = (rests_until IS NOT NULL)"),
        one_of("rest_ordered", "rests_until IS NULL OR rests_until >= rests_from"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    kind: Mapped[ChangeKind] = mapped_column(word_type(ChangeKind))
    reason: Mapped[str] = mapped_column(Text)
    applied_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    leader_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), comment="the new leader")
    leader_source: Mapped[LeaderSource | None] = mapped_column(word_type(LeaderSource))
    recommended_by: Mapped[str] = mapped_column(String(100), default="")
    leader_agrees: Mapped[bool | None]
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"), comment="where it moves to")
    details: Mapped[Data] = mapped_column(comment="of a move: area, facilities, confirmations of the new place")
    rests_from: Mapped[date | None] = mapped_column(Date)
    rests_until: Mapped[date | None] = mapped_column(Date, comment="last day")
    before: Mapped[Data] = mapped_column(comment="leader, household, status before it took effect")
    effective_on: Mapped[date | None] = mapped_column(Date)
    effective_at: Mapped[datetime | None] = mapped_column(Instant)
    case: Mapped[Case] = relationship()
    site: Mapped[Site] = relationship()
    applied_by: Mapped[Person] = relationship(foreign_keys=[applied_by_id])
    leader: Mapped[Person | None] = relationship(foreign_keys=[leader_id])
    household: Mapped[Household | None] = relationship()
