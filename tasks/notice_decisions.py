"""What the rules of a public notice say to a verdict, and what follows from it."""

from models.case import Case
from models.work_item import Decision, WorkItem
from tasks.act import Act
from tasks.commands import Decide


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that a rule of a notice forbids; it has no warnings to acknowledge."""
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do what follows from a verdict in a notice."""
