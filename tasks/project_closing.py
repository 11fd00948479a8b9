"""
What the end of a call, a project or a notice does to the cases beside it.

Whatever changes a case and its parent locks the parent first.
"""

from models.case import Case
from tasks.act import Act


def after_call(act: Act, case: Case) -> None:
    """Tell every proposal that still waits that the call ended without it."""


def after_project(act: Act, case: Case) -> None:
    """Let the call go on when this was the last project that it waited for."""


def after_notice(act: Act, case: Case) -> None:
    """Let the matter that was noticed go on: cleared, amended or retracted."""
