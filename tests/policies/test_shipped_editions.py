"""The shipped editions say what their source texts say; a published file never changes."""

import hashlib
import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
import yaml

from policies.edition import Edition
from policies.load import EDITIONS, edition_schema, load_all, load_edition
from policies.sections import GatePolicy
from policies.site_scheme import AreaStandard, CountStandard, FacilityStandard
from policies.vocabulary import (
    BeautifulVillage,
    CaseKind,
    DayUnit,
    Facility,
    Firmness,
    Gate,
    LeaderSource,
    Role,
    Verdict,
)

SITES = ["example-2026", "xuhang-2013", "zhujiajiao-2018"]
SHIPPED = sorted([*SITES, "example-micro-2026", "linping-2022"])


def edition(name: str) -> Edition:
    return load_edition(EDITIONS / f"{name}.yaml").edition


def test_exactly_these_editions_ship() -> None:
    assert list(load_all()) == SHIPPED


def test_a_published_file_is_never_changed() -> None:
    recorded = dict(
        reversed(line.split("  ", 1)) for line in (EDITIONS / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    )
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in EDITIONS.glob("*.yaml")}
    assert found == recorded, "a published edition is immutable: write a new one under a new id"


def test_the_loaded_hash_is_the_hash_of_the_bytes_kept() -> None:
    for loaded in load_all().values():
        assert loaded.text == loaded.path.read_bytes()
        assert loaded.sha256 == hashlib.sha256(loaded.text).hexdigest()


def test_the_schema_file_is_the_generated_schema() -> None:
    written = json.loads((EDITIONS.parent / "edition.schema.json").read_text(encoding="utf-8"))
    assert written == edition_schema(), "run: ketang policy schema > policies/edition.schema.json"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_file_satisfies_the_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator(edition_schema()).validate(_as_json(EDITIONS / f"{name}.yaml"))


def test_the_json_schema_refuses_a_section_without_source_and_one_with_two() -> None:
    validator = jsonschema.Draft202012Validator(edition_schema())
    document = _as_json(EDITIONS / "xuhang-2013.yaml")
    for urging in ({"at_least_hours_between": 24}, {"at_least_hours_between": 24, "source": "default", "clause": "一"}):
        assert not validator.is_valid(document | {"site": document["site"] | {"urging": urging}})


@pytest.mark.parametrize("name", SHIPPED)
def test_an_edition_survives_being_written_as_json_and_read_again(name: str) -> None:
    before = edition(name)
    assert Edition.model_validate_json(before.model_dump_json(by_alias=True)) == before


@pytest.mark.parametrize("name", SHIPPED)
def test_every_kind_of_case_that_an_edition_opens_has_its_retention(name: str) -> None:
    found = edition(name)
    opened = {
        CaseKind.SITE: found.site,
        CaseKind.CAMPAIGN: found.site and found.site.inspection,
        CaseKind.INSPECTION: found.site and found.site.inspection,
        CaseKind.ANNUAL_EVALUATION: found.site and found.site.evaluation,
        CaseKind.JOINT_MEETING: found.site and found.site.joint_meeting,
        CaseKind.RESOLUTION: found.site and found.site.joint_meeting,
        CaseKind.SERVICE_ORDER: found.site and found.site.services,
        CaseKind.SITE_CHANGE: found.site and found.site.changes,
        CaseKind.CALL: found.micro_project,
        CaseKind.PROJECT: found.micro_project,
        CaseKind.NOTICE: found.notices,
    }
    assert set(opened) == set(CaseKind)
    assert found.retention is not None
    assert set(found.retention.years) == {kind for kind, scheme in opened.items() if scheme}
    assert found.retention.where == "default"


