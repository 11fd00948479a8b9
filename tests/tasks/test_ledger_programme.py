"""A programme's money: every fen has its source and its purpose, and what nobody spent goes back (D2-R13)."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from models.ledger import LedgerAccount
from policies.errors import Refused
from policies.vocabulary import LedgerLevel, LedgerMove, SourceKind
from tasks import ledger_figures
from tasks.cases import load_case
from tasks.ledger_figures import LineFigures, ProjectMoney, Received
from tasks.ledger_posting import account, post
from tasks.ledger_programme import LEVEL_OF, grant
from tests.desks import keep
from tests.programme import CALL, CLAUSE, FIRST, SECOND, Programme, lines_of
from tests.township import Township

MATCH, DONATION = SourceKind.MATCH, SourceKind.DONATION
MATERIAL, LABOUR = ("material", "材料费", 600_000), ("labour", "劳务费", 300_000)


@pytest.fixture
def money(both: Township) -> Programme:
    """A call with two projects, once per kind of database."""
    return Programme(both)


@pytest.fixture
def funded(money: Programme) -> Programme:
    """10,000.00 in the pool, of which the first project has 8,000.00 to spend on two lines."""
    money.receive(1_000_000, name="临平区民政局")
    money.budget(MATERIAL, LABOUR)
    money.grant(800_000)
    return money


def test_money_comes_from_its_sources_and_what_nobody_spent_goes_back_to_them(money: Programme) -> None:
    money.receive(1_000_000, name="临平区民政局")
    money.receive(200_000, source=DONATION, name="甲公司", key="a")
    money.receive(300_000, source=MATCH)
    money.receive(100_000, source=DONATION, name="乙公司", key="b")
    money.receive(50_000, source=DONATION, name="甲公司", key="c")
    assert money.pool() == 1_650_000

    money.budget(MATERIAL, LABOUR)
    assert lines_of(money.grant(1_400_000)) == [
        (f"town:{CALL}:grant:1", -1_000_000),
        (f"town:{CALL}:donation:1", -100_000),
        (f"town:{CALL}:match:1", -300_000),
        (f"village:{FIRST}:grant:1", 1_000_000),
        (f"village:{FIRST}:match:1", 300_000),
        (f"village:{FIRST}:donation:1", 100_000),
    ], "first the grant, then the match, then the donations, the earlier donor first"
    assert (money.pool(), money.left()) == (250_000, 1_400_000)

    assert lines_of(money.spend(600_000, line="material")) == [
        (f"spent:{FIRST}:material", 600_000),
        (f"village:{FIRST}:grant:1", -600_000),
    ]
    assert money.spend(300_000, line="劳务费", key="2").amount_fen == 300_000
    assert money.give_back() == 500_000
    assert money.return_all() == 750_000

    programme = money.read(ledger_figures.programme)
    assert (
        programme.received
        == money.read(ledger_figures.received)
        == (
            Received(SourceKind.GRANT, "临平区民政局", 1_000_000, 100_000),
            Received(DONATION, "甲公司", 250_000, 250_000),
            Received(MATCH, "镇级配套资金", 300_000, 300_000),
            Received(DONATION, "乙公司", 100_000, 100_000),
        )
    )
    assert programme.projects == (ProjectMoney(FIRST, 1_400_000, 500_000, 900_000, 0),)
    sums = (programme.received_fen, programme.returned_fen, programme.granted_fen, programme.spent_fen)
    assert (*sums, programme.pool_fen) == (1_650_000, 750_000, 900_000, 900_000, 0)
    assert money.faults() == []


def test_the_history_of_a_case_tells_where_its_money_went(funded: Programme) -> None:
    funded.spend(123_456)
    *_, told = funded.town.history(FIRST)
    assert told.kind == "money_moved"
    assert told.summary == (f"支出:村级专账(临平区民政局) {FIRST} → 材料费 {FIRST},1,234.56元,购置")
    assert [line["amount_fen"] for line in json.loads(told.data)["lines"]] == [123_456, -123_456]
    came = funded.town.history(CALL)[0].summary
    assert came == f"区拨付到镇:区级拨款(临平区民政局) {CALL} → 镇级专户(临平区民政局) {CALL},10,000.00元,到账"


Deed = Callable[[Programme], Any]
REFUSALS: dict[str, tuple[Deed, str]] = {
    "more than the programme has": (
        lambda money: money.grant(200_001, to=SECOND),
        f"“镇级专户 {CALL}”余额为2,000.00元,不足2,000.01元,不能镇下拨到村",
    ),
    "above the source's ceiling": (
        lambda money: money.receive(2_000_001, cap=3_000_000, key="2"),
        "“区级试点资金”上限为30,000.00元,已到账10,000.00元,还可登记20,000.00元,不能再登记20,000.01元",
    ),
    "outside the purpose": (
        lambda money: money.spend(1, line="聚餐"),
        "“聚餐”不在项目预算之内,专款专用,只能用于:材料费、劳务费",
    ),
    "no budget yet": (lambda money: money.spend(1, of=SECOND), r"只能用于:(方案尚未列出预算科目)"),
    "above the line": (
        lambda money: money.spend(600_001),
        f"“材料费 {FIRST}”预算上限为6,000.00元,已支出0.00元,还可支出6,000.00元,不能再支出6,000.01元",
    ),
    "nothing": (lambda money: money.spend(0), "金额0.00元须大于零"),
    "less than nothing": (lambda money: money.grant(-5, key="2"), "金额-0.05元须大于零"),
    "a number too long for the database": (
        lambda money: money.receive(10**20, key="2"),
        "金额1,000,000,000,000,000,000.00元须大于零,不超过999,999,999,999.99元",
    ),
    "a giver without end": (lambda money: money.receive(1, name="某" * 101, key="2"), "须为1至100字"),
    "no line": (lambda money: money.budget(), "方案预算至少要有一个科目"),
    "two lines of one name": (
        lambda money: money.budget(MATERIAL, ("other", "材料费", 1)),
        "预算科目的名称“材料费”重复",
    ),
    "two lines of one code": (lambda money: money.budget(MATERIAL, ("material", "其他", 1)), "代码“material”重复"),
    "a line without money": (
        lambda money: money.budget(("material", "材料费", 0)),
        "预算科目“材料费”的金额0.00元须大于零",
    ),
    "a line without a name": (lambda money: money.budget(("material", " ", 1)), "预算科目名称“ ”须为1至100字"),
    "a line without a code": (lambda money: money.budget(("", "材料费", 1)), "预算科目的代码“”须为1至40个字符"),
}


def test_what_no_rule_allows_is_refused_with_the_figures_and_the_clause_and_books_nothing(funded: Programme) -> None:
    before = funded.town.state()
    for what, (deed, told) in REFUSALS.items():
        with pytest.raises(Refused) as refused:
            deed(funded)
        assert told in refused.value.reason, what
        assert refused.value.clause == CLAUSE, what
    assert funded.town.state() == before


def test_no_more_is_spent_than_the_project_has_though_its_lines_would_allow_it(funded: Programme) -> None:
    funded.spend(600_000)
    with pytest.raises(Refused, match=rf"“村级专账 {FIRST}”余额为2,000\.00元,不足2,000\.01元,不能支出"):
        funded.spend(200_001, line="劳务费", key="2")
    funded.spend(200_000, line="劳务费", key="3")
    assert funded.left() == 0


def test_the_ceiling_of_a_source_counts_all_who_give_and_not_what_went_back(money: Programme) -> None:
    money.receive(60, source=DONATION, name="甲", cap=100)
    with pytest.raises(Refused, match=r"“社会捐赠”上限为1\.00元,已到账0\.60元"):
        money.receive(41, source=DONATION, name="乙", cap=100, key="2")
    money.receive(41, source=MATCH, cap=100, key="2")
    money.return_all()
    money.receive(100, source=DONATION, name="乙", cap=100, key="3")
    assert money.pool() == 100


def test_the_same_key_is_booked_once(funded: Programme) -> None:
    funded.spend(1_000)
    acts: list[Deed] = [
        lambda money: money.receive(1_000_000, name="临平区民政局"),
        lambda money: money.grant(800_000),
        lambda money: money.spend(1_000),
        lambda money: money.budget(MATERIAL, LABOUR),
    ]
    before = funded.town.state()
    for act in acts:
        act(funded)
    assert funded.town.state() == before
    assert (funded.give_back(), funded.give_back()) == (799_000, 799_000)
    assert (funded.return_all(), funded.return_all()) == (999_000, 999_000)
    assert funded.faults() == []


def test_where_nothing_is_left_nothing_is_booked(funded: Programme) -> None:
    assert funded.give_back(of=SECOND) == 0
    assert funded.give_back() == 800_000
    before = funded.town.state()
    assert funded.give_back(key="2") == 0
    assert funded.town.state() == before
    assert funded.return_all() == 1_000_000
    assert funded.return_all(key="2") == 0


def test_a_new_round_of_the_plan_moves_caps_but_never_below_what_was_spent(funded: Programme) -> None:
    funded.spend(500_000)
    with pytest.raises(Refused, match=r"已支出5,000\.00元,上限不能改为4,999\.99元"):
        funded.budget(("material", "材料费", 499_999), LABOUR)
    with pytest.raises(Refused, match=r"已支出5,000\.00元,上限不能改为0\.00元"):
        funded.budget(LABOUR)
    with pytest.raises(Refused, match="已有支出,不能改名为“宴请"):
        funded.budget(("material", "宴请", 600_000), LABOUR)
    funded.budget(("material", "材料费", 500_000), ("print", "印刷费", 100_000))
    assert funded.read(ledger_figures.budget_lines, FIRST) == (
        LineFigures("material", "材料费", 500_000, 500_000),
        LineFigures("print", "印刷费", 100_000, 0),
    )
    with pytest.raises(Refused, match="“劳务费”不在项目预算之内,专款专用,只能用于:材料费、印刷费"):
        funded.spend(1, line="劳务费", key="2")
    funded.budget(("material", "材料费", 500_000), ("labour", "人工费", 1))
    assert [line.name for line in funded.read(ledger_figures.budget_lines, FIRST)] == ["材料费", "人工费"]
    assert funded.faults() == []


def test_an_entry_that_does_not_sum_to_zero_can_not_be_booked(funded: Programme) -> None:
    def book(*amounts: int, key: str = "x") -> Deed:
        def deed(act: Any, case: Any, by: Any) -> None:
            accounts = [
                account(act.session, case, LedgerLevel.VILLAGE),
                account(act.session, case, LedgerLevel.SPENT, purpose="material"),
            ]
            lines = list(zip([*accounts, accounts[0]], amounts, strict=False))
            post(act, case, LedgerMove.SPENDING, lines, key=key, memo="", by=by, document=None, where=CLAUSE)

        return lambda money: money.act(FIRST, deed)

    before = funded.town.state()
    for amounts in [(-5, 4), (0, 0), (5,), (), (-5, 10, -5)]:
        with pytest.raises(ValueError, match="no entry"):
            book(*amounts)(funded)
    with pytest.raises(ValueError, match="was used for another entry"):
        book(-5, 5, key=f"{FIRST}:transfer:1")(funded)
    assert funded.town.state() == before


def test_a_refused_entry_leaves_nothing_also_when_its_act_goes_on(funded: Programme) -> None:
    def deed(act: Any, case: Any, by: Any) -> None:
        known = {each.code: each for each in act.session.query(LedgerAccount)}
        lines = [(known[f"district:{CALL}:grant:1"], -600_001), (known[f"spent:{FIRST}:material"], 600_001)]
        with pytest.raises(Refused, match=r"还可支出6,000\.00元,不能再支出6,000\.01元"):
            post(act, case, LedgerMove.SPENDING, lines, key="x", memo="", by=by, document=None, where=CLAUSE)
        assert known[f"spent:{FIRST}:material"].balance_fen == 0

    before = funded.accounts()
    funded.act(FIRST, deed)
    assert funded.accounts() == before
    assert funded.faults() == []


def test_money_never_goes_back_to_a_source_beyond_what_came_from_it(funded: Programme) -> None:
    def deed(act: Any, case: Any, by: Any) -> None:
        known = {each.code: each for each in act.session.query(LedgerAccount)}
        lines = [(known[f"district:{CALL}:grant:1"], 1_000_001), (known[f"town:{CALL}:grant:1"], -1_000_001)]
        post(act, case, LedgerMove.REFUND, lines, key="x", memo="", by=by, document=None, where=CLAUSE)

    with pytest.raises(Refused, match=r"尚未退回的到账资金为10,000\.00元,不能退回10,000\.01元"):
        funded.act(CALL, deed)


def test_the_database_itself_keeps_signs_and_caps(funded: Programme) -> None:
    for where, change, constraint in (
        ("level = 'district'", "balance_fen = 1", "sources_never_above_zero"),
        ("level = 'town'", "balance_fen = -1", "others_never_below_zero"),
        ("purpose = 'material'", "balance_fen = 600001", "within_cap"),
        ("level = 'village'", "cap_fen = 5", "cap_on_purposes"),
    ):
        with funded.resources.database.engine.connect() as connection:
            with pytest.raises(IntegrityError, match=constraint):
                connection.execute(text(f"UPDATE ledger_accounts SET {change} WHERE {where}"))
            connection.rollback()
    with funded.resources.database.engine.connect() as connection:
        with pytest.raises(DBAPIError, match="ledger_lines is append-only"):
            connection.execute(text("UPDATE ledger_lines SET amount_fen = 1"))
        connection.rollback()


# -- two writers at once ----------------------------------------------------------------------------------------------


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """Start all deeds at the same moment; return what each returned, or its refusal."""
    barrier = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        try:
            return deed()
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(deeds)) as threads:
        return [done.result() for done in [threads.submit(run, deed) for deed in deeds]]


def told_to_others(results: list[Any]) -> list[str]:
    """Return the reasons of the refusals; exactly one deed stands."""
    refused = [each.reason for each in results if isinstance(each, Refused)]
    assert len(refused) == len(results) - 1, results
    return refused


def test_of_those_who_spend_a_projects_last_money_at_once_one_gets_it(funded: Programme) -> None:
    funded.spend(600_000, key="before")
    deeds = [lambda n=n: funded.spend(150_000, line="劳务费", key=str(n)) for n in range(4)]
    reasons = told_to_others(at_once(*deeds))
    assert all("余额为500.00元,不足1,500.00元" in reason for reason in reasons)
    assert funded.left() == 50_000
    assert funded.faults() == []


def test_of_two_projects_that_are_given_the_pools_last_money_at_once_one_gets_it(funded: Programme) -> None:
    deeds = [lambda to=to: funded.grant(150_000, to=to, key="last") for to in (FIRST, SECOND)]
    (reason,) = told_to_others(at_once(*deeds))
    assert "余额为500.00元,不足1,500.00元,不能镇下拨到村" in reason
    assert funded.pool() == 50_000
    assert funded.faults() == []


def test_who_comes_second_is_given_what_the_first_left_of_every_source(money: Programme) -> None:
    for number, source in enumerate(SourceKind):
        money.receive(100_000, source=source, key=str(number))
    with ThreadPoolExecutor(1) as threads:

        def first(act: Any, case: Any, by: Any) -> Any:
            call = load_case(act.session, CALL, lock=False)
            grant(act, case, call, amount_fen=150_000, by=by, document=None, where=CLAUSE, key="1", memo="")
            second = threads.submit(lambda: money.grant(150_000, to=SECOND))
            until_somebody_waits(money)
            return second

        entry = money.act(FIRST, first).result(timeout=30)
    assert lines_of(entry) == [
        (f"town:{CALL}:match:1", -50_000),
        (f"town:{CALL}:donation:1", -100_000),
        (f"village:{SECOND}:match:1", 50_000),
        (f"village:{SECOND}:donation:1", 100_000),
    ]
    assert (money.pool(), money.faults()) == (0, [])


def until_somebody_waits(money: Programme) -> None:
    """Return when another transaction waits for this one; SQLite lets only one write, so nothing is to be seen."""
    engine = money.resources.database.engine
    if engine.dialect.name == "sqlite":
        return
    with engine.connect() as connection:
        for _ in range(100_000):
            if connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
    raise AssertionError("nobody waits")


def test_the_account_itself_judges_when_nobody_locked_the_case(funded: Programme) -> None:
    def take(number: str) -> Any:
        def deed(act: Any, case: Any, by: Any) -> Any:
            known = {each.code: each for each in act.session.query(LedgerAccount)}
            held = account(act.session, case, LedgerLevel.VILLAGE, source="grant:1", name="x")
            lines = [(held, 150_000), (known[f"town:{CALL}:grant:1"], -150_000)]
            return post(act, case, LedgerMove.TRANSFER, lines, key=number, memo="", by=by, document=None, where=CLAUSE)

        return funded.act(number, deed)

    (reason,) = told_to_others(at_once(lambda: take(FIRST), lambda: take(SECOND)))
    assert "余额为500.00元,不足1,500.00元" in reason
    assert funded.pool() == 50_000


def test_money_that_goes_both_ways_at_once_does_not_stop_anybody(money: Programme) -> None:
    for number, source in enumerate(SourceKind):
        money.receive(100_000, source=source, key=str(number))
    money.grant(150_000)
    money.grant(50_000, to=SECOND)
    results = at_once(
        lambda: money.give_back(of=FIRST, key="x"),
        lambda: money.give_back(of=SECOND, key="x"),
        lambda: money.grant(100_000, to=SECOND, key="y"),
        lambda: money.receive(100_000, source=MATCH, key="z"),
    )
    assert not [each for each in results if isinstance(each, Refused)]
    assert money.pool() + money.left(FIRST) + money.left(SECOND) == 400_000
    assert money.faults() == []


# -- whatever people do -----------------------------------------------------------------------------------------------

AMOUNT = st.integers(min_value=-5, max_value=500)
KEY = st.sampled_from("abcdef")
PROJECT = st.sampled_from([FIRST, SECOND])
ACTS = st.one_of(
    st.tuples(st.just("receive"), st.sampled_from(list(SourceKind)), AMOUNT, KEY),
    st.tuples(st.just("grant"), PROJECT, AMOUNT, KEY),
    st.tuples(st.just("spend"), PROJECT, AMOUNT, KEY),
    st.tuples(st.just("budget"), PROJECT, AMOUNT, KEY),
    st.tuples(st.just("give_back"), PROJECT, st.just(0), KEY),
    st.tuples(st.just("return_all"), st.just(CALL), st.just(0), KEY),
)
CAP = 1_500
BEGINNING: list[tuple[str, Any, int, str]] = [
    *(("receive", source, 300, "first") for source in reversed(SourceKind)),
    *(("budget", number, 400, "") for number in (FIRST, SECOND)),
    *(("grant", number, 350, "first") for number in (FIRST, SECOND)),
]


class Purses:
    """What must stand where, counted by hand: by holder and source, and on the one budget line of each project."""

    def __init__(self) -> None:
        self.held: dict[str, Counter[SourceKind]] = {number: Counter() for number in (CALL, FIRST, SECOND)}
        self.came: Counter[SourceKind] = Counter()
        self.spent = {FIRST: 0, SECOND: 0}
        self.caps = {FIRST: 0, SECOND: 0}

    def fits(self, what: str, whom: Any, fen: int) -> bool:
        """Whether a rule allows it."""
        match what:
            case "receive":
                return 0 < fen <= CAP - self.came[whom]
            case "grant":
                return 0 < fen <= self.held[CALL].total()
            case "spend":
                return 0 < fen <= min(self.caps[whom] - self.spent[whom], self.held[whom].total())
            case "budget":
                return fen > 0 and fen >= self.spent[whom]
        return True

    def book(self, what: str, whom: Any, fen: int) -> int:
        """Do it; return how much was moved."""
        match what:
            case "receive":
                self.held[CALL][whom] += fen
                self.came[whom] += fen
            case "grant":
                self.held[whom] += self.taken(CALL, fen)
            case "spend":
                self.taken(whom, fen)
                self.spent[whom] += fen
            case "budget":
                self.caps[whom] = fen
            case "give_back":
                fen = self.held[whom].total()
                self.held[CALL] += self.taken(whom, fen)
            case "return_all":
                fen = self.held[CALL].total()
                self.came -= self.taken(CALL, fen)
        return fen

    def taken(self, holder: str, fen: int) -> Counter[SourceKind]:
        """Take money out of a purse, source by source."""
        out: Counter[SourceKind] = Counter()
        for source in SourceKind:
            out[source] = min(self.held[holder][source], fen - out.total())
        self.held[holder] -= out
        return out


def does(money: Programme, what: str, whom: Any, fen: int, key: str) -> int | None:
    """Do one act for real."""
    match what:
        case "receive":
            money.receive(fen, source=whom, cap=CAP, key=key)
        case "grant":
            money.grant(fen, to=whom, key=key)
        case "spend":
            money.spend(fen, of=whom, line="material", key=key)
        case "budget":
            money.budget(("material", "材料费", fen), of=whom)
        case "give_back":
            return money.give_back(of=whom, key=key)
        case "return_all":
            return money.return_all(key=key)
    return None


def test_whatever_people_do_every_fen_has_its_place(town: Township) -> None:
    money = Programme(town)
    bring_back = keep(town)
    seen: Counter[str] = Counter()

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(acts=st.lists(ACTS, min_size=4, max_size=20))
    def holds(acts: list[tuple[str, Any, int, str]]) -> None:
        bring_back()
        purses, done = Purses(), dict[tuple[str, Any, str], int]()
        for what, whom, fen, key in BEGINNING + acts:
            again = done.get((what, whom, key), 0) if what != "budget" else 0
            fits = bool(again) or purses.fits(what, whom, fen)
            try:
                amount = does(money, what, whom, fen, key)
            except Refused:
                assert not fits, (what, whom, fen, key)
                seen[f"{what} refused"] += 1
                continue
            assert fits, (what, whom, fen, key)
            if not again:
                done[what, whom, key] = again = purses.book(what, whom, fen)
            seen[what] += bool(again)
            assert amount in (None, again)
            stands = money.accounts()
            assert sum(stands.values()) == 0
            for source in SourceKind:
                assert stands.get(f"{LEVEL_OF[source].value}:{CALL}:{source.value}:1", 0) == -purses.came[source] <= 0
                for number, held in purses.held.items():
                    level = "town" if number == CALL else "village"
                    assert stands.get(f"{level}:{number}:{source.value}:1", 0) == held[source] >= 0
            for number, spent in purses.spent.items():
                assert stands.get(f"spent:{number}:material", 0) == spent <= purses.caps[number]
        assert money.faults() == []

    holds()
    assert len([what for what, times in seen.items() if times > 5]) >= 9, f"too little was tried: {seen}"
