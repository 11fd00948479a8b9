"""
The money of a programme of micro-projects: from its sources into the pool, to projects, onto budget lines, and back.

Called by the commands and the steps of a call and of its projects. Sources are kept apart all the way, so that what is
left goes back to whom it came from (D2-R13). The case whose history tells of an entry is locked by the caller; the
other case is not. Every function is safe to repeat with the same key.
"""

from collections.abc import Sequence

from sqlalchemy import select

from models.case import Case, Document
from models.ledger import LedgerAccount, LedgerEntry
from models.registry import Person
from policies.errors import Refused
from policies.vocabulary import AccountKind, LedgerLevel, LedgerMove, SourceKind
from rules.money import in_yuan
from tasks.act import Act
from tasks.history import SYSTEM, append
from tasks.ledger_audit import BUDGETED
from tasks.ledger_posting import (
    LARGEST_FEN,
    account,
    booked,
    check_voucher_is_new,
    locked,
    not_enough,
    post,
    refusal_of,
)

LEVEL_OF = {
    SourceKind.GRANT: LedgerLevel.DISTRICT,
    SourceKind.MATCH: LedgerLevel.TOWN_BUDGET,
    SourceKind.DONATION: LedgerLevel.DONOR,
}
MOVE_OF = {
    SourceKind.GRANT: LedgerMove.GRANT,
    SourceKind.MATCH: LedgerMove.MATCH,
    SourceKind.DONATION: LedgerMove.DONATION,
}
_LONGEST_NAME = 100
_LONGEST_CODE = 40


def receive(
    act: Act,
    call_case: Case,
    *,
    source: SourceKind,
    source_name: str,
    amount_fen: int,
    cap_fen: int | None,
    by: Person,
    document: Document | None,
    where: str,
    key: str,
    memo: str,
) -> LedgerEntry:
    """
    Book money that came into the programme's pool (D2-R13).

    Args:
        call_case: locked; the case whose pool it is.
        source_name: who gave it, e.g. a donor; empty: only the kind is kept.
        amount_fen: > 0.
        cap_fen: the most that all givers of this kind together may have in the programme; None: without limit.
        key: what asked for it; unique among the receipts of this kind in this case.

    Raises:
        Refused: an amount that is none, above `cap_fen` together with what came before, or this giver's same amount
            with the same voucher; names the figures.
    """
    move = MOVE_OF[source]
    key = f"{call_case.number}:{move.value}:{key}"
    if (known := booked(act.session, key)) is not None:
        return known
    _check_amount(amount_fen, where)
    level = LEVEL_OF[source]
    giver = _named(source_name.strip() or source.label, where, what="资金来源")
    given = select(LedgerAccount).where(LedgerAccount.case_id == call_case.id, LedgerAccount.level == level)
    givers = [each for each in act.session.scalars(given.order_by(LedgerAccount.id)) if each.source]
    came = -sum(each.balance_fen for each in givers)
    if cap_fen is not None and came + amount_fen > cap_fen:
        raise Refused(
            where,
            f"“{source.label}”上限为{in_yuan(cap_fen)},已到账{in_yuan(came)},还可登记{in_yuan(max(cap_fen - came, 0))},"
            f"不能再登记{in_yuan(amount_fen)};请核对金额",
        )
    name = _account_name(level, giver, call_case)
    code = next((each.source for each in givers if each.name == name), f"{source.value}:{len(givers) + 1}")
    origin = account(act.session, call_case, level, source=code, name=name)
    check_voucher_is_new(act.session, origin, -amount_fen, document=document, where=where)
    pool = _holding(act, call_case, LedgerLevel.TOWN, code, giver)
    lines = [(origin, -amount_fen), (pool, amount_fen)]
    return post(act, call_case, move, lines, key=key, memo=memo, by=by, document=document, where=where)


def grant(
    act: Act,
    project_case: Case,
    call_case: Case,
    *,
    amount_fen: int,
    by: Person,
    document: Document | None,
    where: str,
    key: str,
    memo: str,
) -> LedgerEntry:
    """
    Book money that goes from the pool to a project: of the grant first, then of matching funds, then of donations.

    Args:
        project_case: locked; its history tells of it.
        call_case: whose pool pays; need not be locked.
        amount_fen: > 0.
        key: what asked for it; unique among the project's grants.

    Raises:
        Refused: an amount that is none, or more than the programme has (D2-R13); names both figures.
    """
    key = f"{project_case.number}:{LedgerMove.TRANSFER.value}:{key}"
    if (known := booked(act.session, key)) is not None:
        return known
    _check_amount(amount_fen, where)
    pool = _stands(act, (call_case, LedgerLevel.TOWN), (project_case, LedgerLevel.VILLAGE))
    pool = [each for each in pool if each.level is LedgerLevel.TOWN]
    there = sum(each.balance_fen for each in pool)
    if amount_fen > there:
        name = f"{LedgerLevel.TOWN.label} {call_case.number}"
        raise not_enough(name, there, LedgerMove.TRANSFER, amount_fen, where)
    lines = []
    for each, fen in _divided(pool, amount_fen):
        giver = giver_of(each, call_case.number)
        lines += [(each, -fen), (_holding(act, project_case, LedgerLevel.VILLAGE, each.source, giver), fen)]
    return post(
        act, project_case, LedgerMove.TRANSFER, lines, key=key, memo=memo, by=by, document=document, where=where
    )


