"""A project's money: from the programme's pool onto its lines, never beyond, and what is left back (D0-R15, D2-R13)."""

import pytest

from policies.errors import Refused
from policies.vocabulary import Door, Gate, Outcome, Verdict
from tasks import funds, works
from tasks.commands import RecordWorks, WorkRecord
from tasks.project_commands import SpendOnProject
from tests.desks import OpenTown
from tests.projects import CATEGORIES, EDITIONS, GRANTED, PROPOSER, Projects, confirmed
from tests.township import HEAD_OF_OFFICE, LIAISON, RESPONSIBLE, REVIEWER

LINPING = "linping-2022"


def opened(open_town: OpenTown, *, received: str = "20,000") -> Projects:
    return confirmed(open_town(LINPING, EDITIONS[LINPING]), received=received)


@pytest.fixture
def projects(open_sqlite: OpenTown) -> Projects:
    """A confirmed project that waits for its plan, 20,000.00 in the programme's pool."""
    return opened(open_sqlite)


@pytest.fixture
def funded(open_town: OpenTown) -> Projects:
    """A project that may spend 5,000.00 on 花苗 (3,000.00) and 铺装 (1,500.00)."""
    projects = opened(open_town)
    projects.to_gate(Gate.MILESTONE)
    return projects


def test_no_plan_is_approved_beyond_what_the_programme_received(open_town: OpenTown) -> None:
    projects = opened(open_town, received="4,999.99")
    projects.plan()
    told = r"核定5,000\.00元,.*已到账4,999\.99元,已批准方案的项目共0\.00元,尚差0\.01元:.*请先登记资金到账"
    with pytest.raises(Refused, match=told) as refused:
        projects.decide(Verdict.APPROVED)
    assert refused.value.clause == projects.scheme.gates.funding.where
    assert (projects.town.gate(), projects.lines()) == (Gate.PLAN_REVIEW, ())
    projects.receive("0.01", source="社会捐赠", name="某某公司", key="2")
    projects.decide(Verdict.APPROVED)
    projects.fund()
    assert (projects.pool(), projects.left(), projects.town.gate()) == (0, GRANTED, Gate.MILESTONE)
    assert projects.faults() == []


def test_a_source_gives_no_more_than_the_edition_says(projects: Projects) -> None:
    with pytest.raises(Refused, match=r"“区级试点资金”上限为30,000\.00元,已到账20,000\.00元,还可登记10,000\.00元"):
        projects.receive("10,000.01", key="2")
    with pytest.raises(Refused, match="无权登记到账资金:须由社区办审核员办理"):
        projects.receive("1", key="3", by=RESPONSIBLE)
    with pytest.raises(Refused, match="“福利彩票”不在政策规定的资金来源之内,请从中选择:区财政试点补助"):
        projects.receive("1", key="4", source="福利彩票")
    assert projects.pool() == 2_000_000


def test_the_money_arrives_in_two_points_in_their_order(projects: Projects) -> None:
    projects.to_gate(Gate.FUNDING)
    with pytest.raises(Refused, match="须先登记“镇拨付到村"):
        projects.record("村(居)委会确认到账", by=RESPONSIBLE)
    projects.record("镇拨付到村(居)委会", by=REVIEWER)
    with pytest.raises(Refused, match="须由村\\(居\\)委会责任人登记"):
        projects.record("村(居)委会确认到账", by=REVIEWER)
    with pytest.raises(Refused, match="尚有未完成事项:村\\(居\\)委会确认到账"):
        projects.decide(Verdict.COMPLETED)
    with pytest.raises(Refused, match="资金尚未到账,现处于“资金拨付”环节"):
        projects.spend("1")
    projects.record("村(居)委会确认到账", by=RESPONSIBLE)
    (letter, _) = projects.town.entries("funds_arrived")
    assert (letter.context["amount_fen"], letter.context["lines"]) == (GRANTED, ["花苗3,000.00元", "铺装1,500.00元"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"line": "聚餐"}, "“聚餐”不在项目预算之内,专款专用,只能用于:花苗、铺装", id="purpose"),
        pytest.param({"yuan": "3,000.01"}, r"预算上限为3,000\.00元.*不能再支出3,000\.01元", id="line"),
        pytest.param({"by": PROPOSER}, r"苏提议\(P040\)无权登记项目支出:须由村\(居\)委会责任人办理", id="person"),
        pytest.param({"proof": ""}, "资料文件夹中没有“没有.jpg”", id="voucher"),
        pytest.param({"days": 1}, "支出日期2022年5月17日晚于今天", id="tomorrow"),
        pytest.param({"days": -1}, "支出日期2022年5月15日早于资金到账日2022年5月16日", id="before"),
    ],
)
def test_spending_outside_purpose_line_day_or_office_is_refused(
    funded: Projects, changes: dict[str, object], told: str
) -> None:
    fields = {"yuan": "100"} | changes
    days = fields.pop("days", 0)
    with pytest.raises(Refused, match=told):
        funded.spend(**fields, on=funded.day(days))  # type: ignore[arg-type]
    assert funded.left() == GRANTED
    assert [line.spent_fen for line in funded.lines()] == [0, 0]


