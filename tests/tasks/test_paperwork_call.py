"""The documents of a call, its projects and its notices: what stands on the paper that people sign."""

from collections.abc import Callable

import pytest

from policies.errors import Refused
from policies.vocabulary import Gate, ObjectionFinding, Outcome, ProjectStanding, Role, UnitKind
from tasks.paperwork import DocumentKind, make_document
from tests.desks import OpenTown, variant
from tests.papers import Paper
from tests.programme import CALL, FIRST, SECOND
from tests.shelf import NOTICE, Shelf
from tests.township import HEAD_OF_OFFICE, REVIEWER, SECOND_REVIEWER, STRANGER, Township

Print = Callable[..., Paper]
REPRESENTATIVES = ("P041", "P042", "P043")


@pytest.fixture
def shelf(open_town: OpenTown) -> Shelf:
    """A call of two projects, once per kind of database."""
    return on_file(open_town("linping-2022", "2022-03-04 10:00"))


@pytest.fixture
def here(open_sqlite: OpenTown) -> Shelf:
    """The same on SQLite."""
    return on_file(open_sqlite("linping-2022", "2022-03-04 10:00"))


def on_file(town: Township) -> Shelf:
    for code in REPRESENTATIVES:
        town.add_person(code, f"代表{code[-1]}", Role.REPRESENTATIVE, "ZD")
    return Shelf(town)


def printed(shelf: Shelf, kind: DocumentKind, number: str = CALL, **more: str) -> Paper:
    return Paper(make_document(shelf.resources, kind, number, at=shelf.town.now(), **more))


def test_before_screening_the_registered_representatives_sign_in(shelf: Shelf) -> None:
    paper = printed(shelf, DocumentKind.SIGN_IN)
    assert paper.paragraphs[:2] == ["村(居)民代表会议签到表", f"2022年春季微项目征集（{CALL}）"]
    assert [row[1:4] for row in paper.table("签名")] == [[f"代表{n}", f"P04{n}", "周荡村"] for n in (1, 2, 3)]
    assert "应到3人" in paper.text
    assert "至少须到2人" in paper.text
    assert "应到名单取自2022年3月4日的登记簿，遴选开始时另行定下。" in paper.text


def test_once_frozen_the_meetings_roll_signs_in(shelf: Shelf) -> None:
    shelf.reach(Gate.SCREENING)
    shelf.seat("P041", signed_in=shelf.town.now())
    shelf.seat("P042")
    shelf.town.end_role("P041", shelf.town.now().date())
    paper = printed(shelf, DocumentKind.SIGN_IN)
    assert [row[2] for row in paper.table("签名")] == ["P041", "P042"]
    assert [row[4] for row in paper.table("签名")] == ["2022年3月4日已登记到会", ""]
    assert "遴选开始时（2022年3月4日）定下的名册" in paper.text


def test_without_representatives_there_is_nobody_to_sign_in(here: Shelf) -> None:
    for code in REPRESENTATIVES:
        here.town.end_role(code, here.town.now().date())
    for kind in (DocumentKind.SIGN_IN, DocumentKind.VOTE):
        with pytest.raises(Refused, match=r"登记簿中朱家角镇没有在任的村\(居\)民代表,没有名单可印"):
            printed(here, kind)


def test_without_a_meeting_the_panel_signs_in_and_nobody_votes(open_sqlite: OpenTown) -> None:
    meeting = """    meeting:
      quorum: "2/3"
      majority: "1/2"
      majority_of: entitled
      more_than: true
      clause: 二、(一)2
"""
    edition = variant("linping-2022", "linping-2022", (meeting, ""))
    shelf = on_file(open_sqlite(edition, "2022-03-04 10:00"))
    paper = printed(shelf, DocumentKind.SIGN_IN)
    assert paper.paragraphs[0] == "评审组签到表"
    assert [row[1] for row in paper.table("签名")] == ["沈审核", "施审核", "丁主任"]
    assert "至少须到" not in paper.text
    with pytest.raises(Refused, match="没有规定会议表决,没有表决签名表可印;由评审组评分,请印评分表"):
        printed(shelf, DocumentKind.VOTE)


def test_every_project_has_a_page_on_which_everybody_votes(shelf: Shelf) -> None:
    paper = printed(shelf, DocumentKind.VOTE)
    assert len(paper.tables) == 2
    for rows, title in zip(paper.tables, ("楼道清洁志愿队", "老年书画社"), strict=True):
        assert [row[1] for row in rows[1:-1]] == ["代表1", "代表2", "代表3"]
        assert {row[3] for row in rows[1:-1]} == {"□赞成 □反对 □弃权"}
        assert rows[-1][0].startswith("应到3人，实到")
        assert title in paper.text
    assert "申请金额：8,000.00元（人民币捌仟元整）" in paper.text
    assert "申请金额：456.78元（人民币肆佰伍拾陆元柒角捌分）" in paper.text
    assert "三分之二以上（至少2人）到会方可表决" in paper.text
    assert "全体应到人数的过半数（至少2票）" in paper.text
    assert sum(br.get(f"{{{br.nsmap['w']}}}type") == "page" for br in paper.document.element.xpath("//w:br")) == 1


