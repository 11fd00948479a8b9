"""A case and what is asked for in it: the pinned edition, the application of each round, the answers, the works."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, ForeignKey, Index, Integer, LargeBinary, Numeric, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Digest, Instant, Key, Listing, Moment, Short, one_of, word_type
from models.registry import Household, Person, Unit
from policies.vocabulary import Answer, CaseKind, CaseStatus, Door, LeaderSource, Outcome, SiteStatus


class PublishedEdition(Base):
    """The text of an edition as it was published; never changed (a change is a new edition)."""

    __tablename__ = "editions"

    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    sha256: Mapped[Digest]
    title: Mapped[Short]
    text: Mapped[bytes] = mapped_column(LargeBinary, comment="the policy file, byte by byte")
    published_at: Mapped[Moment]


class CaseCounter(Base):
    """The last case number given, by prefix and year."""

    __tablename__ = "case_counters"

    prefix: Mapped[str] = mapped_column(String(5), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Case(Base):
    """One application's life."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("opening_key"),
        one_of("closed_with_outcome", "(status = 'closed') = (outcome IS NOT NULL)"),
        one_of("closed_at_known", "(status = 'closed') = (closed_at IS NOT NULL)"),
        one_of("carried_within_decided", "carried_seq <= decision_seq"),
        one_of("site_has_household", "kind <> 'site' OR household_id IS NOT NULL"),
        # Not on the id: SQLite would rather walk along the whole table in the order of its ids.
        Index(
            "ix_cases_to_wake",
            "opened_at",
            "id",
            sqlite_where=text("carried_seq < decision_seq"),
            postgresql_where=text("carried_seq < decision_seq"),
        ),
        Index(
            "ix_cases_tended",
            "run_requested_at",
            "id",
            sqlite_where=text("run_requested_at IS NOT NULL"),
            postgresql_where=text("run_requested_at IS NOT NULL"),
        ),
        Index(
            "ix_cases_open",
            "opened_at",
            "id",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_cases_to_check",
            "run_checked_at",
            "id",
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "uq_cases_open_household",
            "kind",
            "household_id",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )

    id: Mapped[Key]
    number: Mapped[str] = mapped_column(String(20))
    kind: Mapped[CaseKind] = mapped_column(word_type(CaseKind))
    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"))
    edition_sha256: Mapped[Digest]
    opening_key: Mapped[str] = mapped_column(String(100), comment="what opened it; the same key opens it only once")
    title: Mapped[Short] = mapped_column(comment="what lists and pages call it")
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True, comment="whose people decide in it")
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("cases.id"), index=True, comment="a project's call; what a notice is about"
    )
    village_id: Mapped[int | None] = mapped_column(
        ForeignKey("units.id"), index=True, comment="of a site, or of a move"
    )
    group_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), comment="as village_id")
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"), comment="as village_id")
    year: Mapped[int] = mapped_column(comment="the year whose quota it counts in; D1-R2")
    status: Mapped[CaseStatus] = mapped_column(word_type(CaseStatus), default=CaseStatus.OPEN)
    outcome: Mapped[Outcome | None] = mapped_column(word_type(Outcome))
    because: Mapped[str] = mapped_column(Text, default="", comment="why it was closed so")
    opened_at: Mapped[Moment]
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    decision_seq: Mapped[int] = mapped_column(default=0, comment="decisions taken so far")
    carried_seq: Mapped[int] = mapped_column(default=-1, comment="decisions that the last pass saw; -1: none yet")
    history_seq: Mapped[int] = mapped_column(default=0, comment="rows in its history")
    history_head: Mapped[str] = mapped_column(String(64), default="", comment="hash of the last row")
    flow_run_id: Mapped[str | None] = mapped_column(String(36), comment="the Prefect run that carries it")
    run_attempt: Mapped[int] = mapped_column(default=0, comment="runs asked for so far")
    run_requested_at: Mapped[datetime | None] = mapped_column(
        Instant, comment="when one was asked for; with a run: since when somebody brings that up to date"
    )
    run_checked_at: Mapped[datetime | None] = mapped_column(Instant, comment="when the sweep last looked at the run")

    unit: Mapped[Unit] = relationship(foreign_keys=[unit_id])
    parent: Mapped["Case | None"] = relationship(remote_side="Case.id")
    # Of a site's case these three are always there (a CHECK sees to it), of a move's too; nobody else asks them.
    village: Mapped[Unit] = relationship(foreign_keys=[village_id])
    group: Mapped[Unit] = relationship(foreign_keys=[group_id])
    household: Mapped[Household] = relationship()
    edition: Mapped[PublishedEdition] = relationship()