def test_a_line_is_spent_to_its_last_fen_and_no_further(funded: Projects) -> None:
    funded.spend("2,999.99")
    with pytest.raises(Refused, match=r"已支出2,999\.99元,还可支出0\.01元,不能再支出0\.02元"):
        funded.spend("0.02", key="2")
    assert funded.spend("0.01", key="3") == GRANTED - 300_000
    assert funded.spend("0.01", key="3") == GRANTED - 300_000, "one key is booked once"
    assert funded.faults() == []


def test_a_voucher_is_booked_once_on_a_line_with_its_amount(funded: Projects) -> None:
    funded.spend("100")
    told = r"凭证“发票\.jpg”已于2022年5月16日在“花苗 .*”登记100\.00元\(摘要:购置.*同一凭证不重复登记"
    with pytest.raises(Refused, match=told):
        funded.spend("100", key="2")
    folder = funded.resources.settings.documents_folder
    (folder / "发票副本.jpg").write_bytes((folder / "发票.jpg").read_bytes())
    command = SpendOnProject(
        case=funded.number,
        by=RESPONSIBLE,
        line="1",
        amount_yuan="100",
        memo="购置",
        proof="发票副本.jpg",
        spent_on=funded.day(0),
    )
    with pytest.raises(Refused, match=r"凭证“发票副本\.jpg”已于2022年5月16日"):
        funds.spend(funded.resources, command, at=funded.town.now(), key="3")
    assert funded.left() == GRANTED - 10_000
    funded.spend("100", line="铺装", key="4")
    funded.spend("50", key="5")
    assert funded.spend("100", key="6", proof="发票二.jpg") == GRANTED - 35_000
    assert funded.faults() == []


def test_while_what_is_left_is_returned_only_earlier_expenses_are_booked(funded: Projects) -> None:
    funded.stop()
    opened_on = funded.day(0)
    funded.town.pass_until("2022-05-18 10:00")
    with pytest.raises(Refused, match="支出日期2022年5月17日晚于开始“结余清退”的2022年5月16日"):
        funded.spend("100", on=funded.day(-1))
    assert funded.spend("100", on=opened_on) == GRANTED - 10_000


def test_nothing_is_spent_once_what_is_left_went_back(funded: Projects) -> None:
    funded.spend("1,000")
    funded.finish_steps()
    funded.decide(Verdict.ACCEPTED, proof="验收单.pdf")
    funded.evaluate({"居民评议": (10, 900)}, complete=True)
    funded.record("退回结余资金", by=RESPONSIBLE)
    with pytest.raises(Refused, match=r"已办结\(已完成归档\),不能再登记项目支出"):
        funded.spend("0.50", key="2")
    assert (funded.left(), funded.pool()) == (0, 2_000_000 - 100_000)


def test_between_the_settlement_and_the_archive_nothing_is_spent(funded: Projects) -> None:
    funded.stop()
    command = RecordWorks(
        case=funded.number,
        by=RESPONSIBLE,
        works=[WorkRecord(point="退回结余资金", done_on=funded.day(0), proof=funded.town.proof("回单.pdf"))],
    )
    works.record_works(funded.resources, command, door=Door.CLI, at=funded.town.now())
    with pytest.raises(Refused, match="已办结“结余清退”,不能再登记支出"):
        funded.spend("0.50")


