"""Changes of a listed parlour from the application to the effect, on both kinds of database."""

from datetime import date

import pytest
from sqlalchemy import select

from models.case import Site
from models.registry import Household
from notifications.render import Renderer
from policies.errors import Refused
from policies.vocabulary import Answer, CaseStatus, Gate, Outcome, SiteStatus, Verdict
from runtime.settings import PROJECT
from tasks.act import acting
from tasks.case_file import as_markdown, case_file
from tasks.living import change_status, lock_site, site_named
from tests.changes import (
    NEW_LEADER,
    a_site,
    approve,
    ask_for,
    change_of,
    leader_code,
    role_days,
    sound,
    spells,
    support,
)
from tests.desks import OpenTown
from tests.parlours import add_site, case_number, site_of
from tests.township import RESPONSIBLE, REVIEWER, Township, at

RENDERER = Renderer(PROJECT / "templates")
ACTIVE, SUSPENDED, CLOSED = SiteStatus.ACTIVE, SiteStatus.SUSPENDED, SiteStatus.CLOSED


@pytest.fixture
def town(open_sqlite: OpenTown) -> Township:
    """The example town on a Monday in March."""
    return open_sqlite("example-2026", "2026-03-02 09:00")


@pytest.fixture
def both(open_town: OpenTown) -> Township:
    """The same, once per kind of database."""
    return open_town("example-2026", "2026-03-02 09:00")


def ended(town: Township) -> tuple[Outcome | None, str]:
    """How the change ended."""
    case = town.case()
    assert case.status is CaseStatus.CLOSED
    return case.outcome, case.because


def place_of(town: Township, number: str) -> str:
    """The household that a site is in."""
    with town.resources.database.read() as session:
        return session.scalars(select(Household.number).join(Site).where(Site.number == number)).one()


def page(town: Township) -> str:
    """The page of the change."""
    return as_markdown(case_file(town.resources, town.number, at=town.now()))


def letter(town: Township, kind: str) -> str:
    """The text of the last letter of a kind, without its line breaks."""
    entry = town.entries(kind)[-1]
    rendered = RENDERER.render(entry.letter, entry.context, to_name=entry.to_name, link="", written_on=date(2026, 3, 2))
    return rendered.text.replace("\n", "")


def test_another_leader_leads_from_the_day_of_the_approval(both: Township) -> None:
    number = a_site(both)
    old = leader_code(both, number)
    both.pass_until("2026-03-05 10:00")
    ask_for(both, number, "更换负责人", reason="原负责人随子女迁居")
    assert both.gate() is Gate.CHANGE_OPINION
    support(both)
    assert leader_code(both, number) == old
    both.pass_until("2026-03-09 10:00")
    approve(both)

    assert leader_code(both, number) == NEW_LEADER
    assert ended(both) == (Outcome.IN_EFFECT, "")
    assert [until for _, _, until in role_days(both, old)] == ["2026-03-09"]
    assert [(since, until) for _, since, until in role_days(both, NEW_LEADER)] == [("2026-03-09", "")]
    change = change_of(both)
    assert change.effective_on == date(2026, 3, 9)
    assert old in change.before["leader"]
    assert {"路人甲", "周责任", f"负责人{old[1:]}"} <= set(both.told("site_changed"))
    assert any(old in row.summary and NEW_LEADER in row.summary for row in both.history(case_number(number)))
    assert f"({old})”改为“路人甲({NEW_LEADER})”" in letter(both, "site_changed")
    sound(both)


