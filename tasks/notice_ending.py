"""The end of a public notice: of its period, by time; of its case, with what came of it (D2-R10)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from models.case import Case
from models.notice import Notice, Objection
from models.work_item import WorkItem
from policies.vocabulary import ObjectionFinding, Outcome
from tasks.act import Act
from tasks.cases import notice_of
from tasks.mail import chinese_date
from tasks.notice_mail import objections_of, tell_closed, told_late

AN_HOUR = timedelta(hours=1)


def end_period(act: Act, item: WorkItem) -> tuple[str, dict[str, Any]]:
    """
    Let the period of a notice end with its last day, however late that is written.

    Returns:
        Why, in Chinese, and the counts by which the notice goes on: objections that are open or not answered yet, and
        those that were upheld.
    """
    notice = notice_of(act.session, item.case)
    notice.closed_at = item.due_at
    notice.changed_seq += 1
    return how_it_ended(notice, objections_of(act.session, notice), ended_at=item.due_at, at=act.at)


def how_it_ended(
    notice: Notice, found: Sequence[Objection], *, ended_at: datetime, at: datetime
) -> tuple[str, dict[str, Any]]:
    """Return what `end_period` returns of a notice against which `found` was objected."""
    waiting = sum(each.finding is None or each.answered_at is None for each in found)
    upheld = sum(each.finding is ObjectionFinding.UPHELD for each in found)
    reason = f"公示期至{chinese_date(notice.ends_on)}24时届满,收到异议{len(found)}件"
    if found:
        reason += f",其中待处理或待答复{waiting}件、成立{upheld}件"
    if at - ended_at < AN_HOUR and (late := told_late(notice, ended_at, at)):
        reason += f"({late})"  # a later one is told by the lapse itself, in hours
    return reason, {"objections": len(found), "open_objections": waiting, "upheld_objections": upheld}


def end_notice(act: Act, case: Case) -> None:
    """Write on the notice how its case ended, and tell those concerned."""
    notice = notice_of(act.session, case)
    if notice.closed_at is None:
        notice.closed_at = act.at
    outcome: Outcome | None = case.outcome
    notice.closed_because = f"{outcome.label if outcome else ''}" + (f":{case.because}" if case.because else "")
    notice.changed_seq += 1
    act.session.flush()
    tell_closed(act, notice)
