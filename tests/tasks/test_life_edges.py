"""Inspections, orders and changes of parlours that meet the unforeseen: machines off, people gone, sites ended."""

import pytest
from sqlalchemy import select, update

from flows.answers import apply
from flows.forms import form_for
from models.registry import Person
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Door, Gate, Outcome, SiteStatus, Verdict
from tasks import decisions
from tasks.asks import claim_run, new_ask
from tasks.case_file import case_file
from tasks.cases import Asked
from tasks.commands import Decide, Withdraw
from tasks.inspection_visits import record_visit
from tasks.office_acts import settle_undelivered
from tests.changes import a_site, approve, ask_for, leader_code, role_days, sound, spells, support
from tests.desks import OpenTown
from tests.inspections import end_period, inspections, notice_of, open_campaign, report, visit, visit_of
from tests.parlours import add_site, site_of
from tests.services import services_in
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, Township, at

ARCHIVE = {"activity_archive": "缺2月的签到表"}


@pytest.fixture
def town(open_sqlite: OpenTown) -> Township:
    """The example's town on SQLite, on a Monday."""
    return open_sqlite("example-2026", "2026-03-02 09:00")


def rest(town: Township, site: str, first: str, last: str) -> str:
    """Let a site rest, with everything that its approval takes."""
    number = ask_for(town, site, "申请暂停运行", rests_from=first, rests_until=last)
    support(town)
    approve(town)
    return number


def test_a_rest_after_a_rest_of_the_same_day_ends_by_itself(town: Township) -> None:
    site = a_site(town)
    town.pass_until("2026-04-01 09:00")
    rest(town, site, "2026-04-01", "2026-04-20")
    town.pass_until("2026-04-10 09:00")
    town.decide(Verdict.RESUMED, by=REVIEWER)
    second = rest(town, site, "2026-04-10", "2026-04-30")
    assert site_of(town, site).status is SiteStatus.SUSPENDED
    town.pass_until("2026-05-01 00:00")
    assert town.case(second).outcome is Outcome.RESUMED
    assert [each[1:] for each in spells(town, site)] == [
        ("2026-03-02", "2026-04-01"),
        ("2026-04-01", "2026-04-10"),
        ("2026-04-10", "2026-05-01"),
        ("2026-05-01", ""),
    ]
    sound(town)


def test_a_rest_broken_off_on_its_first_day_never_was(town: Township) -> None:
    site = a_site(town)
    town.pass_until("2026-04-08 09:00")
    number = rest(town, site, "2026-04-08", "2026-04-20")
    assert site_of(town, site).status is SiteStatus.SUSPENDED
    town.decide(Verdict.RESUMED, by=REVIEWER)
    assert town.case(number).status is CaseStatus.CLOSED
    assert spells(town, site) == [(SiteStatus.ACTIVE, "2026-03-02", "")]
    sound(town)


# -- what a site that has ended leaves behind --------------------------------------------------------------------------


def answer(town: Township, number: str, by: str, **filled: object) -> str:
    """Fill in the form of the gate that waits; the refusal, if there is one."""
    file = case_file(town.resources, number, at=town.now())
    assert file.awaited is not None
    with town.resources.database.read() as session:
        display = session.scalars(select(Person).where(Person.code == by)).one().display
    made = form_for(town.resources, file, file.awaited)
    entered = made.model_validate({"by": display} | filled).model_dump(mode="json", include={"by", *filled})
    item = town.item(number)
    assert item is not None
    ask = new_ask(town.resources, item.id, claim_run(town.resources, number, "run"), at=town.now())
    assert ask is not None
    asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(town.resources, number, item.gate, entered, asked, at=town.now())
    town.rehearsal.carry(number)
    return refusal


def withdraw(town: Township, number: str, *, by: str) -> None:
    """Withdraw what was asked for."""
    command = Withdraw(case=number, by=by, reason="客堂间已不在名册")
    decisions.withdraw(town.resources, command, door=Door.CLI, at=town.now())
    town.rehearsal.carry(number)


def test_the_office_ends_the_orders_of_a_site_that_was_closed_by_every_door(open_town: OpenTown) -> None:
    services = services_in(open_town)
    town, site = services.town, services.site
    offered = services.place()
    promised = services.place(item="YL02")
    services.take()
    closing = ask_for(town, site, "注销")
    support(town)
    approve(town)
    assert town.case(closing).outcome is Outcome.IN_EFFECT
    told = town.entries("site_changed")[-1].context["duties"]
    assert f"尚未办结的服务点单{offered}、服务点单{promised}" in told[-1]
    assert "请社区办审核员写明理由撤回" in told[-1]
    assert "沈审核" in town.told("site_changed")
    with pytest.raises(Refused, match=r"只有申请的负责人.*或社区办审核员可以撤回申请,周责任.*不能撤回"):
        withdraw(town, offered, by=RESPONSIBLE)
    withdraw(town, offered, by=REVIEWER)
    assert answer(town, promised, REVIEWER, verdict="撤回申请", reason="客堂间已注销") == ""
    assert [town.case(each).outcome for each in (offered, promised)] == [Outcome.WITHDRAWN] * 2
    assert town.told("case_closed").count("卫联系") == 2
    sound(town)