def test_a_site_moves_when_all_new_neighbours_agree_and_the_works_are_done(both: Township) -> None:
    number = a_site(both)
    leader, old_group = leader_code(both, number), role_days(both, leader_code(both, number))[0][0]
    old_place = place_of(both, number)
    # 18 m² are off the usual, and there is nothing to read.
    ask_for(both, number, "迁址", area_square_metres="18", facilities=["客厅", "卫生间", "电视机", "空调", "桌椅"])
    support(both)
    assert both.gate() is Gate.HOUSEHOLD_CONSENT
    assert "拟迁入本组户主1户" in letter(both, "consent_asked")
    both.everybody_agrees()
    assert "申请将由朱家角镇社区办审核" in letter(both, "consent_complete")
    assert both.gate() is Gate.CHANGE_REVIEW
    with pytest.raises(Refused, match="批准前须逐条确认已知悉以下提示:活动"):
        approve(both)
    warning = case_file(both.resources, both.number, at=both.now()).facts
    assert any("18平方米" in value for _, value in warning)
    approve(both, acknowledged=["活动空间"])
    assert both.gate() is Gate.CHANGE_WORKS
    with pytest.raises(Refused, match="尚有未完成事项:补齐:"):
        both.decide(Verdict.COMPLETED, by=REVIEWER)
    both.record({work.name: REVIEWER for work in both.edition().site.works})
    assert place_of(both, number) == old_place
    both.pass_until("2026-03-06 10:00")
    awaited = case_file(both.resources, both.number, at=both.now()).awaited
    assert awaited is not None
    both.record(dict.fromkeys(awaited.open_points, REVIEWER))

    assert ended(both) == (Outcome.IN_EFFECT, "")
    assert place_of(both, number) == "ZD01-001"
    assert spells(both, number) == [(ACTIVE, "2026-03-02", "")]
    assert [(each[0], each[2]) for each in role_days(both, leader)] == [(old_group, "2026-03-06"), ("ZD01", "")]
    # Nothing stands in the way of the old household any more; the new one has a site.
    both.apply(household=old_place)
    with pytest.raises(Refused, match="户号“ZD01-001”已建成客堂间"):
        both.apply(household="ZD01-001", key="another")
    sound(both)


def test_one_household_against_a_move_keeps_the_site_where_it_is(town: Township) -> None:
    number = a_site(town)
    place = place_of(town, number)
    ask_for(town, number, "迁址")
    support(town)
    town.answer({"ZD01-001": Answer.AGREE, "ZD01-002": Answer.AGREE, "ZD01-003": Answer.AGREE})
    town.answer({"ZD01-004": Answer.OBJECT})
    assert town.gate() is Gate.HOUSEHOLD_CONSENT
    due = town.item()
    assert due is not None
    town.clock.move_to(due.due_at)
    town.rehearsal.sweep()

    outcome, because = ended(town)
    assert outcome is Outcome.REJECTED
    assert "未获全体农户同意" in because
    assert place_of(town, number) == place
    assert "不予迁入，客堂间留在原址" in letter(town, "consent_missing")
    assert town.told("site_changed") == []
    # The household is free again.
    assert town.apply(household="ZD01-001", key="later").startswith("KT-")
    sound(town)


def test_a_move_that_nobody_answers_lapses(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "迁址")
    support(town)
    town.pass_until("2026-06-01 09:00")
    assert ended(town)[0] is Outcome.REJECTED
    assert place_of(town, number).endswith("-001")
    assert place_of(town, number) != "ZD01-001"
    sound(town)


def test_a_village_may_oppose_and_the_office_approve_anyway(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "注销")
    with pytest.raises(Refused, match="须写明理由"):
        town.decide(Verdict.OPPOSED, by=RESPONSIBLE)
    town.decide(Verdict.OPPOSED, by=RESPONSIBLE, reason="群众还想去")
    assert town.gate() is Gate.CHANGE_REVIEW
    assert "不同意变更（周责任(P010)），理由为“群众还想去”" in letter(town, "task_waiting")
    approve(town)
    assert site_of(town, number).status is CLOSED
    assert "群众还想去" in letter(town, "change_decided")
    sound(town)


def test_a_refused_change_changes_nothing(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "更换负责人")
    support(town)
    before = leader_code(town, number)
    with pytest.raises(Refused, match="须写明理由"):
        town.decide(Verdict.REJECTED, by=REVIEWER)
    town.decide(Verdict.REJECTED, by=REVIEWER, reason="推荐组织未盖章")
    assert ended(town) == (Outcome.REJECTED, "推荐组织未盖章")
    assert leader_code(town, number) == before
    assert "推荐组织未盖章" in letter(town, "change_decided")
    assert town.told("site_changed") == []
    sound(town)


def test_who_applied_may_withdraw_it(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "更换负责人", by=RESPONSIBLE)
    with pytest.raises(Refused, match=r"只有申请的负责人周责任\(P010\)可以撤回"):
        town.withdraw(by=leader_code(town, number))
    town.withdraw(by=RESPONSIBLE, reason="本人回来了")
    assert ended(town) == (Outcome.WITHDRAWN, "本人回来了")
    # A withdrawn one stands in nobody's way.
    ask_for(town, number, "更换负责人", by=RESPONSIBLE, key="again")
    assert town.gate() is Gate.CHANGE_OPINION
    sound(town)


