"""Windows, yearly quotas and target shares, at their edges (D0-R5, D0-R7, D1-R2)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from policies.load import EDITIONS, load_edition
from policies.site_scheme import Quota, SiteScheme
from policies.vocabulary import BeautifulVillage
from rules.quota import check_quota, shortfall, targets
from rules.window import open_phase, spoken_window

ZHUJIAJIAO = load_edition(EDITIONS / "zhujiajiao-2018.yaml").edition.for_sites
XUHANG = load_edition(EDITIONS / "xuhang-2013.yaml").edition.for_sites
EXAMPLE = load_edition(EDITIONS / "example-2026.yaml").edition.for_sites
CITY, DISTRICT, TOWN = BeautifulVillage.CITY, BeautifulVillage.DISTRICT, BeautifulVillage.TOWN


@pytest.mark.parametrize(
    ("scheme", "on", "name"),
    [
        (ZHUJIAJIAO, "2018-09-01", "推进落实"),
        (ZHUJIAJIAO, "2018-11-30", "推进落实"),
        (XUHANG, "2013-01-01", "2013年建设"),
        (XUHANG, "2013-12-31", "2013年建设"),
        (EXAMPLE, "2026-01-01", "常年受理"),
        (EXAMPLE, "2041-06-30", "常年受理"),
    ],
)
def test_an_application_is_accepted_on_the_first_and_last_day(scheme: SiteScheme, on: str, name: str) -> None:
    assert open_phase(scheme, on=date.fromisoformat(on)).name == name


@pytest.mark.parametrize(
    ("scheme", "on", "reason"),
    [
        (
            ZHUJIAJIAO,
            "2018-08-31",
            "2018年8月31日提出的申请不能受理,正处于“制订方案”阶段:"
            "申请期为“推进落实”(2018年9月1日至11月30日);请于2018年9月1日起申请",
        ),
        (
            ZHUJIAJIAO,
            "2018-12-01",
            "2018年12月1日提出的申请不能受理,正处于“督促检查”阶段:"
            "申请期为“推进落实”(2018年9月1日至11月30日);申请期已过,请等待下一期或向社区办咨询",
        ),
        (
            ZHUJIAJIAO,
            "2020-05-01",
            "2020年5月1日提出的申请不能受理,正处于“长效管理”阶段:"
            "申请期为“推进落实”(2018年9月1日至11月30日);申请期已过,请等待下一期或向社区办咨询",
        ),
        (
            XUHANG,
            "2014-01-01",
            "2014年1月1日提出的申请不能受理:申请期为“2013年建设”(2013年1月1日至12月31日);"
            "申请期已过,请等待下一期或向社区办咨询",
        ),
        (
            EXAMPLE,
            "2025-12-31",
            "2025年12月31日提出的申请不能受理:申请期为“常年受理”(2026年1月1日起长期);请于2026年1月1日起申请",
        ),
    ],
)
def test_outside_the_window_the_refusal_names_the_window(scheme: SiteScheme, on: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        open_phase(scheme, on=date.fromisoformat(on))
    assert caught.value.reason == reason
    assert caught.value.clause == next(phase.where for phase in scheme.phases if phase.accepts_applications)


def test_a_scheme_without_any_window_says_so() -> None:
    closed = ZHUJIAJIAO.model_copy(update={"phases": (ZHUJIAJIAO.phases[3],)})
    with pytest.raises(Refused, match="没有申请期"):
        open_phase(closed, on=date(2019, 1, 1))


@pytest.mark.parametrize(
    ("from_", "until", "spoken"),
    [
        (date(2018, 9, 1), date(2018, 12, 1), "2018年9月1日至11月30日"),
        (date(2018, 9, 1), date(2019, 1, 1), "2018年9月1日至12月31日"),
        (date(2018, 9, 1), date(2019, 2, 1), "2018年9月1日至2019年1月31日"),
        (date(2018, 9, 1), date(2018, 9, 2), "2018年9月1日"),
        (date(2018, 9, 1), None, "2018年9月1日起长期"),
    ],
)
def test_a_window_is_spoken_with_its_last_day(from_: date, until: date | None, spoken: str) -> None:
    assert spoken_window(ZHUJIAJIAO.phases[0].model_copy(update={"from_": from_, "until": until})) == spoken


@pytest.mark.parametrize("taken", [0, 1, 2, 3])
def test_d1_r2_up_to_four_sites_a_year_are_accepted(taken: int) -> None:
    check_quota(XUHANG.quota, taken=taken, village="曹王村", year=2013)


@pytest.mark.parametrize("taken", [4, 5])
def test_d1_r2_a_fifth_site_is_refused_with_the_figures(taken: int) -> None:
    with pytest.raises(Refused) as caught:
        check_quota(XUHANG.quota, taken=taken, village="曹王村", year=2013)
    assert caught.value.clause == "主要做法、1"
    for words in (f"曹王村2013年已有{taken}个", "至多4个", f"第{taken + 1}个", "2014年"):
        assert words in caught.value.reason


def test_without_a_quota_any_number_is_accepted() -> None:
    check_quota(ZHUJIAJIAO.quota, taken=1000, village="王村", year=2018)
    assert shortfall(ZHUJIAJIAO.quota, built=0) == 0


@pytest.mark.parametrize(("built", "lacking"), [(0, 2), (1, 1), (2, 0), (4, 0)])
def test_d1_r2_fewer_than_two_by_the_end_of_the_year_fall_short(built: int, lacking: int) -> None:
    assert isinstance(XUHANG.quota, Quota)
    assert shortfall(XUHANG.quota, built=built) == lacking


@pytest.mark.parametrize(
    ("grade", "groups", "expected"),
    [
        (CITY, 10, 7),
        (CITY, 1, 1),
        (CITY, 11, 8),
        (CITY, 20, 14),
        (CITY, 30, 21),
        (CITY, 0, 0),
        (DISTRICT, 7, 4),
        (DISTRICT, 8, 4),
        (TOWN, 10, 3),
        (TOWN, 3, 1),
        (TOWN, 4, 2),
        (TOWN, 100, 30),
    ],
)
def test_r5_targets_are_rounded_up_exactly(grade: BeautifulVillage, groups: int, expected: int) -> None:
    assert targets(ZHUJIAJIAO.targets, groups={grade: groups})[grade] == expected


def test_r5_each_grade_has_its_own_target_and_ungraded_groups_have_none() -> None:
    groups = {CITY: 3, DISTRICT: 3, BeautifulVillage.NONE: 50}
    assert targets(ZHUJIAJIAO.targets, groups=groups) == {CITY: 3, DISTRICT: 2, TOWN: 0}
    assert targets(XUHANG.targets, groups=groups) == {}


def test_a_negative_number_of_groups_is_a_bug() -> None:
    with pytest.raises(ValueError, match="-1"):
        targets(ZHUJIAJIAO.targets, groups={CITY: -1})


@given(st.sampled_from([CITY, DISTRICT, TOWN]), st.integers(0, 10_000))
def test_r5_a_target_never_falls_when_a_group_is_added_and_never_exceeds_the_groups(
    grade: BeautifulVillage, groups: int
) -> None:
    now, then = (targets(ZHUJIAJIAO.targets, groups={grade: n})[grade] for n in (groups, groups + 1))
    assert now <= then <= now + 1
    assert now <= groups
