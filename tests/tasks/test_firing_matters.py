"""Every matter with a role of its own (a site's leader, a provider, an assignee) is fired together as one by one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from policies.vocabulary import Answer, Gate, Verdict
from tasks.deadlines import SweepCounts
from tests import changes, inspections, meetings
from tests.desks import Desk, OpenTown, opener
from tests.parlours import add_site
from tests.services import CONTACT, OTHER_CONTACT, ServiceTown
from tests.tasks.test_firing import both_ways, change
from tests.township import (
    HEAD_OF_OFFICE,
    LIAISON,
    RESPONSIBLE,
    REVIEWER,
    SECOND_REVIEWER,
    Township,
)

EVERY_DAY = ("03-05", "03-11", "03-16", "03-20", "03-26", "04-02", "04-13")
Settle = Callable[[Township], object]
Act = Callable[[Township], list[SweepCounts]]


def each_day(town: Township) -> list[SweepCounts]:
    return [town.sleep_until(f"2026-{day} 09:00") for day in EVERY_DAY if f"2026-{day}" > f"{town.now():%Y-%m-%d}"]


def late(town: Township) -> list[SweepCounts]:
    """Down for weeks: reminders are merged, escalations and lapses come late."""
    return [town.sleep_until("2026-03-30 15:00"), town.sleep_until("2026-05-20 12:00")]


def somebody_leaves(town: Township, left: str, *, blanks: str) -> None:
    """One person is struck off the register, one has blanks around the address."""
    change(town, f"UPDATE people SET active = (code <> '{left}')")
    town.set_email(blanks, f" {blanks.lower()}@somewhere.example ")


def inspected(town: Township) -> None:
    """Sites of a campaign, two each to be visited, to put right what was found, and to be looked at again."""
    sites = [add_site(town) for _ in range(6)]
    numbers = inspections.inspections(town, inspections.open_campaign(town))
    leaders = [changes.leader_code(town, site) for site in sites]
    for number in numbers[2:]:
        inspections.visit(town, number, Verdict.RECTIFY, {"management_pact": "未上墙"}, reason="公约未上墙")
    for number, leader in list(zip(numbers, leaders, strict=True))[4:]:
        inspections.report(town, number, by=leader)
    somebody_leaves(town, leaders[2], blanks=leaders[3])


def ordered(town: Township) -> None:
    """Orders that a provider is to take, is to deliver, and that a leader is to confirm: two of each."""
    there = ServiceTown(town)
    there.bring()
    leaders = []
    for step in ("offered", "taken", "delivered"):
        for item, by in (("YL02", CONTACT), ("WT01", OTHER_CONTACT)):
            there.site = add_site(town)
            there.place(item=item)
            leaders.append(there.led_by)
            if step != "offered":
                there.take(by=by)
            if step == "delivered":
                there.deliver(by=by)
    somebody_leaves(town, leaders[-1], blanks=CONTACT)


def left_by_a_provider(town: Township) -> None:
    """As `ordered`, but one provider's contact has left."""
    ordered(town)
    somebody_leaves(town, OTHER_CONTACT, blanks=CONTACT)


def resolved(town: Township) -> None:
    """A meeting that decided six things, for people of the office and of villages."""
    meetings.settle(town)
    number = meetings.call(town)
    town.sleep_until("2026-03-10 15:00")
    who = (RESPONSIBLE, LIAISON, "RLH", "LLH", SECOND_REVIEWER, HEAD_OF_OFFICE)
    due = meetings.in_days(town, 16)
    meetings.hold(town, number, [(f"第{seq}项", code, due) for seq, code in enumerate(who, 1)])
    somebody_leaves(town, LIAISON, blanks="LLH")


def changed(town: Township) -> None:
    """Changes of sites at every gate of theirs, two of each: opinion, review, new neighbours, works, rest."""
    sites = [changes.a_site(town) for _ in range(10)]
    leaders = [changes.leader_code(town, site) for site in sites]
    for site in sites[:2]:
        changes.ask_for(town, site, "更换负责人")
    for site in sites[2:4]:
        changes.ask_for(town, site, "注销")
        changes.support(town)
    for site, group in zip(sites[4:8], ("ZD02", "ZD03", "ZD04", "ZD05"), strict=True):
        town.add_group(group, households=2)
        changes.ask_for(town, site, "迁址", household=f"{group}-001")
        changes.support(town)
        if group in ("ZD02", "ZD03"):
            town.answer({f"{group}-001": Answer.AGREE})
        else:
            town.everybody_agrees()
            changes.approve(town)
    for site in sites[8:]:
        changes.ask_for(town, site, "申请暂停运行", rests_from="2026-03-10", rests_until="2026-03-25")
        changes.support(town)
        changes.approve(town)
    somebody_leaves(town, leaders[0], blanks=REVIEWER)


MATTERS = {
    inspected: {Gate.INSPECTION_VISIT, Gate.RECTIFICATION, Gate.RE_INSPECTION},
    ordered: {Gate.SERVICE_OFFER, Gate.SERVICE_DELIVERY, Gate.SERVICE_CONFIRMATION},
    left_by_a_provider: {Gate.SERVICE_OFFER, Gate.SERVICE_DELIVERY},
    resolved: {Gate.FOLLOW_UP},
    changed: {Gate.CHANGE_OPINION, Gate.CHANGE_REVIEW, Gate.CHANGE_WORKS, Gate.HOUSEHOLD_CONSENT},
}
"""What is settled, and the gates at which something of it is then fired together when every day is looked at."""


def fired_the_same(open_town: OpenTown, settle: Settle, act: Act, monkeypatch: pytest.MonkeyPatch) -> set[Gate]:
    """See that both ways write the same; return the gates at which something was fired together."""

    def opened() -> Township:
        town = open_town("example-2026", "2026-03-02 09:00")
        settle(town)
        return town

    at_gates = set[Gate]()
    done = both_ways(opened, act, monkeypatch, at_gates=at_gates)
    assert max(done) >= 2
    return at_gates


@pytest.mark.parametrize("settle", MATTERS)
def test_every_day_writes_together_what_it_writes_one_by_one(
    open_sqlite: OpenTown, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    assert fired_the_same(open_sqlite, settle, each_day, monkeypatch) >= MATTERS[settle]


@pytest.mark.parametrize("settle", [inspected, ordered, resolved, changed])
def test_a_late_pass_of_a_server_writes_together_what_it_writes_one_by_one(
    postgresql_desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settle: Settle
) -> None:
    with opener(postgresql_desk, tmp_path) as open_town:
        fired_the_same(open_town, settle, late, monkeypatch)
