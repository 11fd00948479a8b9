"""Suspended runs of cases that were carried in bulk are brought up to date, also when who does so dies over it."""

from contextlib import nullcontext
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import SetStateStatus
from prefect.states import Suspended

from flows import showing, waking
from flows.procedures import PROCEDURES
from flows.showing import show_all
from flows.waking import Woken
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from tasks.asks import TENDED_FOR, claim_run, relatives_behind, runs_behind
from tasks.case_file import case_file
from tasks.drivers import BulkReport, Row, carry_directly, carry_in_bulk
from tasks.inspection_visits import record_visit
from tasks.procedure import end_shown
from tests.desks import OpenTown
from tests.flows.test_bulk import forwards
from tests.inspections import inspections, open_campaign, visit_of
from tests.parlours import add_site
from tests.township import REVIEWER, Township


class Engine:
    """Prefect as `flows.waking` asks it, with a suspended run for each case: notes which are resumed."""

    def __init__(self, runs: dict[str, str]) -> None:
        self.deployment = uuid4()
        self.runs = {UUID(run): number for number, run in runs.items()}
        self.resumed: list[str] = []

    def read_deployment_by_name(self, _: str) -> Any:
        return SimpleNamespace(id=self.deployment)

    def read_flow_runs(self, **_: Any) -> list[FlowRun]:
        return [
            FlowRun(
                id=run, flow_id=uuid4(), deployment_id=self.deployment, state=Suspended(), state_type=StateType.PAUSED
            )
            for run in self.runs
        ]

    def resume_flow_run(self, run: UUID, **_: Any) -> Any:
        self.resumed.append(self.runs[run])
        return SimpleNamespace(status=SetStateStatus.ACCEPT)


@pytest.fixture
def suspended(open_town: OpenTown) -> tuple[Township, Engine, list[str]]:
    """Three cases at the village's decision, each with a suspended run, once per kind of database."""
    town = open_town("example-2026", "2026-03-02 10:00")
    runs = {}
    for group in ("ZD01", "ZD02", "ZD03"):
        if group != "ZD01":
            town.add_group(group)
        number = town.apply(household=f"{group}-001")
        town.everybody_agrees(number=number)
        runs[number] = claim_run(town.resources, number, str(uuid4()))
    return town, Engine(runs), list(runs)


def forwarded(town: Township, numbers: list[str]) -> BulkReport:
    report = carry_in_bulk(town.resources, forwards(town, numbers), PROCEDURES, at=town.now())
    assert (report.done, sorted(report.carried)) == (len(numbers), numbers)
    return report


def swept(town: Township, engine: Engine, monkeypatch: pytest.MonkeyPatch, *, at: datetime) -> list[str]:
    """Sweep; return the cases whose runs were resumed."""
    monkeypatch.setattr(waking, "get_client", lambda **_: nullcontext(engine))
    engine.resumed.clear()
    failures: list[str] = []
    counts = waking.wake_all(town.resources, at=at, failures=failures)
    assert (failures, counts[Woken.RESUMED]) == ([], len(engine.resumed))
    return engine.resumed


