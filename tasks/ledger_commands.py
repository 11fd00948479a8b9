"""What people book by hand into the ledger of a programme, as it comes in by any door; and the booking of receipts."""

from datetime import datetime

from pydantic import Field

from policies.errors import Refused
from policies.vocabulary import CaseKind, CaseStatus, SourceKind
from rules.money import fen_of
from runtime.resources import Resources, edition_of
from tasks.act import acting
from tasks.cases import check_holds, load_case, person_of
from tasks.commands import CaseNumber, Command, PersonField, PlainText
from tasks.documents import attach
from tasks.ledger_figures import pool_balance
from tasks.ledger_programme import receive


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
    """A project spent money on one of its budget lines (D0-R15, D2-R13); carried out by `tasks.funds`."""

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
        case = load_case(act.session, command.case)
        if case.kind is not CaseKind.CALL:
            what = f"案件 {case.number} 是“{case.kind.label}”"
            raise Refused("default", f"{what},不能登记到账资金;请填写“{CaseKind.CALL.label}”的案件编号")
        if case.status is CaseStatus.CLOSED:
            outcome = case.outcome.label if case.outcome else ""
            raise Refused("default", f"案件 {case.number} 已办结({outcome}),不能再登记到账资金")
        scheme = edition_of(case).for_projects
        kind = SourceKind.by_label(command.source)
        source = next((each for each in scheme.funds.sources if kind is each.kind or command.source == each.name), None)
        if source is None:
            names = "、".join(each.name for each in scheme.funds.sources)
            where = scheme.funds.sources[0].where
            raise Refused(where, f"“{command.source}”不在政策规定的资金来源之内,请从中选择:{names}")
        by = person_of(act.session, command.by)
        role = scheme.gates.funding.decided_by
        check_holds(act.session, case, role, by, deed="登记到账资金", where=source.where, on=act.day)
        document = attach(
            act.session,
            case,
            folder=resources.settings.documents_folder,
            reference=command.proof,
            kind="voucher",
            by=by,
            at=at,
        )
        receive(
            act,
            case,
            source=source.kind,
            source_name=command.source_name or source.name,
            amount_fen=fen_of(command.amount_yuan),
            cap_fen=None if source.amount_yuan is None else source.amount_yuan * 100,
            by=by,
            document=document,
            where=source.where,
            key=key,
            memo=command.memo,
        )
        return pool_balance(act.session, case)
