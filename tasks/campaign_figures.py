"""What a campaign found: counted by result and by point of the checklist, and told to its villages at the end."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.case import Case
from models.inspection import Inspection, Visit, VisitFinding
from models.registry import Unit, holders
from notifications.inspection_letters import InspectionResult
from policies.errors import Refused
from policies.life_words import CampaignScope, Finding
from policies.vocabulary import CaseKind, CaseStatus, Outcome, Role
from rules.sampling import draw, lot
from runtime.resources import Resources
from tasks.act import Act
from tasks.inspection_points import campaign_of, inspections_in, load_of, rule_of, site_named_in_full
from tasks.listing import numbers_by
from tasks.mail import about, send, to_person


@dataclass(frozen=True)
class CampaignFigures:
    """What became of a campaign's inspections, in sites."""

    sites: int
    passed: int
    """At the first visit."""
    rectified: int
    """Passed after they had been given time to put things right."""
    revoked: int
    kept: int
    """Were to be revoked, and were not: an objection was upheld, or the notice was retracted."""
    called_off: int
    under_way: int
    not_met: tuple[tuple[str, int], ...]
    """Name of each point of the checklist, and how many sites did not meet it at the first visit."""

    def as_data(self) -> dict[str, Any]:
        """Return the figures as JSON values, for the record."""
        return asdict(self) | {"not_met": [list(each) for each in self.not_met]}

    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return the figures as labelled rows."""
        result = (
            f"首次检查合格{self.passed}处,整改后合格{self.rectified}处,撤牌{self.revoked}处,不予撤牌{self.kept}处,"
            f"取消{self.called_off}处,在办{self.under_way}处"
        )
        return (
            ("受督查客堂间", f"{self.sites}处"),
            ("结果", result),
            ("首次检查不符合", "、".join(f"{name}{count}处" for name, count in self.not_met)),
        )


def figures(session: Session, campaign_case: Case) -> CampaignFigures:
    """Return the figures of a campaign as they stand now."""
    again = select(Visit.inspection_id).where(Visit.rectify_by.is_not(None))
    rows = session.execute(
        select(Case.status, Case.outcome, Inspection.id.in_(again))
        .join(Inspection, Inspection.case_id == Case.id)
        .where(Inspection.campaign_case_id == campaign_case.id)
    ).tuples()
    found = Counter((outcome if status is CaseStatus.CLOSED else None, bool(twice)) for status, outcome, twice in rows)

    def ended(outcome: Outcome | None) -> int:
        return found[outcome, False] + found[outcome, True]

    faults = dict(
        session.execute(
            select(VisitFinding.code, func.count(VisitFinding.id))
            .join(Visit)
            .join(Inspection)
            .where(
                Inspection.campaign_case_id == campaign_case.id,
                Visit.round == 1,
                VisitFinding.finding == Finding.NOT_MET,
            )
            .group_by(VisitFinding.code)
        )
        .tuples()
        .all()
    )
    return CampaignFigures(
        sites=sum(found.values()),
        passed=found[Outcome.PASSED, False],
        rectified=found[Outcome.PASSED, True],
        revoked=ended(Outcome.REVOKED),
        kept=ended(Outcome.KEPT),
        called_off=ended(Outcome.CALLED_OFF),
        under_way=ended(None),
        not_met=tuple((point.name, faults.get(point.code, 0)) for point in rule_of(campaign_case).checklist),
    )


def result_of(inspection: Inspection) -> str:
    """Return how the inspection of a site ended, as lists say it."""
    case = inspection.case
    if case.outcome is None:
        return CaseStatus.OPEN.label
    return case.outcome.label + (f"（{case.because}）" if case.because else "")


def tell_results(act: Act, campaign_case: Case) -> None:
    """Tell each village's responsible members what came of its sites, and the summary."""
    villages: dict[int, Unit] = {}
    lines: dict[int, list[str]] = {}
    for inspection in inspections_in(act.session, campaign_case):
        site = inspection.site
        villages[site.village_id] = site.village
        told = f"{site_named_in_full(site)}：{result_of(inspection)}"
        lines.setdefault(site.village_id, []).append(told)
    for village_id, village in villages.items():
        letter = InspectionResult(
            **about(campaign_case),
            result=f"{village.name}{len(lines[village_id])}处已全部办结",
            because="",
            lines=tuple(lines[village_id]),
            next_step="督查结果计入年度考核。",
        )
        people = holders(act.session, role=Role.VILLAGE_RESPONSIBLE, unit_id=village.id, on=act.day)
        send(act, campaign_case, letter, [to_person(each) for each in people], event=f"results-{village.code}")


def inspections_named(resources: Resources, number: str) -> list[str]:
    """Return the numbers of a campaign's inspections, in their order."""
    with resources.database.read() as session:
        query = select(Case.number).where(Case.kind == CaseKind.INSPECTION).order_by(Case.id)
        above = select(Case.id).where(Case.number == number).scalar_subquery()
        return numbers_by(session, query.where(Case.parent_id == above))


@dataclass(frozen=True)
class DrawnAgain:
    """A random sample, drawn again from what the record keeps; numbers of sites."""

    seed: str
    ranked: tuple[str, ...]
    """What was drawn from, in the order of the lots."""
    expected: frozenset[str]
    inspected: frozenset[str]

    @property
    def differing(self) -> tuple[str, ...]:
        """What was drawn and is not inspected, or the other way round."""
        return tuple(sorted(self.expected ^ self.inspected))


def draw_again(resources: Resources, number: str) -> DrawnAgain:
    """
    Draw the sample of a campaign again from its list and seed, as anybody can.

    Raises:
        Refused: no such campaign, or it was no random sample.
    """
    with resources.database.read() as session:
        case = load_of(session, number, CaseKind.CAMPAIGN, lock=False)
        campaign = campaign_of(session, case)
        if campaign.scope is not CampaignScope.SAMPLE:
            raise Refused("default", f"督查 {case.number} 的范围是“{campaign.scope.label}”,没有抽签")
        inspected = frozenset(each.site.number for each in inspections_in(session, case))
        expected = draw(campaign.drawn_from, size=len(inspected), seed=campaign.seed)
        ranked = sorted(campaign.drawn_from, key=lambda site: (lot(site, seed=campaign.seed), site))
        return DrawnAgain(campaign.seed, tuple(ranked), frozenset(expected), inspected)
