"""The sweep as a deployment: scheduled in Shanghai's time, run by hand, run twice at once."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from policies.vocabulary import Gate, Verdict
from tests.e2e.live import Office, see

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(600)]

SWEEP = "deadline-sweep/期限巡检"


def test_scheduled_runs_appear_every_five_minutes_in_shanghai(office: Office) -> None:
    deployment = office.deployment(SWEEP)
    (schedule,) = deployment["schedules"]
    assert schedule["active"] is True
    assert schedule["schedule"]["cron"] == "*/5 * * * *"
    assert schedule["schedule"]["timezone"] == "Asia/Shanghai"

    def scheduled() -> list[str]:
        wanted = {
            "deployment_id": {"any_": [deployment["id"]]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
        }
        found = office.ask("POST", "/flow_runs/filter", {"flow_runs": wanted, "sort": "EXPECTED_START_TIME_ASC"})
        return [run["expected_start_time"] for run in found if run["auto_scheduled"]]

    moments = see(scheduled, "scheduled runs")
    assert all(int(moment[14:16]) % 5 == 0 and moment[17:19] == "00" for moment in moments), moments


def test_sweeps_at_once_wake_a_case_once_and_say_in_chinese_what_they_did(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    office.decide(number, cast.responsible, Verdict.FORWARDED)
    with ThreadPoolExecutor(3) as people:
        by_hand = [people.submit(office.ketang, "sweep") for _ in range(2)]
        in_prefect = [office.start(SWEEP, {}) for _ in range(2)]
    assert [(done.result().returncode, done.result().stderr) for done in by_hand] == [(0, "")] * 2
    ended = [office.ended(run_id) for run_id in in_prefect]
    assert {run.type for run in ended} <= {"COMPLETED", "CANCELLED"}, ended
    (told, *_) = [run.message for run in ended if run.type == "COMPLETED"]
    assert re.fullmatch(
        r"提醒\d+件,督办\d+件,期满\d+件,重算\d+件；寄出\d+封,待重寄\d+封,无法寄达\d+封(；共有\d+封待寄,[^；]+)?"
        r"；唤醒\d+件,新启动\d+件",
        told,
    ), told
    run = office.waiting(number, Gate.OFFICE_REVIEW)
    assert office.runs(tags={"all_": [f"案件:{number}"]}) == [run]
    assert [verdict for *_, verdict, _ in office.decided(number)] == [Verdict.CARRIED, Verdict.FORWARDED]
    keys = [entry.dedup_key for entry in office.letters(number)]
    assert len(keys) == len(set(keys))