class TestZhujiajiao:
    """D0, 青朱府〔2018〕52号."""

    site = edition("zhujiajiao-2018").for_sites

    def test_r1_the_leader_is_recommended_and_willing_and_comes_from_the_named_circles(self) -> None:
        rule = self.site.leader
        assert (rule.recommendation_required, rule.own_consent_required, rule.clause) == (True, True, "二、1")
        assert set(rule.sources) == set(LeaderSource) - {LeaderSource.VOLUNTEER}

    def test_r2_ten_to_thirty_volunteers_usually_and_never_none(self) -> None:
        counts = [standard for standard in self.site.standards if isinstance(standard, CountStandard)]
        assert [(one.at_least, one.at_most, one.firmness, one.clause) for one in counts] == [
            (1, None, Firmness.REFUSE, "二、2"),
            (10, 30, Firmness.WARN, "二、2"),
        ]

    def test_r3_twenty_square_metres_usually_and_six_things_to_have_before_the_plaque(self) -> None:
        areas = [standard for standard in self.site.standards if isinstance(standard, AreaStandard)]
        assert [(one.at_least_square_metres, one.firmness, one.clause) for one in areas] == [
            (20, Firmness.WARN, "三、1")
        ]
        facilities = [standard for standard in self.site.standards if isinstance(standard, FacilityStandard)]
        assert {one.any_of for one in facilities} == {
            (Facility.LIVING_ROOM,),
            (Facility.TOILET,),
            (Facility.TELEVISION,),
            (Facility.AIR_CONDITIONER, Facility.FAN),
            (Facility.TABLES_AND_CHAIRS,),
            (Facility.READING,),
        }
        assert {(one.firmness, one.clause) for one in facilities} == {(Firmness.CURE, "三、1")}

    def test_r5_seventy_fifty_thirty_per_cent_of_the_groups(self) -> None:
        assert self.site.targets is not None
        assert self.site.targets.clause == "三、2"
        assert self.site.targets.shares == {
            BeautifulVillage.CITY: Fraction(7, 10),
            BeautifulVillage.DISTRICT: Fraction(1, 2),
            BeautifulVillage.TOWN: Fraction(3, 10),
        }

    def test_r7_four_phases_of_which_the_roll_out_accepts_applications(self) -> None:
        assert [(one.clause, one.from_, one.until, one.accepts_applications) for one in self.site.phases] == [
            ("五、1", date(2018, 8, 1), date(2018, 9, 1), False),
            ("五、2", date(2018, 9, 1), date(2018, 12, 1), True),
            ("五、3", date(2018, 12, 1), date(2019, 1, 1), False),
            ("五、4", date(2019, 1, 1), None, False),
        ]

    def test_r8_all_households_agree(self) -> None:
        rule = self.site.gates.household_consent.rule
        assert (rule.at_least, rule.clause) == (Fraction(1), "五、2")

    def test_r9_the_review_takes_ten_working_days_which_the_text_does_not_say(self) -> None:
        due = self.site.gates.office_review.due
        assert (due.days, due.unit, due.where) == (10, DayUnit.WORKING_DAYS, "default")

    def test_r10_three_works_within_thirty_days(self) -> None:
        assert [(work.code, work.clause) for work in self.site.works] == [
            ("plaque", "五、2"),
            ("rules_on_wall", "五、2"),
            ("bookshelf", "五、2"),
        ]
        assert (self.site.gates.plaque.due.days, self.site.gates.plaque.due.where) == (30, "default")
        assert self.site.plaque_text == "话角里·客堂间"

    def test_r12_r13_a_theme_by_the_twenty_fifth_and_an_activity_a_week(self) -> None:
        assert self.site.monthly_theme is not None
        assert self.site.weekly_activities is not None
        assert (self.site.monthly_theme.due_day_of_month_before, self.site.monthly_theme.where) == (25, "default")
        assert (self.site.weekly_activities.at_least, self.site.weekly_activities.where) == (1, "二、4")

    def test_r15_ten_thousand_yuan_for_fittings_and_subscriptions(self) -> None:
        assert self.site.subsidy is not None
        assert (self.site.subsidy.amount_yuan, self.site.subsidy.clause) == (10_000, "六、2")
        assert [purpose.name for purpose in self.site.subsidy.purposes] == ["设施添置", "报刊订阅"]

    def test_r16_r18_three_channels_and_four_kinds_of_service(self) -> None:
        assert [channel.clause for channel in self.site.publicity_channels] == ["六、3"] * 3
        assert [category.name for category in self.site.activity_categories] == [
            "助老服务",
            "助医服务",
            "便民服务",
            "文体服务",
        ]

    def test_there_is_no_yearly_quota(self) -> None:
        assert self.site.quota is None


