"""An office calls a joint meeting of the liaisons, settles its arrangements, or puts it off (联席会议, D1-R4)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from models.case import Case
from models.meeting import Meeting
from models.registry import Unit
from models.work_item import Decision
from policies.errors import Refused
from policies.load import LoadedEdition
from policies.vocabulary import CaseKind, Door, Gate, UnitKind, Verdict
from rules.meeting_periods import moment
from rules.periods import SHANGHAI
from rules.transitions import check_verdict
from rules.window import spoken_day
from runtime.resources import Resources
from tasks import items, meeting_mail, meeting_roll
from tasks.act import Act, acting
from tasks.cases import (
    Asked,
    check_authority,
    load_case,
    local_day,
    meeting_of,
    person_of,
    policy_of,
)
from tasks.deciding import deciding, item_to_decide
from tasks.living import keep, open_case
from tasks.meeting_commands import CallMeeting, ChangeMeeting, PostponeMeeting
from tasks.meeting_rules import check_notice, check_office, joint_meeting_in, joint_meeting_of
from tasks.openings import edition_in_use, opened_by

FURTHEST_DAYS = 366
"""How far ahead a meeting may be called, a technical bound: a later year is a slip of the pen."""


def call_meeting(resources: Resources, command: CallMeeting, *, door: Door, key: str, at: datetime) -> str:
    """
    Call a joint meeting: freeze who is invited and write to them; its gate waits from now on (D1-R4).

    Args:
        door: by which door it came.
        key: what called it; the same key calls one meeting, however often it is tried.

    Returns:
        The meeting's case number.

    Raises:
        Refused: the unit is no town, its edition has no joint meetings or is not in force, the person may not, the day
            is too near (names the clause and the earliest day), or nobody is there to be invited.
    """
    with acting(resources, at=at) as act:
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        town = town_named(act, command.unit)
        # Asked again under a lock: the same key may have come in twice at once.
        act.session.get_one(Unit, town.id, with_for_update={"of": Unit}, populate_existing=True)
        if (known := opened_by(act.session, key)) is not None:
            return known.number
        loaded = edition_in_use(resources, town, at)
        rule = joint_meeting_in(loaded, town)
        by = person_of(act.session, command.by)
        check_office(act, by, town, rule, deed="召集联席会议")
        check_notice(act.day, command.meets_on, rule)
        _check_not_too_far(act.day, command.meets_on)
        case = summon(
            act,
            town,
            loaded,
            title=command.title or f"{spoken_day(command.meets_on)}联席会议",
            meets_at=moment(command.meets_on, command.begins),
            place=command.place,
            chair=command.chair,
            agenda=command.agenda,
            key=key,
            actor=by.display,
            door=door,
        )
        return case.number


def summon(
    act: Act,
    town: Unit,
    loaded: LoadedEdition,
    *,
    title: str,
    meets_at: datetime,
    place: str,
    chair: str,
    agenda: Sequence[str],
    key: str,
    actor: str,
    door: Door,
    period: date | None = None,
    late_note: str = "",
) -> Case:
    """
    Open a meeting's case with its frozen roll and its gate, and write to everybody on the roll.

    Args:
        town: held locked, so that a key opens one meeting.
        period: of a regular meeting, the first day of its period.
        late_note: when a regular meeting should have been called; empty: it is in time.
    """
    rule = joint_meeting_in(loaded, town)
    shown = f"{meets_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    case = open_case(
        act,
        kind=CaseKind.JOINT_MEETING,
        loaded=loaded,
        prefix=rule.case_prefix,
        key=key,
        title=title,
        unit=town,
        actor=actor,
        door=door,
        summary=f"召集会议:{title},定于{shown},议程{len(agenda)}项" + (f"。{late_note}" if late_note else ""),
        data={"meets_at": meets_at.isoformat(), "period": period.isoformat() if period else None},
    )
    meeting = Meeting(
        case_id=case.id,
        unit_id=town.id,
        period=period,
        meets_at=meets_at,
        place=place,
        chair=chair,
        agenda=list(agenda),
    )
    meeting.case, meeting.unit = case, town
    act.session.add(meeting)
    act.session.flush()
    seats = meeting_roll.freeze(act, meeting, rule)
    keep(act, case, [meeting, *seats], actor=actor, summary=f"确定应到名单,共{len(seats)}人")
    # Not left to the first run: people are reminded also while Prefect is away.
    items.create(act, case, Gate.MEETING, 1, last=local_day(meets_at))
    meeting_mail.invite(act, case, late_note=late_note)
    return case


def town_named(act: Act, text: str) -> Unit:
    """Return the town that `text` names by code or name; Refused when there is none."""
    units = act.session.scalars(select(Unit).where((Unit.code == text) | (Unit.name == text))).all()
    unit = next((each for each in units if each.code == text), units[0] if len(units) == 1 else None)
    if unit is None:
        found = f"有{len(units)}个单位名为“{text}”" if units else f"没有单位“{text}”"
        raise Refused("default", f"登记簿中{found},请填写镇(街道)的编码")
    if unit.kind is not UnitKind.TOWN:
        raise Refused("default", f"{unit.name}是{unit.kind.label},联席会议由镇(街道)召集;请改填镇(街道)的编码")
    return unit


def _check_not_too_far(today: date, meets_on: date) -> None:
    latest = today + timedelta(days=FURTHEST_DAYS)
    if meets_on > latest:
        raise Refused("default", f"开会日期{spoken_day(meets_on)}过远,最晚可定在{spoken_day(latest)};请核对年份")


def load_meeting(act: Act, number: str) -> Case:
    """Return the meeting's case, locked; Refused when the number names another kind of case."""
    case = load_case(act.session, number)
    if case.kind is not CaseKind.JOINT_MEETING:
        raise Refused("default", f"案件 {case.number} 是“{case.kind.label}”,不是联席会议;请填写会议的案件编号")
    return case


