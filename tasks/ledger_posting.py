"""
Booking into the ledger: accounts, and the one function that writes an entry (D0-R15).

Called by the ledger's own modules only. Callers hold the entry's case locked, as for every row of its history; accounts
of other cases need no lock, their rows are changed on condition and in ascending order of their ids.
"""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import ColumnElement, Table, bindparam, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from models.case import Case, Document
from models.ledger import KIND_OF, LedgerAccount, LedgerEntry, LedgerLine, account_code
from models.registry import Person
from policies.errors import Refused
from policies.vocabulary import AccountKind, LedgerLevel, LedgerMove
from rules.money import in_yuan
from rules.window import spoken_day
from tasks.act import Act
from tasks.cases import local_day
from tasks.history import append
from tasks.ledger_audit import MOVED, entry_facts

LARGEST_FEN = 10**14 - 1
"""The largest amount that can be written in capitals, and far below what a column of the database holds."""

_BY_CODE = select(LedgerAccount).where(LedgerAccount.code == bindparam("code"))
_BOOKED = select(LedgerEntry).where(LedgerEntry.key == bindparam("key"))
_ACCOUNTS = cast("Table", LedgerAccount.__table__)
_AFTER = _ACCOUNTS.c.balance_fen + bindparam("fen", type_=_ACCOUNTS.c.balance_fen.type)
_MOVED = (
    update(_ACCOUNTS)
    .where(
        _ACCOUNTS.c.id == bindparam("account"),
        _ACCOUNTS.c.cap_fen.is_(None) | (_ACCOUNTS.c.cap_fen >= _AFTER),
    )
    .values(balance_fen=_AFTER)
    .returning(_ACCOUNTS.c.balance_fen)
)
_CHANGE, _CHANGE_SOURCE = _MOVED.where(_AFTER >= 0), _MOVED.where(_AFTER <= 0)


def account(
    session: Session,
    case: Case,
    level: LedgerLevel,
    *,
    source: str = "",
    purpose: str = "",
    name: str = "",
) -> LedgerAccount:
    """
    Return the case's account at `level`, opened when first needed.

    Args:
        case: locked by the caller, so that two do not open the same account.
        source: code of the source, where sources are kept apart.
        purpose: code of what the money is spent on.
        name: for a new account; empty: level and case.
    """
    code = account_code(level, case.number, source=source, purpose=purpose)
    known = session.scalars(_BY_CODE, {"code": code}).one_or_none()
    if known is None:
        known = LedgerAccount(
            code=code,
            name=name or f"{level.label} {case.number}",
            kind=KIND_OF[level],
            level=level,
            case_id=case.id,
            source=source,
            purpose=purpose,
        )
        session.add(known)
        session.flush()
    return known


def locked(session: Session, *conditions: ColumnElement[bool]) -> list[LedgerAccount]:
    """
    Return the accounts that meet one of the conditions, by id, as they stand; nobody else books into them meanwhile.

    For whoever must divide an amount over several accounts before it can be booked.
    """
    met = conditions[0]
    for condition in conditions[1:]:
        met = met | condition
    query = select(LedgerAccount).where(met).order_by(LedgerAccount.id)
    # key_share: a line that another transaction writes refers to the account, and need not wait for that.
    query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return list(session.scalars(query))


def check_voucher_is_new(
    session: Session, account: LedgerAccount, amount_fen: int, *, document: Document | None, where: str
) -> None:
    """
    Refuse to book one voucher twice: the same bytes, the same account, the same amount (D0-R15).

    Args:
        amount_fen: as the line of `account` would have it, with its sign.
        document: the voucher; without one nothing is compared.

    Raises:
        Refused: names the voucher, and the day and memo of the earlier booking.
    """
    if document is None:
        return
    earlier = session.scalars(
        select(LedgerEntry)
        .join(LedgerLine, LedgerLine.entry_id == LedgerEntry.id)
        .join(Document, Document.id == LedgerEntry.document_id)
        .where(
            LedgerLine.account_id == account.id,
            LedgerLine.amount_fen == amount_fen,
            Document.sha256 == document.sha256,
        )
        .order_by(LedgerEntry.id)
        .limit(1)
    ).one_or_none()
    if earlier is not None:
        raise Refused(
            where,
            f"凭证“{document.reference}”已于{spoken_day(local_day(earlier.booked_at))}在“{account.name}”"
            f"登记{in_yuan(abs(amount_fen))}(摘要:{earlier.memo}),同一凭证不重复登记;"
            "确为另一笔的请附另一份凭证,一份凭证有多笔的请合计登记",
        )


def booked(session: Session, key: str) -> LedgerEntry | None:
    """Return the entry that was booked under `key`, if any."""
    return session.scalars(_BOOKED, {"key": key}).one_or_none()


