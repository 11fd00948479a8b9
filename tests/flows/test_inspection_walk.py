"""Inspections from the campaign to their ends, by the rehearsal driver: passed, put right, revoked, kept."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from flows import by_sheet
from flows.answers import apply
from flows.forms import form_for
from flows.inspection_office import VisitsEntry, VisitSheet, record_sheet, record_visits
from models.notice import Notice
from models.site_life import SiteSpell
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Door, Gate, Outcome, SiteStatus, Verdict
from tasks import inspection_visits
from tasks.act import acting
from tasks.asks import claim_run, new_ask
from tasks.case_file import as_markdown, case_file, progress
from tasks.cases import Asked
from tasks.closing import close_case
from tasks.drivers import BulkReport
from tasks.inspection_sheets import OPTIONAL
from tasks.living import change_status, check_active, keep, lock_site, site_named
from tasks.sites import sites
from tests.desks import OpenTown
from tests.flows.test_two_at_once import at_once
from tests.inspections import (
    POINTS,
    conclude,
    end_period,
    inspections,
    notice_of,
    object_against,
    open_campaign,
    report,
    review,
    sound,
    today,
    visit,
    visit_of,
)
from tests.parlours import add_site, add_village, site_of
from tests.township import HEAD_OF_OFFICE, LEADER, REVIEWER, SECOND_REVIEWER, Township

EXAMPLE, MONDAY = "example-2026", "2026-03-02 10:00"
ARCHIVE = {"activity_archive": "缺2月的签到表"}


@pytest.fixture
def on_sqlite(open_sqlite: OpenTown) -> Township:
    return open_sqlite(EXAMPLE, MONDAY)


@pytest.fixture
def on_both(open_town: OpenTown) -> Township:
    return open_town(EXAMPLE, MONDAY)


def leader_of(town: Township, site: str) -> str:
    with town.resources.database.read() as session:
        return site_named(session, site).leader.code


def test_every_site_that_passes_ends_the_campaign_and_the_office_sums_it_up(on_sqlite: Township) -> None:
    town = on_sqlite
    add_village(town, "LH", "柳河村")
    first, second = add_site(town), add_site(town, village="LH")
    campaign = open_campaign(town)
    numbers = inspections(town, campaign)
    assert len(numbers) == 2
    assert [town.gate(each) for each in (campaign, *numbers)] == [Gate.INSPECTIONS, *[Gate.INSPECTION_VISIT] * 2]
    item = town.item(numbers[0])
    assert item is not None
    assert item.due_on.isoformat() == "2026-04-01", "the campaign's last day"
    announced = {entry.to_name: str(entry.context) for entry in town.entries("inspection_announced")}
    assert len(announced) == 6, "each leader, each village's responsible member, each reviewer, once"
    assert first in announced["沈审核"]
    assert second in announced["沈审核"]
    assert first in announced["周责任"]
    assert second not in announced["周责任"]

    visit(town, numbers[0], Verdict.PASSED)
    assert town.case(numbers[0]).outcome is Outcome.PASSED
    assert {entry.to_name for entry in town.entries("inspection_result")} >= {"周责任"}
    assert not [entry for entry in town.entries("case_closed") if entry.context["case_number"] == numbers[0]]
    assert town.gate(campaign) is Gate.INSPECTIONS
    visit(town, numbers[1], Verdict.PASSED)
    assert town.gate(campaign) is Gate.CAMPAIGN_REPORT
    page = as_markdown(case_file(town.resources, campaign, at=town.now()))
    assert "首次检查合格2处,整改后合格0处,撤牌0处" in page
    conclude(town, campaign)
    case = town.case(campaign)
    assert (case.status, case.outcome) == (CaseStatus.CLOSED, Outcome.CONCLUDED)
    assert town.decisions(campaign)[-1].details["figures"]["passed"] == 2
    results = [entry for entry in town.entries("inspection_result") if entry.case_id == case.id]
    assert sorted(entry.to_name for entry in results) == ["周责任", "柳河村村("]
    sound(town)


def test_what_is_not_met_is_put_right_reported_and_passes_at_the_re_inspection(on_sqlite: Township) -> None:
    town = on_sqlite
    site = add_site(town)
    campaign = open_campaign(town)
    (number,) = inspections(town, campaign)
    visit(town, number, Verdict.RECTIFY, ARCHIVE, rectify_by="2026-03-20", reason="补齐签到表")
    item = town.item(number)
    assert item is not None
    assert (item.gate, item.due_on.isoformat()) == (Gate.RECTIFICATION, "2026-03-20")
    letter = town.entries("site_rectification")[0]
    assert letter.to_name.startswith("负责人")
    assert "缺2月的签到表" in str(letter.context)
    assert town.told("site_rectification")[1] == "周责任"

    town.pass_until("2026-03-10 09:00")
    report(town, number, by=leader_of(town, site), text="签到表已补齐")
    assert town.gate(number) is Gate.RE_INSPECTION
    assert "整改报告：签到表已补齐" in str(town.entries("task_waiting")[-1].context)
    visit(town, number, Verdict.PASSED)
    assert town.case(number).outcome is Outcome.PASSED
    assert town.gate(campaign) is Gate.CAMPAIGN_REPORT
    page = as_markdown(case_file(town.resources, campaign, at=town.now()))
    assert "首次检查合格0处,整改后合格1处" in page
    assert "活动资料记录和存档1处、补贴资金专款专用、凭证齐全0处" in page
    sound(town)


def test_who_puts_nothing_right_is_inspected_again_revoked_and_stands_so_in_the_register(on_both: Township) -> None:
    town = on_both
    site = add_site(town)
    assert progress(town.resources, "ZD")[-1].listed == 1
    campaign = open_campaign(town)
    (number,) = inspections(town, campaign)
    visit(town, number, Verdict.RECTIFY, ARCHIVE, rectify_by="2026-03-11", reason="补齐签到表")
    town.pass_until("2026-03-12 00:00")
    assert town.gate(number) is Gate.RE_INSPECTION
    lapsed = town.decisions(number)[-1]
    assert (lapsed.verdict, lapsed.door) == (Verdict.LAPSED, Door.LAPSE)
    assert "周责任" in town.told("escalation")

    town.pass_until("2026-03-12 10:00")
    with pytest.raises(Refused, match="须由社区办负责人办理"):
        visit(town, number, Verdict.REVOKE, ARCHIVE, reason="三个月没有活动")
    revoked = visit(town, number, Verdict.REVOKE, ARCHIVE, by=HEAD_OF_OFFICE, reason="三个月没有活动")
    assert revoked.decided_by_id is not None
    assert town.gate(number) is Gate.REVOCATION_NOTICE
    notice = notice_of(town, number)
    with town.resources.database.read() as session:
        published = session.scalars(select(Notice).where(Notice.case_id == notice.id)).one()
    assert site in published.text
    assert "1. 活动资料记录和存档：缺2月的签到表。" in published.text
    assert "2026年3月2日曾要求于2026年3月11日前整改，期满未报告整改情况。" in published.text
    assert "拟对该客堂间撤牌。理由：三个月没有活动" in published.text
    assert published.place == "朱家角镇政务公开栏、周荡村村（居）务公开栏"
    assert site_of(town, site).status is SiteStatus.ACTIVE, "nothing is taken back before the notice is cleared"

    end_period(town, notice.number)
    assert town.case(notice.number).outcome is Outcome.CLEARED
    assert town.case(number).outcome is Outcome.REVOKED
    assert town.gate(campaign) is Gate.CAMPAIGN_REPORT
    assert site_of(town, site).status is SiteStatus.REVOKED
    with town.resources.database.read() as session:
        last = session.scalars(select(SiteSpell).order_by(SiteSpell.id.desc())).first()
        assert last is not None
        assert (last.status, last.since) == (SiteStatus.REVOKED, today(town))
        with pytest.raises(Refused, match="已撤牌"):
            check_active(session, site_named(session, site), on=today(town), deed="报送主题")
    (listed,) = sites(town.resources)
    assert (listed.status, listed.status_since) == ("已撤牌", today(town))
    assert progress(town.resources, "ZD")[-1].listed == 0
    told = town.told("site_revoked")
    assert len(told) == 5, "the leader, the village, two reviewers, the head"
    assert {"周责任", "沈审核", "施审核", "丁主任"} < set(told)
    sound(town)


def test_a_revoked_household_may_apply_anew_and_a_suspended_one_may_not(on_sqlite: Township) -> None:
    town = on_sqlite
    number = add_site(town)
    household = site_household(town, number)
    for status, refused in ((SiteStatus.SUSPENDED, True), (SiteStatus.REVOKED, False)):
        with acting(town.resources, at=town.now()) as act:
            site = site_named(act.session, number)
            lock_site(act.session, site)
            change_status(act, site, status, on=act.day, because="试验", actor="丁主任(P003)", by_case=None)
        if refused:
            with pytest.raises(Refused, match="已建成客堂间"):
                town.apply(household=household)
        else:
            assert town.apply(household=household)


def site_household(town: Township, number: str) -> str:
    with town.resources.database.read() as session:
        return site_named(session, number).household.number


@pytest.mark.parametrize("verdict", [Verdict.AMENDED, Verdict.RETRACTED])
def test_an_upheld_objection_leaves_the_site_its_plaque(on_sqlite: Township, verdict: Verdict) -> None:
    town = on_sqlite
    site = add_site(town)
    (number,) = inspections(town, open_campaign(town))
    visit(town, number, Verdict.REVOKE, ARCHIVE, by=HEAD_OF_OFFICE, reason="没有活动")
    notice = notice_of(town, number).number
    object_against(town, notice, "异议成立")
    end_period(town, notice)
    review(town, notice, verdict)
    assert town.case(number).outcome is Outcome.KEPT
    assert site_of(town, site).status is SiteStatus.ACTIVE
    assert "不予撤牌" in str(town.entries("inspection_result")[-1].context)
    sound(town)


def test_an_objection_that_is_not_upheld_does_not_stop_the_revocation(on_sqlite: Township) -> None:
    town = on_sqlite
    site = add_site(town)
    (number,) = inspections(town, open_campaign(town))
    visit(town, number, Verdict.REVOKE, ARCHIVE, by=HEAD_OF_OFFICE, reason="没有活动")
    notice = notice_of(town, number).number
    object_against(town, notice, "异议不成立")
    end_period(town, notice)
    if town.gate(notice) is Gate.OBJECTION_REVIEW:
        review(town, notice, Verdict.CLEARED)
    assert town.case(number).outcome is Outcome.REVOKED
    assert site_of(town, site).status is SiteStatus.REVOKED


def test_a_site_is_given_time_only_so_often(on_sqlite: Township) -> None:
    town = on_sqlite
    site = add_site(town)
    (number,) = inspections(town, open_campaign(town))
    for left in (1, 0):
        visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表")
        assert town.entries("site_rectification")[-1].context["times_left"] == left
        report(town, number, by=leader_of(town, site))
    with pytest.raises(Refused, match="已限期整改2次,至多2次"):
        visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表")
    visit(town, number, Verdict.PASSED)
    assert town.case(number).outcome is Outcome.PASSED


def test_a_site_closed_meanwhile_is_not_judged_but_called_off(on_sqlite: Township) -> None:
    town = on_sqlite
    site = add_site(town)
    campaign = open_campaign(town)
    (number,) = inspections(town, campaign)
    visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表")
    report(town, number, by=leader_of(town, site))
    with acting(town.resources, at=town.now()) as act:
        closing = site_named(act.session, site)
        lock_site(act.session, closing)
        change_status(act, closing, SiteStatus.CLOSED, on=act.day, because="注销", actor="丁主任(P003)", by_case=None)
    with pytest.raises(Refused, match="已是“已注销”"):
        visit(town, number, Verdict.PASSED)
    visit(town, number, Verdict.CALLED_OFF, reason="已注销", findings=[])
    assert town.case(number).outcome is Outcome.CALLED_OFF
    assert town.gate(campaign) is Gate.CAMPAIGN_REPORT


def test_the_inspection_follows_a_site_that_moves(on_sqlite: Township) -> None:
    town = on_sqlite
    add_village(town, "LH", "柳河村")
    site, other = add_site(town), add_site(town, village="LH")
    number = inspections(town, open_campaign(town))[0]
    with acting(town.resources, at=town.now()) as act:
        moving, there = site_named(act.session, site), site_named(act.session, other)
        lock_site(act.session, moving)
        moving.group_id, moving.village_id = there.group_id, there.village_id
        keep(act, moving.case, [moving], actor="丁主任(P003)", summary="迁址")
    visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表")
    assert "客堂间已迁址,案件由" in " ".join(row.summary for row in town.history(number))
    assert any("柳河村" in name for name in town.told("site_rectification")), "the new village hears, not the old one"
    assert "周责任" not in town.told("site_rectification")
    sound(town)


def test_two_who_record_the_same_visit_at_once_leave_one_behind(on_both: Township) -> None:
    town = on_both
    add_site(town)
    (number,) = inspections(town, open_campaign(town))

    def recording(by: str, verdict: Verdict, faults: dict[str, str], **more: Any) -> Callable[[], Any]:
        command = visit_of(number, verdict, faults, by=by, **more)
        return lambda: inspection_visits.record_visit(town.resources, command, door=Door.CLI, at=town.now())

    results = at_once(
        [
            recording(REVIEWER, Verdict.PASSED, {}),
            recording(SECOND_REVIEWER, Verdict.RECTIFY, ARCHIVE, reason="补齐"),
            recording(HEAD_OF_OFFICE, Verdict.REVOKE, ARCHIVE, reason="没有活动"),
        ]
    )
    assert sum(isinstance(each, Refused) for each in results) == 2
    assert all("已由" in each.reason for each in results if isinstance(each, Refused))
    town.rehearsal.sweep()
    assert len(town.decisions(number)) == 1
    sound(town)


def test_the_last_two_sites_that_end_at_once_close_the_campaign_once(on_both: Township) -> None:
    town = on_both
    for _ in range(2):
        add_site(town)
    campaign = open_campaign(town)
    for number in inspections(town, campaign):
        command = visit_of(number, Verdict.PASSED, {})
        inspection_visits.record_visit(town.resources, command, door=Door.CLI, at=town.now())

    def closing(number: str) -> Callable[[], Any]:
        return lambda: close_case(town.resources, number, Outcome.PASSED, "", at=town.now())

    at_once([closing(number) for number in inspections(town, campaign)])
    town.rehearsal.carry(campaign)
    assert town.gate(campaign) is Gate.CAMPAIGN_REPORT
    sound(town)


def test_sixty_sites_are_recorded_by_one_sheet_and_the_faulty_rows_are_named(on_sqlite: Township) -> None:
    town = on_sqlite
    listed = [add_site(town, leader=LEADER) for _ in range(60)]
    campaign = open_campaign(town, carried=False)
    assert town.told("inspection_announced") == ["陆负责", "周责任", "沈审核", "施审核"], (
        "one letter each, of all their sites"
    )
    numbers = inspections(town, campaign)
    heads = ["客堂间", "案件编号", "检查日期", "检查人", *POINTS.values(), "结论", "整改期限", "理由", "经办人"]
    rows: list[list[Any]] = [heads]
    for site in listed:
        rows.append([site, "", today(town), "沈审核", *["符合"] * 5, "合格", "", "", ""])
    rows[2][4:] = ["不符合:缺签到表", *["符合"] * 4, "限期整改", "2026年3月20日", "补齐签到表", ""]
    rows[3][4:] = ["不符合：没有活动", *["符合"] * 3, "不适用:无补贴", "拟撤牌", "", "没有活动", HEAD_OF_OFFICE]
    rows[4][0], rows[4][1] = "", numbers[3]
    rows[5][4] = "不符合"
    rows[6][4] = "尚可"
    rows[7][0] = "KT-2026-9999-S"
    rows[8][2] = "昨天"
    rows[9][4:] = ["不符合:缺签到表", *["符合"] * 4, "拟撤牌", "", "没有活动", ""]
    put_sheet(town, "督查.xlsx", rows)
    entry = VisitSheet(campaign=campaign, by=REVIEWER, sheet="督查.xlsx")

    done = record_sheet(town.resources, entry, at=town.now())

    refused = dict(done.refused)
    assert (done.done, set(refused)) == (55, {"第6行", "第7行", "第8行", "第9行", "第10行"})
    assert "不能作出“督查合格”:活动资料记录和存档" in refused["第6行"] or "未写明情况" in refused["第6行"]
    assert "“活动资料记录和存档”填的是“尚可”" in refused["第7行"]
    assert "中没有“KT-2026-9999-S”" in refused["第8行"]
    assert "“检查日期”填的是“昨天”" in refused["第9行"]
    assert "须由社区办负责人办理" in refused["第10行"]
    gates = [town.gate(number) for number in numbers]
    assert gates[1:3] == [Gate.RECTIFICATION, Gate.REVOCATION_NOTICE]
    assert gates.count(None) == 53
    assert gates.count(Gate.INSPECTION_VISIT) == 5

    again = record_sheet(town.resources, entry, at=town.now())
    assert (again.done, len(again.done_before)) == (0, 55), "a sheet read twice counts once"
    assert dict(again.refused).keys() == refused.keys()
    sound(town)


def test_a_sheet_of_visits_is_the_same_whoever_hands_it_in_again(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, MONDAY)
    site = add_site(town)
    campaign = open_campaign(town, carried=False)
    (number,) = inspections(town, campaign)
    heads = ["案件编号", "检查日期", "检查人", *POINTS.values(), "结论", "理由"]
    row = [number.lower(), today(town), "沈审核", "不符合:缺签到表", *["符合"] * 4, "限期整改", "补齐签到表"]
    put_sheet(town, "督查.xlsx", [heads, row])

    def handed_in(by: str) -> BulkReport:
        entry = VisitSheet(campaign=campaign.lower(), by=by, sheet="督查.xlsx")
        return record_sheet(town.resources, entry, at=town.now())

    assert handed_in(REVIEWER).done == 1
    for by in (SECOND_REVIEWER, "施审核", HEAD_OF_OFFICE):
        again = handed_in(by)
        assert (again.done, [row for row, _ in again.done_before], again.refused) == (0, ["第2行"], [])
    with pytest.raises(Refused, match="登记簿中没有在职人员“张三”"):
        handed_in("张三")
    named = site_of(town, site).number
    put_sheet(town, "另一份.xlsx", [["客堂间", *heads[1:]], [named.lower(), *row[1:-2], "通过", ""]])
    entry = VisitSheet(campaign=campaign, by=REVIEWER, sheet="另一份.xlsx")
    ((_, reason),) = record_sheet(town.resources, entry, at=town.now()).refused
    assert reason.startswith(f"案件 {number}:“结论”“通过”不在可选项之内,请从中选择:督查合格、限期整改、拟撤牌、取消")
    put_sheet(town, "缺头.xlsx", [heads[:-2], row])
    with pytest.raises(Refused) as refusal:
        record_sheet(town.resources, entry.model_copy(update={"sheet": "缺头.xlsx"}), at=town.now())
    required, optional = "、".join(["检查日期", "检查人", "结论", *POINTS.values()]), "、".join(OPTIONAL)
    assert refusal.value.reason == f"表格“缺头.xlsx”第1行缺少表头:结论;须有 {required},可有 {optional}"


def test_a_run_tells_of_visits_that_were_recorded_before_as_the_command_line_does(
    on_sqlite: Township, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = on_sqlite
    add_site(town)
    campaign = open_campaign(town, carried=False)
    (number,) = inspections(town, campaign)
    heads = ["案件编号", "检查日期", "检查人", *POINTS.values(), "结论"]
    put_sheet(town, "督查.xlsx", [heads, [number, today(town), "沈审核", *["符合"] * 5, "合格"]])
    tables: list[dict[str, Any]] = []
    monkeypatch.setattr(by_sheet, "open_resources", lambda: nullcontext(town.resources))
    monkeypatch.setattr(by_sheet, "attempted", lambda _, step: step())
    monkeypatch.setattr(by_sheet, "as_task", lambda step, name: step())
    monkeypatch.setattr(by_sheet, "show_all", lambda *_, **__: None)
    monkeypatch.setattr(by_sheet, "get_run_logger", logging.getLogger)
    monkeypatch.setattr(by_sheet, "create_table_artifact", lambda **table: tables.append(table))
    entry = VisitsEntry(sheet=[VisitSheet(campaign=campaign, by=REVIEWER, sheet="督查.xlsx")])
    told = [str(record_visits.fn(entry=entry).message) for _ in range(2)]
    assert told == ["已登记1处,未登记0行", "已登记0处,此前已登记1行,未登记0行"]
    assert [table["description"] for table in tables] == ["督查.xlsx 此前已登记的行"]


def put_sheet(town: Township, name: str, rows: list[list[Any]]) -> None:
    folder = town.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(folder / name)


def answer(town: Township, number: str, by: str, **filled: Any) -> str:
    """Fill in the form of the gate that waits; the refusal, if there is one."""
    file, item = case_file(town.resources, number, at=town.now()), town.item(number)
    assert file.awaited is not None
    assert item is not None
    form = form_for(town.resources, file, file.awaited)
    fields = form.model_validate({"by": by} | filled).model_dump(mode="json")
    ask = new_ask(town.resources, item.id, claim_run(town.resources, number, f"run-{number}"), at=town.now())
    assert ask is not None
    asked = Asked(work_item=item.id, ask=ask.id)
    refusal = apply(town.resources, number, item.gate, fields, asked, at=town.now())
    town.rehearsal.carry(number)
    return refusal


def test_every_gate_is_decided_by_its_form(on_sqlite: Township) -> None:
    town = on_sqlite
    site = add_site(town)
    campaign = open_campaign(town)
    (number,) = inspections(town, campaign)
    office = "沈审核(P001)"
    found = {f"found_{code}": "符合" for code in POINTS}
    assert "未选择结论" in answer(town, number, office)
    refusal = answer(town, number, office, verdict="督查合格", inspectors="沈审核", found_safety_plan="符合")
    assert "尚未登记:活动资料记录和存档" in refusal
    assert town.gate(number) is Gate.INSPECTION_VISIT
    bad = found | {"found_safety_plan": "不符合", "note_safety_plan": "没有上墙"}
    refusal = answer(
        town, number, office, verdict="限期整改", inspectors="沈审核", reason="上墙", rectify_by="2026-12-01", **bad
    )
    assert "整改期限2026年12月1日须晚于今天2026年3月2日、不晚于2026年4月1日(至多30日)" in refusal
    assert not answer(town, number, office, verdict="限期整改", inspectors="沈审核", reason="上墙", **bad)
    assert town.gate(number) is Gate.RECTIFICATION
    with town.resources.database.read() as session:
        leader = site_named(session, site).leader.display
    assert "整改情况" in answer(town, number, leader)
    town.proof("预案.jpg")
    assert not answer(town, number, leader, report="安全预案已上墙", proof="预案.jpg")
    assert not answer(town, number, office, verdict="督查合格", inspectors="沈审核", **found)
    assert town.case(number).outcome is Outcome.PASSED
    assert "督查总结" in answer(town, campaign, office)
    assert not answer(town, campaign, office, summary="一处,整改后合格")
    assert town.case(campaign).outcome is Outcome.CONCLUDED
    page = as_markdown(case_file(town.resources, number, at=town.now()))
    assert "第1次·安全预案经村(居)民讨论并公开 | 不符合，没有上墙" in page
    sound(town)


def test_carrying_an_inspection_again_at_any_gate_changes_nothing(on_sqlite: Township) -> None:
    town = on_sqlite
    site = add_site(town)
    campaign = open_campaign(town)
    (number,) = inspections(town, campaign)

    def again() -> None:
        before = town.state()
        for each in (campaign, number):
            town.rehearsal.carry(each)
        assert town.state() == before

    again()
    visit(town, number, Verdict.RECTIFY, ARCHIVE, reason="补齐签到表")
    again()
    report(town, number, by=leader_of(town, site))
    again()
    visit(town, number, Verdict.REVOKE, ARCHIVE, by=HEAD_OF_OFFICE, reason="没有活动")
    again()
    end_period(town, notice_of(town, number).number)
    again()
    conclude(town, campaign)
    again()
