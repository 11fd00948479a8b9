"""Proposals of a call: filed one by one or by a sheet, examined, withdrawn (D2-R8, D2-R9)."""

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import TypeVar

from sqlalchemy import select

from models.case import Case
from models.project import Call, Project
from models.registry import Person, Unit, below
from models.work_item import Decision, WorkItem
from notifications.call_letters import ProposalReceived
from policies.errors import Refused
from policies.vocabulary import CaseKind, Door, Firmness, Gate, ProjectStanding, UnitKind
from rules.money import fen_of, in_yuan
from rules.periods import SHANGHAI, end_of
from rules.proposals import ProposalFacts, check_window, examine_proposal, kind_of
from runtime.resources import Resources, edition_of
from tasks import items
from tasks.act import Act, acting
from tasks.call_commands import Proposal
from tasks.call_projects import load_call, projects_of, roles_in, stand, window_decision
from tasks.cases import call_of, person_of
from tasks.history import append
from tasks.mail import about, applicants, send
from tasks.openings import next_number, opened_by

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """What stands against a proposal, and in which field."""

    column: str
    """The field's Chinese title."""
    clause: str
    message: str

    def __str__(self) -> str:
        return f"“{self.column}”{self.message}"


@dataclass(frozen=True)
class _Found:
    proposer: Person
    village: Unit
    kind: str
    amount_fen: int


def propose(resources: Resources, call_number: str, proposal: Proposal, *, door: Door, key: str, at: datetime) -> str:
    """
    File one proposal; it becomes a case of its own that waits for the call (D2-R9).

    Args:
        call_number: the call's.
        door: by which door it came.
        key: what filed it; the same key files it once.

    Returns:
        The project's number.

    Raises:
        Refused: outside the window (with the moments), or the proposal does not meet the call and its edition; every
            finding is told.
    """
    with acting(resources, at=at) as act:
        case = load_call(act.session, call_number)
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        call = _open_call(act, case)
        found, faults = _examine(act, case, call, proposal)
        if found is None:
            clauses = dict.fromkeys(fault.clause for fault in faults)
            named = [clause for clause in clauses if clause != "default"] or ["default"]
            raise Refused(";".join(named), "。".join(fault.message for fault in faults))
        return _file(act, case, call, proposal, found, door=door, key=key)


def import_proposals(
    resources: Resources,
    call_number: str,
    rows: Sequence[tuple[int, Proposal]],
    *,
    sheet: str,
    key: str,
    at: datetime,
) -> list[str]:
    """
    File all proposals of a sheet, or none when one is faulty (D2-R9).

    Args:
        rows: number of the row and its proposal, see `tasks.call_sheets.read_proposals`.
        sheet: its name, for the sentence.
        key: what imported it; the same key imports it once.

    Returns:
        The projects' numbers in the order of the rows.

    Raises:
        Refused: outside the window, or faulty rows; every fault is named by row and column.
    """
    with acting(resources, at=at) as act:
        case = load_call(act.session, call_number)
        known = act.session.scalars(
            select(Case.number)
            .where(Case.parent_id == case.id, Case.opening_key.startswith(f"{key}:", autoescape=True))
            .order_by(Case.id)
        ).all()
        if known:
            return list(known)
        call = _open_call(act, case)
        filed, faults = list[str](), list[str]()
        for number, proposal in rows:
            # Filed as it is read, so that a row is also held against those above it; a fault takes all of them back.
            found, against = _examine(act, case, call, proposal)
            faults += [f"第{number}行{fault}" for fault in against]
            if found is not None:
                filed.append(_file(act, case, call, proposal, found, door=Door.SHEET, key=f"{key}:{number}"))
        if faults:
            listed = "".join(f"\n{number}. {fault}" for number, fault in enumerate(faults, 1))
            raise Refused("申报表填写要求", f"申报表“{sheet}”有{len(faults)}处有误,一个项目也没有登记:{listed}")
        return filed


def _open_call(act: Act, case: Case) -> Call:
    """Return the call while its window stands open; refuse with the moments of its ends and of the arrival."""
    call = call_of(act.session, case)
    opens_at = datetime.combine(call.opens_on, time(0), tzinfo=SHANGHAI)
    ended = window_decision(act.session, case)
    closes_at = end_of(call.closes_on)
    where = edition_of(case).for_projects.gates.call_window.where
    if ended is not None:
        closes_at = min(closes_at, ended.effective_at)
    check_window(opens_at=opens_at, closes_at=closes_at, at=act.at, clause=where)
    if ended is not None:
        # It came in time, but stood behind whoever counted the proposals at the end of the window.
        raise Refused(
            where,
            f"征集 {case.number} 已于{closes_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}截止并清点,本次申报于"
            f"{act.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}到达时清点已经完成;请向社区办说明",
        )
    return call


