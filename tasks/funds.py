"""The money of a project: from the programme's pool, onto its budget lines, and what is left back (D0-R15, D2-R13)."""

from datetime import date, datetime

from sqlalchemy import select

from models.case import Case, Document, WorkDone
from models.registry import Person
from models.work_item import WorkItem
from notifications.project_letters import FundsArrived, SurplusReturned
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, Door, Gate, LedgerMove, Role, Verdict, WorkItemStatus
from rules.money import fen_of, in_capitals, in_yuan
from runtime.resources import Resources
from tasks import items
from tasks.act import Act, acting
from tasks.cases import check_holds, load_case, local_day, open_item, person_of, policy_of, project_of
from tasks.checklists import RECEIVED
from tasks.documents import attach
from tasks.history import append
from tasks.ledger_figures import budget_lines, project_balance
from tasks.ledger_posting import booked
from tasks.ledger_programme import give_back, grant, return_to_source, spend_line
from tasks.mail import about, applicants, chinese_date, holders_of, send, village_of
from tasks.project_commands import ReturnFunds, SpendOnProject


def fund(act: Act, item: WorkItem, *, by: Person, document: Document) -> None:
    """
    Book what the project was granted from the programme's pool to the village (D2-R13).

    Args:
        item: the project's funding gate; its case is locked.
        document: the voucher.

    Raises:
        Refused: the programme has less; names both figures.
    """
    case = item.case
    granted = project_of(act.session, case).granted_fen
    if granted is None or case.parent is None:
        raise LookupError(f"project {case.number} is funded without a call or a granted sum")
    where = policy_of(case, Gate.FUNDING).where
    memo = "拨付核定资金"
    grant(
        act,
        case,
        case.parent,
        amount_fen=granted,
        by=by,
        document=document,
        where=where,
        key=Gate.FUNDING.value,
        memo=memo,
    )


def tell_funded(act: Act, item: WorkItem) -> None:
    """Tell leader and village that the money is there and what it may be spent on."""
    case = item.case
    letter = FundsArrived(
        **about(case),
        amount_fen=project_balance(act.session, case),
        lines=tuple(f"{line.name}{in_yuan(line.cap_fen)}" for line in budget_lines(act.session, case)),
    )
    to = applicants(act.session, case) + village_of(act, case)
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}-decided")


