"""Campaigns of inspection, the inspection of each site, and what was found (D0-R11)."""

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Key, Listing, Moment, Short, one_of, word_type
from models.case import Case, Document, Site
from policies.life_words import CampaignScope, Finding


class Campaign(Base):
    """A campaign: which sites are inspected, chosen how, from when until when."""

    __tablename__ = "campaigns"
    __table_args__ = (UniqueConstraint("case_id"), one_of("ordered", "until >= since"))

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    scope: Mapped[CampaignScope] = mapped_column(word_type(CampaignScope))
    villages: Mapped[Listing] = mapped_column(comment="codes, when chosen by village")
    seed: Mapped[str] = mapped_column(String(40), comment="of a random sample: the same seed draws the same sites")
    drawn_from: Mapped[Listing] = mapped_column(comment="numbers of the sites that were drawn from, in their order")
    since: Mapped[date] = mapped_column(Date)
    until: Mapped[date] = mapped_column(Date, comment="last day of the visits")
    case: Mapped[Case] = relationship()


class Inspection(Base):
    """The inspection of one site in a campaign."""

    __tablename__ = "inspections"
    __table_args__ = (UniqueConstraint("case_id"), UniqueConstraint("campaign_case_id", "site_id"))

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    campaign_case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), index=True)
    case: Mapped[Case] = relationship(foreign_keys=[case_id])
    campaign_case: Mapped[Case] = relationship(foreign_keys=[campaign_case_id])
    site: Mapped[Site] = relationship()


class Visit(Base):
    """A visit, or a re-inspection: what the inspectors wrote down."""

    __tablename__ = "visits"
    __table_args__ = (UniqueConstraint("inspection_id", "round"),)

    id: Mapped[Key]
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id"))
    round: Mapped[int] = mapped_column(comment="1: the visit; from 2: re-inspections")
    visited_on: Mapped[date] = mapped_column(Date)
    inspectors: Mapped[Short]
    rectify_by: Mapped[date | None] = mapped_column(Date, comment="by when what is not met must be put right")
    report: Mapped[str] = mapped_column(Text, default="", comment="what the leader reported as put right")
    document_id: Mapped[int | None] = mapped_column(ForeignKey("documents.id"))
    recorded_at: Mapped[Moment]
    document: Mapped[Document | None] = relationship()
    findings: Mapped[list["VisitFinding"]] = relationship(order_by="VisitFinding.id")


class VisitFinding(Base):
    """What a visit found about one point of the checklist."""

    __tablename__ = "visit_findings"
    __table_args__ = (UniqueConstraint("visit_id", "code"), Index("ix_visit_findings_code", "code"))

    id: Mapped[Key]
    visit_id: Mapped[int] = mapped_column(ForeignKey("visits.id"))
    code: Mapped[str] = mapped_column(String(40), comment="of the edition's checklist")
    finding: Mapped[Finding] = mapped_column(word_type(Finding))
    note: Mapped[str] = mapped_column(Text, default="")
