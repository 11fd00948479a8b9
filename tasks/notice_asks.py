"""The letters that open the gates of a public notice."""

from models.case import Case
from models.work_item import WorkItem
from policies.vocabulary import Gate
from tasks import notice_mail
from tasks.act import Act
from tasks.cases import notice_of


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Ask the office to review the objections; the period itself was told when the notice was published."""
    if item.gate is Gate.OBJECTION_REVIEW:
        notice_mail.ask_for_review(act, notice_of(act.session, case), item)