def test_a_recorded_vote_stands_on_the_sheet(here: Shelf) -> None:
    here.reach(Gate.SCREENING)
    here.seat(*REPRESENTATIVES, signed_in=here.town.now())
    here.vote(FIRST, 2, 1, 0)
    paper = printed(here, DocumentKind.VOTE)
    assert "赞成2票、反对1票、弃权0票" in paper.tables[0][-1][0]
    assert "通过" in paper.tables[0][-1][0]
    assert paper.tables[1][-1][0].startswith("应到3人，实到")


def test_a_withdrawn_project_is_on_no_sheet(here: Shelf) -> None:
    here.reach(Gate.SCREENING)
    here.change(FIRST, standing=ProjectStanding.WITHDRAWN)
    assert len(printed(here, DocumentKind.VOTE).tables) == 1
    assert [row[0] for row in printed(here, DocumentKind.SCORING).table("备注")] == ["1"]
    here.change(SECOND, standing=ProjectStanding.NOT_SUPPORTED)
    with pytest.raises(Refused, match=f"征集 {CALL} 没有参加遴选的项目,没有评分表可印"):
        printed(here, DocumentKind.SCORING)


def test_each_member_of_the_panel_has_a_scoring_sheet(shelf: Shelf) -> None:
    shelf.reach(Gate.SCREENING)
    shelf.score(FIRST, REVIEWER, 10, 8, 6, 10)
    shelf.score(SECOND, SECOND_REVIEWER, 9, 9, 9, 9)
    shelf.avoid(SECOND, SECOND_REVIEWER)
    paper = printed(shelf, DocumentKind.SCORING)
    assert [line for line in paper.paragraphs if line.startswith("评审：")] == [
        f"评审：{name}（{code}）　　案件编号：{CALL}"
        for name, code in (("沈审核", "P001"), ("施审核", "P002"), ("丁主任", "P003"))
    ]
    heads = paper.tables[0][0]
    assert heads[2:6] == [
        "居民需求与受益面（满分10，权重35%）",
        "方案可行性（满分10，权重25%）",
        "预算合理性（满分10，权重20%）",
        "居民参与和自我管理（满分10，权重20%）",
    ]
    first, second, third = (rows[1:] for rows in paper.tables)
    assert first[0][2:] == ["10", "8", "6", "10", "87.00", ""]
    assert first[1][2:] == ["", "", "", "", "", ""]
    assert second[1][2:] == ["", "", "", "", "", "回避"], "what somebody with an interest gave does not count"
    assert first[0][1] == f"楼道清洁志愿队（{FIRST}，周荡村，8,000.00元）"
    assert len(third) == 2
    assert {round(sum(cell.width.mm for cell in table.rows[1].cells)) for table in paper.document.tables} == {225}


def test_one_member_can_have_a_sheet_alone(here: Shelf) -> None:
    here.reach(Gate.SCREENING)
    paper = printed(here, DocumentKind.SCORING, member=HEAD_OF_OFFICE)
    assert len(paper.tables) == 1
    assert "丁主任（P003）" in paper.text
    with pytest.raises(Refused, match=rf"路人甲\(P099\)不在征集 {CALL} 的评审组内;评审组:沈审核"):
        printed(here, DocumentKind.SCORING, member=STRANGER)


def test_a_document_comes_with_its_stage(here: Shelf) -> None:
    here.reach(Gate.CALL_WINDOW)
    with pytest.raises(Refused, match=r"尚未遴选,没有评分表可印;.*现处于“征集申报”环节,进入“协商筛选”环节后再印"):
        printed(here, DocumentKind.SCORING)
    with pytest.raises(Refused, match="项目尚未全部结束,没有自查报告可印"):
        printed(here, DocumentKind.SELF_CHECK)
    with pytest.raises(Refused, match=f"征集 {CALL} 尚未公示,没有公示可印"):
        printed(here, DocumentKind.NOTICE)
    with pytest.raises(Refused, match="是“微项目征集”案件,没有农户意见征询签名表可印;可以打印:公示"):
        printed(here, DocumentKind.CONSENT)


@pytest.mark.parametrize("number", [NOTICE, CALL])
def test_a_notice_is_printed_as_it_was_published(shelf: Shelf, number: str) -> None:
    shelf.publish()
    paper = printed(shelf, DocumentKind.NOTICE, number)
    assert paper.paragraphs[:3] == ["微项目入选公示", "经协商筛选,以下项目拟入选。", "现予公示,接受监督。"]
    assert paper.table("公示事项") == [["1", "楼道清洁志愿队,核定8,000.00元", FIRST], ["2", "其他事项", ""]]
    assert "公示时间：2022年3月4日至2022年3月18日（公示期10日,自公布次日(2022年3月5日)起算" in paper.text
    assert "2022年3月10日决定将公示期由2022年3月14日延长至2022年3月18日，原因：公告栏被遮挡" in paper.text
    assert "请以书面、来电的方式向以下联系人提出：社区办二楼。" in paper.text
    assert "校验值：13812345678aaaaa" in paper.text, "a hash is no telephone number"
    assert paper.paragraphs[-3:-1] == ["朱家角镇社区办", "2022年3月4日"]


