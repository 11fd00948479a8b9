"""The letters that open the gates of a public notice."""

from models.case import Case
from models.work_item import WorkItem
from tasks.act import Act


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Write the letters that open a gate of a notice."""