def test_a_move_may_be_withdrawn_during_its_works(town: Township) -> None:
    number = a_site(town)
    place = place_of(town, number)
    ask_for(town, number, "迁址")
    support(town)
    town.everybody_agrees()
    approve(town)
    assert town.gate() is Gate.CHANGE_WORKS
    town.withdraw(by=leader_code(town, number), reason="新址要翻建")
    assert ended(town) == (Outcome.WITHDRAWN, "新址要翻建")
    assert place_of(town, number) == place
    sound(town)


def test_a_rest_begins_on_its_day_and_ends_by_itself(both: Township) -> None:
    number = a_site(both)
    ask_for(both, number, "申请暂停运行")
    support(both)
    approve(both)
    assert both.gate() is Gate.SUSPENSION
    item = both.item()
    assert item is not None
    assert item.due_on == date(2026, 4, 30)
    both.pass_until("2026-03-31 23:50")
    assert site_of(both, number).status is ACTIVE
    assert both.told("site_changed") == []
    both.clock.move_to(at("2026-04-01 00:05"))
    both.rehearsal.sweep()
    both.rehearsal.sweep()
    assert site_of(both, number).status is SUSPENDED
    assert spells(both, number) == [(ACTIVE, "2026-03-02", "2026-04-01"), (SUSPENDED, "2026-04-01", "")]
    assert "由“运行中”改为“暂停运行”" in letter(both, "site_changed")
    both.pass_until("2026-05-01 00:05")
    assert site_of(both, number).status is ACTIVE
    assert spells(both, number)[1:] == [(SUSPENDED, "2026-04-01", "2026-05-01"), (ACTIVE, "2026-05-01", "")]
    outcome, because = ended(both)
    assert outcome is Outcome.RESUMED
    assert "自2026年5月1日起恢复运行" in because
    assert both.told("site_changed").count("周责任") == 2
    sound(both)


