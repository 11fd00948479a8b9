"""Residents' micro-projects: the call, its proposals, how they were screened, the plan, the evaluation (D2-R8…R13)."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Instant, Key, Listing, Long, Moment, Short, one_of, word_type
from models.case import Case
from models.registry import Person
from policies.vocabulary import EvaluationPanel, ProjectStanding


class Call(Base):
    """What a call (征集) asks for; one per case of its kind."""

    __tablename__ = "calls"
    __table_args__ = (
        UniqueConstraint("case_id"),
        one_of("budget_positive", "budget_fen > 0"),
        one_of("window_ordered", "opens_on <= closes_on"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    purpose: Mapped[Long] = mapped_column(comment="what it is about, as the letter to the villages says it")
    opens_on: Mapped[date] = mapped_column(Date, comment="first day, Asia/Shanghai")
    closes_on: Mapped[date] = mapped_column(Date, comment="last day, Asia/Shanghai")
    kinds: Mapped[Listing] = mapped_column(comment="codes of the edition's kinds that are called for")
    budget_fen: Mapped[int] = mapped_column(BigInteger, comment="ceiling of all projects together")
    contact: Mapped[Short] = mapped_column(comment="who answers questions and takes objections")
    place: Mapped[Short] = mapped_column(comment="where the notice hangs")
    case: Mapped[Case] = relationship()


class CallMember(Base):
    """A person of the call's panel (评审组) or, frozen when screening opens, entitled to vote in its meeting."""

    __tablename__ = "call_members"
    __table_args__ = (UniqueConstraint("case_id", "person_id", "in_meeting"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), comment="the call")
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    in_meeting: Mapped[bool] = mapped_column(comment="entitled in the meeting; otherwise of the panel")
    signed_in_at: Mapped[datetime | None] = mapped_column(Instant, comment="present at the meeting")
    person: Mapped[Person] = relationship()


class Project(Base):
    """A proposal, and what becomes of it; one per case of its kind, whose parent is the call."""

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("case_id"),
        one_of("amount_positive", "amount_fen > 0"),
        one_of("granted_within_asked", "granted_fen IS NULL OR (granted_fen > 0 AND granted_fen <= amount_fen)"),
        one_of("counted", "in_favour >= 0 AND against >= 0 AND indifferent >= 0"),
        Index("ix_projects_call", "call_case_id"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    call_case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    leader_id: Mapped[int] = mapped_column(ForeignKey("people.id"), comment="who proposes it and carries it out")
    kind: Mapped[str] = mapped_column(String(40), comment="code of the edition's kind")
    content: Mapped[Long]
    beneficiaries: Mapped[Long] = mapped_column(comment="who has what of it")
    expected_benefit: Mapped[Long]
    amount_fen: Mapped[int] = mapped_column(BigInteger, comment="asked for")
    submitted_at: Mapped[Moment]
    standing: Mapped[ProjectStanding] = mapped_column(
        word_type(ProjectStanding), default=ProjectStanding.PROPOSED, comment="in the call"
    )
    standing_because: Mapped[str] = mapped_column(Text, default="", comment="why, in one Chinese sentence")
    in_favour: Mapped[int] = mapped_column(default=0, comment="answers of the survey")
    against: Mapped[int] = mapped_column(default=0)
    indifferent: Mapped[int] = mapped_column(default=0)
    score: Mapped[str] = mapped_column(String(60), default="", comment="exact fraction out of 100; empty: none yet")
    rank: Mapped[int | None]
    granted_fen: Mapped[int | None] = mapped_column(BigInteger, comment="confirmed")
    result: Mapped[str] = mapped_column(String(60), default="", comment="of the evaluation, exact fraction out of 100")
    grade: Mapped[str] = mapped_column(String(40), default="", comment="code of the edition's grade")
    case: Mapped[Case] = relationship(foreign_keys=[case_id])
    call_case: Mapped[Case] = relationship(foreign_keys=[call_case_id])
    leader: Mapped[Person] = relationship(lazy="joined")


class Interest(Base):
    """A panel member's interest in a project: that member does not score it."""

    __tablename__ = "interests"
    __table_args__ = (UniqueConstraint("case_id", "person_id"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), comment="the project")
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str] = mapped_column(String(200))
    declared_at: Mapped[Moment]


class Score(Base):
    """A member's points for a project by one criterion; a later entry replaces it until screening closes."""

    __tablename__ = "scores"
    __table_args__ = (
        UniqueConstraint("case_id", "person_id", "criterion"),
        one_of("points_counted", "points >= 0"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), comment="the project")
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    criterion: Mapped[str] = mapped_column(String(40), comment="code of the edition's criterion")
    points: Mapped[int]
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class MeetingVote(Base):
    """How the meeting voted on one project (D2-R1)."""

    __tablename__ = "meeting_votes"
    __table_args__ = (
        UniqueConstraint("case_id"),
        one_of("votes_counted", "in_favour >= 0 AND against >= 0 AND abstained >= 0"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), comment="the project")
    in_favour: Mapped[int]
    against: Mapped[int]
    abstained: Mapped[int]
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class Plan(Base):
    """The refined plan of a project, one row per round (D2-R9)."""

    __tablename__ = "plans"
    __table_args__ = (UniqueConstraint("case_id", "round"),)

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    round: Mapped[int]
    content: Mapped[Long]
    expected_benefit: Mapped[Long]
    submitted_at: Mapped[Moment]
    submitted_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    lines: Mapped[list["BudgetLine"]] = relationship(order_by="BudgetLine.seq")
    milestones: Mapped[list["Milestone"]] = relationship(order_by="Milestone.seq")


class BudgetLine(Base):
    """One line of a plan's budget."""

    __tablename__ = "budget_lines"
    __table_args__ = (UniqueConstraint("plan_id", "seq"), one_of("amount_positive", "amount_fen > 0"))

    id: Mapped[Key]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    seq: Mapped[int]
    category: Mapped[str] = mapped_column(String(40), comment="code of the edition's budget category")
    name: Mapped[Short]
    amount_fen: Mapped[int] = mapped_column(BigInteger)


class Milestone(Base):
    """One step of a plan, due on a day."""

    __tablename__ = "milestones"
    __table_args__ = (UniqueConstraint("plan_id", "seq"),)

    id: Mapped[Key]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    seq: Mapped[int] = mapped_column(comment="the round of the gate that waits for it")
    name: Mapped[Short]
    due_on: Mapped[date] = mapped_column(Date)


class ProgressRecord(Base):
    """What was done for a project and when; appended only by people."""

    __tablename__ = "progress_records"
    __table_args__ = (
        Index("ix_progress_records_case", "case_id"),
        one_of("within_whole", "percent >= 0 AND percent <= 100"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    happened_on: Mapped[date] = mapped_column(Date)
    summary: Mapped[Long]
    percent: Mapped[int] = mapped_column(comment="of the whole project, as its leader sees it")
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"))
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))


class PanelResult(Base):
    """What one side says of a finished project; a later entry replaces it until the evaluation closes (D2-R11)."""

    __tablename__ = "panel_results"
    __table_args__ = (
        UniqueConstraint("case_id", "panel"),
        one_of("answered", "answers > 0"),
        one_of("points_in_range", "points_total >= 0 AND points_total <= answers * 100"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    panel: Mapped[EvaluationPanel] = mapped_column(word_type(EvaluationPanel))
    answers: Mapped[int] = mapped_column(comment="answers or members")
    points_total: Mapped[int] = mapped_column(comment="sum of their points, each out of 100")
    comment: Mapped[str] = mapped_column(Text, default="")
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
