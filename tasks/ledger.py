"""The dedicated ledger (专款专用): district to town to village to what the money is for; never below zero (D0-R15)."""

from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from models.case import Case, Document
from models.ledger import LedgerAccount, LedgerEntry
from models.registry import Person
from policies.errors import Refused
from policies.site_scheme import Subsidy
from policies.vocabulary import CaseStatus, LedgerLevel, LedgerMove, Outcome, Role
from rules.money import fen_of, in_yuan
from runtime.resources import Resources, edition_of
from tasks.act import Act, acting
from tasks.cases import entitled, load_case, person_of
from tasks.commands import Spend
from tasks.documents import attach
from tasks.history import append, entry_facts


def account(session: Session, case: Case, level: LedgerLevel, purpose: str = "", name: str = "") -> LedgerAccount:
    """Return the case's account at `level` (for `purpose`, where money is spent), opened when first needed."""
    code = ":".join(part for part in (level.value, case.number, purpose) if part)
    known = session.scalars(select(LedgerAccount).where(LedgerAccount.code == code)).one_or_none()
    if known is None:
        known = LedgerAccount(
            code=code, name=name or f"{level.label} {case.number}", level=level, case_id=case.id, purpose=purpose
        )
        session.add(known)
        session.flush()
    return known


def move(
    act: Act,
    case: Case,
    kind: LedgerMove,
    *,
    source: LedgerAccount,
    target: LedgerAccount,
    amount_fen: int,
    key: str,
    memo: str,
    by: Person,
    document: Document | None,
    where: str,
) -> LedgerEntry:
    """
    Book one movement of money from `source` to `target`.

    Args:
        amount_fen: > 0.
        key: the same key is booked only once (a second booking breaks a constraint of the database).
        where: the clause that a refusal names.

    Raises:
        Refused: the source holds less than the amount; names both figures.
    """
    enough = update(LedgerAccount).where(LedgerAccount.id == source.id)
    if source.level is not LedgerLevel.DISTRICT:
        enough = enough.where(LedgerAccount.balance_fen >= amount_fen)
    taken = act.session.execute(enough.values(balance_fen=LedgerAccount.balance_fen - amount_fen))
    assert isinstance(taken, CursorResult)  # noqa: S101 - an UPDATE always gives one; the stubs do not know
    if taken.rowcount != 1:
        act.session.refresh(source)
        raise not_enough(source, kind, amount_fen, where)
    act.session.execute(
        update(LedgerAccount)
        .where(LedgerAccount.id == target.id)
        .values(balance_fen=LedgerAccount.balance_fen + amount_fen)
    )
    entry = LedgerEntry(
        case_id=case.id,
        key=key,
        move=kind,
        from_id=source.id,
        to_id=target.id,
        amount_fen=amount_fen,
        memo=memo,
        document_id=document.id if document else None,
        booked_at=act.at,
        booked_by_id=by.id,
    )
    act.session.add(entry)
    act.session.flush()
    append(
        act.session,
        case,
        kind="money_moved",
        actor=by.display,
        summary=f"{kind.label}:{source.name} → {target.name},{in_yuan(amount_fen)}" + (f",{memo}" if memo else ""),
        at=act.at,
        data=entry_facts(entry),
    )
    act.session.expire(source)
    act.session.expire(target)
    return entry


def not_enough(source: LedgerAccount, kind: LedgerMove, amount_fen: int, where: str) -> Refused:
    """Return the refusal that names what is there and what is asked for."""
    return Refused(
        where, f"“{source.name}”余额为{in_yuan(source.balance_fen)},不足{in_yuan(amount_fen)},不能{kind.label}"
    )


def pay_down(act: Act, case: Case, kind: LedgerMove, *, by: Person, document: Document, subsidy: Subsidy) -> None:
    """Book the subsidy's way: granted by the district to the town, transferred by the town to the village."""
    session = act.session
    levels = {
        LedgerMove.GRANT: (LedgerLevel.DISTRICT, LedgerLevel.TOWN),
        LedgerMove.TRANSFER: (LedgerLevel.TOWN, LedgerLevel.VILLAGE),
    }
    source, target = levels[kind]
    move(
        act,
        case,
        kind,
        source=account(session, case, source),
        target=account(session, case, target),
        amount_fen=subsidy.amount_yuan * 100,
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
        if act.session.scalars(select(LedgerEntry).where(LedgerEntry.key == key)).one_or_none() is not None:
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
            raise not_enough(village, LedgerMove.SPENDING, amount_fen, subsidy.where)
        document = attach(
            act.session,
            case,
            folder=resources.settings.documents_folder,
            reference=command.proof,
            kind="voucher",
            by=by,
            at=at,
        )
        move(
            act,
            case,
            LedgerMove.SPENDING,
            source=village,
            target=account(act.session, case, LedgerLevel.SPENT, purpose.code, f"{purpose.name} {case.number}"),
            amount_fen=amount_fen,
            key=key,
            memo=command.memo,
            by=by,
            document=document,
            where=subsidy.where,
        )
        return village.balance_fen
