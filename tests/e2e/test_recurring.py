"""What recurs, on a stack that runs: its schedules stand in Shanghai time, and what they miss is made up for once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from cli.demo_office import RehearsedOffice
from models.case import Case, Site
from models.outbox import OutboxEntry
from models.site_life import DutyRound
from policies.vocabulary import CaseKind, Gate, Letter, Role, Verdict
from rules.periods import SHANGHAI
from runtime.clock import MovedClock, TrainingClock
from runtime.resources import open_resources
from runtime.settings import PROJECT, Settings
from runtime.stack import Stack
from tests.e2e.live import Office, at_the_api, office_at, see

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

RECURRING = {
    "monthly-theme/月度主题": ("0 8 * * *", Letter.THEME_ASKED),
    "weekly-activities/每周活动检查": ("0 8 * * 1", Letter.WEEK_MISSING),
    "routine-meetings/例行联席会议": ("0 8 * * *", Letter.MEETING_INVITATION),
    "annual-evaluation-opening/年度考核": ("0 8 10 1 *", Letter.TASK_WAITING),
    "activity-statistics/活动统计": ("0 8 1 * *", None),
}
"""Every scheduled deployment beside the sweep: its cron, and the letter it causes."""


def scheduled(office: Office) -> dict[str, Any]:
    """Return the deployments that have a schedule, by flow and name."""
    flows = {each["id"]: each["name"] for each in office.ask("POST", "/flows/filter", {"limit": 200})}
    found = office.ask("POST", "/deployments/filter", {"limit": 200})
    return {f"{flows[each['flow_id']]}/{each['name']}": each for each in found if each["schedules"]}


def test_every_schedule_stands_in_shanghai_time_and_has_a_run_ahead(office: Office) -> None:
    deployments = scheduled(office)
    crons = {name: each["schedules"][0]["schedule"] for name, each in deployments.items()}
    assert {name: (cron["cron"], cron["timezone"]) for name, cron in crons.items()} == {
        "deadline-sweep/期限巡检": ("*/5 * * * *", "Asia/Shanghai"),
        **{name: (cron, "Asia/Shanghai") for name, (cron, _) in RECURRING.items()},
    }
    for name, deployment in deployments.items():
        assert deployment["schedules"][0]["active"], name

        def ahead(deployment: dict[str, Any] = deployment) -> list[datetime]:
            body = {
                "deployments": {"id": {"any_": [deployment["id"]]}},
                "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
                "sort": "EXPECTED_START_TIME_ASC",
                "limit": 1,
            }
            runs = office.ask("POST", "/flow_runs/filter", body)
            return [datetime.fromisoformat(each["expected_start_time"]) for each in runs]

        (first,) = see(ahead, f"a scheduled run of {name}")
        local = first.astimezone(SHANGHAI)
        if name in RECURRING:
            assert (local.hour, local.minute) == (8, 0), name
        if name.startswith("weekly"):
            assert local.weekday() == 0
        if "年度考核" in name:
            assert (local.month, local.day) == (1, 10)


def test_the_project_file_names_no_other_schedule() -> None:
    written = yaml.safe_load((PROJECT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    named = {each["name"] for each in written if each.get("schedules")}
    assert named == {name.partition("/")[2] for name in RECURRING} | {"期限巡检"}
    for each in written:
        for schedule in each.get("schedules", ()):
            assert schedule["timezone"] == "Asia/Shanghai"


LISTED_ON, STOPPED_ON, STARTED_ON = date(2026, 12, 2), date(2026, 12, 12), date(2027, 1, 12)
"""The stack is down from before the theme is asked for until after the year's evaluation is due to open."""


@pytest.fixture
def stopped_office(prepared: Callable[[Stack], Stack], tmp_path: Path) -> Iterator[tuple[Office, list[str]]]:
    """A training stack that stopped in December with two parlours listed, and starts again in January."""
    stack = prepared(Stack(Settings(_env_file=None, home=tmp_path / "home", port=0, training=True)))
    with stack, office_at(stack) as office:
        stack.stop()
        clock = office.resources.clock
        assert isinstance(clock, TrainingClock)
        clock.move_to(max(office.now(), moment(LISTED_ON)))
        numbers = list_two(stack.settings)
        clock.move_to(moment(STOPPED_ON))
        clock.move_to(moment(STARTED_ON))
        stack.start()
        with at_the_api(stack):
            yield office, numbers


