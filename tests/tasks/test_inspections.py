"""Campaigns and visits: which sites are taken, what is refused and why, and what the record keeps."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from models.inspection import Campaign, Inspection
from policies.errors import Refused
from policies.life_words import CampaignScope
from policies.vocabulary import Door, Gate, SiteStatus, Verdict
from tasks import campaigns, inspection_visits
from tasks.act import acting
from tasks.campaign_figures import draw_again
from tasks.commands import Decide
from tasks.decisions import decide
from tasks.history import verify
from tasks.inspection_commands import ConcludeCampaign, OpenCampaign, ReportRectification
from tasks.living import change_status, lock_site, site_named
from tests.desks import OpenTown, keep
from tests.flows.test_two_at_once import at_once
from tests.inspections import (
    POINTS,
    inspections,
    open_campaign,
    report,
    sound,
    today,
    visit,
)
from tests.parlours import add_site, add_village
from tests.township import HEAD_OF_OFFICE, REVIEWER, STRANGER, Township, at

EXAMPLE, MONDAY = "example-2026", "2026-03-02 10:00"
ARCHIVE = {"activity_archive": "缺2月的签到表"}


@pytest.fixture
def on_sqlite(open_sqlite: OpenTown) -> Township:
    return open_sqlite(EXAMPLE, MONDAY)


@pytest.fixture
def one(on_sqlite: Township) -> tuple[Township, str]:
    """A town with one site and its inspection, waiting for the visit."""
    add_site(on_sqlite)
    return on_sqlite, inspections(on_sqlite, open_campaign(on_sqlite))[0]


def put(town: Township, number: str, status: SiteStatus) -> None:
    """Let a site be in another status from today."""
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, number)
        lock_site(act.session, site)
        change_status(act, site, status, on=act.day, because="试验", actor="丁主任(P003)", by_case=None)


def inspected(town: Township, campaign: str) -> list[str]:
    """The sites of a campaign."""
    numbers = inspections(town, campaign)
    with town.resources.database.read() as session:
        rows = session.scalars(select(Inspection).order_by(Inspection.id))
        return [each.site.number for each in rows if each.case.number in numbers]


# -- which sites -----------------------------------------------------------------------------------------------------


def test_all_sites_are_those_that_run_and_the_others_are_named_in_the_record(on_sqlite: Township) -> None:
    town = on_sqlite
    running, resting, closed = add_site(town), add_site(town), add_site(town)
    put(town, resting, SiteStatus.SUSPENDED)
    put(town, closed, SiteStatus.CLOSED)
    campaign = open_campaign(town)
    assert inspected(town, campaign) == [running]
    told = " ".join(row.summary for row in town.history(campaign))
    assert f"未列入1处:{resting} 自2026-03-02起暂停运行" in told
    assert closed not in told
    sound(town)


def test_a_campaign_by_village_takes_the_sites_of_these_villages(on_sqlite: Township) -> None:
    town = on_sqlite
    add_village(town, "LH", "柳河村")
    add_village(town, "QD", "桥东居", people=False)
    sites = {village: add_site(town, village=village) for village in ("ZD", "LH", "QD")}
    campaign = open_campaign(town, scope="按村(居)", villages=["柳河村", "QD"])
    assert inspected(town, campaign) == [sites["LH"], sites["QD"]]
    with pytest.raises(Refused, match=r"没有村\(居\)“XX”,可填:LH\(柳河村\)、QD\(桥东居\)、ZD\(周荡村\)"):
        open_campaign(town, key="c2", scope="按村(居)", villages=["XX"])


def test_a_random_sample_can_be_drawn_again_from_the_record_by_anybody(on_sqlite: Township) -> None:
    town = on_sqlite
    listed = [add_site(town) for _ in range(11)]
    campaign = open_campaign(town, scope="随机抽查", share="20%", key="run:7")
    with town.resources.database.read() as session:
        row = session.scalars(select(Campaign)).one()
    assert row.scope is CampaignScope.SAMPLE
    assert row.seed == hashlib.sha256(b"run:7").hexdigest()[:16], "recorded, though nobody named one"
    assert row.drawn_from == listed
    drawn = inspected(town, campaign)
    by_hand = sorted(row.drawn_from, key=lambda site: hashlib.sha256(f"{row.seed}:{site}".encode()).hexdigest())
    assert drawn == sorted(by_hand[:3]), "a fifth of 11, rounded up"
    again = draw_again(town.resources, campaign)
    assert (again.expected, again.differing) == (frozenset(drawn), ())
    sound(town)


def test_sites_named_one_by_one_are_refused_when_they_can_not_be_inspected(on_sqlite: Township) -> None:
    town = on_sqlite
    first, second, third = add_site(town), add_site(town), add_site(town)
    campaign = open_campaign(town, scope="指定客堂间", sites=[first, second])
    assert inspected(town, campaign) == [first, second]
    (number, _) = inspections(town, campaign)
    put(town, third, SiteStatus.SUSPENDED)
    with pytest.raises(Refused) as caught:
        open_campaign(town, key="c2", scope="指定客堂间", sites=[third, first])
    assert f"{first} 另有在办督查 {number}" in caught.value.reason
    assert f"{third} 自2026-03-02起暂停运行" in caught.value.reason
    with pytest.raises(Refused, match="名册中没有客堂间“KT-2026-9999-S”"):
        open_campaign(town, key="c3", scope="指定客堂间", sites=["KT-2026-9999-S"])


def test_a_site_is_inspected_anew_only_when_its_inspection_has_ended(one: tuple[Township, str]) -> None:
    town, number = one
    with pytest.raises(Refused, match=f"没有可以督查的运行中客堂间;.*另有在办督查 {number}"):
        open_campaign(town, key="c2")
    visit(town, number, Verdict.PASSED)
    assert len(inspections(town, open_campaign(town, key="c2"))) == 1


UNFIT_CAMPAIGNS: list[tuple[dict[str, Any], str]] = [
    ({"since": "2026-03-01"}, "开始日期2026年3月1日已经过去"),
    ({"since": "2026-03-10", "until": "2026-03-09"}, "截止日期2026年3月9日早于开始日期2026年3月10日"),
    ({"unit": "苏州"}, "没有镇(街道)“苏州”,可填:Z(朱家角镇)"),
    ({"by": STRANGER}, "路人甲(P099)不能为朱家角镇开展督查"),
    ({"villages": ["ZD"]}, "督查范围为“全部客堂间”时不填村(居)"),
    ({"size": 1}, "督查范围为“全部客堂间”时不填抽查数量"),
    ({"scope": "按村(居)"}, "须填写村(居)的编码或名称"),
    ({"scope": "指定客堂间"}, "须填写客堂间的编号"),
    ({"scope": "随机抽查"}, "二者取一"),
    ({"scope": "随机抽查", "size": 2}, "抽查数量2不在1至1之间"),
    ({"scope": "随机抽查", "share": "0%"}, "抽查比例“0%”不是比例"),
]


def test_a_campaign_that_does_not_fit_is_refused_with_the_value(on_sqlite: Township) -> None:
    add_site(on_sqlite)
    before = on_sqlite.state()
    for changes, told in UNFIT_CAMPAIGNS:
        with pytest.raises(Refused) as caught:
            open_campaign(on_sqlite, **changes)
        assert told in caught.value.reason
    assert on_sqlite.state() == before


def test_an_edition_without_inspections_inspects_nothing(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-03-04 10:00")
    add_site(town)
    with pytest.raises(Refused, match="没有规定督查"):
        open_campaign(town)


def opening(town: Township, *, key: str) -> Callable[[], Any]:
    fields = {"by": REVIEWER, "title": "春季督查", "scope": "全部客堂间", "since": today(town)}
    command = OpenCampaign.model_validate(fields | {"until": today(town) + timedelta(days=9)})
    return lambda: campaigns.open_campaign(town.resources, command, door=Door.FORM, key=key, at=town.now())


def test_the_same_key_opens_one_campaign_and_two_at_once_do_not_share_a_site(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, MONDAY)
    add_site(town)
    add_site(town)
    results = at_once([opening(town, key="run:1"), opening(town, key="run:1"), opening(town, key="run:2")])
    opened = [each for each in results if not isinstance(each, Refused)]
    assert len(set(opened)) == 1, "the other campaign found no site left"
    assert all("另有在办督查" in each.reason for each in results if isinstance(each, Refused))
    with town.resources.database.read() as session:
        assert len(session.scalars(select(Inspection)).all()) == 2
    sound(town)


# -- visits ----------------------------------------------------------------------------------------------------------


UNFIT_VISITS: list[tuple[Verdict, dict[str, str], dict[str, Any], str]] = [
    (Verdict.PASSED, ARCHIVE, {}, "有1项不符合,不能作出“督查合格”:活动资料记录和存档"),
    (Verdict.PASSED, {}, {"inspectors": ""}, "未填写检查人"),
    (Verdict.PASSED, {}, {"findings": []}, "尚未登记:活动资料记录和存档、"),
    (Verdict.PASSED, {}, {"findings": [{"point": "消防", "found": "符合"}]}, "检查表中没有检查点“消防”"),
    (Verdict.PASSED, {}, {"visited_on": "2026-03-01"}, "不早于督查的开始日期2026年3月2日"),
    (Verdict.PASSED, {}, {"visited_on": "2026-03-03"}, "不晚于今天2026年3月2日"),
    (Verdict.PASSED, {}, {"rectify_by": "2026-03-10"}, "“督查合格”不填整改期限"),
    (Verdict.PASSED, {}, {"by": STRANGER}, "无权办理案件"),
    (Verdict.PASSED, {}, {"by": "P030"}, "须由社区办审核员办理"),
    (Verdict.PASSED, {}, {"proof": "没有.jpg"}, "资料文件夹中没有“没有.jpg”"),
    (Verdict.RECTIFY, ARCHIVE, {}, "须写明理由"),
    (Verdict.RECTIFY, {}, {"reason": "整改"}, "没有不符合的检查点,不能作出“限期整改”"),
    (Verdict.RECTIFY, {"activity_archive": ""}, {"reason": "整改"}, "不符合而未写明情况:活动资料记录和存档"),
    (Verdict.RECTIFY, ARCHIVE, {"reason": "整改", "rectify_by": "2026-03-02"}, "须晚于今天2026年3月2日"),
    (Verdict.RECTIFY, ARCHIVE, {"reason": "整改", "rectify_by": "2026-04-02"}, "不晚于2026年4月1日(至多30日)"),
    (Verdict.REVOKE, ARCHIVE, {"reason": "没有活动"}, "须由社区办负责人办理,现为丁主任(P003)"),
    (Verdict.REVOKE, {}, {"reason": "没有活动", "by": HEAD_OF_OFFICE}, "没有不符合的检查点,不能作出“拟撤牌”"),
    (Verdict.REVOKE, ARCHIVE, {"by": HEAD_OF_OFFICE}, "须写明理由"),
    (Verdict.CALLED_OFF, {}, {"reason": "已注销"}, "取消督查时不登记检查点"),
]


def test_a_visit_that_does_not_fit_is_refused_with_the_value(one: tuple[Township, str]) -> None:
    town, number = one
    before = town.state()
    for verdict, faults, changes, told in UNFIT_VISITS:
        with pytest.raises(Refused) as caught:
            visit(town, number, verdict, faults, **changes)
        assert told in caught.value.reason
    assert town.state() == before


def test_nothing_is_recorded_before_the_campaign_begins(on_sqlite: Township) -> None:
    town = on_sqlite
    add_site(town)
    (number,) = inspections(town, open_campaign(town, since="2026-03-09"))
    with pytest.raises(Refused, match="督查自2026年3月9日起,今天2026年3月2日还不能登记检查"):
        visit(town, number, Verdict.PASSED)
    town.pass_until("2026-03-09 09:00")
    visit(town, number, Verdict.PASSED)
    assert town.gate(number) is None


def test_points_may_not_apply_and_a_photo_is_filed(one: tuple[Township, str]) -> None:
    town, number = one
    findings = [{"point": name, "found": "不适用" if "补贴" in name else "符合"} for name in POINTS.values()]
    decision = visit(town, number, Verdict.PASSED, findings=findings, proof=town.proof("现场.jpg"))
    assert decision.details["not_met"] == []
    told = [row.summary for row in town.history(number)]
    assert any("符合4项、不适用1项,附“现场.jpg”" in each for each in told)
    sound(town)


def test_the_last_day_for_putting_right_is_the_longest_when_none_is_named(one: tuple[Township, str]) -> None:
    town, number = one
    visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表")
    item = town.item(number)
    assert item is not None
    assert (item.gate, item.due_on.isoformat(), item.due_named) == (Gate.RECTIFICATION, "2026-04-01", True)


def test_only_the_leader_reports_and_in_time_and_with_proof(one: tuple[Township, str]) -> None:
    town, number = one
    visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表", rectify_by="2026-03-05")
    with pytest.raises(Refused, match="须由客堂间负责人办理"):
        report(town, number, by=REVIEWER)
    with town.resources.database.read() as session:
        row = session.scalars(select(Inspection)).one()
        leader = row.site.leader.code
    missing = ReportRectification(case=number, by=leader, report="已整改", proof="没有.jpg")
    with pytest.raises(Refused, match="资料文件夹中没有“没有"):
        inspection_visits.report_rectification(town.resources, missing, door=Door.CLI, at=town.now())
    with pytest.raises(Refused, match="现处于“整改”环节,至2026年3月5日,不能登记检查"):
        visit(town, number, Verdict.PASSED)
    # The sweep has not come by yet: time has decided all the same.
    town.clock.move_to(at("2026-03-06 00:30"))
    with pytest.raises(Refused, match="已于2026年3月5日期满"):
        report(town, number, by=leader)
    town.rehearsal.sweep()
    assert town.gate(number) is Gate.RE_INSPECTION
    with pytest.raises(Refused, match="不早于整改报告或期满的日期2026年3月6日"):
        visit(town, number, Verdict.PASSED, visited_on="2026-03-05")


def test_a_bare_verdict_does_not_judge_a_site_but_may_call_its_inspection_off(one: tuple[Township, str]) -> None:
    town, number = one
    for verdict in (Verdict.PASSED, Verdict.RECTIFY, Verdict.REVOKE):
        by = HEAD_OF_OFFICE if verdict is Verdict.REVOKE else REVIEWER
        command = Decide(case=number, by=by, verdict=verdict.label, reason="没有活动")
        with pytest.raises(Refused, match="请在案件页面的表单中逐项登记检查点"):
            decide(town.resources, command, door=Door.CLI, at=town.now())
    town.decide(Verdict.CALLED_OFF, by=REVIEWER, reason="道路施工,无法到场", number=number)
    assert town.case(number).because == "道路施工,无法到场"


def test_a_campaign_is_summed_up_once_and_only_when_all_is_done(one: tuple[Township, str]) -> None:
    town, number = one
    parent = town.case(number).parent_id
    with town.resources.database.read() as session:
        campaign = session.scalars(select(Campaign)).one()
        assert campaign.case_id == parent
        above = campaign.case.number
    command = ConcludeCampaign(case=above, by=REVIEWER, summary="总体良好")
    with pytest.raises(Refused, match="现处于“逐点督查”环节"):
        campaigns.conclude(town.resources, command, door=Door.CLI, at=town.now())
    visit(town, number, Verdict.PASSED)
    bare = Decide(case=above, by=REVIEWER, verdict=Verdict.COMPLETED.label)
    with pytest.raises(Refused, match="须写督查总结"):
        decide(town.resources, bare, door=Door.CLI, at=town.now())
    with pytest.raises(Refused, match="不是督查"):
        campaigns.conclude(town.resources, command.model_copy(update={"case": number}), door=Door.CLI, at=town.now())
    campaigns.conclude(town.resources, command, door=Door.CLI, at=town.now())
    with pytest.raises(Refused, match="已由沈审核"):
        campaigns.conclude(town.resources, command, door=Door.CLI, at=town.now())


TAMPERED = [
    ("campaigns", "seed = 'x'"),
    ("inspections", "site_id = 2"),
    ("visits", "inspectors = '别人'"),
    ("visit_findings", "finding = 'met' WHERE finding = 'not_met'"),
    ("sites", "status = 'revoked' WHERE id = 1"),
]


def test_the_audit_finds_what_was_changed_behind_the_products_back(on_sqlite: Township) -> None:
    town = on_sqlite
    first, _ = add_site(town), add_site(town)
    (number,) = inspections(town, open_campaign(town, scope="指定客堂间", sites=[first]))
    visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表")
    sound(town)
    bring_back = keep(town)
    for table, change in TAMPERED:
        with town.resources.database.write() as session:
            session.execute(text(f"UPDATE {table} SET {change}"))
        with town.resources.database.read() as session:
            assert {fault.table for fault in verify(session)} == {table}
        bring_back()
