"""
What people book by hand into the ledger of a programme, as it comes in by any door, and its carrying out.

What the edition says (who may, from which sources, by which clause) is an argument: these commands know no scheme.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from models.case import Case
from models.registry import Person
from policies.errors import Refused
from policies.micro_scheme import FundSource
from policies.vocabulary import CaseStatus, Role, SourceKind
from rules.money import fen_of
from runtime.resources import Resources
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
        default="", max_length=100, title="来源单位", description="拨款单位或捐赠人,例如 某某公司"
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


def receive_money(
    resources: Resources,
    command: ReceiveMoney,
    *,
    sources: Sequence[FundSource],
    role: Role,
    at: datetime,
    key: str,
) -> int:
    """
    Book money that came into a programme's pool, with its voucher.

    Args:
        sources: from where the edition lets money come, each with its ceiling and clause.
        role: who may book it.
        key: what asked for it; the same key is booked once.

    Returns:
        What stands in the pool afterwards, in fen.

    Raises:
        Refused: not the role's holder, a source that the edition does not know, an amount that is none or above the
            source's ceiling, no voucher, or a case that is closed.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        kind = SourceKind.by_label(command.source)
        source = next((each for each in sources if kind is each.kind or command.source == each.name), None)
        if source is None:
            names = "、".join(each.name for each in sources)
            where = sources[0].where if sources else "default"
            raise Refused(where, f"“{command.source}”不在政策规定的资金来源之内,请从中选择:{names}")
        by = _allowed(act, case, command.by, role=role, where=source.where, deed="登记到账资金")
        receive(
            act,
            case,
            source=source.kind,
            source_name=command.source_name,
            amount_fen=fen_of(command.amount_yuan),
            cap_fen=None if source.amount_yuan is None else source.amount_yuan * 100,
            by=by,
            document=attach(
                act.session,
                case,
                folder=resources.settings.documents_folder,
                reference=command.proof,
                kind="voucher",
                by=by,
                at=at,
            ),
            where=source.where,
            key=key,
            memo=command.memo,
        )
        return pool_balance(act.session, case)


def spend_on_line(resources: Resources, command: SpendOnLine, *, role: Role, where: str, at: datetime, key: str) -> int:
    """
    Book money that a project spent, with its voucher.

    Args:
        role: who may book it.
        where: the clause that a refusal names.
        key: what asked for it; the same key is booked once.

    Returns:
        What the project has left, in fen.

    Raises:
        Refused: not the role's holder, no such budget line, an amount that is none, above the line or above the
            balance, no voucher, or a case that is closed.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        by = _allowed(act, case, command.by, role=role, where=where, deed="登记支出")
        spend_line(
            act,
            case,
            line_code=command.line,
            amount_fen=fen_of(command.amount_yuan),
            by=by,
            document=attach(
                act.session,
                case,
                folder=resources.settings.documents_folder,
                reference=command.proof,
                kind="voucher",
                by=by,
                at=at,
            ),
            where=where,
            key=key,
            memo=command.memo,
        )
        return project_balance(act.session, case)


def _allowed(act: Act, case: Case, text: str, *, role: Role, where: str, deed: str) -> Person:
    """Return the person who books, if that person may and the case still runs."""
    if case.status is CaseStatus.CLOSED:
        outcome = case.outcome.label if case.outcome else ""
        raise Refused("default", f"案件 {case.number} 已办结({outcome}),不能再{deed}")
    person = person_of(act.session, text)
    able = entitled(act.session, case, role, on=act.day)
    if person.id not in {each.id for each in able}:
        names = "、".join(each.display for each in able) or "(登记簿中尚无人担任)"
        raise Refused(where, f"{person.display}无权{deed}:须由{role.label}办理,现为{names}")
    return person
