"""What the ledger says: balances, budget lines, a programme's money from its sources to its projects. Read only."""

from dataclasses import dataclass

from sqlalchemy import case as sql_case
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.case import Case
from models.ledger import LedgerAccount, LedgerEntry, LedgerLine
from policies.vocabulary import AccountKind, LedgerLevel, LedgerMove, SourceKind
from rules.money import in_yuan
from tasks.ledger_programme import giver_of, kind_of


@dataclass(frozen=True)
class LineFigures:
    """A budget line of a project: what may be, was and can still be spent on it; amounts in fen."""

    code: str
    name: str
    cap_fen: int
    spent_fen: int

    @property
    def left_fen(self) -> int:
        """What can still be spent on it, if the project has it."""
        return self.cap_fen - self.spent_fen


@dataclass(frozen=True)
class Received:
    """What came into a programme from one source, and what went back; amounts in fen."""

    source: SourceKind
    name: str
    """Who gave it."""
    amount_fen: int
    returned_fen: int


@dataclass(frozen=True)
class ProjectMoney:
    """A project's money; amounts in fen; granted − returned = spent + left."""

    number: str
    granted_fen: int
    returned_fen: int
    spent_fen: int
    left_fen: int


@dataclass(frozen=True)
class Programme:
    """A programme's money; amounts in fen."""

    received: tuple[Received, ...]
    projects: tuple[ProjectMoney, ...]
    pool_fen: int
    """What stands in the pool."""

    @property
    def received_fen(self) -> int:
        """What came from all sources."""
        return sum(each.amount_fen for each in self.received)

    @property
    def returned_fen(self) -> int:
        """What went back to the sources."""
        return sum(each.returned_fen for each in self.received)

    @property
    def granted_fen(self) -> int:
        """What projects got, less what they gave back."""
        return sum(each.granted_fen - each.returned_fen for each in self.projects)

    @property
    def spent_fen(self) -> int:
        """What projects spent."""
        return sum(each.spent_fen for each in self.projects)


def pool_balance(session: Session, call_case: Case) -> int:
    """Return what stands in the programme's pool, in fen."""
    return _held(session, call_case, LedgerLevel.TOWN)


def project_balance(session: Session, project_case: Case) -> int:
    """Return what a project has and has not spent, in fen."""
    return _held(session, project_case, LedgerLevel.VILLAGE)


def budget_lines(session: Session, project_case: Case) -> tuple[LineFigures, ...]:
    """Return the lines of a project's budget in the order in which they were opened; closed ones are left out."""
    query = select(LedgerAccount).where(
        LedgerAccount.case_id == project_case.id,
        LedgerAccount.kind == AccountKind.PURPOSE,
        LedgerAccount.cap_fen > 0,
    )
    return tuple(
        LineFigures(
            code=line.purpose,
            name=line.name.removesuffix(f" {project_case.number}"),
            cap_fen=line.cap_fen or 0,
            spent_fen=line.balance_fen,
        )
        for line in session.scalars(query.order_by(LedgerAccount.id))
    )


def received(session: Session, call_case: Case) -> tuple[Received, ...]:
    """Return what came into the programme and what went back, giver by giver in the order of their first payment."""
    out = func.sum(sql_case((LedgerLine.amount_fen < 0, -LedgerLine.amount_fen), else_=0))
    back = func.sum(sql_case((LedgerLine.amount_fen > 0, LedgerLine.amount_fen), else_=0))
    query = (
        select(LedgerAccount, out, back)
        .join(LedgerLine, LedgerLine.account_id == LedgerAccount.id)
        .where(
            LedgerAccount.case_id == call_case.id,
            LedgerAccount.kind == AccountKind.SOURCE,
            LedgerAccount.source != "",
        )
        .group_by(LedgerAccount.id)
        .order_by(LedgerAccount.id)
    )
    return tuple(
        Received(
            source=kind_of(origin.source),
            name=giver_of(origin, call_case.number),
            amount_fen=int(came),
            returned_fen=int(went),
        )
        for origin, came, went in session.execute(query).tuples()
    )


def programme(session: Session, call_case: Case) -> Programme:
    """Return the money of a call and of every project that got some of its pool."""
    pool, holding = aliased(LedgerAccount), aliased(LedgerAccount)
    of_pool, of_project = aliased(LedgerLine), aliased(LedgerLine)
    query = (
        select(Case, LedgerEntry.move, func.sum(of_project.amount_fen))
        .join(holding, (holding.case_id == Case.id) & (holding.level == LedgerLevel.VILLAGE))
        .join(of_project, of_project.account_id == holding.id)
        .join(LedgerEntry, LedgerEntry.id == of_project.entry_id)
        # Of an entry with several sources, each line of the pool belongs to the project's line of its source.
        .join(of_pool, of_pool.entry_id == LedgerEntry.id)
        .join(pool, (pool.id == of_pool.account_id) & (pool.source == holding.source))
        .where(pool.case_id == call_case.id, pool.level == LedgerLevel.TOWN, pool.source != "")
        .group_by(Case.id, LedgerEntry.move)
        .order_by(Case.id)
    )
    moved: dict[Case, dict[LedgerMove, int]] = {}
    for project, move, fen in session.execute(query).tuples():
        moved.setdefault(project, {})[move] = int(fen)
    return Programme(
        received=received(session, call_case),
        projects=tuple(
            ProjectMoney(
                number=project.number,
                granted_fen=by_move.get(LedgerMove.TRANSFER, 0),
                returned_fen=-by_move.get(LedgerMove.REFUND, 0),
                spent_fen=sum(line.spent_fen for line in budget_lines(session, project)),
                left_fen=project_balance(session, project),
            )
            for project, by_move in moved.items()
        ),
        pool_fen=pool_balance(session, call_case),
    )


def money_lines(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return the money of a case as its file shows it: name of the account and what stands in it."""
    accounts = session.scalars(
        select(LedgerAccount).where(LedgerAccount.case_id == case.id).order_by(LedgerAccount.id)
    ).all()
    return tuple((each.name, _told(each)) for each in accounts if each.kind is not AccountKind.SOURCE or each.source)


def _told(account: LedgerAccount) -> str:
    if account.kind is AccountKind.SOURCE:
        return f"已到账{in_yuan(-account.balance_fen)}"
    if account.cap_fen is None:
        return in_yuan(account.balance_fen)
    left = in_yuan(account.cap_fen - account.balance_fen)
    return f"已支出{in_yuan(account.balance_fen)}(预算{in_yuan(account.cap_fen)},尚余{left})"


def _held(session: Session, case: Case, level: LedgerLevel) -> int:
    total = session.scalar(
        select(func.coalesce(func.sum(LedgerAccount.balance_fen), 0)).where(
            LedgerAccount.case_id == case.id, LedgerAccount.level == level, LedgerAccount.source != ""
        )
    )
    return int(total or 0)
