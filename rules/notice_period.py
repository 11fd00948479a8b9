"""
The period of a public notice in words, as the notice prints it, and how far it may be prolonged (D2-R10).

Used by tasks when a notice is published and when it is prolonged. The day itself is counted by `rules.periods`.
"""

from datetime import date, timedelta

from policies.errors import Refused
from policies.notice_scheme import NoticePeriod, Prolonging
from policies.vocabulary import DayUnit
from rules.calendar import WorkCalendar


def period_in_words(period: NoticePeriod, *, published_on: date, last: date, calendar: WorkCalendar) -> str:
    """
    Return the rule by which the last day was counted, so that every reader can count again.

    Args:
        period: the edition's.
        published_on: Shanghai day of publication.
        last: last day, as `rules.periods.due_on` counts it.
        calendar: tells working days, and which years are published.
    """
    starts = _chinese(published_on)
    if not period.start_counted:
        counted = f"自公布次日({_chinese(published_on + timedelta(days=1))})起算"
    elif period.unit is DayUnit.WORKING_DAYS and not calendar.is_working_day(published_on):
        counted = f"公布当日({starts})不是工作日,自其后首个工作日起算"
    else:
        counted = f"自公布当日({starts})起算,当日计入"
    match period.unit:
        case DayUnit.WORKING_DAYS:
            how = "按工作日计算(含调休上班日,不含休息日和法定节假日)"
        case DayUnit.CALENDAR_DAYS:
            how = "按自然日计算,末日遇休息日、法定节假日顺延至其后首个工作日"
    text = f"公示期{period.days}{period.unit.label},{counted},{how},至{_chinese(last)}24时止"
    if not calendar.is_published(last):
        text += f"({last.year}年放假安排尚未公布,末日为暂定;安排公布后末日如遇放假,依规定延期并在此公告)"
    return text


def check_prolonging(prolonging: Prolonging, *, times: int, last: date, new_last: date, calendar: WorkCalendar) -> None:
    """
    Refuse a new last day that the edition or the law does not allow.

    Source: the edition's `prolonging`; Civil Code art. 203 (a period does not end on a day off).

    Args:
        times: how often the notice was prolonged before.
        last: the last day so far.
        new_last: the last day wanted.
        calendar: tells working days.

    Raises:
        Refused: too often, too long, not after the old last day, or a day off; names the figures and what is possible.
    """
    where = prolonging.where
    if times >= prolonging.times_at_most:
        limit = f"本政策规定公示最多延期{prolonging.times_at_most}次" if prolonging.times_at_most else "本政策不许延期"
        raise Refused(where, f"{limit},已延期{times}次,不能再延;如内容须改动,请撤销后另行公示")
    if new_last <= last:
        raise Refused(where, f"延期后的末日{_chinese(new_last)}须晚于现末日{_chinese(last)},请另填日期")
    added = (new_last - last).days
    if added > prolonging.days_at_most:
        latest = _chinese(last + timedelta(days=prolonging.days_at_most))
        raise Refused(
            where,
            f"一次最多延期{prolonging.days_at_most}日,由{_chinese(last)}延至{_chinese(new_last)}为{added}日,"
            f"最晚可延至{latest}",
        )
    if not calendar.is_working_day(new_last):
        raise Refused(
            "《民法典》第二百零三条",
            f"{_chinese(new_last)}是休息日或法定节假日,公示不能在该日届满,"
            f"请改填{_chinese(calendar.on_or_after(new_last))}或其他工作日",
        )


def _chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
