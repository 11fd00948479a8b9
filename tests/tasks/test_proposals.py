"""Filing proposals: one by one, by a sheet, in time; and withdrawing them."""

import threading
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from policies.errors import Refused
from policies.vocabulary import CaseKind, Door, Gate, ProjectStanding, Verdict
from tasks import proposals
from tasks.call_sheets import PROPOSAL_HEADS, read_proposals, sheet_key
from tasks.deadlines import fire_due
from tests.calls import EXAMPLE, LINPING, RESIDENT, CallTown, OpenCallTown
from tests.township import at

ROW = ["DZD1", "周荡村", "河边长廊", "环境美化", "修好坐凳", "全村老人", "老人歇脚有地方", "3000"]


@pytest.fixture
def town(call_town_on_sqlite: OpenCallTown) -> CallTown:
    """The example's town with an open call."""
    town = call_town_on_sqlite(EXAMPLE)
    town.open_call()
    return town


def sheet(town: CallTown, rows: list[list[Any]], *, name: str = "申报表.xlsx", heads: list[str] | None = None) -> Path:
    """Put a sheet into the documents folder."""
    folder = town.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    assert book.active is not None
    for row in [heads or list(PROPOSAL_HEADS), *rows]:
        book.active.append(row)
    book.save(folder / name)
    return folder


def import_sheet(town: CallTown, *, name: str = "申报表.xlsx", key: str = "") -> list[str]:
    """File what stands in the sheet."""
    folder = town.resources.settings.documents_folder
    rows = read_proposals(folder, name)
    return proposals.import_proposals(
        town.resources, town.number, rows, sheet=name, key=key or sheet_key(folder, name), at=town.now()
    )


def test_a_proposal_becomes_a_case_that_waits_for_its_call(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    call = town.open_call()
    number = town.propose("河边长廊", amount_yuan="¥3,000.50")
    case = town.case(number)
    assert (number, case.kind, town.gate(number)) == ("WXM-2026-0001", CaseKind.PROJECT, Gate.SELECTION)
    project = town.project(number)
    assert (project.amount_fen, project.standing, project.kind) == (300_050, ProjectStanding.PROPOSED, "environment")
    assert town.told("proposal_received") == ["周代表一"]
    assert town.propose("河边长廊") == number, "the same key files it once"
    assert any(number in row.summary for row in town.history(call))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "舞龙"}, "没有“舞龙”这一类,可选:邻里关爱"),
        (
            {"kind": "邻里关爱", "amount_yuan": "5000.01"},
            r"申请5,000.01元,“邻里关爱”类每个项目至多5,000.00元,超出0.01元",
        ),
        ({"kind": "其他小事急事难事", "amount_yuan": "3000.01"}, "至多3,000.00元"),
        ({"content": "搭棚营 利"}, "不得用于“营利活动”:见项目内容中的“营利”"),
        ({"proposer": RESIDENT}, r"提议人是居民,须为村\(居\)民代表、.*之一"),
        ({"proposer": "P010"}, "提议人是村.*责任人,须为"),
        ({"proposer": "无此人"}, "没有在职人员“无此人”"),
        ({"village": "别村"}, r"“别村”不是朱家角镇的村\(居\),可填:柳河村\(LH\)"),
        ({"amount_yuan": "三千"}, "“三千”不是金额"),
        ({"amount_yuan": "0"}, "须大于0元"),
        ({"content": "", "beneficiaries": ""}, "项目内容没有填写.*受益对象没有填写"),
    ],
)
def test_a_proposal_that_does_not_meet_the_call_is_refused(
    open_call_town: OpenCallTown, changes: dict[str, str], message: str
) -> None:
    town = open_call_town(EXAMPLE)
    town.open_call()
    with pytest.raises(Refused, match=message):
        town.propose("河边长廊", **changes)
    assert town.standings() == {}


def test_every_finding_is_told_at_once(town: CallTown) -> None:
    with pytest.raises(Refused) as refused:
        town.propose("河边长廊", kind="舞龙", village="别村", proposer=RESIDENT, amount_yuan="三千")
    for word in ("舞龙", "别村", "三千", "提议人是居民"):
        assert word in refused.value.reason


def test_only_the_kinds_that_are_called_for_are_taken(call_town_on_sqlite: OpenCallTown) -> None:
    town = call_town_on_sqlite(EXAMPLE)
    town.open_call(kinds=["邻里关爱", "culture"])
    with pytest.raises(Refused, match="本次征集不收“环境美化”类,可选:邻里关爱、文体活动"):
        town.propose("河边长廊")
    town.propose("老人饭桌", kind="邻里关爱")


def test_where_everybody_may_propose_a_resident_may(call_town_on_sqlite: OpenCallTown) -> None:
    town = call_town_on_sqlite(LINPING)
    town.open_call()
    town.propose("河边长廊", proposer=RESIDENT)


