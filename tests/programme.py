"""A call of micro-projects with two projects, opened without their procedures, and the acts of money in them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.ledger import LedgerAccount, LedgerEntry
from models.project import Project
from models.registry import Person, Unit
from policies.vocabulary import CaseKind, SourceKind
from tasks import ledger_figures, ledger_programme
from tasks.act import Act, acting
from tasks.cases import load_case
from tasks.history import verify, verify_ledger
from tasks.openings import publish
from tests.township import LEADER, REVIEWER, Township

CALL, FIRST, SECOND = "LPZ-2022-0001", "LP-2022-0001", "LP-2022-0002"
CLAUSE = "五、(三)"
EDITION = "linping-2022"


class Programme:
    """The money of one call; amounts in fen, every act in a transaction of its own."""

    def __init__(self, town: Township) -> None:
        self.town = town
        self.resources = town.resources
        with self.resources.database.write() as session:
            edition = publish(session, self.resources.editions[EDITION], at=town.now())
            units = {unit.code: unit.id for unit in session.scalars(select(Unit))}
            call: Case | None = None
            for number, kind, unit in (
                (CALL, CaseKind.CALL, "Z"),
                (FIRST, CaseKind.PROJECT, "ZD"),
                (SECOND, CaseKind.PROJECT, "ZD"),
            ):
                case = Case(
                    number=number,
                    kind=kind,
                    edition_id=edition.id,
                    edition_sha256=edition.sha256,
                    opening_key=number,
                    title=number,
                    unit_id=units[unit],
                    parent_id=call.id if call else None,
                    year=2022,
                    opened_at=town.now(),
                )
                session.add(case)
                session.flush()
                if call is not None:
                    session.add(self.proposal(session, case, call))
                call = call or case

    def proposal(self, session: Session, case: Case, call: Case) -> Project:
        """What a project's case is about."""
        leader = session.scalars(select(Person).where(Person.code == LEADER)).one()
        return Project(
            case_id=case.id,
            call_case_id=call.id,
            leader_id=leader.id,
            kind="environment",
            content="楼道整治",
            beneficiaries="全楼居民",
            expected_benefit="楼道畅通",
            amount_fen=1_000_000,
            submitted_at=self.town.now(),
        )

    # -- acts ---------------------------------------------------------------------------------------------------------

    def act(self, number: str, deed: Callable[[Act, Case, Person], Any]) -> Any:
        """Do something in a case, as every command does it: in a transaction, with the case locked."""
        with acting(self.resources, at=self.town.now()) as act:
            case = load_case(act.session, number)
            return deed(act, case, act.session.scalars(select(Person).where(Person.code == REVIEWER)).one())

    def receive(
        self,
        fen: int,
        *,
        key: str = "1",
        source: SourceKind = SourceKind.GRANT,
        name: str = "",
        cap: int | None = None,
    ) -> LedgerEntry:
        """Let money come in."""
        entry: LedgerEntry = self.act(
            CALL,
            lambda act, call, by: ledger_programme.receive(
                act,
                call,
                source=source,
                source_name=name,
                amount_fen=fen,
                cap_fen=cap,
                by=by,
                document=None,
                where=CLAUSE,
                key=key,
                memo="到账",
            ),
        )
        return entry

    def grant(self, fen: int, *, to: str = FIRST, key: str = "1") -> LedgerEntry:
        """Give a project money of the pool."""
        entry: LedgerEntry = self.act(
            to,
            lambda act, project, by: ledger_programme.grant(
                act,
                project,
                load_case(act.session, CALL, lock=False),
                amount_fen=fen,
                by=by,
                document=None,
                where=CLAUSE,
                key=key,
                memo="",
            ),
        )
        return entry

    def budget(self, *lines: tuple[str, str, int], of: str = FIRST) -> None:
        """Set a project's budget lines: code, name, cap."""
        self.act(
            of,
            lambda act, project, by: ledger_programme.open_budget_lines(act, project, lines, by=by, where=CLAUSE),
        )

    def spend(self, fen: int, *, line: str = "材料费", of: str = FIRST, key: str = "1") -> LedgerEntry:
        """Let a project spend."""
        entry: LedgerEntry = self.act(
            of,
            lambda act, project, by: ledger_programme.spend_line(
                act,
                project,
                line_code=line,
                amount_fen=fen,
                by=by,
                document=None,
                where=CLAUSE,
                key=key,
                memo="购置",
            ),
        )
        return entry

    def give_back(self, *, of: str = FIRST, key: str = "1") -> int:
        """Let a project give back what it has left."""
        amount: int = self.act(
            of,
            lambda act, project, by: ledger_programme.give_back(
                act,
                project,
                load_case(act.session, CALL, lock=False),
                by=by,
                document=None,
                where=CLAUSE,
                key=key,
                memo="结余清退",
            ),
        )
        return amount

    def return_all(self, *, key: str = "1") -> int:
        """Let the pool go back to its sources."""
        amount: int = self.act(
            CALL,
            lambda act, call, by: ledger_programme.return_to_source(
                act, call, by=by, document=None, where=CLAUSE, key=key, memo="退回"
            ),
        )
        return amount

    # -- what stands --------------------------------------------------------------------------------------------------

    def read(self, reader: Callable[..., Any], number: str = CALL) -> Any:
        """What a reader of the ledger says of a case."""
        with self.resources.database.read() as session:
            return reader(session, load_case(session, number, lock=False))

    def pool(self) -> int:
        """What stands in the pool."""
        amount: int = self.read(ledger_figures.pool_balance)
        return amount

    def left(self, of: str = FIRST) -> int:
        """What a project has left."""
        amount: int = self.read(ledger_figures.project_balance, of)
        return amount

    def accounts(self, number: str = "") -> dict[str, int]:
        """Every account's balance by its code, of one case or of all."""
        with self.resources.database.read() as session:
            found = session.scalars(select(LedgerAccount).order_by(LedgerAccount.id))
            return {each.code: each.balance_fen for each in found if number in each.code}

    def faults(self) -> list[str]:
        """What both audits find."""
        with self.resources.database.read() as session:
            return [str(fault) for audit in (verify, verify_ledger) for fault in audit(session)]


def lines_of(entry: LedgerEntry) -> list[tuple[str, int]]:
    """An entry's lines as code and amount."""
    return [(line.account.code, line.amount_fen) for line in entry.lines]
