"""A call from its opening to the confirmed projects, under both editions and on both kinds of database."""

import pytest

from policies.vocabulary import CaseStatus, Gate, ObjectionFinding, Outcome, ProjectStanding, Verdict
from tests.calls import EXAMPLE, LINPING, CallTown, OpenCallTown

BOTH = pytest.mark.parametrize("edition", [LINPING, EXAMPLE])

FIVE = {
    "河边长廊": {"amount_yuan": "4000"},
    "路灯": {"proposer": "DLH1", "village": "LH", "amount_yuan": "3500"},
    "花坛": {"proposer": "DQD1", "village": "桥东居", "amount_yuan": "3000"},
    "棋牌角": {"proposer": "DQD2", "village": "QD", "amount_yuan": "2500"},
    "书屋": {"proposer": "DZD2", "amount_yuan": "1000"},
}
"""Within a budget of 10,000 yuan: the first two and, when one is out, the next ones."""


@BOTH
def test_a_straight_call_confirms_what_the_budget_reaches(open_call_town: OpenCallTown, edition: str) -> None:
    town = open_call_town(edition)
    numbers = town.to_notice(
        {title: FIVE[title] for title in ("河边长廊", "路灯", "花坛", "棋牌角")},
        {"河边长廊": 95, "路灯": 90, "花坛": 85, "棋牌角": 80},
    )
    assert town.gate() is Gate.SELECTION_NOTICE