def moment(day: date) -> datetime:
    return datetime.combine(day, time(9), SHANGHAI)


def list_two(settings: Settings) -> list[str]:
    """List two parlours as of a day in the past, without the stack; return their numbers."""
    with open_resources(settings, clock=MovedClock(moment(LISTED_ON) - timedelta(days=20))) as resources:
        desk = RehearsedOffice(resources)
        numbers = [desk.apply(group, speciality="编织") for group in ("LH05", "QD01")]
        for number in numbers:
            desk.everybody_agrees(number)
            with resources.database.read() as session:
                village = session.scalars(select(Case).where(Case.number == number)).one().unit.lineage()[1].code
            responsible = desk.holder(Role.VILLAGE_RESPONSIBLE, village)
            desk.decide(number, responsible, Verdict.FORWARDED)
            desk.decide(number, desk.holder(Role.OFFICE_REVIEWER, "SL"), Verdict.APPROVED)
            for gate in (Gate.PLAQUE, Gate.SUBSIDY):
                desk.at(number, gate)
                others = {"村(居)委会确认到账": responsible}
                desk.finish_points(number, desk.holder(Role.OFFICE_REVIEWER, "SL"), others=others)
        with resources.database.read() as session:
            return list(session.scalars(select(Site.number).order_by(Site.number)))


@pytest.mark.endurance
def test_what_was_missed_over_the_25th_mondays_and_new_year_is_done_once_and_told_as_late(
    stopped_office: tuple[Office, list[str]],
) -> None:
    office, sites = stopped_office
    assert len(sites) == 2

    def letters(kind: Letter) -> list[OutboxEntry]:
        with office.resources.database.read() as session:
            return list(session.scalars(select(OutboxEntry).where(OutboxEntry.letter == kind)))

    def caught_up() -> bool:
        with office.resources.database.read() as session:
            kinds = set(session.scalars(select(Case.kind)))
            return CaseKind.ANNUAL_EVALUATION in kinds and CaseKind.JOINT_MEETING in kinds

    # By every door at once: the schedules' own runs, the sweep's, and a person at the command line.
    runs = [office.start(name, {}) for name in RECURRING if RECURRING[name][1]]
    with ThreadPoolExecutor(2) as people:
        for done in people.map(lambda _: office.ketang("sweep"), range(2)):
            assert done.returncode == 0, done.stdout + done.stderr
    for run in runs:
        assert office.ended(run).type == "COMPLETED", office.run(run)
    see(lambda: caught_up() or None, "what was missed is done")

    asked = [
        each for kind in (Letter.THEME_ASKED, Letter.THEME_MISSING, Letter.THEMES_MISSING) for each in letters(kind)
    ]
    assert asked, "January's theme was due on 25 December"
    weeks = letters(Letter.WEEK_MISSING)
    assert len({each.person_id for each in weeks}) == len(weeks) == 2, "one letter a leader, however many Mondays"
    with office.resources.database.read() as session:
        cases = session.scalars(
            select(Case).where(Case.kind.in_((CaseKind.ANNUAL_EVALUATION, CaseKind.JOINT_MEETING)))
        ).all()
        assert sorted(each.kind for each in cases) == ["annual_evaluation", "joint_meeting"]
        rounds = session.scalars(select(DutyRound)).all()
        assert any(each.late_days > 0 for each in rounds)
        keys = [(each.unit_id, each.duty, each.period, each.step, each.seq) for each in rounds]
        assert len(keys) == len(set(keys))
        everything = session.scalars(select(OutboxEntry)).all()
        assert len({each.dedup_key for each in everything}) == len(everything)
    assert all("应于" in each.context["late_note"] for each in (*asked, *weeks)), "each says when it was due"
    assert office.ketang("audit", "verify").returncode == 0
