"""Changes of a listed site: what the driver asks of their kind of case."""

from typing import Any

from sqlalchemy.orm import Session

from models.case import Case
from models.registry import Person
from models.work_item import Decision, WorkItem
from tasks.act import Act
from tasks.commands import Decide


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Do what belongs to the opening of a gate, and ask those who decide, by letter."""
    raise NotImplementedError


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that a rule forbids; there are no warnings to acknowledge."""
    raise NotImplementedError


def details(act: Act, case: Case, item: WorkItem, command: Decide, person: Person) -> dict[str, Any]:
    """Return what a decision keeps beside its verdict."""
    return {}


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do what follows from a verdict in its transaction, and tell those concerned."""
    raise NotImplementedError


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of it, as labelled rows."""
    raise NotImplementedError


def after(act: Act, case: Case) -> None:
    """Do what follows from its end to the cases and sites beside it."""
    raise NotImplementedError
