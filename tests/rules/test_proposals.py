"""What a proposal, a call and a plan must meet, in both editions (D2-R8, D2-R9, D2-R13)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from policies.load import EDITIONS, load_edition
from policies.micro_scheme import MicroProjectScheme
from policies.vocabulary import Firmness, Role
from rules.eligibility import refuse_if_any
from rules.periods import SHANGHAI, end_of
from rules.proposals import (
    PlanLine,
    PlanMilestone,
    ProposalFacts,
    check_call,
    check_plan,
    check_window,
    examine_proposal,
    kind_of,
)

LINPING = load_edition(EDITIONS / "linping-2022.yaml").edition.for_projects
EXAMPLE = load_edition(EDITIONS / "example-micro-2026.yaml").edition.for_projects

GOOD = ProposalFacts(
    title="三号楼前凉亭修缮",
    content="更换凉亭的坐凳与顶瓦,由居民自己上漆。",
    beneficiaries="三号楼及周边 120 户居民",
    expected_benefit="老人有处歇脚",
    kind="环境整治",
    amount_fen=800_000,
    proposer_roles=frozenset(),
)
GOOD_IN_EXAMPLE = replace(GOOD, kind="environment", proposer_roles=frozenset({Role.GROUP_HEAD}))


def test_a_good_proposal_has_no_findings_in_either_edition() -> None:
    assert examine_proposal(GOOD, LINPING) == ()
    assert examine_proposal(GOOD_IN_EXAMPLE, EXAMPLE) == ()


@pytest.mark.parametrize("field", ["title", "content", "beneficiaries", "expected_benefit"])
@pytest.mark.parametrize("nothing", ["", " \n\t"])
def test_d2_r9_a_proposal_is_complete(field: str, nothing: str) -> None:
    (finding,) = examine_proposal(replace(GOOD, **{field: nothing}), LINPING)  # type: ignore[arg-type]
    assert (finding.code, finding.firmness) == (field, Firmness.REFUSE)
    assert finding.message.endswith("没有填写,请补上")


@pytest.mark.parametrize("kind", ["environment", "环境整治", " 环境整治 "])
def test_d2_r8_a_kind_is_known_by_code_or_name(kind: str) -> None:
    found = kind_of(kind, LINPING)
    assert found is not None
    assert found.code == "environment"


def test_d2_r8_an_unknown_kind_is_told_all_the_kinds() -> None:
    (finding,) = examine_proposal(replace(GOOD, kind="修路架桥"), LINPING)
    assert finding.message == (
        "没有“修路架桥”这一类,可选:普惠公益、生活关爱、社会创新、文体娱乐、安全保障、环境整治;请改选一类"
    )
    assert finding.where == "三、(二)3(1)"


def test_a_kind_that_is_not_called_for_is_told_those_that_are() -> None:
    assert examine_proposal(GOOD, LINPING, called=["environment", "safety"]) == ()
    (finding,) = examine_proposal(GOOD, LINPING, called=["safety", "life_care"])
    assert finding.message == "本次征集不收“环境整治”类,可选:生活关爱、安全保障;请改选一类"


@pytest.mark.parametrize(
    ("facts", "scheme", "ceiling"),
    [
        (GOOD, LINPING, 1_000_000),
        (replace(GOOD_IN_EXAMPLE, kind="care"), EXAMPLE, 500_000),
        (replace(GOOD_IN_EXAMPLE, kind="environment"), EXAMPLE, 2_000_000),
        (replace(GOOD_IN_EXAMPLE, kind="culture"), EXAMPLE, 800_000),
        (replace(GOOD_IN_EXAMPLE, kind="other"), EXAMPLE, 300_000),
    ],
)
def test_the_ceiling_of_the_kind_is_reached_but_not_passed(
    facts: ProposalFacts, scheme: MicroProjectScheme, ceiling: int
) -> None:
    assert examine_proposal(replace(facts, amount_fen=ceiling), scheme) == ()
    (finding,) = examine_proposal(replace(facts, amount_fen=ceiling + 1), scheme)
    assert finding.code == "amount"
    assert "超出0.01元" in finding.message


def test_above_the_ceiling_the_figures_are_named() -> None:
    (finding,) = examine_proposal(replace(GOOD, amount_fen=1_250_050), LINPING)
    assert finding.message == ("申请12,500.50元,“环境整治”类每个项目至多10,000.00元,超出2,500.50元;请减少金额")


@pytest.mark.parametrize("amount", [0, -1])
def test_nothing_is_no_amount(amount: int) -> None:
    (finding,) = examine_proposal(replace(GOOD, amount_fen=amount), LINPING)
    assert "须大于0元" in finding.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": "商业推广进小区"}, ["不得用于“营利活动”", "项目名称中的“商业推广”"]),
        ({"content": "用于新建房屋一间"}, ["不得用于“房屋建设”", "项目内容中的“新建房屋”"]),
        ({"budget": ("桌椅", "给志愿者发放奖金")}, ["不得用于“人员工资福利”", "预算中的“发放奖金”"]),
        ({"content": "新 建\n房屋"}, ["项目内容中的“新建房屋”"]),
        ({"title": "营利", "content": "有偿经营"}, ["项目名称中的“营利”、项目内容中的“有偿经营”"]),
    ],
)
def test_a_prohibited_word_is_named_with_its_place_and_item(change: dict[str, object], words: list[str]) -> None:
    (finding,) = examine_proposal(replace(GOOD_IN_EXAMPLE, **change), EXAMPLE)  # type: ignore[arg-type]
    assert [word for word in words if word not in finding.message] == []
    assert examine_proposal(replace(GOOD, **change), LINPING) == (), "Linping has no such list"  # type: ignore[arg-type]


def test_words_of_two_fields_do_not_make_a_prohibited_one() -> None:
    assert (
        examine_proposal(replace(GOOD_IN_EXAMPLE, budget=("新建", "房屋"), title="花坛新建", content="房屋前"), EXAMPLE)
        == ()
    )


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        (set(), False),
        ({Role.SITE_LEADER}, False),
        ({Role.REPRESENTATIVE}, True),
        ({Role.SITE_LEADER, Role.LIAISON}, True),
    ],
)
def test_who_may_propose_is_the_editions(roles: set[Role], may: bool) -> None:
    found = examine_proposal(replace(GOOD_IN_EXAMPLE, proposer_roles=frozenset(roles)), EXAMPLE)
    assert [finding.code for finding in found] == ([] if may else ["proposer"])
    assert examine_proposal(replace(GOOD, proposer_roles=frozenset(roles)), LINPING) == ()


def test_the_refused_proposer_is_told_who_may() -> None:
    (finding,) = examine_proposal(replace(GOOD_IN_EXAMPLE, proposer_roles=frozenset()), EXAMPLE)
    assert finding.message == "提议人是居民,须为村(居)民代表、村(居)民小组长、联络员之一;请由他们提议"


def test_all_findings_are_refused_in_one() -> None:
    facts = replace(GOOD, title=" ", kind="修路", amount_fen=0)
    with pytest.raises(Refused) as caught:
        refuse_if_any(examine_proposal(facts, LINPING))
    assert caught.value.clause == "三、(二)3(1)"
    for words in ("项目名称没有填写", "没有“修路”这一类", "须大于0元"):
        assert words in caught.value.reason


OPENS = datetime(2026, 3, 2, 9, tzinfo=SHANGHAI).astimezone(UTC)
CLOSES = end_of(date(2026, 3, 22))


@pytest.mark.parametrize("at", [OPENS, CLOSES - timedelta(microseconds=1), OPENS + timedelta(days=3)])
def test_a_proposal_within_the_window_is_in_time(at: datetime) -> None:
    check_window(opens_at=OPENS, closes_at=CLOSES, at=at, clause="公告")


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (CLOSES, "本次申报于2026年3月23日00:00,迟了不足1分钟"),
        (CLOSES + timedelta(minutes=5, seconds=59), "本次申报于2026年3月23日00:05,迟了5分钟"),
        (CLOSES + timedelta(hours=1), "本次申报于2026年3月23日01:00,迟了1小时"),
        (CLOSES + timedelta(days=2, hours=3, minutes=4), "本次申报于2026年3月25日03:04,迟了2日3小时4分钟"),
        (OPENS - timedelta(minutes=1), "本次申报于2026年3月2日08:59,早了1分钟"),
        (OPENS - timedelta(days=1), "本次申报于2026年3月1日09:00,早了1日"),
    ],
)
def test_early_and_late_proposals_are_refused_with_the_moments(at: datetime, words: str) -> None:
    with pytest.raises(Refused) as caught:
        check_window(opens_at=OPENS, closes_at=CLOSES, at=at, clause="公告")
    assert caught.value.clause == "公告"
    assert f"申报期为2026年3月2日09:00至2026年3月22日24:00,{words};" in caught.value.reason


def test_a_window_that_ends_within_a_day_names_the_minute() -> None:
    noon = datetime(2026, 3, 22, 12, tzinfo=SHANGHAI)
    with pytest.raises(Refused, match="至2026年3月22日12:00,本次申报于2026年3月22日12:01,迟了1分钟"):
        check_window(opens_at=OPENS, closes_at=noon, at=noon + timedelta(minutes=1), clause="公告")


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_window_is_half_open(at: datetime) -> None:
    try:
        check_window(opens_at=OPENS, closes_at=CLOSES, at=at, clause="公告")
    except Refused:
        assert at < OPENS or at >= CLOSES
    else:
        assert OPENS <= at < CLOSES


@pytest.mark.parametrize(("days", "fits"), [(6, False), (7, True), (60, True), (61, False), (0, False)])
def test_a_call_is_open_within_its_bounds(days: int, fits: bool) -> None:
    if fits:
        check_call(days, LINPING.call)
        return
    with pytest.raises(Refused, match=f"征集期为{days}日,须为7日以上60日以下"):
        check_call(days, LINPING.call)


ON = date(2026, 6, 1)
LINES = (PlanLine("materials", "坐凳六张", 400_000), PlanLine("volunteers", "志愿者餐费", 100_000))
STEPS = (PlanMilestone("备料", date(2026, 6, 20)), PlanMilestone("完工", date(2026, 7, 31)))


def check(
    lines: tuple[PlanLine, ...] = LINES,
    steps: tuple[PlanMilestone, ...] = STEPS,
    *,
    granted_fen: int = 500_000,
    scheme: MicroProjectScheme = LINPING,
) -> None:
    check_plan(lines, steps, granted_fen=granted_fen, scheme=scheme, on=ON)


def refused(
    lines: tuple[PlanLine, ...] = LINES, steps: tuple[PlanMilestone, ...] = STEPS, *, granted_fen: int = 500_000
) -> str:
    with pytest.raises(Refused) as caught:
        check(lines, steps, granted_fen=granted_fen)
    return caught.value.reason


def test_a_plan_may_use_the_whole_grant_and_reach_a_cap_exactly() -> None:
    check()  # 1,000 of 5,000 yuan is exactly a fifth


def test_a_budget_never_exceeds_what_was_granted() -> None:
    assert refused(granted_fen=499_999) == ("预算合计5,000.00元,超过核定的4,999.99元,超出0.01元;请减少")


def test_a_cap_is_a_share_of_the_budget_not_of_the_grant() -> None:
    lines = (PlanLine("materials", "坐凳", 399_999), PlanLine("volunteers", "餐费", 100_000))
    assert refused(lines, granted_fen=900_000) == (
        "“志愿者补贴”预算1,000.00元,至多为预算合计4,999.99元的五分之一即999.99元;请减少"
    )


def test_two_lines_of_a_category_are_capped_together() -> None:
    lines = (*LINES, PlanLine("volunteers", "志愿者交通", 1))
    assert "“志愿者补贴”预算1,000.01元" in refused(lines, granted_fen=900_000)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((), ["预算没有一行"]),
        ((PlanLine("travel", "外出考察", 100),), ["第1行“外出考察”的用途“travel”不在范围内", "可选:微自治组织建立"]),
        ((PlanLine("materials", "坐凳", 0),), ["第1行“坐凳”为0.00元,须大于0元"]),
        ((PlanLine("materials", "坐凳", 100), PlanLine("volunteers", "餐费", -5)), ["第2行“餐费”为-0.05元"]),
    ],
)
def test_every_line_has_a_known_purpose_and_an_amount(lines: tuple[PlanLine, ...], words: list[str]) -> None:
    reason = refused(lines)
    assert [word for word in words if word not in reason] == []


def test_no_cap_is_reckoned_from_amounts_that_can_not_be() -> None:
    lines = (PlanLine("volunteers", "餐费", 100), PlanLine("materials", "坐凳", -50))
    assert refused(lines) == "预算第2行“坐凳”为-0.50元,须大于0元"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((), "进度节点有0个,至少须2个"),
        (STEPS[:1], "进度节点有1个,至少须2个"),
        (
            (STEPS[1], STEPS[0]),
            "第2个节点“备料”(2026年6月20日)早于前一节点“完工”(2026年7月31日)",
        ),
        ((replace(STEPS[0], due_on=ON), STEPS[1]), "第1个节点“备料”(2026年6月1日)须在2026年6月1日之后"),
        (
            (STEPS[0], replace(STEPS[1], due_on=date(2026, 11, 29))),
            "第2个节点“完工”(2026年11月29日)晚于2026年11月28日:自2026年6月1日起至多180日",
        ),
        ((replace(STEPS[0], name=" "), STEPS[1]), "第1个节点没有名称"),
    ],
)
def test_steps_are_enough_in_order_ahead_and_within_the_days(steps: tuple[PlanMilestone, ...], words: str) -> None:
    assert words in refused(steps=steps)


def test_the_last_day_the_day_after_and_a_shared_day_are_within_the_bounds() -> None:
    check(steps=(replace(STEPS[0], due_on=date(2026, 6, 2)), replace(STEPS[1], due_on=date(2026, 11, 28))))
    check(steps=(STEPS[0], replace(STEPS[1], due_on=STEPS[0].due_on)))


def test_another_edition_has_other_caps_and_fewer_steps() -> None:
    one = (PlanMilestone("完工", date(2026, 8, 30)),)
    check((PlanLine("materials", "坐凳", 90), PlanLine("publicity", "海报", 10)), one, scheme=EXAMPLE)
    with pytest.raises(Refused, match=r"宣传印刷.*十分之一"):
        check((PlanLine("materials", "坐凳", 89), PlanLine("publicity", "海报", 10)), one, scheme=EXAMPLE)
    with pytest.raises(Refused, match="至多90日"):
        check((PlanLine("materials", "坐凳", 90),), (replace(one[0], due_on=date(2026, 8, 31)),), scheme=EXAMPLE)


def test_all_that_is_wrong_with_a_plan_is_told_at_once() -> None:
    reason = refused((PlanLine("travel", "考察", 600_000),), STEPS[:1])
    for words in ("用途“travel”", "超过核定的5,000.00元", "至少须2个"):
        assert words in reason


amounts = st.lists(
    st.tuples(st.sampled_from(["organisation", "activities", "materials", "volunteers"]), st.integers(1, 300_000)),
    min_size=1,
    max_size=6,
)


@given(amounts, st.integers(0, 1_000_000))
def test_a_plan_that_passes_fits_its_grant_and_its_caps(parts: list[tuple[str, int]], granted: int) -> None:
    lines = tuple(PlanLine(category, "一项", amount) for category, amount in parts)
    total = sum(line.amount_fen for line in lines)
    volunteers = sum(line.amount_fen for line in lines if line.category == "volunteers")
    fits = total <= granted and 5 * volunteers <= total
    try:
        check(lines, granted_fen=granted)
    except Refused:
        assert not fits
    else:
        assert fits
