"""What the rules of a public notice say to a verdict, and what follows from it (D2-R10)."""

from collections.abc import Sequence

from models.case import Case
from models.notice import Objection
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.vocabulary import Gate, ObjectionFinding, Verdict
from tasks.act import Act
from tasks.cases import notice_of, policy_of
from tasks.commands import Decide
from tasks.notice_mail import objections_of
from tasks.objections import refuse_named


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """
    Refuse a verdict that does not fit the objections; there are no warnings to acknowledge.

    Also a notice that is retracted leaves nobody without an answer: once its case is closed, none can be given.
    """
    where = policy_of(case, item.gate).where
    found = objections_of(act.session, notice_of(act.session, case))
    refuse_named(found, command.reason)
    unhandled = [each for each in found if each.finding is None]
    unanswered = [each for each in found if each.finding is not None and each.answered_at is None]
    upheld = [each for each in found if each.finding is ObjectionFinding.UPHELD]
    if unhandled:
        raise Refused(
            where,
            f"异议{_seqs(unhandled)}尚未处理,不能作出“{command.verdict.label}”;请逐件认定“成立”或“不成立”并写明理由",
        )
    if unanswered:
        raise Refused(
            where,
            f"异议{_seqs(unanswered)}尚未答复异议人,不能作出“{command.verdict.label}”;请登记告知的方式和时间",
        )
    if command.verdict is Verdict.CLEARED and upheld:
        raise Refused(
            where,
            f"异议{_seqs(upheld)}成立,不能作出“{Verdict.CLEARED.label}”;"
            f"请作出“{Verdict.AMENDED.label}”或“{Verdict.RETRACTED.label}”",
        )
    if command.verdict is Verdict.AMENDED and not upheld:
        raise Refused(
            where,
            f"{len(found)}件异议均不成立,没有须调整的内容,不能作出“{Verdict.AMENDED.label}”;"
            f"请作出“{Verdict.CLEARED.label}”",
        )
    return []


def _seqs(found: Sequence[Objection]) -> str:
    return "、".join(f"第{each.seq}件" for each in found)


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Note on the notice that it was taken back before its time; letters follow when its case closes."""
    notice = notice_of(act.session, case)
    if item.gate is Gate.NOTICE_PERIOD and decision.verdict is Verdict.RETRACTED:
        notice.closed_at = act.at
    notice.changed_seq += 1