def open_budget_lines(
    act: Act, project_case: Case, lines: Sequence[tuple[str, str, int]], *, by: Person | None, where: str
) -> None:
    """
    Set the lines on which a project's money may be spent; a later round of the plan sets them anew (D2-R9).

    Nothing happens when they are so already. A line that is left out is closed: its cap becomes zero.

    Args:
        project_case: locked.
        lines: code, name and cap in fen of each; codes and names differ.
        by: who set them; None: the procedure.

    Raises:
        Refused: no line, two of one name, a cap that is no amount or below what was spent, or another name for a line
            that money was spent on.
    """
    number = project_case.number
    _check_budget(lines, where)
    present = {each.purpose: each for each in _stands(act, (project_case, LedgerLevel.SPENT))}
    meant = {code: (f"{name.strip()} {number}", cap) for code, name, cap in lines}
    meant |= {code: (line.name, 0) for code, line in present.items() if code not in meant}
    for code, line in present.items():
        name, cap = meant[code]
        if cap < line.balance_fen:
            raise Refused(
                where,
                f"“{line.name}”已支出{in_yuan(line.balance_fen)},上限不能改为{in_yuan(cap)};请不低于已支出的金额",
            )
        if name != line.name and line.balance_fen:
            raise Refused(where, f"“{line.name}”已有支出,不能改名为“{name}”;请保留原名,或另立科目")
    if all(code in present and (present[code].name, present[code].cap_fen) == meant[code] for code in meant):
        return
    told = []
    for code, (name, cap) in meant.items():
        line = account(act.session, project_case, LedgerLevel.SPENT, purpose=code, name=name)
        line.name, line.cap_fen = name, cap
        told.append({"account": line.code, "name": name, "cap_fen": cap})
    append(
        act.session,
        project_case,
        kind=BUDGETED,
        actor=by.display if by else SYSTEM,
        summary="预算科目:" + "、".join(f"{name}{in_yuan(cap)}" for _, name, cap in lines),
        at=act.at,
        data={"lines": told},
    )


def spend_line(
    act: Act,
    project_case: Case,
    *,
    line_code: str,
    amount_fen: int,
    by: Person,
    document: Document | None,
    where: str,
    key: str,
    memo: str,
) -> LedgerEntry:
    """
    Book money that a project spent on one of its budget lines (专款专用; D0-R15, D2-R13).

    Args:
        project_case: locked.
        line_code: code or name of the line.
        amount_fen: > 0.
        key: what asked for it; unique among the project's spendings.

    Raises:
        Refused: no such line (names those there are), an amount that is none, the same amount on this line with the
            same voucher, above the line's cap, or above what the project has; names the figures.
    """
    key = f"{project_case.number}:{LedgerMove.SPENDING.value}:{key}"
    if (known := booked(act.session, key)) is not None:
        return known
    stands = _stands(act, (project_case, LedgerLevel.VILLAGE), (project_case, LedgerLevel.SPENT))
    plain = {
        each: each.name.removesuffix(f" {project_case.number}")
        for each in stands
        if each.level is LedgerLevel.SPENT and each.cap_fen
    }
    line = next((each for each, name in plain.items() if line_code.strip() in (each.purpose, name)), None)
    if line is None:
        names = "、".join(plain.values()) or "(方案尚未列出预算科目)"
        raise Refused(where, f"“{line_code}”不在项目预算之内,专款专用,只能用于:{names}")
    _check_amount(amount_fen, where)
    check_voucher_is_new(act.session, line, amount_fen, document=document, where=where)
    if line.cap_fen is not None and line.balance_fen + amount_fen > line.cap_fen:
        raise refusal_of(line, LedgerMove.SPENDING, amount_fen, where)
    holdings = [each for each in stands if each.level is LedgerLevel.VILLAGE]
    there = sum(each.balance_fen for each in holdings)
    if amount_fen > there:
        name = f"{LedgerLevel.VILLAGE.label} {project_case.number}"
        raise not_enough(name, there, LedgerMove.SPENDING, amount_fen, where)
    lines = [(each, -fen) for each, fen in _divided(holdings, amount_fen)]
    return post(
        act,
        project_case,
        LedgerMove.SPENDING,
        [*lines, (line, amount_fen)],
        key=key,
        memo=memo,
        by=by,
        document=document,
        where=where,
    )


