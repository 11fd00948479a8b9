"""What the rules of a call say to a verdict, and what follows from it."""

from models.case import Case
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import Gate, Verdict
from tasks import survey_answers
from tasks.act import Act
from tasks.cases import policy_of
from tasks.commands import Decide

ELSEWHERE = {
    Gate.SCREENING: "请在案件页面的表单中勾选“完成筛选”,或运行“登记评分”“登记会议表决”并勾选",
    Gate.SELF_CHECK: "请在案件页面的表单中填写达成情况、存在的问题、下一步打算",
}
"""Where the gates are completed whose decision needs more than a word."""


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """
    Refuse a verdict that a rule of a call forbids; it has no warnings to acknowledge.

    Raises:
        Refused: the survey lacks answers; or the gate is completed by a command of its own.
    """
    if command.verdict is Verdict.COMPLETED and item.gate in ELSEWHERE:
        raise Refused(policy_of(case, item.gate).where, f"“{item.gate.label}”{ELSEWHERE[item.gate]}")
    if command.verdict is Verdict.COMPLETED and item.gate is Gate.SURVEY:
        survey_answers.check_complete(act, case)
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do what follows from a verdict in a call: a survey that is completed settles the proposals."""
    if item.gate is Gate.SURVEY and decision.verdict is Verdict.COMPLETED:
        survey_answers.settle(act, case)
