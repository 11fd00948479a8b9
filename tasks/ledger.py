"""A site's subsidy (专款专用): district to town to village to what the money is for; never below zero (D0-R15)."""

from datetime import datetime

from models.case import Case, Document
from models.registry import Person
from policies.errors import Refused
from policies.site_scheme import Subsidy
from policies.vocabulary import CaseStatus, LedgerLevel, LedgerMove, Outcome, Role
from rules.money import fen_of
from runtime.resources import Resources, edition_of
from tasks.act import Act, acting
from tasks.cases import entitled, load_case, person_of
from tasks.commands import Spend
from tasks.documents import attach
from tasks.ledger_posting import account, booked, not_enough, post


def pay_down(act: Act, case: Case, kind: LedgerMove, *, by: Person, document: Document, subsidy: Subsidy) -> None:
    """Book the subsidy's way: granted by the district to the town, transferred by the town to the village."""
    session = act.session
    levels = {
        LedgerMove.GRANT: (LedgerLevel.DISTRICT, LedgerLevel.TOWN),
        LedgerMove.TRANSFER: (LedgerLevel.TOWN, LedgerLevel.VILLAGE),
    }
    source, target = (account(session, case, level) for level in levels[kind])
    amount_fen = subsidy.amount_yuan * 100
    post(
        act,
        case,
        kind,
        [(source, -amount_fen), (target, amount_fen)],
        key=f"{case.number}:{kind.value}",
        memo="",
        by=by,
        document=document,
        where=subsidy.where,
    )


def spend(resources: Resources, command: Spend, *, at: datetime, key: str) -> int:
    """
    Book money spent of a site's subsidy (专款专用).

    Args:
        key: what asked for it; the same key is booked once.

    Returns:
        The balance left in the village's account for this site, in fen.

    Raises:
        Refused: no subsidy in this scheme, a purpose outside its list, above the balance, not the village's
            responsible member, or no voucher.
    """
    with acting(resources, at=at) as act:
        case = load_case(act.session, command.case)
        subsidy = edition_of(case).for_sites.subsidy
        if subsidy is None:
            raise Refused("default", f"《{edition_of(case).title}》没有规定补贴,案件 {case.number} 没有专款可支出")
        if case.status is CaseStatus.CLOSED and case.outcome is not Outcome.LISTED:
            raise Refused("default", f"案件 {case.number} 未建成客堂间,没有专款可支出")
        village = account(act.session, case, LedgerLevel.VILLAGE)
        key = f"{case.number}:spending:{key}"
        if booked(act.session, key) is not None:
            return village.balance_fen
        by = person_of(act.session, command.by)
        able = entitled(act.session, case, Role.VILLAGE_RESPONSIBLE, on=act.day)
        if by.id not in {each.id for each in able}:
            names = "、".join(each.display for each in able) or "(登记簿中尚无人担任)"
            raise Refused(subsidy.where, f"补贴由村(居)委会负责安排,{by.display}无权支出;现责任人为{names}")
        purpose = next((each for each in subsidy.purposes if command.purpose in (each.code, each.name)), None)
        if purpose is None:
            names = "、".join(each.name for each in subsidy.purposes)
            raise Refused(subsidy.where, f"“{command.purpose}”不在补贴的用途之内,专款专用,只能用于:{names}")
        amount_fen = fen_of(command.amount_yuan)
        if amount_fen <= 0:
            raise Refused(subsidy.where, f"金额“{command.amount_yuan}”须大于零")
        if amount_fen > village.balance_fen:
            # Before the database is asked: it has no room for a number of twenty digits.
            raise not_enough(village.name, village.balance_fen, LedgerMove.SPENDING, amount_fen, subsidy.where)
        document = attach(
            act.session,
            case,
            folder=resources.settings.documents_folder,
            reference=command.proof,
            kind="voucher",
            by=by,
            at=at,
        )
        spent = account(
            act.session, case, LedgerLevel.SPENT, purpose=purpose.code, name=f"{purpose.name} {case.number}"
        )
        post(
            act,
            case,
            LedgerMove.SPENDING,
            [(village, -amount_fen), (spent, amount_fen)],
            key=key,
            memo=command.memo,
            by=by,
            document=document,
            where=subsidy.where,
        )
        return village.balance_fen