def test_who_dies_before_the_forms_are_renewed_is_made_up_for_by_the_sweep(
    suspended: tuple[Township, Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, engine, numbers = suspended
    *decided, other = numbers
    forwarded(town, decided)
    # Here the worker is killed.
    assert runs_behind(town.resources, limit=10) == [], "all were carried"
    assert swept(town, engine, monkeypatch, at=town.now()) == [], "for a while the sweep is not in the way"
    assert swept(town, engine, monkeypatch, at=town.now() + TENDED_FOR) == decided
    assert other not in engine.resumed
    assert swept(town, engine, monkeypatch, at=town.now() + 2 * TENDED_FOR) == [], "once"


def test_a_long_run_is_waited_for_from_each_of_its_parts_on(
    suspended: tuple[Township, Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, engine, numbers = suspended
    begun = town.now()
    town.clock.move_to(begun + 2 * TENDED_FOR)
    report = carry_in_bulk(town.resources, forwards(town, numbers), PROCEDURES, at=begun)
    assert swept(town, engine, monkeypatch, at=town.now()) == []
    town.clock.move_to(town.now() + TENDED_FOR)
    seen: list[list[str]] = []

    def present(_: Any, resources: Any, number: str, *, at: datetime) -> Any:
        seen.append(list(swept(town, engine, monkeypatch, at=town.now())))
        return case_file(resources, number, at=at)

    monkeypatch.setattr(showing, "get_client", lambda **_: nullcontext(None))
    monkeypatch.setattr(showing, "present", present)
    monkeypatch.setattr(showing, "show_progress", lambda *_: None)
    monkeypatch.setattr(showing, "AT_ONCE", 1)
    show_all(town.resources, report, at=begun)
    assert seen == [[]] * len(numbers)


def test_a_row_that_was_refused_leaves_its_case_to_the_sweep_at_once(
    suspended: tuple[Township, Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, engine, (number, *_) = suspended
    row = (number, number, lambda: town.decide(Verdict.FORWARDED, by=REVIEWER, number=number))
    report = carry_in_bulk(town.resources, [row], PROCEDURES, at=town.now())
    assert len(report.refused) == 1
    assert swept(town, engine, monkeypatch, at=town.now() + 2 * TENDED_FOR) == []


def test_a_run_that_can_not_be_shown_or_woken_keeps_no_other_from_being_shown(
    suspended: tuple[Township, Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, engine, numbers = suspended
    broken, *others = numbers
    report = forwarded(town, numbers)

    def present(_: Any, resources: Any, number: str, *, at: datetime) -> Any:
        if number == broken:
            raise LookupError("'sait' is no kind")
        return case_file(resources, number, at=at)

    def wake(*_: Any, **__: Any) -> None:
        raise LookupError("'sait' is no kind")

    def show_progress(*_: Any) -> None:
        raise LookupError("'sait' is no kind")

    monkeypatch.setattr(showing, "get_client", lambda **_: nullcontext(None))
    for broken_part in (present, wake, show_progress):
        monkeypatch.setattr(showing, broken_part.__name__, broken_part)
    show_all(town.resources, report, at=town.now())

    assert report.shown == set(numbers)
    assert swept(town, engine, monkeypatch, at=town.now() + timedelta(minutes=5)) == [broken]
    assert swept(town, engine, monkeypatch, at=town.now() + 2 * TENDED_FOR) == [broken], "no pass has seen it yet"
    assert [town.gate(number) for number in others] == [Gate.OFFICE_REVIEW] * 2


def test_showing_that_was_stopped_goes_on_with_those_that_are_left(
    suspended: tuple[Township, Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, _, numbers = suspended
    report = forwarded(town, numbers)
    asked: list[str] = []

    def present(_: Any, resources: Any, number: str, *, at: datetime) -> Any:
        asked.append(number)
        return case_file(resources, number, at=at)

    monkeypatch.setattr(showing, "get_client", lambda **_: nullcontext(None))
    monkeypatch.setattr(showing, "present", present)
    monkeypatch.setattr(showing, "show_progress", lambda *_: None)
    report.shown.add(numbers[0])
    show_all(town.resources, report, at=town.now())
    assert sorted(asked) == numbers[1:]
    show_all(town.resources, report, at=town.now())
    assert sorted(asked) == numbers[1:], "all are shown"


@pytest.fixture
def campaign(open_town: OpenTown) -> tuple[Township, Engine, list[str]]:
    """A campaign and its three inspections, each with a suspended run, once per kind of database."""
    town = open_town("example-2026", "2026-03-02 10:00")
    for _ in range(3):
        add_site(town)
    number = open_campaign(town)
    numbers = [number, *inspections(town, number)]
    runs = {each: claim_run(town.resources, each, str(uuid4())) for each in numbers}
    assert runs_behind(town.resources, limit=10) == []
    return town, Engine(runs), numbers


def counted(town: Township, campaign: str) -> str:
    return dict(case_file(town.resources, campaign, at=town.now()).facts)["结果"]


def test_a_campaign_is_shown_again_when_a_visit_was_decided_and_when_its_inspection_has_ended(
    campaign: tuple[Township, Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, engine, (number, first, second, _) = campaign
    passed = visit_of(first, Verdict.PASSED, {})
    record_visit(town.resources, passed, door=Door.CLI, at=town.now())
    assert sorted(swept(town, engine, monkeypatch, at=town.now())) == sorted([first, number])
    carry_directly(town.resources, number, PROCEDURES, at=town.now())  # sooner than the inspection has ended
    carry_directly(town.resources, first, PROCEDURES, at=town.now())
    end_shown(town.resources, first)
    assert relatives_behind(town.resources, first) == [number], "whom the inspection's own run wakes"
    assert "首次检查合格1处" in counted(town, number)
    carry_directly(town.resources, number, PROCEDURES, at=town.now())
    assert relatives_behind(town.resources, first) == []

    faulty = visit_of(second, Verdict.RECTIFY, {"activity_archive": "缺签到表"}, reason="补齐签到表")
    record_visit(town.resources, faulty, door=Door.CLI, at=town.now())
    carry_directly(town.resources, second, PROCEDURES, at=town.now())
    assert swept(town, engine, monkeypatch, at=town.now()) == [number], "what is not met is counted at once"
    carry_directly(town.resources, number, PROCEDURES, at=town.now())
    assert swept(town, engine, monkeypatch, at=town.now()) == []
    assert town.gate(number) is Gate.INSPECTIONS


def test_a_visit_that_is_refused_leaves_its_campaign_be(
    campaign: tuple[Township, Engine, list[str]],
) -> None:
    town, _, (_, first, *_) = campaign
    with pytest.raises(Refused, match="没有不符合的检查点"):
        record_visit(town.resources, visit_of(first, Verdict.RECTIFY, {}, reason="补齐"), door=Door.CLI, at=town.now())
    assert runs_behind(town.resources, limit=10) == []


def test_a_sheet_of_visits_shows_its_campaign_once_with_all_of_them(
    campaign: tuple[Township, Engine, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, engine, (number, first, second, third) = campaign

    def row(inspection: str) -> Row:
        command = visit_of(inspection, Verdict.PASSED, {})
        return inspection, inspection, lambda: record_visit(town.resources, command, door=Door.SHEET, at=town.now())

    report = carry_in_bulk(town.resources, [row(first), row(second)], PROCEDURES, at=town.now())
    assert list(report.carried) == [first, second, number], "the campaign when all of its visits are through"
    shown: dict[str, list[str]] = {}

    def present(_: Any, resources: Any, each: str, *, at: datetime) -> Any:
        shown.setdefault(each, []).append(counted(town, number))
        end_shown(resources, each)
        return case_file(resources, each, at=at)

    monkeypatch.setattr(showing, "get_client", lambda **_: nullcontext(None))
    monkeypatch.setattr(showing, "present", present)
    monkeypatch.setattr(showing, "show_progress", lambda *_: None)
    show_all(town.resources, report, at=town.now())
    assert shown.keys() == {number, first, second}
    assert len(shown[number]) == 1
    assert "首次检查合格2处" in shown[number][0]
    assert "在办1处" in shown[number][0]
    assert swept(town, engine, monkeypatch, at=town.now() + 2 * TENDED_FOR) == [], "all are shown"
    assert town.gate(third) is Gate.INSPECTION_VISIT