def give_back(
    act: Act,
    project_case: Case,
    call_case: Case,
    *,
    by: Person,
    document: Document | None,
    where: str,
    key: str,
    memo: str,
) -> int:
    """
    Book all that a project has not spent back into the programme's pool, each source's money for itself (D2-R13).

    Args:
        project_case: locked.
        call_case: need not be locked.
        key: what asked for it; unique among the project's refunds.

    Returns:
        The amount in fen, also when it was booked before under this key; 0: nothing was left, nothing is booked.
    """
    key = f"{project_case.number}:{LedgerMove.REFUND.value}:{key}"
    if (known := booked(act.session, key)) is not None:
        return known.amount_fen
    stands = _stands(act, (project_case, LedgerLevel.VILLAGE), (call_case, LedgerLevel.TOWN))
    pool = {each.source: each for each in stands if each.level is LedgerLevel.TOWN}
    unspent = [each for each in stands if each.level is LedgerLevel.VILLAGE and each.balance_fen]
    lines = [line for each in unspent for line in ((each, -each.balance_fen), (pool[each.source], each.balance_fen))]
    if not lines:
        return 0
    return post(
        act, project_case, LedgerMove.REFUND, lines, key=key, memo=memo, by=by, document=document, where=where
    ).amount_fen


def return_to_source(
    act: Act, call_case: Case, *, by: Person, document: Document | None, where: str, key: str, memo: str
) -> int:
    """
    Book what is left in the programme's pool back to those it came from (D2-R13).

    Args:
        call_case: locked.
        key: what asked for it; unique among the call's refunds.

    Returns:
        The amount in fen, also when it was booked before under this key; 0: nothing was left, nothing is booked.
    """
    key = f"{call_case.number}:{LedgerMove.REFUND.value}:{key}"
    if (known := booked(act.session, key)) is not None:
        return known.amount_fen
    stands = _stands(act, (call_case, LedgerLevel.TOWN), *((call_case, level) for level in LEVEL_OF.values()))
    origins = {each.source: each for each in stands if each.kind is AccountKind.SOURCE}
    left = [each for each in stands if each.kind is AccountKind.HOLDING and each.balance_fen]
    lines = [line for each in left for line in ((each, -each.balance_fen), (origins[each.source], each.balance_fen))]
    if not lines:
        return 0
    return post(
        act, call_case, LedgerMove.REFUND, lines, key=key, memo=memo, by=by, document=document, where=where
    ).amount_fen


def kind_of(source: str) -> SourceKind:
    """Return of which kind a source is, by its code: ``donation:2`` is the second donor."""
    return SourceKind(source.partition(":")[0])


def _turn(source: str) -> tuple[int, int]:
    """Return when a source's money is taken: grants, then matching funds, then donations; the earlier giver first."""
    return list(SourceKind).index(kind_of(source)), int(source.partition(":")[2])


def _divided(accounts: Sequence[LedgerAccount], amount_fen: int) -> list[tuple[LedgerAccount, int]]:
    """Return what is taken from each account, source by source in their turn."""
    taken = []
    for each in sorted(accounts, key=lambda account: _turn(account.source)):
        fen = min(each.balance_fen, amount_fen)
        if fen:
            taken.append((each, fen))
            amount_fen -= fen
    return taken


def _stands(act: Act, *wanted: tuple[Case, LedgerLevel]) -> list[LedgerAccount]:
    """Return the accounts of these cases and levels, locked; a site's own, whose source is not kept, stay out."""
    return locked(
        act.session,
        *(
            (LedgerAccount.case_id == case.id)
            & (LedgerAccount.level == level)
            & ((LedgerAccount.source != "") | (LedgerAccount.level == LedgerLevel.SPENT))
            for case, level in wanted
        ),
    )


def _holding(act: Act, case: Case, level: LedgerLevel, source: str, giver: str) -> LedgerAccount:
    return account(act.session, case, level, source=source, name=_account_name(level, giver, case))


def _account_name(level: LedgerLevel, giver: str, case: Case) -> str:
    return f"{level.label}({giver}) {case.number}"


def giver_of(each: LedgerAccount, number: str) -> str:
    """Return who gave the money of an account of the case with that number, as its name says."""
    return each.name.removeprefix(f"{each.level.label}(").removesuffix(f") {number}")


def _check_budget(lines: Sequence[tuple[str, str, int]], where: str) -> None:
    if not lines:
        raise Refused(where, "方案预算至少要有一个科目,请填写预算科目和金额")
    for heading, words in (("代码", [code for code, _, _ in lines]), ("名称", [name.strip() for _, name, _ in lines])):
        if twice := next((word for word in words if words.count(word) > 1), None):
            raise Refused(where, f"预算科目的{heading}“{twice}”重复,请合并或改名")
    for code, name, cap in lines:
        if not code or len(code) > _LONGEST_CODE:
            raise Refused(where, f"预算科目的代码“{code}”须为1至{_LONGEST_CODE}个字符,请改写")
        _check_amount(cap, where, of=f"预算科目“{_named(name, where, what='预算科目')}”的金额")


def _named(name: str, where: str, *, what: str) -> str:
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise Refused(where, f"{what}名称“{name}”须为1至{_LONGEST_NAME}字,请改写")
    return name.strip()


def _check_amount(amount_fen: int, where: str, *, of: str = "金额") -> None:
    if not 0 < amount_fen <= LARGEST_FEN:
        raise Refused(where, f"{of}{in_yuan(amount_fen)}须大于零,不超过{in_yuan(LARGEST_FEN)},请核对")
