"""Money booked by hand: only by those who may, from the sources that the edition knows, with a voucher (D2-R13)."""

import pytest

from models.case import Case
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Outcome
from tasks.case_file import case_file
from tasks.ledger_commands import ReceiveMoney, receive_money
from tasks.ledger_figures import money_lines
from tests.programme import CALL, FIRST, Programme
from tests.township import REVIEWER, STRANGER, Township


@pytest.fixture
def money(town: Township) -> Programme:
    return Programme(town)


def receipt(money: Programme, yuan: str = "20,000", *, key: str = "1", **changes: str) -> int:
    """Book money that came in; the voucher is there unless another one is named."""
    fields = {
        "case": CALL,
        "by": REVIEWER,
        "source": "区级试点资金",
        "source_name": "临平区民政局",
        "amount_yuan": yuan,
        "memo": "首批",
        "proof": money.town.proof("回单.pdf"),
    }
    command = ReceiveMoney.model_validate(fields | changes)
    return receive_money(money.resources, command, at=money.town.now(), key=key)


def test_money_booked_with_its_voucher_stands_in_the_pool_once(money: Programme) -> None:
    assert receipt(money) == receipt(money) == 2_000_000
    assert receipt(money, "¥1.50", key="2", source="match", source_name="") == 2_000_150
    with money.resources.database.read() as session:
        rows = session.connection().exec_driver_sql("SELECT reference FROM documents")
        assert [reference for (reference,) in rows] == ["回单.pdf"]


def test_a_giver_s_voucher_is_booked_once_with_its_amount(money: Programme) -> None:
    receipt(money, "1,000")
    before = money.town.state()
    with pytest.raises(Refused, match=r"凭证“回单\.pdf”已于.*登记1,000\.00元\(摘要:首批\),同一凭证不重复登记"):
        receipt(money, "1,000", key="2")
    assert money.town.state() == before
    for changes in ({"proof": money.town.proof("回单二.pdf")}, {"yuan": "999"}, {"source_name": "区财政局"}):
        receipt(money, **{"yuan": "1,000", "key": str(changes)} | changes)
    assert money.pool() == 399_900


def test_a_receipt_that_no_rule_allows_is_refused(money: Programme) -> None:
    receipt(money)
    before = money.town.state()
    for changes, told in (
        ({"by": STRANGER}, r"路人甲\(P099\)无权登记到账资金:须由社区办审核员办理,现为沈审核\(P001\)"),
        (
            {"source": "银行贷款"},
            "“银行贷款”不在政策规定的资金来源之内,请从中选择:区财政试点补助、镇街配套资金、慈善捐赠",
        ),
        ({"yuan": "10000.01"}, r"上限为30,000\.00元,已到账20,000\.00元,还可登记10,000\.00元"),
        ({"yuan": "一万"}, "“一万”不是金额"),
        ({"proof": "没有.pdf"}, r"资料文件夹中没有“没有\.pdf”"),
        ({"case": "LPZ-2022-0099"}, "没有编号为“LPZ-2022-0099”的案件"),
        ({"case": FIRST}, "是“微项目”,不能登记到账资金;请填写“微项目征集”的案件编号"),
    ):
        with pytest.raises(Refused, match=told):
            receipt(money, key="2", **changes)
    assert money.town.state() == before


def test_a_closed_case_books_nothing_more(money: Programme) -> None:
    def close(act: object, case: Case, by: object) -> None:
        case.status, case.outcome, case.closed_at = CaseStatus.CLOSED, Outcome.CONCLUDED, money.town.now()

    money.act(CALL, close)
    with pytest.raises(Refused, match=r"已办结\(已总结归档\),不能再登记到账资金"):
        receipt(money)


def test_the_case_file_of_a_project_shows_its_money_and_its_budget(money: Programme) -> None:
    receipt(money)
    money.budget(("material", "材料费", 600_000))
    money.grant(800_000)
    money.spend(128_050)
    file = case_file(money.resources, FIRST, at=money.town.now())
    assert file.money == (
        (f"材料费 {FIRST}", "已支出1,280.50元(预算6,000.00元,尚余4,719.50元)"),
        (f"村级专账(临平区民政局) {FIRST}", "6,719.50元"),
    )
    assert money.read(money_lines) == (
        (f"区级拨款(临平区民政局) {CALL}", "已到账20,000.00元"),
        (f"镇级专户(临平区民政局) {CALL}", "12,000.00元"),
    )
