"""What a site's inspection knows: its campaign and site, its visits, and what they found point by point."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case, Site
from models.inspection import Campaign, Inspection, Visit
from models.work_item import WorkItem
from policies import life_scheme
from policies.errors import Refused
from policies.life_words import Finding
from policies.vocabulary import CaseKind, Gate, WorkItemStatus
from runtime.resources import edition_of
from tasks.act import Act
from tasks.cases import load_case, load_with_parent, site_of
from tasks.history import SYSTEM, append


def load_of(session: Session, number: str, kind: CaseKind, *, lock: bool = True, with_parent: bool = False) -> Case:
    """
    Return a campaign's or an inspection's case.

    Args:
        lock: nobody else changes it until the transaction ends.
        with_parent: nor its parent, which is locked before it.

    Raises:
        Refused: the number is of another kind of case.
    """
    case = load_with_parent(session, number) if with_parent else load_case(session, number, lock=lock)
    if case.kind is not kind:
        raise Refused("default", f"案件 {case.number} 是{case.kind.label},不是{kind.label},请核对案件编号")
    return case


def rule_of(case: Case) -> life_scheme.Inspection:
    """Return how the pinned edition of a campaign or an inspection inspects; it was opened by one that does."""
    rule = edition_of(case).for_sites.inspection
    if rule is None:
        raise LookupError(f"the edition of case {case.number} has no inspections")
    return rule


def campaign_of(session: Session, case: Case) -> Campaign:
    """Return the campaign of a campaign's case, or of an inspection's."""
    case_id = case.parent_id if case.kind is CaseKind.INSPECTION else case.id
    return session.scalars(select(Campaign).where(Campaign.case_id == case_id)).one()


def inspection_of(session: Session, case: Case) -> Inspection:
    """Return what an inspection's case is about."""
    return session.scalars(select(Inspection).where(Inspection.case_id == case.id)).one()


def inspections_in(session: Session, campaign_case: Case) -> list[Inspection]:
    """Return the inspections of a campaign, in the order of their cases."""
    query = select(Inspection).where(Inspection.campaign_case_id == campaign_case.id).order_by(Inspection.case_id)
    return list(session.scalars(query))


def visits_of(session: Session, case: Case) -> list[Visit]:
    """Return the visits of an inspection, the first one first."""
    query = select(Visit).join(Inspection).where(Inspection.case_id == case.id).order_by(Visit.round)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def last_visit(session: Session, case: Case) -> Visit:
    """Return the last visit of an inspection that has had one."""
    return visits_of(session, case)[-1]


def waiting_at(session: Session, case: Case, gate: Gate) -> WorkItem | None:
    """Return the work item of a gate while it waits."""
    return session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == case.id, WorkItem.gate == gate, WorkItem.status == WorkItemStatus.OPEN
        )
    ).one_or_none()


def follow_site(act: Act, case: Case) -> None:
    """Let the case follow a site that has moved: its people are those of the new place."""
    group = site_of(act.session, case).group
    if group.id == case.unit_id:
        return
    before, case.unit = case.unit, group
    case.unit_id = group.id
    append(
        act.session,
        case,
        kind="unit_followed",
        actor=SYSTEM,
        summary=f"客堂间已迁址,案件由{before.name}转至{group.name}",
        at=act.at,
        data={"before": before.code, "unit": group.code},
    )


def site_named_in_full(site: Site) -> str:
    """Return a site as letters and notices name it: where, whose, its number."""
    group = site.group.name.removeprefix(site.village.name) or site.group.name
    plaque = edition_of(site.case).for_sites.plaque_text
    return f"{site.village.name}{group}{site.household.head_name}户“{plaque}”（{site.number}）"


@dataclass(frozen=True)
class Found:
    """What a visit found about one point of the checklist."""

    code: str
    name: str
    where: str
    """The clause of the point."""
    finding: Finding
    note: str

    @property
    def in_words(self) -> str:
        """The point with what was found, as letters and pages list it."""
        return f"{self.name}：{self.finding.label}" + (f"，{self.note}" if self.note else "")


def found_in(case: Case, visit: Visit) -> list[Found]:
    """Return what a visit found, in the order of the edition's checklist."""
    by_code = {each.code: each for each in visit.findings}
    return [
        Found(point.code, point.name, point.where, by_code[point.code].finding, by_code[point.code].note)
        for point in rule_of(case).checklist
        if point.code in by_code
    ]


def not_met(case: Case, visit: Visit) -> list[Found]:
    """Return the points that a visit found not met."""
    return [each for each in found_in(case, visit) if each.finding is Finding.NOT_MET]


def counted(found: Sequence[Found]) -> str:
    """Return how many points were found how, e.g. ``符合3项、不符合2项``."""
    counts = {word: sum(each.finding is word for each in found) for word in Finding}
    return "、".join(f"{word.label}{count}项" for word, count in counts.items() if count)
