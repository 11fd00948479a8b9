"""A joint meeting from its call to the last of its decisions, and the regular ones, by both editions."""

from datetime import date, timedelta

import pytest

from policies.errors import Refused
from policies.vocabulary import CaseStatus, Gate, Outcome, Role, Verdict
from tasks.case_file import as_markdown, case_file, waits_for
from tests.desks import OpenTown
from tests.meetings import (
    EDITIONS,
    EXAMPLE,
    INVITED,
    call,
    complete,
    faults,
    hold,
    in_days,
    meeting,
    prolong,
    put_off,
    record,
    resolutions,
    roll,
    seats,
    settle,
    today,
)
from tests.township import HEAD_OF_OFFICE, LEADER, LIAISON, RESPONSIBLE, REVIEWER, Township


@pytest.fixture
def town(open_town: OpenTown) -> Township:
    """The example's town on each kind of database."""
    return settle(open_town(EXAMPLE, EDITIONS[EXAMPLE]))


@pytest.fixture(params=list(EDITIONS))
def by_edition(request: pytest.FixtureRequest, open_sqlite: OpenTown) -> Township:
    """A town of two villages on a Tuesday, by each edition, on SQLite."""
    return settle(open_sqlite(request.param, EDITIONS[request.param]))


@pytest.fixture
def here(open_sqlite: OpenTown) -> Township:
    """The example's town on SQLite."""
    return settle(open_sqlite(EXAMPLE, EDITIONS[EXAMPLE]))


def test_a_meeting_is_called_held_and_followed_up_to_its_last_decision(town: Township) -> None:
    number = call(town)
    assert [each[0] for each in town.letters()] == ["meeting_invitation"] * len(INVITED)
    assert set(roll(town, number)) == set(INVITED)
    item = town.item(number)
    assert item is not None
    assert (item.gate, item.due_on) == (Gate.MEETING, in_days(town, 8))

    start = today(town)
    town.pass_until(f"{start + timedelta(days=8)} 16:00")
    assert set(town.told("reminder")) == {"沈审核", "施审核"}
    reminded = [each.to_name for each in town.entries("meeting_invitation") if each.context["reminder"]]
    assert len(reminded) == 2 * (len(INVITED) - 2), "those who hold it are reminded by their own letter, twice"
    assert record(town, number, held_on=today(town), attended=[HEAD_OF_OFFICE, REVIEWER, RESPONSIBLE]) == (
        "4人的签到(施审核、柳河村村(、柳河村联络、李联络)",
        "会议纪要(正文或文件)",
    )
    held = today(town)
    due = [held + timedelta(days=days) for days in (10, 20, 30)]
    hold(
        town,
        number,
        [("更换周荡村音响", RESPONSIBLE, due[0]), ("整理书架", "LLH", due[1]), ("编印活动手册", REVIEWER, due[2])],
        attended=[],
        on_leave=[LIAISON],
        rest_absent=True,
        guests="镇文化中心金老师",
    )
    assert sorted(seats(town, number)) == [
        ("LLH", "LH", "absent"),
        (REVIEWER, "Z", "attended"),
        ("P002", "Z", "absent"),
        (HEAD_OF_OFFICE, "Z", "attended"),
        (RESPONSIBLE, "ZD", "attended"),
        (LIAISON, "ZD", "leave"),
        ("RLH", "LH", "absent"),
    ]
    first, second, third = resolutions(town, number)
    assert [each.case.unit.code for each in (first, second, third)] == ["ZD", "LH", "Z"]
    assert [each.case.parent_id for each in (first, second, third)] == [town.case(number).id] * 3
    assert town.told("resolution_assigned") == ["周责任", "柳河村联络", "沈审核"]
    assert len(town.told("meeting_minutes")) == len(INVITED)
    assert town.gate(number) is Gate.RESOLUTIONS
    for each, last in zip((first, second, third), due, strict=True):
        item = town.item(each.case.number)
        assert item is not None
        assert (item.gate, item.due_on) == (Gate.FOLLOW_UP, last)

    # The first is done late, after it was escalated.
    town.pass_until(f"{due[0] + timedelta(days=5)} 10:00")
    assert "周责任" in town.told("reminder")
    assert set(town.told("escalation")) == {"沈审核", "施审核"}
    complete(town, first.case.number, by=RESPONSIBLE)
    assert town.case(first.case.number).outcome is Outcome.COMPLETED
    assert town.decisions(first.case.number)[-1].details["late_days"] == 5

    # The second is put off twice, and not a third time.
    prolong(town, second.case.number, until=due[1] + timedelta(days=7))
    prolong(town, second.case.number, until=due[1] + timedelta(days=14))
    item = town.item(second.case.number)
    assert item is not None
    assert (item.round, item.due_on) == (3, due[1] + timedelta(days=14))
    assert town.told("resolution_assigned")[3:] == ["柳河村联络"] * 2
    with pytest.raises(Refused, match="已延期2次,至多2次,不能再延期"):
        prolong(town, second.case.number, until=due[1] + timedelta(days=21))
    complete(town, second.case.number, by=REVIEWER)

    # The third is given up by the head, and nobody else.
    assert town.gate(number) is Gate.RESOLUTIONS
    with pytest.raises(Refused, match="须由社区办负责人办理"):
        town.decide(Verdict.ABANDONED, by=REVIEWER, reason="没有经费", number=third.case.number)
    town.decide(Verdict.ABANDONED, by=HEAD_OF_OFFICE, reason="没有经费", number=third.case.number)
    assert town.case(third.case.number).outcome is Outcome.ABANDONED
    town.pass_until(f"{today(town) + timedelta(days=1)} 10:00")
    whole = town.case(number)
    assert (whole.status, whole.outcome) == (CaseStatus.CLOSED, Outcome.CONCLUDED)
    page = as_markdown(case_file(town.resources, number, at=town.now()))
    assert f"{second.case.number} 整理书架" in page
    assert "镇文化中心金老师" in page
    assert faults(town) == []


