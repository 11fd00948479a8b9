"""Standards of both editions: what is refused, what is only told (D0-R1…R3, D1-R1)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from policies.errors import Refused
from policies.load import EDITIONS, load_edition
from policies.vocabulary import Facility, Firmness, LeaderSource
from rules.eligibility import ApplicationFacts, examine, refuse_if_any

ZHUJIAJIAO = load_edition(EDITIONS / "zhujiajiao-2018.yaml").edition.for_sites
XUHANG = load_edition(EDITIONS / "xuhang-2013.yaml").edition.for_sites

GOOD = ApplicationFacts(
    volunteers=15,
    area_square_metres=Decimal(32),
    facilities=frozenset(Facility) - {Facility.FAN},
    confirmations=frozenset(),
    leader_source=LeaderSource.RETIRED_TEACHER,
    recommended_by="王村党支部",
    leader_agrees=True,
)
GOOD_IN_XUHANG = replace(
    GOOD,
    volunteers=1,
    area_square_metres=Decimal(0),
    facilities=frozenset(),
    confirmations=frozenset({"uniform_plaque", "roomy_parlour"}),
    leader_source=LeaderSource.VOLUNTEER,
    recommended_by="",
)


def told(facts: ApplicationFacts, scheme: object = ZHUJIAJIAO) -> list[tuple[str, Firmness, str]]:
    assert scheme in (ZHUJIAJIAO, XUHANG)
    return [(one.code, one.firmness, one.where) for one in examine(facts, scheme)]  # type: ignore[arg-type]


def test_a_good_application_has_no_findings_in_either_town() -> None:
    assert examine(GOOD, ZHUJIAJIAO) == ()
    assert examine(GOOD_IN_XUHANG, XUHANG) == ()
    refuse_if_any(())


@pytest.mark.parametrize(
    ("volunteers", "codes"),
    [
        (0, ["volunteers_present", "volunteers_usual"]),
        (1, ["volunteers_usual"]),
        (9, ["volunteers_usual"]),
        (10, []),  # 10人以上 includes ten
        (30, []),  # 30人以下 includes thirty
        (31, ["volunteers_usual"]),
    ],
)
def test_r2_ten_and_thirty_volunteers_are_within_the_bounds(volunteers: int, codes: list[str]) -> None:
    findings = examine(replace(GOOD, volunteers=volunteers), ZHUJIAJIAO)
    assert [finding.code for finding in findings] == codes
    for finding in findings:
        assert f"现有{volunteers}人" in finding.message
        assert finding.firmness is (Firmness.REFUSE if finding.code == "volunteers_present" else Firmness.WARN)


def test_r2_the_sentence_names_value_bounds_and_what_follows() -> None:
    (finding,) = examine(replace(GOOD, volunteers=8), ZHUJIAJIAO)
    assert finding.message == "志愿者人数现有8人,一般应为10人以上30人以下(含本数);可以申请,须由审核员确认"


@pytest.mark.parametrize(
    ("area", "enough"), [("19.99", False), ("20", True), ("20.00", True), ("20.01", True), ("0", False), ("1E+2", True)]
)
def test_r3_twenty_square_metres_are_enough(area: str, enough: bool) -> None:
    findings = told(replace(GOOD, area_square_metres=Decimal(area)))
    assert findings == ([] if enough else [("area", Firmness.WARN, "三、1")])


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        ({Facility.LIVING_ROOM}, "living_room"),
        ({Facility.TOILET}, "toilet"),
        ({Facility.TELEVISION}, "television"),
        ({Facility.AIR_CONDITIONER, Facility.FAN}, "cooling"),
        ({Facility.TABLES_AND_CHAIRS}, "tables_and_chairs"),
        ({Facility.READING}, "reading"),
    ],
)
def test_r3_a_missing_facility_is_to_be_cured_before_the_plaque(missing: set[Facility], code: str) -> None:
    lacking = replace(GOOD, facilities=frozenset(Facility) - missing)
    assert told(lacking) == [(code, Firmness.CURE, "三、1")]
    assert "须在挂牌前补齐" in examine(lacking, ZHUJIAJIAO)[0].message


@pytest.mark.parametrize("cooling", [Facility.AIR_CONDITIONER, Facility.FAN])
def test_r3_either_air_conditioner_or_fan_will_do(cooling: Facility) -> None:
    others = frozenset(Facility) - {Facility.AIR_CONDITIONER, Facility.FAN}
    assert told(replace(GOOD, facilities=others | {cooling})) == []


@pytest.mark.parametrize(
    ("facts", "code", "words"),
    [
        (replace(GOOD, leader_source=LeaderSource.VOLUNTEER), "leader_source", "热心社区志愿者"),
        (replace(GOOD, recommended_by=" "), "leader_recommendation", "组织推荐"),
        (replace(GOOD, leader_agrees=False), "leader_consent", "本人愿意"),
    ],
)
def test_r1_the_leader_needs_origin_recommendation_and_own_will(facts: ApplicationFacts, code: str, words: str) -> None:
    (finding,) = examine(facts, ZHUJIAJIAO)
    assert (finding.code, finding.firmness, finding.where) == (code, Firmness.REFUSE, "二、1")
    assert words in finding.message


def test_r1_a_recommendation_does_not_stand_in_for_the_own_will_nor_the_other_way_round() -> None:
    assert told(replace(GOOD, recommended_by="", leader_agrees=False)) == [
        ("leader_recommendation", Firmness.REFUSE, "二、1"),
        ("leader_consent", Firmness.REFUSE, "二、1"),
    ]


def test_what_an_edition_does_not_require_of_the_leader_is_not_asked() -> None:
    leader = ZHUJIAJIAO.leader.model_copy(update={"recommendation_required": False, "own_consent_required": False})
    lenient = ZHUJIAJIAO.model_copy(update={"leader": leader})
    assert examine(replace(GOOD, recommended_by="", leader_agrees=False), lenient) == ()


@pytest.mark.parametrize("source", LeaderSource)
def test_each_town_knows_its_own_circles_of_leaders(source: LeaderSource) -> None:
    for scheme, facts in ((ZHUJIAJIAO, GOOD), (XUHANG, GOOD_IN_XUHANG)):
        assert bool(told(replace(facts, leader_source=source), scheme)) is (source not in scheme.leader.sources)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(GOOD_IN_XUHANG, volunteers=0), "volunteer"),
        (replace(GOOD_IN_XUHANG, confirmations=frozenset({"uniform_plaque"})), "roomy_parlour"),
        (replace(GOOD_IN_XUHANG, confirmations=frozenset({"roomy_parlour"})), "uniform_plaque"),
        (replace(GOOD_IN_XUHANG, leader_agrees=False), "leader_consent"),
    ],
)
def test_d1_r1_each_of_the_three_things_is_required(facts: ApplicationFacts, code: str) -> None:
    assert [(one, firmness) for one, firmness, _ in told(facts, XUHANG)] == [(code, Firmness.REFUSE)]


def test_one_refusal_names_every_reason_and_every_clause_and_leaves_warnings_out() -> None:
    findings = examine(replace(GOOD, volunteers=0, leader_agrees=False, area_square_metres=Decimal(5)), ZHUJIAJIAO)
    with pytest.raises(Refused) as caught:
        refuse_if_any(findings)
    assert caught.value.clause == "二、1;二、2"
    assert "本人愿意" in caught.value.reason
    assert "志愿者队伍现有0人" in caught.value.reason
    assert "平方米" not in caught.value.reason


def test_warnings_and_deficiencies_alone_refuse_nothing() -> None:
    findings = examine(replace(GOOD, volunteers=5, facilities=frozenset()), ZHUJIAJIAO)
    assert {finding.firmness for finding in findings} == {Firmness.WARN, Firmness.CURE}
    refuse_if_any(findings)


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({"volunteers": -1}, "-1"),
        ({"area_square_metres": Decimal(-3)}, "-3"),
        ({"area_square_metres": Decimal("NaN")}, "NaN"),
        ({"area_square_metres": Decimal("Infinity")}, "Infinity"),
    ],
)
def test_facts_that_can_not_be_are_refused_with_their_value(change: dict[str, object], value: str) -> None:
    with pytest.raises(Refused, match=value):
        replace(GOOD, **change)  # type: ignore[arg-type]
