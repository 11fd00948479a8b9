"""Opening a call, and changing its window."""

import threading
from datetime import date

import pytest

from policies.errors import Refused
from policies.vocabulary import Door, Gate, Outcome, ProjectStanding, Verdict
from tasks import calls
from tests.calls import EXAMPLE, LINPING, PANEL, CallTown, OpenCallTown
from tests.desks import variant
from tests.township import HEAD_OF_OFFICE, REVIEWER, at


@pytest.fixture
def town(call_town_on_sqlite: OpenCallTown) -> CallTown:
    """The example's town on the day of its call."""
    return call_town_on_sqlite(EXAMPLE)


def test_a_call_is_opened_once_per_key_and_told_to_every_village(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    number = town.open_call(key="one")
    assert number == "ZJ-2026-0001"
    assert town.open_call(key="one") == number
    assert town.told("call_opened") == ["周责任", "柳责任", "桥责任"]
    item = town.item()
    assert item is not None
    assert (item.gate, item.due_on) == (Gate.CALL_WINDOW, date(2026, 3, 27))
    letter = town.entries("call_opened")[0]
    assert "村(居)民代表" in str(letter.context)


def test_the_same_key_at_once_opens_one_call(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    start, numbers = threading.Barrier(4), list[str]()

    def open_it() -> None:
        start.wait()
        numbers.append(calls.open_call(town.resources, town.call(), door=Door.CLI, key="one", at=town.now()))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == ["ZJ-2026-0001"] * 4
    assert len(town.told("call_opened")) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"edition": "example-2026"}, "不是微项目的政策.*example-micro-2026、linping-2022"),
        ({"edition": "no-such"}, "没有这份政策"),
        ({"unit": "NO"}, "没有单位“NO”"),
        ({"unit": "Q"}, "示例区是区"),
        ({"by": "P010"}, "周责任.*不能为朱家角镇开启征集.*社区办审核员"),
        ({"closes_on": "2026-03-17"}, "征集期为9日,须为10日以上30日以下"),
        ({"closes_on": "2026-04-08"}, "征集期为31日"),
        ({"closes_on": "2026-03-08"}, "申报末日2026年3月8日早于首日2026年3月9日"),
        ({"opens_on": "2026-03-08"}, "申报首日2026年3月8日已经过去"),
        ({"budget_yuan": "0"}, "预算总额为0.00元"),
        ({"budget_yuan": "三万"}, "“三万”不是金额"),
        ({"kinds": ["舞龙"]}, "没有“舞龙”这一类,可选:邻里关爱"),
        ({"panel": [*PANEL[:2], PANEL[0]]}, "评审组只有2人.*至少须3人"),
        ({"panel": ["P041", "P042", "P777"]}, "没有在职人员“P777”"),
    ],
)
def test_a_call_that_does_not_meet_its_edition_is_refused(
    town: CallTown, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        town.open_call(**changes)
    assert town.state()["cases"] == []


def test_both_bounds_of_the_window_are_allowed(town: CallTown) -> None:
    town.open_call(key="short", closes_on="2026-03-18")
    town.open_call(key="long", closes_on="2026-04-07")


def test_an_edition_that_is_not_in_force_opens_no_call(call_town_on_sqlite: OpenCallTown) -> None:
    town = call_town_on_sqlite(LINPING, now="2022-03-01 09:00")
    with pytest.raises(Refused, match="2022-03-01不在施行期内"):
        town.open_call(closes_on="2022-03-20")


def test_a_budget_above_all_limited_sources_is_refused(call_town_on_sqlite: OpenCallTown) -> None:
    edition = variant(
        EXAMPLE,
        "limited-micro-2026",
        ("        name: 社会捐赠\n        amount_yuan: null", "        name: 社会捐赠\n        amount_yuan: 5000"),
    )
    town = call_town_on_sqlite(edition)
    with pytest.raises(Refused, match=r"预算总额45,000.01元超过资金来源合计45,000.00元.*社会捐赠5,000.00元"):
        town.open_call(budget_yuan="45000.01")
    town.open_call(budget_yuan="45000")


def test_with_an_unlimited_source_the_budget_has_no_bound(town: CallTown) -> None:
    town.open_call(budget_yuan="9000000")


def test_a_budget_that_no_ledger_can_hold_is_refused(town: CallTown) -> None:
    with pytest.raises(Refused, match="须大于0元,不超过999,999,999,999"):
        town.open_call(budget_yuan="99999999999999999999")


def test_a_call_of_a_village_takes_proposals_of_that_village_only(town: CallTown) -> None:
    town.open_call(unit="LH")
    assert town.told("call_opened") == ["柳责任"]
    with pytest.raises(Refused, match=r"“ZD”不是柳河村的村\(居\),可填:柳河村\(LH\)"):
        town.propose("长廊", proposer="DLH1", village="ZD")
    with pytest.raises(Refused, match="提议人是居民,须为村\\(居\\)民代表"):
        town.propose("长廊", proposer="DZD1", village="LH")
    town.propose("长廊", proposer="DLH1", village="LH")


def test_the_window_is_prolonged_with_its_timers(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    town.open_call()
    town.pass_until("2026-03-23 10:00")
    assert len(town.entries("reminder")) == 2, "five days before, to both reviewers"
    town.prolong("2026-04-03")
    item = town.item()
    assert item is not None
    assert item.due_on == date(2026, 4, 3)
    assert len(town.told("call_opened")) == 6
    assert "春耕农忙" in str(town.entries("call_opened")[-1].context)
    town.pass_until("2026-03-29 10:00")
    assert town.gate() is Gate.CALL_WINDOW
    assert len(town.entries("reminder")) == 4, "five days before the new last day again"
    town.propose("晚到的长廊")
    town.pass_until("2026-04-04 00:00")
    assert town.gate() is Gate.SURVEY
    assert town.decisions()[0].effective_at == at("2026-04-04 00:00")


@pytest.mark.parametrize(
    ("closes_on", "message"),
    [
        ("2026-03-27", "须晚于原定的2026年3月27日"),
        ("2026-04-08", "征集期为31日"),
        (None, "征集期为1日,须为10日以上"),
    ],
)
def test_a_window_is_not_changed_beyond_its_bounds(town: CallTown, closes_on: str | None, message: str) -> None:
    town.open_call()
    before = town.state()
    with pytest.raises(Refused, match=message):
        town.prolong(closes_on)
    assert town.state() == before


def test_the_window_is_ended_early_by_who_decides_there(town: CallTown) -> None:
    town.open_call()
    town.propose("长廊")
    town.pass_until("2026-03-20 10:00")
    with pytest.raises(Refused, match=r"丁主任.*无权"):
        town.prolong(None, by=HEAD_OF_OFFICE)
    ended = town.prolong(None, reason="各村都已申报")
    assert (ended.verdict, ended.details["proposals"]) == (Verdict.ENDED, 1)
    assert town.gate() is Gate.SURVEY
    town.clock.move_to(at("2026-03-20 11:00"))
    with pytest.raises(Refused, match=r"截止.*2026年3月20日10:00"):
        town.propose("花坛")


def test_a_call_that_opens_later_can_not_be_ended_before_it_opens(town: CallTown) -> None:
    town.open_call(opens_on="2026-03-16", closes_on="2026-03-31")
    with pytest.raises(Refused, match="尚未开始,不能提前结束"):
        town.prolong(None)


def test_a_withdrawn_call_dismisses_its_proposals(town: CallTown) -> None:
    town.open_call()
    project = town.propose("长廊")
    town.decide(Verdict.WITHDRAWN, by=REVIEWER, reason="资金未落实")
    town.rehearsal.sweep()
    assert town.case().outcome is Outcome.WITHDRAWN
    assert town.case(project).outcome is Outcome.NOT_SELECTED
    assert town.standings() == {"长廊": ProjectStanding.PROPOSED}
    assert "资金未落实" in str(town.entries("proposal_result")[0].context)


def test_the_report_is_given_by_its_own_form_only(town: CallTown) -> None:
    numbers = town.to_notice({"长廊": {}}, {"长廊": 90})
    notice = town.notices()[0].number
    item = town.item(notice)
    assert item is not None
    town.clock.move_to(item.due_at)
    town.rehearsal.sweep()
    town.decide(Verdict.ABANDONED, by="DZD1", reason="不办了", number=numbers["长廊"])
    with pytest.raises(Refused, match="达成情况、存在的问题、下一步打算"):
        town.decide(Verdict.COMPLETED, by=REVIEWER)
    with pytest.raises(Refused, match=r"周责任.*无权"):
        town.self_check(by="P010")
    town.self_check(attainment="入选1个,因故终止")
    assert town.decisions()[-1].details["attainment"] == "入选1个,因故终止"
    with pytest.raises(Refused, match="已办结"):
        calls.self_check(
            town.resources,
            calls.SelfCheck(case=town.number, by=REVIEWER, attainment="又", problems="无", next_steps="无"),
            door=Door.CLI,
            at=town.now(),
        )