def test_a_late_proposal_is_refused_with_both_moments(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    town.open_call()
    town.clock.move_to(at("2026-03-27 23:59"))
    town.propose("最后一分钟")
    town.clock.move_to(at("2026-03-28 00:07"))
    with pytest.raises(Refused, match=r"申报已经截止.*2026年3月27日24:00,本次申报于2026年3月28日00:07,迟了7分钟"):
        town.propose("河边长廊")
    town.rehearsal.sweep()
    with pytest.raises(Refused, match="2026年3月27日24:00,本次申报于2026年3月28日00:07"):
        town.propose("河边长廊")
    assert list(town.standings()) == ["最后一分钟"]


def test_an_early_proposal_is_refused_with_the_day(call_town_on_sqlite: OpenCallTown) -> None:
    town = call_town_on_sqlite(EXAMPLE)
    town.open_call(opens_on="2026-03-16", closes_on="2026-03-31")
    with pytest.raises(Refused, match="申报尚未开始:申报期为2026年3月16日00:00至"):
        town.propose("河边长廊")
    town.clock.move_to(at("2026-03-16 00:00"))
    town.propose("河边长廊")


def test_the_same_title_of_the_same_person_is_filed_once(town: CallTown) -> None:
    first = town.propose("河边 长廊")
    with pytest.raises(Refused, match=f"已申报同名项目 {first}“河边 长廊”"):
        town.propose("河边长廊", key="another")
    town.propose("河边长廊", proposer="DZD2", key="by another person")
    town.take_back(first)
    town.propose("河边长廊", key="after taking the first one back")


def test_a_sheet_is_filed_row_by_row_and_only_once(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    town.open_call()
    sheet(town, [ROW, ["DLH1", "LH", "路灯", "environment", "装灯", "全村", "夜里看得见", 2500]])
    numbers = import_sheet(town)
    assert len(numbers) == 2
    assert import_sheet(town) == numbers
    assert list(town.standings()) == ["河边长廊", "路灯"]
    assert {town.gate(number) for number in numbers} == {Gate.SELECTION}
    assert town.told("proposal_received") == ["周代表一", "柳代表一"]


def test_every_fault_of_a_sheet_is_named_by_row_and_column_and_nothing_is_filed(town: CallTown) -> None:
    bad = list(ROW)
    bad[0], bad[3], bad[7] = "无此人", "舞龙", "三千"
    sheet(town, [ROW, bad, [*ROW[:2], "河边长廊", *ROW[3:]], ["DLH1", "别村", "路灯", *ROW[3:]]])
    with pytest.raises(Refused) as refused:
        import_sheet(town)
    for part in (
        "有5处有误",
        "第3行“提议人”",
        "第3行“项目类别”",
        "第3行“申请金额”",
        "第4行“项目名称”",
        "第5行“村(居)”",
    ):
        assert part in refused.value.reason
    assert town.standings() == {}
    assert town.entries("proposal_received") == []


def test_a_sheet_without_a_head_or_with_a_personal_number_is_refused(town: CallTown) -> None:
    sheet(town, [ROW[:-1]], heads=list(PROPOSAL_HEADS)[:-1])
    with pytest.raises(Refused, match="第1行缺少表头:申请金额"):
        import_sheet(town)
    called = list(ROW)
    called[4] = "联系 13812345678"
    sheet(town, [called], name="另一份.xlsx")
    with pytest.raises(Refused, match=r"第2行.*项目内容.*请勿填写手机号") as refused:
        import_sheet(town, name="另一份.xlsx")
    assert "13812345678" not in str(refused.value)


def test_a_late_sheet_is_refused_as_a_whole(town: CallTown) -> None:
    sheet(town, [ROW])
    town.clock.move_to(at("2026-03-28 09:00"))
    with pytest.raises(Refused, match="申报已经截止"):
        import_sheet(town)


def test_only_the_proposer_withdraws_and_the_call_hears_of_it(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    call = town.open_call()
    number = town.propose("河边长廊")
    with pytest.raises(Refused, match="只有申请的负责人周代表一"):
        town.take_back(number, by="DZD2")
    town.take_back(number)
    assert town.standings() == {"河边长廊": ProjectStanding.WITHDRAWN}
    assert any(row.kind == "proposal_withdrawn" for row in town.history(call))


def test_a_proposal_is_filed_in_a_call_only(town: CallTown) -> None:
    project = town.propose("河边长廊")
    call, town.number = town.number, project
    with pytest.raises(Refused, match=f"案件 {project} 是“微项目”,不是微项目征集"):
        town.propose("路灯")
    town.number = call
    with pytest.raises(Refused, match="没有编号为“ZJ-2026-0099”的案件"):
        proposals.propose(town.resources, "ZJ-2026-0099", town.proposal("路灯"), door=Door.CLI, key="x", at=town.now())


def test_on_the_last_second_every_proposal_is_either_counted_or_refused(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    town.open_call()
    town.propose("早到的")
    start, refused = threading.Barrier(4), list[str]()

    def file(title: str) -> None:
        start.wait()
        try:
            proposals.propose(
                town.resources,
                town.number,
                town.proposal(title),
                door=Door.CLI,
                key=title,
                at=at("2026-03-27 23:59:59"),
            )
        except Refused as refusal:
            refused.append(refusal.reason)

    def end() -> None:
        start.wait()
        assert fire_due(town.resources, at=at("2026-03-28 00:00:00")).failures == []

    threads = [threading.Thread(target=file, args=(title,)) for title in ("路灯", "花坛", "书屋")]
    threads.append(threading.Thread(target=end))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (ended,) = town.decisions()
    assert ended.verdict is Verdict.ENDED
    assert ended.details["proposals"] == len(town.standings()) == 4 - len(refused)
    assert all("到达时清点已经完成" in reason for reason in refused)
