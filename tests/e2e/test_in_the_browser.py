"""Prefect's classic UI in a real Chromium: forms filled in Chinese, and what a person reads there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from models.case import Case
from policies.vocabulary import Gate, Verdict
from tests.e2e.live import Office, see
from tests.e2e.pages import Form, RunPage, cut_off, hidden

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(600)]

APPLY = "site-application/客堂间申请"
CHINESE_ONLY = re.compile(r"[\u4e00-\u9fff、(),“”]+")


@pytest.fixture
def page(browser: "Browser", office: Office, tmp_path: Path) -> Iterator["Page"]:
    """A page whose last sight is kept."""
    page = browser.new_page(viewport={"width": 1200, "height": 1600}, locale="zh-CN")
    page.set_default_timeout(60_000)
    yield page
    page.screenshot(path=tmp_path / "last.png", full_page=True)
    page.close()


def cases(office: Office) -> int:
    with office.resources.database.read() as session:
        return session.scalar(select(func.count()).select_from(Case)) or 0


def test_an_application_filled_in_chinese_opens_a_case(office: Office, page: "Page", tmp_path: Path) -> None:
    household = next(office.households)
    deployment = office.deployment(APPLY)["id"]
    page.goto(f"{office.stack.ui_url}/deployments/deployment/{deployment}/run")
    form = Form(page)
    form.field("户号").wait_for()
    assert form.titles()[:3] == ["申请", "户号", "户主自愿"]
    assert len(form.titles()) == 13
    assert all(CHINESE_ONLY.fullmatch(title) for title in form.titles()), form.titles()

    form.write("户号", household)
    form.switch("户主自愿")
    form.write("负责人", office.cast(household).leader)
    form.choose("负责人来源", "退休教师")
    form.write("推荐组织", "周荡村党支部")
    form.switch("负责人本人同意")
    form.write("志愿者人数", 12)
    form.write("活动空间面积", "26.5")
    form.choose("现有场地和设施", "客厅", "卫生间", "桌椅")
    form.write("特色主题", "沪剧与书画")
    form.choose("结合建设", "睦邻点")
    page.screenshot(path=tmp_path / "filled.png", full_page=True)
    before = cases(office)
    form.submit()

    def opened() -> str | None:
        with office.resources.database.read() as session:
            return session.scalars(select(Case.number).order_by(Case.id.desc())).first()

    see(lambda: cases(office) == before + 1, "the case")
    number = opened()
    assert number is not None
    office.waiting(number, Gate.HOUSEHOLD_CONSENT)
    file = office.file(number)
    assert file.household.startswith(household)
    facts = dict(file.facts)
    assert facts["负责人"].endswith("(退休教师)")
    assert (facts["志愿者"], facts["活动空间"], facts["特色主题"]) == ("12人", "26.5平方米", "沪剧与书画")
    assert (facts["现有设施"], facts["结合建设"]) == ("客厅、卫生间、桌椅", "睦邻点")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"volunteers": 0}, "志愿者"),
        ({"household": "LH04-999"}, "LH04-999"),
    ],
)
def test_a_bad_application_fails_with_the_reason_on_its_page(
    office: Office, page: "Page", change: dict[str, object], told: str
) -> None:
    before = cases(office)
    run = office.ended(office.start(APPLY, {"application": office.application("LH04-001") | change}))
    assert run.type == "FAILED"
    assert run.message.startswith("未办理:")
    assert told in run.message
    RunPage(page, office.stack.ui_url, run.id)
    page.get_by_text(run.message).first.wait_for()
    see(
        lambda: any(line.startswith("Finished in state Failed('未办理") for line in office.logs(run.id)),
        "its last line",
    )
    assert not any("Traceback" in line or "Refused" in line for line in office.logs(run.id)), office.logs(run.id)
    assert cases(office) == before


def test_the_review_is_answered_in_its_resume_form_but_not_with_a_phone_number(
    office: Office, page: "Page", tmp_path: Path
) -> None:
    number, cast = office.open_case(Gate.OFFICE_REVIEW)
    run = office.waiting(number, Gate.OFFICE_REVIEW)
    form = RunPage(page, office.stack.ui_url, run.id).resume()
    page.get_by_text(f"社区办审核 · {number}").wait_for()
    page.get_by_text("志愿者人数现有9人").wait_for()
    assert form.titles() == ["办理人", "决定", "理由", "已知悉的提示"]
    assert form.options("办理人") == ["(请选择)", cast.reviewer, cast.second_reviewer, cast.leader]
    assert form.options("决定")[1:] == ["批准", "退回补正", "不予批准", "撤回申请"]
    assert cut_off(page, ".p-modal") == []
    form.choose("办理人", cast.second_reviewer)
    form.choose("决定", "批准")
    form.write("理由", "致电 13800001234 核实")
    form.submit()
    page.get_by_text("请勿填写手机号、电话或身份证号").first.wait_for()
    assert office.waiting(number, Gate.OFFICE_REVIEW) == run
    form.write("理由", "现场查看,符合标准")
    form.choose("已知悉的提示", "志愿者人数")
    page.screenshot(path=tmp_path / "filled.png")
    form.submit()

    after = office.waiting(number, Gate.PLAQUE)
    assert after.id == run.id
    assert office.decided(number)[-1][:3] == (Gate.OFFICE_REVIEW, 1, Verdict.APPROVED)
    page.get_by_role("heading", name="等待挂牌与布置").or_(page.get_by_text("等待挂牌与布置")).first.wait_for()


def test_why_a_correction_was_refused_is_seen_on_an_ordinary_screen(
    office: Office, page: "Page", tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 1366, "height": 768})
    number, cast = office.open_case(Gate.OFFICE_REVIEW)
    review = office.waiting(number, Gate.OFFICE_REVIEW)
    returned = {"by": cast.reviewer, "verdict": Verdict.RETURNED.label, "reason": "请写明无障碍通道怎样设置"}
    assert office.fill_in(review.id, returned) == ("ACCEPT", "")
    run = office.waiting(number, Gate.CORRECTION)
    corrected = {"by": cast.leader, "verdict": Verdict.RESUBMITTED.label, "volunteers": 0}
    assert office.fill_in(run.id, corrected) == ("ACCEPT", "")
    run = office.waiting(number, Gate.CORRECTION, but=run.key)

    form = RunPage(page, office.stack.ui_url, run.id).resume()
    told = form.told("办理人")
    told.wait_for()
    page.screenshot(path=tmp_path / "refused.png")
    refusal, asked, before, where = (line.strip() for line in told.inner_text().splitlines() if line.strip())
    assert refusal.startswith("⚠️ 上次提交未被接受:志愿者队伍现有0人")
    assert asked.startswith(f"{number}“补正”(第1轮)自")
    assert "期限至" in asked
    assert "退回补正,理由:请写明无障碍通道怎样设置" in before
    assert "Artifacts" in where
    assert hidden(told) == []
    assert cut_off(page, ".schema-form-property__description") == []


def test_the_households_are_chosen_from_a_list_in_the_consent_form(office: Office, page: "Page") -> None:
    number, cast = office.open_case(Gate.HOUSEHOLD_CONSENT)
    run = office.waiting(number, Gate.HOUSEHOLD_CONSENT)
    everybody = office.neighbours(cast.household)
    form = RunPage(page, office.stack.ui_url, run.id).resume()
    assert form.options("同意的农户") == everybody
    form.choose("办理人", cast.group_head)
    form.choose("同意的农户", *everybody[:2])
    form.choose("不同意的农户", everybody[2])
    form.submit()
    office.waiting(number, Gate.HOUSEHOLD_CONSENT, but=run.key)
    awaited = office.file(number).awaited
    assert awaited is not None
    assert (awaited.agreed, awaited.objecting) == (tuple(everybody[:2]), (everybody[2],))
    assert awaited.missing == tuple(everybody[3:])