def test_a_settlement_with_nothing_left_closes_by_itself(open_town: OpenTown) -> None:
    projects = opened(open_town)
    projects.plan(lines=[("花苗", CATEGORIES[LINPING][0], "5,000")])
    projects.decide(Verdict.APPROVED)
    projects.fund()
    projects.spend("5,000")
    projects.finish_steps()
    projects.decide(Verdict.ACCEPTED, proof="验收单.pdf")
    projects.evaluate({"居民评议": (10, 900)}, complete=True)
    assert projects.town.case().outcome is Outcome.COMPLETED
    last = projects.town.decisions()[-1]
    assert (last.work_item.gate, last.door, last.details) == (Gate.SETTLEMENT, Door.SYSTEM, {"returned_fen": 0})
    assert projects.town.told("surplus_returned") == []
    gates = [each.context["gate"] for each in projects.town.entries("task_waiting")]
    assert "结余清退" not in gates, "nobody is asked for nothing"


def test_an_invoice_that_comes_late_may_take_the_last_of_the_money_and_closes_the_settlement(funded: Projects) -> None:
    funded.spend("3,000")
    funded.finish_steps()
    funded.decide(Verdict.ACCEPTED, proof="验收单.pdf")
    funded.evaluate({"居民评议": (10, 900)}, complete=True)
    assert funded.town.gate() is Gate.SETTLEMENT
    assert funded.spend("1,500", line="铺装", key="2") == 50_000
    assert funded.town.gate() is Gate.SETTLEMENT, "more was granted than planned"
    with pytest.raises(Refused, match="预算上限"):
        funded.spend("500", line="铺装", key="3")
    funded.record("退回结余资金", by=RESPONSIBLE)
    assert (funded.left(), funded.pool(), funded.town.gate()) == (0, 2_000_000 - 450_000, None)


def test_what_is_left_is_returned_by_the_village_with_proof_and_told_in_capitals(funded: Projects) -> None:
    funded.spend("1,000")
    funded.finish_steps()
    funded.decide(Verdict.ACCEPTED, proof="验收单.pdf")
    funded.evaluate({"居民评议": (10, 900)}, complete=True)
    (asked, *_) = [each for each in funded.town.entries("task_waiting") if each.context["gate"] == "结余清退"]
    assert asked.context["facts"][0] == "应退回结余4,000.00元（人民币肆仟元整）"
    assert "周责任" in [
        each.to_name for each in funded.town.entries("task_waiting") if each.context["gate"] == "结余清退"
    ]
    with pytest.raises(Refused, match="须由村\\(居\\)委会责任人登记"):
        funded.record("退回结余资金", by=REVIEWER)
    with pytest.raises(Refused, match="尚有未完成事项:退回结余资金"):
        funded.decide(Verdict.COMPLETED)
    funded.record("退回结余资金", by=RESPONSIBLE)
    assert any("退回结余资金4,000.00元(人民币肆仟元整),项目实际支出1,000.00元" in told for told in funded.told())
    assert (funded.left(), funded.pool()) == (0, 2_000_000 - 100_000)
    assert funded.faults() == []


def test_the_head_of_the_office_gives_a_project_up_and_its_money_goes_back(funded: Projects) -> None:
    funded.spend("1,000")
    with pytest.raises(Refused, match="须由社区办负责人办理,现为丁主任"):
        funded.stop(by=PROPOSER)
    with pytest.raises(Refused, match="须写明理由"):
        funded.stop("", by=HEAD_OF_OFFICE)
    funded.stop()
    assert funded.town.gate() is Gate.SETTLEMENT
    (letter, _) = funded.town.entries("project_stopped")
    assert (letter.context["left_fen"], letter.context["by"]) == (400_000, "丁主任")
    with pytest.raises(Refused, match="不能登记进展"):
        funded.progress()
    funded.record("退回结余资金", by=RESPONSIBLE)
    case = funded.town.case()
    assert (case.outcome, case.because) == (Outcome.WITHDRAWN, "该地块将改建停车场")
    assert (funded.left(), funded.pool()) == (0, 2_000_000 - 100_000)
    assert funded.faults() == []