class TestXuhang:
    """D1, 徐行镇“客堂匯”."""

    site = edition("xuhang-2013").for_sites

    def test_r1_three_things_to_have_and_none_of_the_other_towns(self) -> None:
        assert [(one.kind, one.firmness, one.clause) for one in self.site.standards] == [
            ("confirmation", Firmness.REFUSE, "主要做法、1"),
            ("volunteers", Firmness.REFUSE, "主要做法、1"),
            ("confirmation", Firmness.REFUSE, "主要做法、1"),
        ]
        assert self.site.plaque_text == "客堂匯"
        assert [work.code for work in self.site.works] == ["plaque"]

    def test_r2_two_to_four_sites_a_village_within_the_year(self) -> None:
        quota = self.site.quota
        assert quota is not None
        assert (quota.per_village_per_year_at_least, quota.per_village_per_year_at_most, quota.clause) == (
            2,
            4,
            "主要做法、1",
        )
        assert [(one.from_, one.until) for one in self.site.phases] == [(date(2013, 1, 1), date(2014, 1, 1))]

    def test_r3_five_categories(self) -> None:
        assert [category.name for category in self.site.activity_categories] == [
            "宣传培训",
            "议事共商",
            "矛盾调解",
            "文化娱乐",
            "便民服务",
        ]

    def test_r4_the_liaison_forwards_and_the_joint_meeting_is_quarterly(self) -> None:
        assert self.site.gates.village_forward.decided_by is Role.LIAISON
        assert self.site.joint_meeting is not None
        assert (self.site.joint_meeting.every_months, self.site.joint_meeting.where) == (3, "default")

    def test_the_text_names_no_money(self) -> None:
        assert self.site.subsidy is None
        with pytest.raises(KeyError):
            edition("xuhang-2013").timing(Gate.SUBSIDY)


class TestExample:
    """The example township's own text."""

    loaded = edition("example-2026")

    def test_every_value_is_ours(self) -> None:
        assert "clause:" not in (EDITIONS / "example-2026.yaml").read_text(encoding="utf-8")

    def test_it_accepts_applications_at_any_time_from_2026(self) -> None:
        assert [(one.from_, one.until, one.accepts_applications) for one in self.loaded.for_sites.phases] == [
            (date(2026, 1, 1), None, True)
        ]
        assert (self.loaded.township, self.loaded.for_sites.case_prefix) == ("示例镇", "KT")


@pytest.mark.parametrize("name", SITES)
def test_only_consent_and_correction_lapse(name: str) -> None:
    gates = edition(name).for_sites.gates
    policies: dict[Gate, GatePolicy | None] = {gate: getattr(gates, gate.value, None) for gate in Gate}
    assert {gate: policy.lapse.verdict for gate, policy in policies.items() if policy and policy.lapse} == {
        Gate.HOUSEHOLD_CONSENT: Verdict.NOT_CARRIED,
        Gate.CORRECTION: Verdict.LAPSED,
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_every_gate_of_an_edition_finds_its_policy_by_its_name_and_no_other_does(name: str) -> None:
    loaded = edition(name)
    site = loaded.site
    life = (site.inspection, site.evaluation, site.joint_meeting, site.services, site.changes) if site else ()
    parts = [part.gates for part in (loaded.scheme, loaded.notices, *life) if part is not None]
    written = {field: value for part in parts for field, value in part if value is not None}
    for gate in Gate:
        if gate.value in written:
            assert loaded.timing(gate) is written[gate.value]
        else:
            with pytest.raises(KeyError):
                loaded.timing(gate)


def _as_json(path: Path) -> dict[str, dict[str, object]]:
    return json.loads(json.dumps(yaml.safe_load(path.read_bytes()), default=str))  # type: ignore[no-any-return]