class SiteApplication(Base):
    """What a household applies with, one row per round (a correction is a new round)."""

    __tablename__ = "site_applications"
    __table_args__ = (
        UniqueConstraint("case_id", "round"),
        one_of("volunteers_counted", "volunteers >= 0"),
        one_of("area_positive", "area_square_metres >= 0"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    round: Mapped[int]
    submitted_at: Mapped[Moment]
    leader_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    leader_source: Mapped[LeaderSource] = mapped_column(word_type(LeaderSource))
    recommended_by: Mapped[str] = mapped_column(String(100), comment="the organisation that recommends the leader")
    leader_agrees: Mapped[bool]
    volunteers: Mapped[int]
    area_square_metres: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    facilities: Mapped[Listing] = mapped_column(comment="codes of policies.vocabulary.Facility")
    confirmations: Mapped[Listing] = mapped_column(comment="codes of standards the applicant confirms")
    speciality: Mapped[str] = mapped_column(String(50), comment="one special theme; D0-R6")
    combined_with: Mapped[Listing] = mapped_column(comment="codes of policies.vocabulary.CombinedWith")
    household_agrees: Mapped[bool] = mapped_column(comment="户主自愿; D0-R8")
    warnings: Mapped[Listing] = mapped_column(comment="codes of standards that the reviewer must acknowledge")
    deficiencies: Mapped[Listing] = mapped_column(comment="codes of standards to be met before the plaque")
    leader: Mapped[Person] = relationship(lazy="joined")


class Consent(Base):
    """One household of the frozen roll and its present answer (D0-R8)."""

    __tablename__ = "consents"
    __table_args__ = (one_of("answered_completely", "(answer IS NULL) = (answered_at IS NULL)"),)

    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"), primary_key=True)
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"), primary_key=True)
    answer: Mapped[Answer | None] = mapped_column(word_type(Answer))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    door: Mapped[Door | None] = mapped_column(word_type(Door))
    note: Mapped[str] = mapped_column(String(200), default="")
    household: Mapped[Household] = relationship()


class WorkDone(Base):
    """One point of a checklist gate, done on a date, with its proof (D0-R10, D0-R15)."""

    __tablename__ = "works_done"
    __table_args__ = (UniqueConstraint("work_item_id", "code"),)

    id: Mapped[Key]
    work_item_id: Mapped[int] = mapped_column(ForeignKey("work_items.id"))
    code: Mapped[str] = mapped_column(String(40))
    done_on: Mapped[date] = mapped_column(Date)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents.id"))
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    document: Mapped["Document"] = relationship()


class Document(Base):
    """A file that belongs to a case: where it is and what its bytes are."""

    __tablename__ = "documents"
    __table_args__ = (UniqueConstraint("case_id", "reference", "sha256"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(String(40))
    reference: Mapped[str] = mapped_column(String(300), comment="path below the documents folder")
    sha256: Mapped[Digest]
    size: Mapped[int] = mapped_column(Integer, comment="bytes")
    added_at: Mapped[Moment]
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Site(Base):
    """A parlour that was listed: what lives on after the case."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("case_id"), Index("ix_sites_household", "household_id"))

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    number: Mapped[str] = mapped_column(String(20), unique=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"))
    leader_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    speciality: Mapped[str] = mapped_column(String(50))
    status: Mapped[SiteStatus] = mapped_column(word_type(SiteStatus), default=SiteStatus.ACTIVE)
    activated_at: Mapped[Moment]
    case: Mapped[Case] = relationship()
    village: Mapped[Unit] = relationship(foreign_keys=[village_id])
    group: Mapped[Unit] = relationship(foreign_keys=[group_id])
    household: Mapped[Household] = relationship()
    leader: Mapped[Person] = relationship()
