"""What the rules of calls and projects say to a verdict, and what follows from it."""

from models.case import Case
from models.work_item import Decision, WorkItem
from tasks.act import Act
from tasks.commands import Decide


def check_call(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that a rule of a call forbids; it has no warnings to acknowledge."""
    return []


def tell_call(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do what follows from a verdict in a call."""


def check_project(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """Refuse a verdict that a rule of a project forbids; it has no warnings to acknowledge."""
    return []


def tell_project(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do what follows from a verdict in a project."""