def test_a_revoked_site_leaves_no_role_and_says_what_is_open(open_sqlite: OpenTown) -> None:
    services = services_in(open_sqlite)
    town, site = services.town, services.site
    order = services.place()
    leader = leader_code(town, site)
    campaign = open_campaign(town)
    (number,) = inspections(town, campaign)
    visit(town, number, Verdict.REVOKE, ARCHIVE, by=HEAD_OF_OFFICE, reason="三个月没有活动")
    end_period(town, notice_of(town, number).number)
    assert site_of(town, site).status is SiteStatus.REVOKED
    assert role_days(town, leader)[0][2] != "", "who leads no parlour holds no role of a leader"
    assert any(f"服务点单{order}" in each for each in town.entries("site_revoked")[0].context["duties"])
    withdraw(town, order, by=REVIEWER)
    assert town.case(order).outcome is Outcome.WITHDRAWN
    sound(town)


def test_a_move_whose_applicant_has_gone_is_withdrawn_by_the_office(town: Township) -> None:
    site = a_site(town)
    number = ask_for(town, site, "迁址", by=RESPONSIBLE)
    support(town)
    town.everybody_agrees()
    approve(town)
    assert town.gate() is Gate.CHANGE_WORKS
    with town.resources.database.write() as session:
        session.execute(update(Person).where(Person.code == RESPONSIBLE).values(active=False))
    assert answer(town, number, REVIEWER, withdraw=True, reason="该户不再提供住宅") == ""
    assert town.case(number).outcome is Outcome.WITHDRAWN
    # Nothing stands in the way of another one.
    ask_for(town, site, "迁址", household="ZD01-002")
    sound(town)


# -- machines that were off --------------------------------------------------------------------------------------------


def test_who_must_put_things_right_hears_of_it_before_any_run_goes_on(town: Township) -> None:
    a_site(town)
    campaign = open_campaign(town)
    (number,) = inspections(town, campaign)
    found = visit_of(number, Verdict.RECTIFY, ARCHIVE, rectify_by="2026-03-20", reason="补齐签到表")
    record_visit(town.resources, found, door=Door.CLI, at=town.now())
    item = town.item(number)
    assert item is not None
    assert (item.gate, item.round, str(item.due_on)) == (Gate.RECTIFICATION, 1, "2026-03-20")
    told = town.told("site_rectification")
    assert told[1:] == ["周责任"]
    # The machine is off until the day is over: time has run, and nothing is said twice.
    town.clock.move_to(at("2026-03-25 09:00"))
    town.rehearsal.carry(number)
    town.rehearsal.sweep()
    assert town.gate(number) is Gate.RE_INSPECTION
    assert town.told("site_rectification") == told
    visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="仍缺")
    again = town.item(number)
    assert again is not None
    assert (again.gate, again.round) == (Gate.RECTIFICATION, 2)
    assert len(town.told("site_rectification")) == 2 * len(told)
    sound(town)


def test_a_letter_told_otherwise_after_the_report_moves_no_day_of_the_re_inspection(open_sqlite: OpenTown) -> None:
    town = open_sqlite("example-2026", "2026-03-02 09:00")
    site = add_site(town, email=None)
    (number,) = inspections(town, open_campaign(town))
    visit(town, number, Verdict.RECTIFY, ARCHIVE, rectify_by="2026-03-20", reason="补齐签到表")
    town.pass_until("2026-03-10 09:00")
    report(town, number, by=leader_code(town, site))
    town.pass_until("2026-03-15 10:00")
    case_id = town.case(number).id
    (unreached, *_) = [each for each in town.entries() if each.case_id == case_id and each.status.value == "dead"]
    said = Decide(case=number, by=REVIEWER, verdict=Verdict.TOLD_OTHERWISE.label, reason="已当面告知")
    settle_undelivered(town.resources, said, entry=unreached.id, door=Door.CLI, at=town.now())
    visit(town, number, Verdict.PASSED, visited_on="2026-03-12")
    assert town.case(number).outcome is Outcome.PASSED