def post(
    act: Act,
    case: Case,
    move: LedgerMove,
    lines: Sequence[tuple[LedgerAccount, int]],
    *,
    key: str,
    memo: str,
    by: Person,
    document: Document | None,
    where: str,
) -> LedgerEntry:
    """
    Book one act of money: its lines stand together with its row in the history, or nothing does.

    Args:
        case: whose history tells of it; locked by the caller.
        lines: account and amount in fen, each account once; above zero goes in, below zero comes out; they sum to zero.
        key: the same key is booked only once; the second time the first entry is returned.
        document: the voucher.
        where: the clause that a refusal names.

    Raises:
        Refused: an account would fall below zero, a budget line rise above its cap, or a source get back more than
            came from it; names what is there, what was asked for, and what to do.
        ValueError: the lines are no entry, or the key was used for another one: a mistake in the program.
    """
    ordered = sorted(lines, key=lambda line: line[0].id)
    _check(ordered)
    if (known := booked(act.session, key)) is not None:
        if [(line.account_id, line.amount_fen) for line in known.lines] != [(each.id, fen) for each, fen in ordered]:
            raise ValueError(f"the key {key!r} was used for another entry")
        return known
    if any(abs(fen) > LARGEST_FEN for _, fen in ordered):
        raise Refused(where, f"金额{in_yuan(max(abs(fen) for _, fen in ordered))}超出台账可记的范围,请核对")
    # One refused line takes back those before it, also when the caller goes on.
    with act.session.begin_nested():
        for each, fen in ordered:
            _change(act.session, each, fen, move=move, where=where)
        entry = LedgerEntry(
            case_id=case.id,
            key=key,
            move=move,
            memo=memo,
            document_id=document.id if document else None,
            booked_at=act.at,
            booked_by_id=by.id,
            lines=[LedgerLine(account=each, amount_fen=fen) for each, fen in ordered],
        )
        act.session.add(entry)
        act.session.flush()
        append(
            act.session,
            case,
            kind=MOVED,
            actor=by.display,
            summary=f"{move.label}:{way_of(entry)}" + (f",{memo}" if memo else ""),
            at=act.at,
            data=entry_facts(entry, entry.lines),
        )
    return entry


def _check(lines: Sequence[tuple[LedgerAccount, int]]) -> None:
    accounts = [each.id for each, _ in lines]
    amounts = [fen for _, fen in lines]
    if len(lines) < 2 or len(set(accounts)) != len(accounts) or 0 in amounts or sum(amounts) != 0:
        raise ValueError(f"no entry: accounts {accounts}, amounts {amounts}")


def _change(session: Session, target: LedgerAccount, fen: int, *, move: LedgerMove, where: str) -> None:
    """Change one balance if it may; the database judges, so that of two who take the last money one gets it."""
    session.flush()
    changed = _CHANGE_SOURCE if target.kind is AccountKind.SOURCE else _CHANGE
    balance = session.connection().scalar(changed, {"account": target.id, "fen": fen})
    if balance is None:
        session.refresh(target)
        raise refusal_of(target, move, fen, where)
    set_committed_value(target, "balance_fen", balance)


def refusal_of(target: LedgerAccount, move: LedgerMove, fen: int, where: str) -> Refused:
    """Return the refusal that names what the account holds or may hold, and the `fen` that do not fit."""
    if target.kind is AccountKind.SOURCE:
        came = in_yuan(-target.balance_fen)
        return Refused(where, f"“{target.name}”尚未退回的到账资金为{came},不能退回{in_yuan(fen)},请核对金额")
    if fen < 0:
        return not_enough(target.name, target.balance_fen, move, -fen, where)
    cap = target.cap_fen or 0
    return Refused(
        where,
        f"“{target.name}”预算上限为{in_yuan(cap)},已支出{in_yuan(target.balance_fen)},"
        f"还可支出{in_yuan(cap - target.balance_fen)},不能再支出{in_yuan(fen)};请核对金额,或先调整方案预算",
    )


def not_enough(name: str, there_fen: int, move: LedgerMove, asked_fen: int, where: str) -> Refused:
    """Return the refusal that names what is there and what is asked for."""
    return Refused(where, f"“{name}”余额为{in_yuan(there_fen)},不足{in_yuan(asked_fen)},不能{move.label}")


def way_of(entry: LedgerEntry) -> str:
    """Return from where to where money went and how much, e.g. ``甲 → 乙,10,000.00元``."""
    out = [(line.account.name, -line.amount_fen) for line in entry.lines if line.amount_fen < 0]
    into = [(line.account.name, line.amount_fen) for line in entry.lines if line.amount_fen > 0]
    return f"{_side(out)} → {_side(into)},{in_yuan(entry.amount_fen)}"


def _side(accounts: Sequence[tuple[str, int]]) -> str:
    if len(accounts) == 1:
        return accounts[0][0]
    return "、".join(f"{name} {in_yuan(fen)}" for name, fen in accounts)