def test_a_project_whose_money_never_comes_is_stopped_and_owes_nothing(open_town: OpenTown) -> None:
    projects = opened(open_town)
    projects.to_gate(Gate.FUNDING)
    with pytest.raises(Refused, match="须由社区办负责人办理,现为丁主任"):
        projects.stop("区里没有拨款", by=REVIEWER)
    projects.stop("区里没有拨款")
    case = projects.town.case()
    assert (case.outcome, case.because) == (Outcome.WITHDRAWN, "区里没有拨款")
    assert projects.town.told("project_stopped") == ["苏提议", "周责任"]
    assert any("项目没有支出,也没有须退回的资金" in told for told in projects.told())
    assert projects.faults() == []


def test_money_that_was_sent_but_not_confirmed_goes_back_when_the_project_is_stopped(open_town: OpenTown) -> None:
    projects = opened(open_town)
    projects.to_gate(Gate.FUNDING)
    projects.record("镇拨付到村(居)委会", by=REVIEWER, proof="回单.pdf")
    projects.stop("账户已冻结")
    assert (projects.town.gate(), projects.left()) == (Gate.SETTLEMENT, GRANTED)
    with pytest.raises(Refused, match="在资金到账以前已终止实施,不能登记支出"):
        projects.spend("1")
    projects.record("退回结余资金", by=RESPONSIBLE)
    assert (projects.left(), projects.pool(), projects.town.case().outcome) == (0, 2_000_000, Outcome.WITHDRAWN)
    assert projects.faults() == []


def test_a_project_that_is_never_good_enough_is_stopped_and_its_money_goes_back(funded: Projects) -> None:
    funded.spend("1,000")
    funded.finish_steps()
    funded.decide(Verdict.RECTIFY, reason="栽种的花已枯死")
    funded.stop("整改后仍不合格")
    assert funded.town.gate() is Gate.SETTLEMENT
    funded.record("退回结余资金", by=RESPONSIBLE)
    assert (funded.town.case().outcome, funded.pool()) == (Outcome.WITHDRAWN, 2_000_000 - 100_000)
    assert funded.faults() == []


def test_progress_is_recorded_while_the_project_is_carried_out_by_those_who_do_it(projects: Projects) -> None:
    projects.to_gate(Gate.FUNDING)
    with pytest.raises(Refused, match="现处于“资金拨付”环节,不能登记进展:实施期自资金到账起"):
        projects.progress()
    projects.fund()
    projects.progress("开工", percent=10)
    projects.progress("整地过半", percent=40, by=LIAISON, proof=projects.town.proof("现场.jpg"))
    with pytest.raises(Refused, match="无权登记项目进展"):
        projects.progress(by=REVIEWER)
    with pytest.raises(Refused, match="进展日期2022年5月17日晚于今天"):
        projects.progress(happened_on=projects.day(1))
    with pytest.raises(Refused, match="早于申报日2022年5月16日"):
        projects.progress(happened_on=projects.day(-1))
    with pytest.raises(Refused, match=r"资料文件夹中没有“没有\.jpg”"):
        projects.progress(proof="没有.jpg")
    assert len(projects.town.state()["progress_records"]) == 2
    projects.finish_steps()
    projects.progress("收尾", percent=100, by=RESPONSIBLE)
    projects.decide(Verdict.ACCEPTED, proof="验收单.pdf")
    with pytest.raises(Refused, match="现处于“项目评估”环节,不能登记进展"):
        projects.progress("还有事")
    told = [each for each in projects.told() if "进展" in each]
    assert told[1] == "2022年5月16日进展(总体40%):整地过半,材料:现场.jpg"


def test_a_spending_that_is_tried_again_after_it_closed_the_settlement_is_not_refused(projects: Projects) -> None:
    projects.plan(lines=[("花苗", CATEGORIES[LINPING][0], "5,000")])
    projects.decide(Verdict.APPROVED)
    projects.fund()
    projects.stop()
    assert projects.town.gate() is Gate.SETTLEMENT
    command = SpendOnProject(
        case=projects.number,
        by=RESPONSIBLE,
        line="1",
        amount_yuan="5,000",
        memo="购置",
        proof=projects.town.proof("发票.jpg"),
        spent_on=projects.day(0),
    )
    for _ in range(2):
        assert funds.spend(projects.resources, command, at=projects.town.now(), key="run") == 0
    assert projects.town.gate() is None
    projects.carry()
    assert projects.town.case().outcome is Outcome.WITHDRAWN
    assert projects.faults() == []
