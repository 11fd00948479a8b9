"""The yearly evaluation: figures taken from recorded facts, points, grades, ranks (D0-R14)."""

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Moment, one_of
from models.case import Case, Site
from models.registry import Unit


class YearEvaluation(Base):
    """The evaluation of a town's sites and villages for one year."""

    __tablename__ = "year_evaluations"
    __table_args__ = (
        UniqueConstraint("case_id"),
        UniqueConstraint("unit_id", "year"),
        one_of("computed_once_at_least", "round >= 1"),
    )

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), comment="the town")
    year: Mapped[int]
    round: Mapped[int] = mapped_column(default=1, comment="the n-th computation; results of earlier ones are kept")
    computed_at: Mapped[Moment]
    final: Mapped[bool] = mapped_column(default=False, comment="noticed without an upheld objection")
    case: Mapped[Case] = relationship()
    unit: Mapped[Unit] = relationship()


class EvaluationResult(Base):
    """The result of one site or one village in one computation."""

    __tablename__ = "evaluation_results"
    __table_args__ = (
        UniqueConstraint("evaluation_id", "round", "site_id"),
        Index(
            "uq_evaluation_results_village",
            "evaluation_id",
            "round",
            "village_id",
            unique=True,
            sqlite_where=text("site_id IS NULL"),
            postgresql_where=text("site_id IS NULL"),
        ),
        one_of("tenths_within_bounds", "points_tenths BETWEEN 0 AND 1000"),
    )

    id: Mapped[Key]
    evaluation_id: Mapped[int] = mapped_column(ForeignKey("year_evaluations.id"))
    round: Mapped[int]
    village_id: Mapped[int] = mapped_column(ForeignKey("units.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"), index=True, comment="null: the village's own")
    points_tenths: Mapped[int] = mapped_column(comment="points of 100, in tenths")
    rank: Mapped[int] = mapped_column(comment="equal points, equal rank")
    grade: Mapped[str] = mapped_column(String(40), comment="code of the edition's grades")
    award_fen: Mapped[int] = mapped_column(default=0, comment="what it adds to the village's 以奖代拨: a proposal")
    assessment_tenths: Mapped[int] = mapped_column(
        default=0, comment="of a village: points for its annual assessment, in tenths"
    )
    village: Mapped[Unit] = relationship()
    site: Mapped[Site | None] = relationship()
    scores: Mapped[list["CriterionScore"]] = relationship(order_by="CriterionScore.id")


class CriterionScore(Base):
    """The points of one criterion, and the figures they come from."""

    __tablename__ = "criterion_scores"
    __table_args__ = (UniqueConstraint("result_id", "code"), Index("ix_criterion_scores_code", "code"))

    id: Mapped[Key]
    result_id: Mapped[int] = mapped_column(ForeignKey("evaluation_results.id"))
    code: Mapped[str] = mapped_column(String(40), comment="of the edition's criteria")
    counted: Mapped[int] = mapped_column(comment="what was reached")
    out_of: Mapped[int | None] = mapped_column(comment="of what is owed; null for a count; 0: nothing was owed")
    points_tenths: Mapped[int]
    explained: Mapped[str] = mapped_column(Text, comment="in Chinese, as the report prints it")