def change_meeting(
    resources: Resources, command: ChangeMeeting, *, door: Door, at: datetime, asked: Asked | None = None
) -> tuple[str, ...]:
    """
    Settle place, chair, agenda or the time of the day of a meeting; everybody is told, unless it is past.

    A meeting whose day has come without place and chair still needs them on record before it is declared held.

    Args:
        asked: the form it came in on; None: by another door.

    Returns:
        What changed, in Chinese.

    Raises:
        Refused: the meeting is settled, the person may not, nothing changes, or it would begin at a past time.
    """
    with deciding(resources, at=at) as act:
        case = load_meeting(act, command.case)
        item = item_to_decide(act, case, asked, Gate.MEETING)
        by = person_of(act.session, command.by)
        check_office(act, by, case.unit, joint_meeting_of(case), deed="变更会议安排")
        meeting = meeting_of(act.session, case)
        to_come = meeting.meets_at > act.at
        changed = _change(meeting, command)
        if not changed:
            raise Refused(
                policy_of(case, item.gate).where,
                "没有填写与现在不同的开会时刻、地点、主持人或议程;改日期请办理延期",
            )
        if to_come and meeting.meets_at <= act.at:
            raise Refused(
                policy_of(case, item.gate).where,
                f"开会时刻{meeting.meets_at.astimezone(SHANGHAI):%H:%M}已经过去,来不及通知参会人员;"
                "请填写较晚的时刻,或办理延期",
            )
        told = "、".join(changed)
        keep(
            act,
            case,
            [meeting],
            actor=by.display,
            summary=f"变更会议安排:{told}",
            data={"door": door.value},
        )
        if meeting.meets_at > act.at:
            meeting_mail.invite(act, case, change=told)
        return tuple(changed)


def _change(meeting: Meeting, command: ChangeMeeting) -> list[str]:
    changed = []
    if command.begins is not None:
        meets_at = moment(local_day(meeting.meets_at), command.begins)
        if meets_at != meeting.meets_at:
            meeting.meets_at = meets_at
            changed.append(f"开会时刻改为{command.begins:%H:%M}")
    if command.place not in ("", meeting.place):
        changed.append(f"地点{'改为' if meeting.place else '定为'}{command.place}")
        meeting.place = command.place
    if command.chair not in ("", meeting.chair):
        changed.append(f"主持人{'改为' if meeting.chair else '定为'}{command.chair}")
        meeting.chair = command.chair
    if command.agenda and command.agenda != list(meeting.agenda):
        changed.append(f"议程调整为{len(command.agenda)}项")
        meeting.agenda = list(command.agenda)
    return changed


def postpone_meeting(
    resources: Resources, command: PostponeMeeting, *, door: Door, at: datetime, asked: Asked | None = None
) -> Decision:
    """
    Put a meeting off to a later day and invite anew, also who came into a role meanwhile (D1-R4).

    Args:
        asked: the form it came in on; None: by another door.

    Raises:
        Refused: the meeting is over, the person may not, or the day is not later or too near.
    """
    with deciding(resources, at=at) as act:
        case = load_meeting(act, command.case)
        item = item_to_decide(act, case, asked, Gate.MEETING)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        check_verdict(item.gate, Verdict.POSTPONED, reason=command.reason)
        rule, meeting = joint_meeting_of(case), meeting_of(act.session, case)
        before = local_day(meeting.meets_at)
        if command.meets_on <= before:
            raise Refused(
                rule.where,
                f"新的开会日期{spoken_day(command.meets_on)}须晚于原定的{spoken_day(before)};"
                "同一天改时刻的,请办理变更会议安排",
            )
        check_notice(act.day, command.meets_on, rule)
        _check_not_too_far(act.day, command.meets_on)
        begins = command.begins or meeting.meets_at.astimezone(SHANGHAI).time()
        meeting.meets_at, meeting.held_on = moment(command.meets_on, begins), None
        rows = meeting_roll.clear(meeting) + meeting_roll.freeze(act, meeting, rule)
        details = {"from": before.isoformat(), "to": command.meets_on.isoformat()}
        decision = items.close(act, item, Verdict.POSTPONED, by=by, door=door, reason=command.reason, details=details)
        keep(
            act,
            case,
            [meeting, *rows],
            actor=by.display,
            summary=f"会议由{spoken_day(before)}延期至{spoken_day(command.meets_on)}",
        )
        # Not left to the next run: people must hear of the new day before the old one, also while Prefect is away.
        items.create(act, case, Gate.MEETING, item.round + 1, last=command.meets_on)
        meeting_mail.invite(act, case, change=f"会议延期至{spoken_day(command.meets_on)}")
        return decision
