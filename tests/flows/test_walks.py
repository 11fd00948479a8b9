"""Walks: a list of what people do and what time does, and where the case is then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from policies.vocabulary import CaseStatus, Gate, Outcome, Verdict
from tests.township import RESPONSIBLE, REVIEWER, Township, township


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Township]:
    with township(database_url, tmp_path, edition="zhujiajiao-2018", now="2018-10-08 10:00") as there:
        yield there


def test_an_application_is_carried_from_the_form_to_the_list(town: Township) -> None:
    town.apply()
    assert town.gate() is Gate.HOUSEHOLD_CONSENT
    town.everybody_agrees()
    assert town.gate() is Gate.VILLAGE_FORWARD
    town.decide(Verdict.FORWARDED, by=RESPONSIBLE)
    assert town.gate() is Gate.OFFICE_REVIEW
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert town.gate() is Gate.PLAQUE
    town.finish_works()
    assert town.gate() is Gate.SUBSIDY
    town.finish_subsidy()
    case = town.case()
    assert (case.status, case.outcome) == (CaseStatus.CLOSED, Outcome.LISTED)
