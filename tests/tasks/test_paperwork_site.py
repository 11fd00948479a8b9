"""The documents of a parlour's case: what stands on the paper that people sign."""

from pathlib import Path

import pytest

from policies.errors import Refused
from policies.vocabulary import Answer, Gate, Verdict
from tasks.paperwork import DocumentKind, make_document
from tests.desks import OpenTown
from tests.papers import Paper
from tests.township import GROUP_HEAD, REVIEWER, Township


def printed(town: Township, kind: DocumentKind, number: str = "") -> Paper:
    return Paper(make_document(town.resources, kind, number or town.number, at=town.now()))


def test_the_application_form_says_what_the_household_applied_with(both: Township) -> None:
    both.apply(speciality="编织 & <戏曲>")
    paper = printed(both, DocumentKind.APPLICATION)
    assert paper.paragraphs[0] == "周荡村“话角里·客堂间”创建申请表"
    assert f"案件编号：{both.number}" in paper.text
    assert paper.value("申请户主") == "户主1"
    assert paper.value("户号") == "ZD01-001"
    assert paper.value("负责人") == "陆负责(P030)"
    assert paper.value("特色主题") == "编织 & <戏曲>"
    assert paper.value("活动空间") == "25平方米"
    assert paper.value("补贴") == "10,000.00元（人民币壹万元整）"
    standards = paper.table("标准")
    assert len(standards) == len(both.edition().for_sites.standards)
    assert {row[2] for row in standards} == {"符合"}
    assert paper.paragraphs[-1] == "2018年10月8日"


def test_no_telephone_is_printed_whole(both: Township) -> None:
    with both.resources.database.write() as session:
        session.connection().exec_driver_sql(
            "UPDATE households SET address = '一组1号,电话 13911112222' WHERE number = 'ZD01-001'"
        )
    both.apply()
    paper = printed(both, DocumentKind.APPLICATION)
    assert paper.value("户主电话") == "138****1234"
    assert paper.value("负责人电话") == "139****5678"
    assert paper.value("地址") == "一组1号,电话 139****2222"
    sheet = printed(both, DocumentKind.CONSENT)
    assert "139****2222" in sheet.text
    assert "13911112222" not in paper.text + sheet.text


def test_the_form_of_a_corrected_application_says_what_was_corrected(town: Township) -> None:
    town.to_gate(Gate.OFFICE_REVIEW)
    town.decide(Verdict.RETURNED, by=REVIEWER, reason="场地不清")
    town.resubmit(area_square_metres="32.5")
    paper = printed(town, DocumentKind.APPLICATION)
    assert paper.value("活动空间") == "32.5平方米"
    assert "第2次提交" in paper.text


def test_every_household_of_the_roll_has_a_row_to_sign(both: Township) -> None:
    both.apply()
    both.answer({"ZD01-002": Answer.AGREE, "ZD01-003": Answer.OBJECT})
    paper = printed(both, DocumentKind.CONSENT)
    *rows, last = paper.table("签名")
    assert [row[:3] for row in rows] == [[f"{n}", f"ZD01-{n:03d}", f"户主{n}"] for n in (1, 2, 3, 4)]
    assert [row[4] for row in rows] == ["□同意 □不同意", "√同意 □不同意", "□同意 √不同意", "□同意 □不同意"]
    assert {row[5] for row in rows} == {""}, "room to sign"
    assert last[0] == "已登记：同意1户，不同意1户，未答复2户。"
    assert "须全部农户同意" in paper.text
    assert "自2018年10月8日起" in paper.text


def test_the_consent_sheet_keeps_to_the_frozen_roll(both: Township) -> None:
    both.apply()
    both.add_group("ZD02")
    with both.resources.database.write() as session:
        session.connection().exec_driver_sql("UPDATE households SET active = false WHERE number = 'ZD01-004'")
    assert len(printed(both, DocumentKind.CONSENT).table("签名")) == 4 + 1


def test_a_long_sheet_repeats_its_head_on_every_page(open_sqlite: OpenTown) -> None:
    town = open_sqlite("zhujiajiao-2018", "2018-10-08 10:00", households=120)
    town.apply()
    paper = printed(town, DocumentKind.CONSENT)
    assert len(paper.table("签名")) == 121
    head = paper.document.tables[-1].rows[0]._tr
    assert head.xpath("./w:trPr/w:tblHeader")


