"""The calendar file: which years are published, and what makes it unsound."""

import pytest

from policies.errors import BadPolicy
from policies.load import faults_of, load_calendar, parse_calendar
from rules.calendar import WorkCalendar


def test_the_shipped_file_is_sound_and_reaches_the_last_published_year() -> None:
    facts = load_calendar()
    assert facts.published_through == 2026
    entry = facts.of(2026)
    assert entry is not None
    assert entry.clause == "国办发明电〔2025〕7号"
    WorkCalendar(facts)


@pytest.mark.parametrize(
    ("entry", "path", "words"),
    [
        ("{year: 2027}", "years[0]", "二者取一"),
        ("{year: 2028, source: default}", "", "published_through却是2027"),
        ("{year: 2027, source: default, holidays: [2027-10-01]}", "years[0]", "须同时写"),
        (
            "{year: 2027, source: default, holidays: [2026-10-01], workdays: []}",
            "years[0]",
            "不是2027年的日期:2026-10-01",
        ),
        (
            "{year: 2027, source: default, holidays: [2027-10-01], workdays: [2027-10-08]}",
            "years[0]",
            "须为周六或周日:2027-10-08",
        ),
        (
            "{year: 2027, source: default, holidays: [2027-10-09], workdays: [2027-10-09]}",
            "years[0]",
            "既放假又上班:2027-10-09",
        ),
        ("{year: 2027, source: default}, {year: 2027, source: default}", "", "年份重复:2027"),
        ("{year: '2027', source: default}", "years[0].year", "须为整数"),
    ],
)
def test_a_calendar_is_refused(entry: str, path: str, words: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        parse_calendar(f"published_through: 2027\nyears: [{entry}]\n".encode(), "calendar.yaml")
    (fault,) = faults_of(caught.value)
    assert (fault.path, fault.file) == (path, "calendar.yaml")
    assert words in fault.reason.replace(" ", "")


def test_a_year_nobody_knows_can_not_be_declared_published() -> None:
    facts = parse_calendar(b"published_through: 2099\n", "calendar.yaml")
    with pytest.raises(BadPolicy, match="请在 years 中写出"):
        WorkCalendar(facts)
