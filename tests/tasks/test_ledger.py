"""The dedicated ledger: money comes down in order, is spent for its purpose only, and never below zero (D0-R15)."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from policies.errors import Refused
from policies.vocabulary import Gate
from rules.money import in_yuan
from tasks.history import verify
from tests.desks import OpenTown, keep
from tests.township import RESPONSIBLE, REVIEWER, STRANGER, Township

GRANT, TRANSFER, RECEIVED = "区拨付到镇", "镇下拨到村(居)委会", "村(居)委会确认到账"
WAY = {GRANT: REVIEWER, TRANSFER: REVIEWER, RECEIVED: RESPONSIBLE}
SUBSIDY = 1_000_000
CLAUSE = "六、2"


def balances(town: Township) -> dict[str, int]:
    with town.resources.database.read() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT level, SUM(balance_fen) FROM ledger_accounts GROUP BY level"
        )
        return {level: int(fen) for level, fen in rows}


@pytest.fixture
def funded(both: Township) -> Township:
    """A listed site whose subsidy has arrived."""
    both.to_gate(Gate.SUBSIDY)
    both.finish_subsidy()
    return both


def test_the_money_comes_down_from_the_district_through_the_town_to_the_village(both: Township) -> None:
    both.to_gate(Gate.SUBSIDY)
    stands = []
    for point, by in WAY.items():
        both.record({point: by})
        stands.append(balances(both))
    assert stands[0] == {"district": -SUBSIDY, "town": SUBSIDY}
    assert stands[1] == stands[2] == {"district": -SUBSIDY, "town": 0, "village": SUBSIDY}
    assert both.gate() is None
    assert "10,000.00元（人民币壹万元整）" in both.entries("subsidy_paid")[0].sent_text


def test_the_money_can_not_arrive_before_it_was_sent(town: Township) -> None:
    town.to_gate(Gate.SUBSIDY)
    with pytest.raises(Refused, match="须先登记“区拨付到镇”,再登记“镇下拨到村"):
        town.record({TRANSFER: REVIEWER})
    town.record({GRANT: REVIEWER})
    with pytest.raises(Refused, match="须先登记“镇下拨到村"):
        town.record({RECEIVED: RESPONSIBLE})
    with pytest.raises(Refused, match="已登记"):
        town.record({GRANT: REVIEWER})
    assert balances(town) == {"district": -SUBSIDY, "town": SUBSIDY}


def test_each_level_records_what_is_its_own(town: Township) -> None:
    town.to_gate(Gate.SUBSIDY)
    with pytest.raises(Refused, match=r"周责任\(P010\)无权办理"):
        town.record({GRANT: RESPONSIBLE})
    town.record({GRANT: REVIEWER, TRANSFER: REVIEWER})
    with pytest.raises(Refused, match=r"须由村\(居\)委会责任人登记,现为周责任\(P010\)"):
        town.record({RECEIVED: REVIEWER})
    assert town.gate() is Gate.SUBSIDY


def test_what_is_left_is_what_came_less_what_was_spent(funded: Township) -> None:
    assert funded.spend("0.01", key="a") == funded.spend("0.01", key="a") == 999_999, "the same key is booked once"
    funded.spend("0.01", key="b")
    assert funded.spend("6,280.48", key="1") == 371_950
    assert funded.spend("3719.50元", key="2", purpose="报刊订阅") == 0
    assert balances(funded) == {"district": -SUBSIDY, "town": 0, "village": 0, "spent": SUBSIDY}
    with pytest.raises(Refused, match=r"余额为0\.00元,不足0\.01元,不能支出"):
        funded.spend("0.01", key="3")


REFUSALS: list[tuple[str, dict[str, str], str, str]] = [
    ("10000.01", {}, r"余额为10,000\.00元,不足10,000\.01元,不能支出", CLAUSE),
    ("99999999999999999999", {}, r"余额为10,000\.00元,不足", CLAUSE),
    (
        "10",
        {"purpose": "聚餐"},
        "“聚餐”不在补贴的用途之内,专款专用,只能用于:设施添置、报刊订阅",
        CLAUSE,
    ),
    ("10", {"by": REVIEWER}, r"沈审核\(P001\)无权支出;现责任人为周责任\(P010\)", CLAUSE),
    ("10", {"by": STRANGER}, r"路人甲\(P099\)无权支出", CLAUSE),
    ("0", {}, "金额“0”须大于零", CLAUSE),
    ("-5", {}, "“-5”不是金额", "default"),
    ("1.005", {}, r"“1\.005”不是金额", "default"),
    ("10", {"proof": "没有.jpg"}, r"资料文件夹中没有“没有\.jpg”", "default"),
    ("10", {"proof": "../ketang.db"}, "不在资料文件夹之内", "default"),
]


def test_what_is_no_lawful_spending_is_refused_and_books_nothing(funded: Township) -> None:
    before = funded.state()
    for yuan, more, told, clause in REFUSALS:
        with pytest.raises(Refused, match=told) as refused:
            funded.spend(yuan, key="x", **more)
        assert refused.value.clause == clause, yuan
    assert funded.state() == before
    (funded.resources.settings.documents_folder / "空.pdf").write_bytes(b"")
    with pytest.raises(Refused, match=r"“空\.pdf”是空文件"):
        funded.spend("10", key="x", proof="空.pdf")
    with pytest.raises(ValidationError):
        funded.spend("10", key="x", proof="")


def test_before_the_money_has_come_there_is_none_to_spend(town: Township) -> None:
    town.to_gate(Gate.PLAQUE)
    with pytest.raises(Refused, match=r"余额为0\.00元,不足10\.00元"):
        town.spend("10", key="x")


def test_a_case_that_ended_without_a_site_has_no_money(town: Township) -> None:
    town.to_gate(Gate.PLAQUE)
    town.withdraw()
    with pytest.raises(Refused, match="未建成客堂间,没有专款可支出"):
        town.spend("10", key="x")


def test_xuhang_grants_no_subsidy(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-03-04 10:00")
    town.to_gate(Gate.PLAQUE)
    with pytest.raises(Refused, match="没有规定补贴"):
        town.spend("10", key="x")


SPENDING = st.tuples(
    st.just("spend"), st.sampled_from(["设施添置", "报刊订阅", "聚餐"]), st.integers(min_value=0, max_value=700_000)
)
STEP = st.tuples(st.just("way"), st.sampled_from(list(WAY)), st.just(0))


def test_the_balance_is_always_what_was_granted_less_what_was_spent(town: Township) -> None:
    town.to_gate(Gate.SUBSIDY)
    bring_back = keep(town)

    @settings(max_examples=20, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(acts=st.lists(st.one_of(STEP, SPENDING, SPENDING), max_size=14))
    def holds(acts: list[tuple[str, str, int]]) -> None:
        bring_back()
        keys = count()
        came: list[str] = []
        spent = {"设施添置": 0, "报刊订阅": 0}
        for kind, what, fen in acts:
            there = SUBSIDY * (TRANSFER in came) - sum(spent.values())
            if kind == "way":
                fits = what == list(WAY)[len(came)] if len(came) < len(WAY) else False
            else:
                fits = what in spent and 0 < fen <= there
            try:
                if kind == "way":
                    town.record({what: WAY[what]})
                    came.append(what)
                else:
                    left = town.spend(in_yuan(fen), key=str(next(keys)), purpose=what)
                    spent[what] += fen
                    assert left == there - fen
            except Refused:
                assert not fits, (kind, what, fen, there)
            else:
                assert fits, (kind, what, fen, there)
            stands = balances(town)
            assert sum(stands.values()) == 0
            assert stands.get("village", 0) == SUBSIDY * (TRANSFER in came) - sum(spent.values()) >= 0
            assert stands.get("spent", 0) == sum(spent.values())
        with town.resources.database.read() as session:
            assert list(verify(session)) == []

    holds()
