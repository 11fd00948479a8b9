"""What people book by hand into the ledger of a programme, as it comes in by any door, and its carrying out."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from models.case import Case, Document
from models.registry import Person
from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, Role, SourceKind
from rules.money import fen_of
from runtime.resources import Resources, edition_of
from tasks.act import Act, acting
from tasks.cases import entitled, load_case, person_of
from tasks.commands import CaseNumber, Command, PersonField, PlainText
from tasks.documents import attach
from tasks.ledger_figures import pool_balance, project_balance
from tasks.ledger_programme import receive, spend_line


class ReceiveMoney(Command):
    """Money came into a programme's pool (D2-R13)."""

    case: CaseNumber
    by: PersonField = Field(title="登记人")
    source: PlainText = Field(
        min_length=1, max_length=20, title="资金来源", description="、".join(each.label for each in SourceKind)
    )
    source_name: PlainText = Field(
        default="", max_length=100, title="来源单位", description="拨款单位或捐赠人,例如 某某公司;不写为政策中的名称"
    )
    amount_yuan: PlainText = Field(min_length=1, max_length=20, title="金额(元)", description="例如 30000.00")
    memo: PlainText = Field(min_length=1, max_length=200, title="摘要")
    proof: PlainText = Field(min_length=1, max_length=300, title="凭证", description="资料文件夹内的文件名")


class SpendOnLine(Command):
    """A project spent money on one of its budget lines (D0-R15, D2-R13)."""

    case: CaseNumber
    by: PersonField = Field(title="经办人")
    line: PlainText = Field(min_length=1, max_length=100, title="预算科目", description="方案预算的科目之一")
    amount_yuan: PlainText = Field(min_length=1, max_length=20, title="金额(元)", description="例如 1280.50")
    memo: PlainText = Field(min_length=1, max_length=200, title="摘要")
    proof: PlainText = Field(min_length=1, max_length=300, title="凭证", description="资料文件夹内的文件名")


def receive_money(resources: Resources, command: ReceiveMoney, *, at: datetime, key: str) -> int:
    """
    Book money that came into a programme's pool, with its voucher (D2-R13).

    Args:
        key: what asked for it; the same key is booked once.

    Returns:
        What stands in the pool afterwards, in fen.

    Raises:
        Refused: not a call, a person who may not decide on its funding, a source that the edition does not know, an
            amount that is none or above the source's ceiling, no voucher, or a case that is closed.
    """
    with acting(resources, at=at) as act:
        case = _running(act, command.case, kind=CaseKind.CALL, deed="登记到账资金")
        scheme = edition_of(case).for_projects
        kind = SourceKind.by_label(command.source)
        source = next((each for each in scheme.funds.sources if kind is each.kind or command.source == each.name), None)
        if source is None:
            names = "、".join(each.name for each in scheme.funds.sources)
            where = scheme.funds.sources[0].where
            raise Refused(where, f"“{command.source}”不在政策规定的资金来源之内,请从中选择:{names}")
        roles = [scheme.gates.funding.decided_by]
        by = _allowed(act, case, command.by, roles=roles, where=source.where, deed="登记到账资金")
        receive(
            act,
            case,
            source=source.kind,
            source_name=command.source_name or source.name,
            amount_fen=fen_of(command.amount_yuan),
            cap_fen=None if source.amount_yuan is None else source.amount_yuan * 100,
            by=by,
            document=_voucher(act, case, command.proof, by),
            where=source.where,
            key=key,
            memo=command.memo,
        )
        return pool_balance(act.session, case)


def spend_on_line(resources: Resources, command: SpendOnLine, *, at: datetime, key: str) -> int:
    """
    Book money that a project spent, with its voucher (D0-R15, D2-R13).

    Args:
        key: what asked for it; the same key is booked once.

    Returns:
        What the project has left, in fen.

    Raises:
        Refused: not a project, neither its leader nor the village's responsible member, no such budget line, an amount
            that is none, above the line or above the balance, no voucher, or a case that is closed.
    """
    with acting(resources, at=at) as act:
        case = _running(act, command.case, kind=CaseKind.PROJECT, deed="登记支出")
        where = edition_of(case).for_projects.funds.sources[0].where
        roles = [Role.PROJECT_LEADER, Role.VILLAGE_RESPONSIBLE]
        by = _allowed(act, case, command.by, roles=roles, where=where, deed="登记支出")
        spend_line(
            act,
            case,
            line_code=command.line,
            amount_fen=fen_of(command.amount_yuan),
            by=by,
            document=_voucher(act, case, command.proof, by),
            where=where,
            key=key,
            memo=command.memo,
        )
        return project_balance(act.session, case)


def _running(act: Act, number: str, *, kind: CaseKind, deed: str) -> Case:
    """Return the case, locked, if it is of that kind and not closed."""
    case = load_case(act.session, number)
    if case.kind is not kind:
        raise Refused(
            "default", f"案件 {case.number} 是“{case.kind.label}”,只有“{kind.label}”可以{deed},请核对案件编号"
        )
    if case.status is CaseStatus.CLOSED:
        outcome = case.outcome.label if case.outcome else ""
        raise Refused("default", f"案件 {case.number} 已办结({outcome}),不能再{deed}")
    return case


def _allowed(act: Act, case: Case, text: str, *, roles: Sequence[Role], where: str, deed: str) -> Person:
    """Return the person who books, if that person holds one of the roles."""
    person = person_of(act.session, text)
    able = {each.id: each for role in roles for each in entitled(act.session, case, role, on=act.day)}
    if person.id not in able:
        names = "、".join(each.display for each in able.values()) or "(登记簿中尚无人担任)"
        labels = "或".join(role.label for role in roles)
        raise Refused(where, f"{person.display}无权{deed}:须由{labels}办理,现为{names}")
    return person


def _voucher(act: Act, case: Case, reference: str, by: Person) -> Document:
    folder = act.resources.settings.documents_folder
    return attach(act.session, case, folder=folder, reference=reference, kind="voucher", by=by, at=act.at)