def _examine(act: Act, case: Case, call: Call, proposal: Proposal) -> tuple[_Found | None, list[Fault]]:
    """Hold a proposal against registry, call and edition; return what it names, or everything that is wrong."""
    scheme = edition_of(case).for_projects
    faults: list[Fault] = []

    def tried(column: str, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except Refused as refusal:
            faults.append(Fault(column, refusal.clause, refusal.reason))
            return None

    proposer = tried("提议人", lambda: person_of(act.session, proposal.proposer))
    village = tried("村(居)", lambda: _village(act, case, proposal.village))
    amount = tried("申请金额", lambda: fen_of(proposal.amount_yuan))
    facts = ProposalFacts(
        title=proposal.title,
        content=proposal.content,
        beneficiaries=proposal.beneficiaries,
        expected_benefit=proposal.expected_benefit,
        kind=proposal.kind,
        # What is not known is told above; here it must not count as a second fault.
        amount_fen=1 if amount is None else amount,
        proposer_roles=roles_in(act.session, proposer, case.unit, on=act.day)
        if proposer is not None
        else frozenset(scheme.proposers.roles),
    )
    faults += [
        Fault(finding.name, finding.where, finding.message)
        for finding in examine_proposal(facts, scheme, called=call.kinds)
        if finding.firmness is Firmness.REFUSE
    ]
    if proposer is not None and (twin := _twin(act, case, proposer, proposal.title)) is not None:
        faults.append(
            Fault(
                "项目名称",
                "default",
                f"{proposer.display}在本次征集中已申报同名项目 {twin.case.number}“{twin.case.title}”;"
                "请勿重复申报,要改内容的先撤回原申报",
            )
        )
    kind = kind_of(proposal.kind, scheme)
    if faults or proposer is None or village is None or amount is None or kind is None:
        return None, faults
    return _Found(proposer=proposer, village=village, kind=kind.code, amount_fen=amount), []


def _village(act: Act, case: Case, text: str) -> Unit:
    inside = act.session.scalars(
        select(Unit)
        .where(Unit.id.in_(below(act.session, case.unit)), Unit.kind == UnitKind.VILLAGE)
        .order_by(Unit.code)
    ).all()
    found = [each for each in inside if text.strip() in (each.code, each.name)]
    if len(found) != 1:
        choices = "、".join(f"{each.name}({each.code})" for each in inside)
        raise Refused("default", f"“{text}”不是{case.unit.name}的村(居),可填:{choices}")
    return found[0]


def _twin(act: Act, case: Case, proposer: Person, title: str) -> Project | None:
    return next(
        (
            each
            for each in projects_of(act.session, case)
            if each.leader_id == proposer.id
            and each.standing is not ProjectStanding.WITHDRAWN
            and _plain(each.case.title) == _plain(title)
        ),
        None,
    )


def _plain(title: str) -> str:
    return "".join(unicodedata.normalize("NFKC", title).split())


def _file(act: Act, call_case: Case, call: Call, proposal: Proposal, found: _Found, *, door: Door, key: str) -> str:
    scheme = edition_of(call_case).for_projects
    case = Case(
        number=next_number(act.session, scheme.project_prefix, act.day.year),
        kind=CaseKind.PROJECT,
        edition_id=call_case.edition_id,
        edition_sha256=call_case.edition_sha256,
        opening_key=key,
        title=proposal.title,
        unit_id=found.village.id,
        parent_id=call_case.id,
        year=act.day.year,
        opened_at=act.at,
    )
    act.session.add(case)
    act.session.flush()
    project = Project(
        case_id=case.id,
        call_case_id=call_case.id,
        leader_id=found.proposer.id,
        kind=found.kind,
        content=proposal.content,
        beneficiaries=proposal.beneficiaries,
        expected_benefit=proposal.expected_benefit,
        amount_fen=found.amount_fen,
        submitted_at=act.at,
    )
    act.session.add(project)
    act.session.flush()
    named = f"{found.village.name}“{case.title}”,申请{in_yuan(found.amount_fen)}"
    told = {
        "door": door.value,
        "call": call_case.number,
        "leader": found.proposer.id,
        "village": found.village.code,
        "kind": found.kind,
        "content": proposal.content,
        "beneficiaries": proposal.beneficiaries,
        "expected_benefit": proposal.expected_benefit,
        "amount_fen": found.amount_fen,
    }
    append(
        act.session,
        case,
        kind="case_opened",
        actor=found.proposer.display,
        summary=f"申报微项目:{named}",
        at=act.at,
        data=told | {"edition": case.edition_id, "sha256": case.edition_sha256},
    )
    append(
        act.session,
        call_case,
        kind="proposal_filed",
        actor=found.proposer.display,
        summary=f"收到申报 {case.number}:{named}",
        at=act.at,
        data={"project": case.number, "amount_fen": found.amount_fen},
    )
    # Not left to the first run: the call decides over it also while Prefect is away.
    items.create(act, case, Gate.SELECTION, 1)
    letter = ProposalReceived(
        **about(case),
        submitted_on=act.day,
        kind=next(each.name for each in scheme.kinds if each.code == found.kind),
        amount_fen=found.amount_fen,
        closes_on=call.closes_on,
        steps=tuple(_steps(call_case)),
    )
    send(act, case, letter, applicants(act.session, case), event="proposal")
    return case.number


def _steps(call_case: Case) -> Iterator[str]:
    scheme = edition_of(call_case).for_projects
    if scheme.survey is not None:
        yield "社情民意调研"
    yield "评审组评分" + ("、会议表决" if scheme.screening.meeting is not None else "") + "，在预算内择优"
    yield "入选公示，听取异议"
    yield "确认入选，细化方案"


def tell_withdrawn(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Leave a proposal that its proposer withdrew out of the survey, the screening and the notice (D2-R9)."""
    if item.gate is not Gate.SELECTION or case.parent is None:
        raise ValueError(f"case {case.number} is no proposal that waits for its call")
    project = act.session.scalars(select(Project).where(Project.case_id == case.id)).one()
    stand(act, project, ProjectStanding.WITHDRAWN, decision.reason)
    append(
        act.session,
        case.parent,
        kind="proposal_withdrawn",
        actor=project.leader.display,
        summary=f"{case.number}“{case.title}”由提议人撤回,理由:{decision.reason}",
        at=act.at,
        data={"project": case.number},
    )
