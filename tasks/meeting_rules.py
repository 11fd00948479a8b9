"""What the edition says of joint meetings, and who may act for the office in them (D1-R4)."""

from datetime import date

from models.case import Case
from models.registry import Person, Unit
from policies.errors import Refused
from policies.life_scheme import JointMeeting
from policies.load import LoadedEdition
from policies.vocabulary import Role
from rules.meeting_periods import earliest_day
from rules.window import spoken_day
from runtime.resources import edition_of
from tasks.act import Act
from tasks.cases import holds_any


def joint_meeting_of(case: Case) -> JointMeeting:
    """Return what the edition that a case is pinned to says of joint meetings."""
    rule = edition_of(case).for_sites.joint_meeting
    if rule is None:
        raise LookupError(f"edition {case.edition_id} says nothing of joint meetings")
    return rule


def joint_meeting_in(loaded: LoadedEdition, town: Unit) -> JointMeeting:
    """Return what the edition that a town uses says of joint meetings; Refused when it says nothing."""
    rule = loaded.edition.for_sites.joint_meeting
    if rule is None:
        raise Refused("default", f"{town.name}适用的《{loaded.edition.title}》没有规定联席会议(joint_meeting),不能召集")
    return rule


def check_office(act: Act, by: Person, town: Unit, rule: JointMeeting, *, deed: str) -> None:
    """Refuse unless `by` acts for the town's office; tells who may."""
    roles = {Role.OFFICE_REVIEWER, Role.OFFICE_HEAD, rule.gates.meeting.decided_by}
    if not holds_any(act.session, by, roles, town.lineage(), on=act.day):
        able = "、".join(role.label for role in Role if role in roles)
        raise Refused(rule.gates.meeting.where, f"{by.display}不能为{town.name}{deed}:须由其{able}办理;请改由他们办理")


def check_notice(called_on: date, meets_on: date, rule: JointMeeting) -> None:
    """
    Refuse a day that leaves those invited too little time.

    Source: policy `joint_meeting.invite_days_before`.
    """
    earliest = earliest_day(called_on, invite_days_before=rule.invite_days_before)
    if meets_on < earliest:
        raise Refused(
            rule.where,
            f"会议须至少提前{rule.invite_days_before}日通知:今天是{spoken_day(called_on)},"
            f"开会日期{spoken_day(meets_on)}太近,最早可定在{spoken_day(earliest)};请改定日期",
        )
