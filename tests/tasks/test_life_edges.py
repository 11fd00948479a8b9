"""Where a meeting, an inspection and a change of a parlour meet the unforeseen: machines off, people gone, sites ended."""

from datetime import date

import pytest

from policies.errors import Refused
from policies.vocabulary import CaseStatus, Gate, Outcome, SiteStatus, Verdict
from tests.changes import a_site, approve, ask_for, sound, spells, support
from tests.desks import OpenTown
from tests.parlours import site_of
from tests.township import REVIEWER, Township


@pytest.fixture
def town(open_sqlite: OpenTown) -> Township:
    """The example's town on SQLite, on a Monday."""
    return open_sqlite("example-2026", "2026-03-02 09:00")


def rest(town: Township, site: str, first: str, last: str) -> str:
    """Let a site rest, with everything that its approval takes."""
    number = ask_for(town, site, "申请暂停运行", rests_from=first, rests_until=last)
    support(town)
    approve(town)
    return number


def test_a_rest_after_a_rest_of_the_same_day_ends_by_itself(town: Township) -> None:
    site = a_site(town)
    town.pass_until("2026-04-01 09:00")
    rest(town, site, "2026-04-01", "2026-04-20")
    town.pass_until("2026-04-10 09:00")
    town.decide(Verdict.RESUMED, by=REVIEWER)
    second = rest(town, site, "2026-04-10", "2026-04-30")
    assert site_of(town, site).status is SiteStatus.SUSPENDED
    town.pass_until("2026-05-01 00:00")
    assert town.case(second).outcome is Outcome.RESUMED
    assert [each[1:] for each in spells(town, site)] == [
        ("2026-03-02", "2026-04-01"),
        ("2026-04-01", "2026-04-10"),
        ("2026-04-10", "2026-05-01"),
        ("2026-05-01", ""),
    ]
    sound(town)


def test_a_rest_broken_off_on_its_first_day_never_was(town: Township) -> None:
    site = a_site(town)
    town.pass_until("2026-04-08 09:00")
    number = rest(town, site, "2026-04-08", "2026-04-20")
    assert site_of(town, site).status is SiteStatus.SUSPENDED
    town.decide(Verdict.RESUMED, by=REVIEWER)
    assert town.case(number).status is CaseStatus.CLOSED
    assert spells(town, site) == [(SiteStatus.ACTIVE, "2026-03-02", "")]
    sound(town)
