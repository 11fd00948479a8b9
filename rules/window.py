"""
Whether applications are accepted on a day (D0-R7).

Used when an application is filed. Phases are half-open in the policy file; people say the last day.
"""

from datetime import date, timedelta

from policies.errors import Refused
from policies.site_scheme import Phase, SiteScheme


def open_phase(scheme: SiteScheme, *, on: date) -> Phase:
    """
    Return the phase that accepts applications on the Shanghai day `on`.

    Source: D0-R7.

    Raises:
        Refused: none does; the windows are named as people say them.
    """
    current = next((phase for phase in scheme.phases if _holds(phase, on)), None)
    if current is not None and current.accepts_applications:
        return current
    windows = [phase for phase in scheme.phases if phase.accepts_applications]
    clauses = ";".join(dict.fromkeys(phase.where for phase in windows)) or "default"
    where = f",正处于“{current.name}”阶段" if current is not None else ""
    if not windows:
        raise Refused(clauses, f"{spoken_day(on)}提出的申请不能受理{where}:本方案没有申请期,请向社区办咨询")
    named = "、".join(f"“{phase.name}”({spoken_window(phase)})" for phase in windows)
    coming = [phase for phase in windows if phase.from_ > on]
    todo = f"请于{spoken_day(coming[0].from_)}起申请" if coming else "申请期已过,请等待下一期或向社区办咨询"
    raise Refused(clauses, f"{spoken_day(on)}提出的申请不能受理{where}:申请期为{named};{todo}")


def spoken_day(day: date) -> str:
    """Return `day` as people say it, e.g. ``2018年9月1日``."""
    return f"{day.year}年{day.month}月{day.day}日"


def spoken_window(phase: Phase) -> str:
    """Return the days of `phase` as people say them, the last day included: ``2018年9月1日至11月30日``."""
    start = spoken_day(phase.from_)
    if phase.until is None:
        return f"{start}起长期"
    last = phase.until - timedelta(days=1)
    if last == phase.from_:
        return start
    same_year = last.year == phase.from_.year
    return f"{start}至{f'{last.month}月{last.day}日' if same_year else spoken_day(last)}"


def _holds(phase: Phase, day: date) -> bool:
    return phase.from_ <= day and (phase.until is None or day < phase.until)