def test_a_rest_that_is_approved_late_begins_on_the_day_of_the_approval(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行", rests_from="2026-03-03", rests_until="2026-03-31")
    support(town)
    town.clock.move_to(at("2026-03-06 15:00"))
    approve(town)
    assert spells(town, number)[1] == (SUSPENDED, "2026-03-06", "")
    assert "暂停运行" in page(town)
    sound(town)


def test_a_rest_that_the_sweep_slept_through_is_written_whole(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行", rests_from="2026-04-01", rests_until="2026-04-10")
    support(town)
    approve(town)
    town.sleep_until("2026-04-20 09:00")
    assert spells(town, number) == [
        (ACTIVE, "2026-03-02", "2026-04-01"),
        (SUSPENDED, "2026-04-01", "2026-04-11"),
        (ACTIVE, "2026-04-11", ""),
    ]
    assert "系统于2026年4月20日补办，效力自2026年4月11日起算" in letter(town, "site_changed")
    assert ended(town)[0] is Outcome.RESUMED
    sound(town)


def test_a_beginning_that_was_missed_is_made_up_for_and_told_as_late(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行")
    support(town)
    approve(town)
    town.sleep_until("2026-04-03 09:00")
    assert spells(town, number)[1] == (SUSPENDED, "2026-04-01", "")
    assert "应于2026年4月1日办理，系统于2026年4月3日补办" in letter(town, "site_changed")
    sound(town)


def test_the_office_lets_a_site_work_again_earlier(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行")
    support(town)
    approve(town)
    town.pass_until("2026-04-10 09:00")
    with pytest.raises(Refused, match="无权办理"):
        town.decide(Verdict.RESUMED, by=RESPONSIBLE)
    town.decide(Verdict.RESUMED, by=REVIEWER, reason="修缮提前完工")
    assert spells(town, number)[-1] == (ACTIVE, "2026-04-10", "")
    assert ended(town) == (Outcome.RESUMED, "修缮提前完工")
    assert "提前恢复" in letter(town, "site_changed")
    town.pass_until("2026-06-01 09:00")
    assert len(spells(town, number)) == 3
    sound(town)


def test_a_rest_that_is_called_off_before_it_began_never_begins(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行")
    support(town)
    approve(town)
    town.decide(Verdict.RESUMED, by=REVIEWER)
    outcome, because = ended(town)
    assert outcome is Outcome.ABANDONED
    assert "暂停尚未开始即取消" in because
    town.pass_until("2026-06-01 09:00")
    assert spells(town, number) == [(ACTIVE, "2026-03-02", "")]
    sound(town)


def test_a_site_revoked_during_its_rest_is_not_brought_back(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "申请暂停运行")
    support(town)
    approve(town)
    town.pass_until("2026-04-10 09:00")
    revoke(town, number)
    town.pass_until("2026-05-02 09:00")
    assert site_of(town, number).status is SiteStatus.REVOKED
    outcome, because = ended(town)
    assert outcome is Outcome.ABANDONED
    assert "已撤牌,不再恢复" in because
    sound(town)


def revoke(town: Township, number: str) -> None:
    """Strike a site off the register, as an inspection does."""
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, number)
        lock_site(act.session, site)
        change_status(act, site, SiteStatus.REVOKED, on=act.day, because="督查撤牌", actor="丁主任(P003)", by_case=None)


@pytest.mark.parametrize("kind", ["更换负责人", "迁址", "申请暂停运行", "注销"])
def test_what_is_asked_of_a_site_revoked_meanwhile_can_only_be_refused(town: Township, kind: str) -> None:
    number = a_site(town)
    ask_for(town, number, kind)
    support(town)
    if kind == "迁址":
        town.everybody_agrees()
    revoke(town, number)
    with pytest.raises(Refused, match="已撤牌,不能再变更;案件 KTBG-2026-0001 请不予批准"):
        approve(town)
    town.decide(Verdict.REJECTED, by=REVIEWER, reason="已撤牌")
    assert ended(town)[0] is Outcome.REJECTED
    sound(town)


def test_the_works_of_a_move_can_not_be_finished_for_a_site_revoked_meanwhile(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "迁址")
    support(town)
    town.everybody_agrees()
    approve(town)
    revoke(town, number)
    with pytest.raises(Refused, match="请由申请人或社区办撤回"):
        town.record({work.name: REVIEWER for work in town.edition().site.works})
    assert town.gate() is Gate.CHANGE_WORKS
    sound(town)


def test_a_closed_site_owes_its_money_back_and_its_rest_ends(both: Township) -> None:
    both.to_gate(Gate.SUBSIDY)
    both.finish_subsidy()
    number = f"{both.number}-S"
    both.spend("1500", key="a")
    ask_for(both, number, "申请暂停运行", rests_from="2026-03-02", rests_until="2026-03-31")
    support(both)
    approve(both)
    rest = both.number
    closure = ask_for(both, number, "注销", by=RESPONSIBLE, reason="房屋出售")
    assert "补贴结余" in page(both)
    assert rest in page(both)
    support(both)
    approve(both)

    assert site_of(both, number).status is CLOSED
    assert ended(both) == (Outcome.IN_EFFECT, "")
    told = letter(both, "site_changed")
    assert "8,500.00元（人民币捌仟伍佰元整）属于专款" in told
    assert {"周责任", "沈审核", "丁主任"} <= set(both.told("site_changed"))
    assert any("补贴结余8,500.00元须退回" in row.summary for row in both.history(closure))
    both.rehearsal.sweep()
    both.number = rest
    outcome, because = ended(both)
    assert outcome is Outcome.ABANDONED
    assert closure in because
    with pytest.raises(Refused, match="已注销,不能再变更"):
        ask_for(both, number, "更换负责人")
    # The household may begin anew.
    assert both.apply(household="ZD01-001", key="anew").startswith("KT-")
    sound(both)


def test_people_are_reminded_and_their_superiors_told_as_the_edition_says(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "更换负责人")
    town.pass_until("2026-03-20 09:00")
    assert "周责任" in town.told("reminder")
    assert "沈审核" in town.told("escalation")
    assert town.gate() is Gate.CHANGE_OPINION


def test_a_dead_leaders_site_is_in_the_villages_hands(town: Township) -> None:
    number = add_site(town, email=None)
    ask_for(town, number, "更换负责人", by=RESPONSIBLE, reason="负责人病故")
    support(town)
    approve(town, reason="情况属实")
    assert leader_code(town, number) == NEW_LEADER
    assert "情况属实" in letter(town, "change_decided")


def test_both_doors_show_the_same_page(town: Township) -> None:
    number = a_site(town)
    ask_for(town, number, "更换负责人")
    shown = page(town)
    for text in (
        number,
        "更换负责人",
        "家中有事",
        "新负责人为路人甲(P099)",
        "由周荡村党支部推荐",
        "尚未生效",
        "变更前的负责人",
    ):
        assert text in shown