def spend(resources: Resources, command: SpendOnProject, *, at: datetime, key: str) -> int:
    """
    Book money that a project spent on one of its budget lines, with its voucher (D0-R15, D2-R13).

    While what is left is being returned, an invoice that comes late may still be booked; one that takes the last of
    the money closes the settlement.

    Args:
        key: what asked for it; the same key is booked once.

    Returns:
        What the project has left, in fen.

    Raises:
        Refused: not the village's responsible member, the money has not arrived or was settled, a day before it
            arrived, after the settlement began or in the future, no such budget line, above the line, above the
            balance, no voucher, or one that was booked on this line with this amount.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        check_kind(case, CaseKind.PROJECT, deed="登记项目支出")
        where = policy_of(case, Gate.FUNDING).where
        by = _responsible(act, case, command.by)
        if booked(act.session, f"{case.number}:{LedgerMove.SPENDING.value}:{key}") is not None:
            return project_balance(act.session, case)  # also when it was this one that closed the settlement
        arrived = _check_stage(act, case)
        if command.spent_on > act.day:
            raise Refused(where, f"支出日期{chinese_date(command.spent_on)}晚于今天,请核对")
        if command.spent_on < arrived:
            raise Refused(
                where,
                f"支出日期{chinese_date(command.spent_on)}早于资金到账日{chinese_date(arrived)},请核对;"
                "到账以前的开支不能列入项目资金",
            )
        item = open_item(act.session, case)
        settling = item if item is not None and item.gate is Gate.SETTLEMENT else None
        if settling is not None and command.spent_on > (since := local_day(settling.opened_at)):
            raise Refused(
                where,
                f"支出日期{chinese_date(command.spent_on)}晚于开始“{Gate.SETTLEMENT.label}”的{chinese_date(since)},"
                "清退期间只能补登此前的开支;请核对日期,结余请退回",
            )
        document = attach(
            act.session,
            case,
            folder=resources.settings.documents_folder,
            reference=command.proof,
            kind="voucher",
            by=by,
            at=at,
        )
        spend_line(
            act,
            case,
            line_code=command.line,
            amount_fen=fen_of(command.amount_yuan),
            by=by,
            document=document,
            where=where,
            key=key,
            memo=f"{command.memo}({chinese_date(command.spent_on)})",
        )
        if settling is not None:
            settle_if_spent(act, settling)
        return project_balance(act.session, case)


def check_kind(case: Case, kind: CaseKind, *, deed: str) -> None:
    """Refuse a deed in a case of another kind, or in one that is closed."""
    _check_is(case, kind, deed=deed)
    if case.status is CaseStatus.CLOSED:
        outcome = case.outcome.label if case.outcome else ""
        raise Refused("default", f"案件 {case.number} 已办结({outcome}),不能再{deed}")


def _check_is(case: Case, kind: CaseKind, *, deed: str) -> None:
    if case.kind is not kind:
        raise Refused("default", f"案件 {case.number} 是“{case.kind.label}”,不能{deed};请填写“{kind.label}”的案件编号")


def _responsible(act: Act, case: Case, text: str) -> Person:
    person = person_of(act.session, text)
    where = policy_of(case, Gate.FUNDING).where
    role = Role.VILLAGE_RESPONSIBLE
    check_holds(act.session, case, role, person, deed="登记项目支出", where=where, on=act.day)
    return person


def _check_stage(act: Act, case: Case) -> date:
    """Return the day on which the money arrived; refuse before it did and after it was settled."""
    where = policy_of(case, Gate.FUNDING).where
    gates = {
        item.gate: item
        for item in act.session.scalars(
            select(WorkItem).where(
                WorkItem.case_id == case.id,
                WorkItem.gate.in_((Gate.FUNDING, Gate.SETTLEMENT)),
                WorkItem.status == WorkItemStatus.CLOSED,
            )
        )
    }
    funding = gates.get(Gate.FUNDING)
    if funding is None:
        item = open_item(act.session, case)
        now = f",现处于“{item.gate.label}”环节" if item else ""
        raise Refused(
            where, f"项目 {case.number} 的资金尚未到账{now},不能登记支出;请在“{Gate.FUNDING.label}”办结后登记"
        )
    if funding.decision is not None and funding.decision.verdict is Verdict.ABANDONED:
        raise Refused(where, f"项目 {case.number} 在资金到账以前已终止实施,不能登记支出")
    if Gate.SETTLEMENT in gates:
        raise Refused(where, f"项目 {case.number} 已办结“{Gate.SETTLEMENT.label}”,不能再登记支出")
    return act.session.scalars(
        select(WorkDone.done_on).where(WorkDone.work_item_id == funding.id, WorkDone.code == RECEIVED)
    ).one()


def settle_if_spent(act: Act, item: WorkItem) -> bool:
    """
    Close the settlement by itself when nothing is left to return (D2-R13).

    Args:
        item: the settlement gate that waits.

    Returns:
        Whether it closed.
    """
    if project_balance(act.session, item.case):
        return False
    spent = any(line.spent_fen for line in budget_lines(act.session, item.case))
    items.close(
        act,
        item,
        Verdict.COMPLETED,
        by=None,
        door=Door.SYSTEM,
        reason="项目资金已全部支出,没有结余" if spent else "项目没有支出,也没有须退回的资金",
        details={"returned_fen": 0},
    )
    return True


def return_surplus(act: Act, item: WorkItem, *, by: Person, document: Document, on: date) -> int:
    """
    Book all that a project has left back into the programme's pool, and tell those concerned (D2-R13).

    Args:
        item: the project's settlement gate; its case is locked.
        document: the voucher.
        on: the day on which the money went back.

    Returns:
        The amount in fen.
    """
    case = item.case
    if case.parent is None:
        raise LookupError(f"project {case.number} has no call")
    where = policy_of(case, Gate.SETTLEMENT).where
    memo = f"退回结余({chinese_date(on)})"
    amount = give_back(
        act, case, case.parent, by=by, document=document, where=where, key=Gate.SETTLEMENT.value, memo=memo
    )
    spent = sum(line.spent_fen for line in budget_lines(act.session, case))
    append(
        act.session,
        case,
        kind="surplus_returned",
        actor=by.display,
        summary=f"退回结余资金{in_yuan(amount)}({in_capitals(amount)}),项目实际支出{in_yuan(spent)}",
        at=act.at,
        data={"amount_fen": amount, "spent_fen": spent, "document": document.id},
    )
    letter = SurplusReturned(**about(case), amount_fen=amount, spent_fen=spent, returned_on=on)
    people = applicants(act.session, case) + village_of(act, case) + holders_of(act, case, item.role)
    to = {each.person_id: each for each in people}.values()
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}-decided")
    return amount


def return_funds(resources: Resources, command: ReturnFunds, *, at: datetime, key: str) -> int:
    """
    Book what a programme has left back to those it came from, each source's money for itself (D2-R13).

    Args:
        key: what asked for it; the same key is booked once.

    Returns:
        The amount in fen, > 0.

    Raises:
        Refused: not a call, a person who may not decide on its funding, projects that still run, nothing left, or no
            voucher.
    """
    with acting(resources, at=at) as act:
        call = load_case(act.session, command.case)
        _check_is(call, CaseKind.CALL, deed="退回项目资金")
        role, where = policy_of(call, Gate.FUNDING).decided_by, policy_of(call, Gate.FUNDING).where
        by = person_of(act.session, command.by)
        check_holds(act.session, call, role, by, deed="退回项目资金", where=where, on=act.day)
        _check_over(act, call, where)
        document = attach(
            act.session,
            call,
            folder=resources.settings.documents_folder,
            reference=command.proof,
            kind="voucher",
            by=by,
            at=at,
        )
        amount = return_to_source(act, call, by=by, document=document, where=where, key=key, memo=command.memo)
        if not amount:
            raise Refused(where, f"征集 {call.number} 的项目资金专户没有结余,不必退回")
        return amount


def _check_over(act: Act, call: Case, where: str) -> None:
    """Refuse while money of the pool may still be needed: before the last project of the call is closed."""
    item = open_item(act.session, call)
    if call.status is CaseStatus.CLOSED or (item is not None and item.gate is Gate.SELF_CHECK):
        return
    running = act.session.scalars(
        select(Case.number)
        .where(Case.parent_id == call.id, Case.kind == CaseKind.PROJECT, Case.status == CaseStatus.OPEN)
        .order_by(Case.id)
    ).all()
    named = f":{'、'.join(running)}" if running else ""
    raise Refused(
        where,
        f"征集 {call.number} 尚有{len(running)}个项目未办结{named},项目资金可能还要使用,不能退回;"
        "请在征集的项目全部办结后办理",
    )