def test_the_review_form_is_blank_until_the_review_and_then_says_what_was_found(both: Township) -> None:
    both.to_gate(Gate.OFFICE_REVIEW)
    blank = printed(both, DocumentKind.REVIEW)
    assert "□批准　　□退回补正　　□不予批准" in blank.text
    assert [row[:2] for row in blank.table("环节")] == [
        ["农户同意（第1轮）", "全体同意"],
        ["村(居)委会上报（第1轮）", "同意上报"],
    ]
    both.decide(Verdict.REJECTED, by=REVIEWER, reason="与规划不符")
    paper = printed(both, DocumentKind.REVIEW)
    assert "审核决定：不予批准。理由：与规划不符" in paper.text
    assert "审核人：沈审核(P001)" in paper.text
    assert paper.table("环节")[-1] == ["社区办审核（第1轮）", "不予批准", "与规划不符", "沈审核(P001)", "2018年10月8日"]
    assert "□批准" not in paper.text


def test_what_the_reviewer_must_know_stands_on_the_review_form(town: Township) -> None:
    town.apply(volunteers=3, facilities=["客厅", "卫生间"])
    town.everybody_agrees()
    town.decide(Verdict.FORWARDED, by=town.forwarder())
    paper = printed(town, DocumentKind.REVIEW)
    assert "3人" in paper.value("审核提示")
    assert paper.value("挂牌前补齐") != "无"
    assert any("3人" in row[2] for row in paper.table("标准"))


def test_what_is_not_there_yet_is_refused(town: Township) -> None:
    town.apply()
    with pytest.raises(Refused, match=r"尚未进入审核,没有审核表可印;.*现处于“农户同意”环节,进入“社区办审核”环节后再印"):
        printed(town, DocumentKind.REVIEW)
    with pytest.raises(Refused, match=r"是“客堂间创建”案件,没有评分表可印;可以打印:申请表\(application\)"):
        printed(town, DocumentKind.SCORING)
    with pytest.raises(Refused, match="没有编号为“KT-0”的案件"):
        printed(town, DocumentKind.CONSENT, "KT-0")
    assert not town.resources.settings.documents_folder.exists()


def test_a_document_goes_below_the_documents_folder_and_never_over_another(town: Township) -> None:
    town.apply()
    first = make_document(town.resources, DocumentKind.CONSENT, town.number, at=town.now())
    kept = first.read_bytes()
    town.answer({"ZD01-002": Answer.AGREE}, by=GROUP_HEAD)
    second = make_document(town.resources, DocumentKind.CONSENT, town.number, at=town.now())
    folder = town.resources.settings.documents_folder / town.number
    assert [first, second] == [
        folder / "农户意见征询签名表-2018-10-08.docx",
        folder / "农户意见征询签名表-2018-10-08-2.docx",
    ]
    assert first.read_bytes() == kept


def test_a_named_file_is_never_written_over(town: Township, tmp_path: Path) -> None:
    town.apply()
    there = tmp_path / "已签.docx"
    there.write_bytes(b"signed")
    with pytest.raises(Refused, match=r"已有文件 .*已签\.docx"):
        make_document(town.resources, DocumentKind.CONSENT, town.number, at=town.now(), out=there)
    assert there.read_bytes() == b"signed"
    with pytest.raises(Refused, match=r"文件名须以 \.docx 结尾,现为“表\.doc”"):
        make_document(town.resources, DocumentKind.CONSENT, town.number, at=town.now(), out=tmp_path / "表.doc")
    with pytest.raises(Refused, match="只有评分表可以按评审打印"):
        make_document(town.resources, DocumentKind.CONSENT, town.number, at=town.now(), member=REVIEWER)


def test_the_page_is_that_of_an_official_document(town: Township) -> None:
    town.apply()
    document = printed(town, DocumentKind.CONSENT).document
    section = document.sections[0]
    assert [round(each.mm) for each in (section.page_width, section.page_height)] == [210, 297]
    assert [round(each.mm) for each in (section.top_margin, section.left_margin)] == [37, 28]
    title, body = document.paragraphs[0].runs[0], document.paragraphs[1].runs[0]
    assert (title.font.size.pt, body.font.size.pt) == (22, 16)
    assert body._r.rPr.rFonts.xpath("./@w:eastAsia") == ["仿宋"]