def test_a_notice_gives_the_offices_public_telephone(open_sqlite: OpenTown) -> None:
    shelf = on_file(open_sqlite("linping-2022", "2022-03-04 10:00", office_phone="021-59240000"))
    shelf.publish()
    assert "社区办二楼，电话021-59240000。" in printed(shelf, DocumentKind.NOTICE, NOTICE).text


def test_a_projects_form_grows_with_its_plan(shelf: Shelf) -> None:
    before = printed(shelf, DocumentKind.APPLICATION, FIRST)
    assert before.value("项目名称") == "楼道清洁志愿队"
    assert before.value("类别") == "环境整治"
    assert before.value("提议人") == "陆负责(P030)"
    assert before.value("联系电话") == "139****5678"
    assert before.value("申请金额") == "8,000.00元（人民币捌仟元整）"
    assert before.value("核定金额") == ""
    assert "细化方案" not in before.text
    shelf.plan()
    shelf.change(FIRST, standing=ProjectStanding.CONFIRMED, granted_fen=600_050)
    after = printed(shelf, DocumentKind.APPLICATION, FIRST)
    assert after.value("核定金额") == "6,000.50元（人民币陆仟元伍角）"
    assert after.table("进度节点") == [["1", "组队", "2022年5月4日"], ["2", "首轮清洁", "2022年6月30日"]]
    *lines, total = after.table("用途")
    assert lines == [
        ["1", "物资购置", "清洁用具", "5,000.00元"],
        ["2", "志愿者补贴", "志愿者午餐", "1,000.50元"],
    ]
    assert total[0] == "合计：6,000.50元（人民币陆仟元伍角）"


def test_the_self_check_report_tells_what_came_of_the_call_and_its_money(shelf: Shelf) -> None:
    shelf.receive(1_000_000, name="临平区民政局")
    shelf.budget(("materials", "清洁用具", 500_000))
    shelf.change(FIRST, standing=ProjectStanding.CONFIRMED, granted_fen=600_000, result="259/3", grade="good")
    shelf.change(SECOND, standing=ProjectStanding.OVER_BUDGET, standing_because="只余3,000.00元")
    shelf.grant(600_000)
    shelf.spend(450_050, line="materials")
    shelf.close(FIRST, Outcome.COMPLETED)
    shelf.publish()
    shelf.object(1, finding=ObjectionFinding.UPHELD)
    shelf.object(2, finding=ObjectionFinding.NOT_UPHELD)
    shelf.reach(Gate.SELF_CHECK)
    paper = printed(shelf, DocumentKind.SELF_CHECK)
    assert "共申报2个项目（撤回0个），确认入选1个，其中完成1个" in paper.text
    assert paper.table("资金来源") == [["区级试点资金（临平区民政局）", "10,000.00元", "0.00元"]]
    assert "到账合计10,000.00元（人民币壹万元整），下拨项目6,000.00元" in paper.text
    assert "项目支出4,500.50元（人民币肆仟伍佰元伍角）" in paper.text
    assert paper.table("核定金额") == [
        [
            "1",
            f"楼道清洁志愿队（{FIRST}，周荡村）",
            "陆负责(P030)",
            "6,000.00元",
            "支出4,500.50元，结余1,499.50元",
            "86.33分，良好，已完成归档",
        ]
    ]
    assert paper.table("原因") == [["1", f"老年书画社（{SECOND}）", "超出预算", "只余3,000.00元"]]
    assert [row[2] for row in paper.table("公示")] == ["异议2件，成立1件"]


def test_the_report_as_given_stands_on_the_paper(here: Shelf) -> None:
    here.reach(
        Gate.SELF_CHECK, details={"attainment": "楼道明显整洁", "problems": "人手不足", "next_steps": "再招志愿者"}
    )
    paper = printed(here, DocumentKind.SELF_CHECK)
    told = [line for line in paper.paragraphs if line in ("楼道明显整洁", "人手不足", "再招志愿者")]
    assert told == ["楼道明显整洁", "人手不足", "再招志愿者"]


def test_a_villages_own_notice_is_signed_by_the_village(here: Shelf) -> None:
    here.publish()
    with here.resources.database.write() as session:
        session.connection().exec_driver_sql(
            f"UPDATE cases SET unit_id = (SELECT id FROM units WHERE kind = '{UnitKind.VILLAGE.value}')"
            f" WHERE number = '{NOTICE}'"
        )
    assert "周荡村" in printed(here, DocumentKind.NOTICE, NOTICE).paragraphs[-3]