def test_a_meeting_that_decided_nothing_is_concluded_at_once(by_edition: Township) -> None:
    number = call(by_edition)
    by_edition.pass_until(f"{in_days(by_edition, 8)} 16:00")
    hold(by_edition, number)
    assert by_edition.case(number).outcome is Outcome.CONCLUDED
    assert faults(by_edition) == []


def test_what_was_decided_is_refused_a_third_delay_by_each_edition(by_edition: Township) -> None:
    number = call(by_edition)
    by_edition.pass_until(f"{in_days(by_edition, 8)} 16:00")
    hold(by_edition, number, [("更换音响", RESPONSIBLE, in_days(by_edition, 5))])
    [each] = resolutions(by_edition, number)
    for days in (6, 7):
        prolong(by_edition, each.case.number, until=in_days(by_edition, days))
    for again in (number, each.case.number):
        state = by_edition.state()
        by_edition.rehearsal.carry(again)
        assert by_edition.state() == state, "walked again from the top, it changes nothing"
    where = by_edition.edition().site.joint_meeting.where
    with pytest.raises(Refused, match="已延期2次,至多2次") as refused:
        prolong(by_edition, each.case.number, until=in_days(by_edition, 8))
    assert refused.value.clause == where
    complete(by_edition, each.case.number, by=RESPONSIBLE)
    assert by_edition.case(number).outcome is Outcome.CONCLUDED
    assert faults(by_edition) == []


def test_a_meeting_that_is_put_off_invites_anew_and_also_who_is_new(here: Township) -> None:
    number = call(here)
    here.pass_until(f"{in_days(here, 2)} 16:00")
    record(here, number, held_on=today(here), attended=[REVIEWER])
    here.add_person("P012", "新联络", Role.LIAISON, "ZD")
    put_off(here, number, days=13, begins="09:30")
    item = here.item(number)
    assert item is not None
    assert (item.gate, item.round, item.due_on) == (Gate.MEETING, 2, in_days(here, 13))
    assert here.told("meeting_invitation").count("新联络") == 1
    assert here.told("meeting_invitation").count("丁主任") == 2
    assert meeting(here, number).held_on is None
    assert {seat for _, _, seat in seats(here, number)} == {None}
    new = here.entries("meeting_invitation")[-1].context
    assert (new["begins"], new["change"]) == ("09:30", "会议延期至2026年4月22日")
    here.decide(Verdict.CALLED_OFF, by=REVIEWER, reason="人员不齐", number=number)
    assert here.case(number).outcome is Outcome.CALLED_OFF
    assert here.told("meeting_called_off").count("新联络") == 1
    assert faults(here) == []


def test_a_leader_who_came_to_no_meeting_may_be_responsible_for_the_town(here: Township) -> None:
    number = call(here)
    here.pass_until(f"{in_days(here, 8)} 16:00")
    hold(here, number, [("布置展板", LEADER, in_days(here, 3))])
    [each] = resolutions(here, number)
    assert each.case.unit.code == "Z"
    assert waits_for(case_file(here.resources, each.case.number, at=here.now())) == (
        f"等待落实(至{in_days(here, 3)}):陆负责(P030)"
    )


def test_a_missed_meeting_day_is_escalated_to_the_head(here: Township) -> None:
    call(here)
    here.pass_until("2026-04-20 10:00")
    assert here.told("escalation") == ["丁主任"]
    assert today(here) == date(2026, 4, 20)
