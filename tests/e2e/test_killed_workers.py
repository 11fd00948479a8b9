"""The worker is killed with its flow processes at every gate, at varying moments of the pass that follows."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any, ClassVar

import pytest

from cli.demo_site import SiteDemo
from policies.vocabulary import Gate, LetterStatus
from tasks.asks import open_asks
from tasks.case_file import CaseFile
from tests.e2e.live import FINAL, Office, Played, see
from tests.notifications.mailserver import MailServer

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(1200)]

APPLY, SWEEP = "site-application/客堂间申请", "deadline-sweep/期限巡检"
LEASE = timedelta(minutes=21)
"""By then what a dead deliverer had in its hands is free again."""


class Moments:
    """Of the pass that follows an answer: each returns whether it has come."""

    def __init__(self, office: Office, mail: MailServer, number: str, run_id: str) -> None:
        self.office, self.mail, self.number, self.run_id = office, mail, number, run_id
        self.decisions, self.received = len(office.decided(number)), len(mail.received)

    def resuming(self) -> bool:
        return True

    def pending(self) -> bool:
        return self.office.run(self.run_id).type == "PENDING"

    def running(self) -> bool:
        return self.office.run(self.run_id).type == "RUNNING"

    def decided(self) -> bool:
        return len(self.office.decided(self.number)) > self.decisions

    def closed(self) -> bool:
        return self.office.file(self.number).outcome != ""

    def posting(self) -> bool:
        return len(self.mail.received) > self.received


class HauntedDemo(SiteDemo):
    """The demonstration in fewer answers, with a worker that is killed after the last one to each gate."""

    PLAN: ClassVar[dict[tuple[Gate, int], tuple[str, bool]]] = {
        (Gate.HOUSEHOLD_CONSENT, 1): ("posting", False),
        (Gate.VILLAGE_FORWARD, 1): ("pending", False),
        (Gate.OFFICE_REVIEW, 1): ("decided", False),
        (Gate.CORRECTION, 1): ("running", True),
        (Gate.OFFICE_REVIEW, 2): ("posting", False),
        (Gate.PLAQUE, 1): ("resuming", False),
        (Gate.SUBSIDY, 1): ("closed", False),
    }
    """Per gate and round the moment, and whether the new worker is there before the sweep comes."""

    def __init__(self, office: Office, mail: MailServer) -> None:
        super().__init__(office.resources)
        self.office, self.mail = office, mail
        self.killed: dict[tuple[Gate, int], str] = {}
        """Per gate the state in which the run was left behind."""

    def _answer(self, **fields: Any) -> None:
        awaited = self._file().awaited
        assert awaited is not None
        place = awaited.gate, awaited.round
        run = self.office.run(str(self._suspended()))
        moments = Moments(self.office, self.mail, self.number, run.id)
        super()._answer(**fields)
        if len(awaited.open_points) > len(fields.get("works", [])):
            return
        moment, worker_first = self.PLAN[place]
        come: Callable[[], bool] = getattr(moments, moment)
        see(lambda: come() or self.office.run(run.id).key not in ("", run.key), f"{moment} at {place}")
        self.office.stack.kill_worker()
        left = self.office.run(run.id)
        self.killed[place] = f"{moment}: {left.type}"
        if worker_first:
            self.office.stack.start_worker()
            see(lambda: "新启动1件" in self.office.sweep(stuck_after=5)[-1], "replaced")
        else:
            self.office.sweep(stuck_after=0)
            self.office.stack.start_worker()

    def _ask_households(self, people: Mapping[str, str], file: CaseFile) -> None:
        assert file.awaited is not None
        self._answer(by=people["group_head"], agreeing=list(file.awaited.missing), note="书面签字")

    def _checklist(self, gate: Gate, by: Mapping[str, str], *, reviewer: str = "") -> None:
        awaited = self._at(gate).awaited
        assert awaited is not None
        left = len(awaited.open_points)
        for person, points in groupby(awaited.open_points, lambda point: by.get(point) or awaited.people[0]):
            today = self._today().isoformat()
            records = [{"point": each, "done_on": today, "proof": self._proof(each)} for each in points]
            self._answer(by=person, works=records)
            left -= len(records)
            see(partial(self._has_left, gate, left), f"{left} points left")

    def _has_left(self, gate: Gate, points: int) -> bool:
        return self._points_left(gate) == points

    def _end(self) -> None:
        see(lambda: self._file().outcome, "end")
        see(lambda: (run := self.office.carrier(self.number)) is not None and run.type in FINAL, "end of the run")
        self.office.sweep(later=LEASE)
        super()._end()


def told(office: Office, number: str) -> Counter[tuple[str, str, str]]:
    """Return what was told to whom because of what, without what differs from case to case."""
    return Counter(
        (entry.letter.value, entry.to_name, entry.dedup_key.removeprefix(number)) for entry in office.letters(number)
    )


def test_the_outcome_and_the_letters_are_those_of_an_undisturbed_case(
    office: Office, mail: MailServer, played: Played
) -> None:
    demo = HauntedDemo(office, mail)
    demo.run()

    assert {place: what.partition(":")[0] for place, what in demo.killed.items()} == {
        place: moment for place, (moment, _) in demo.PLAN.items()
    }
    left = Counter(what.rpartition(" ")[2] for what in demo.killed.values())
    assert {"SCHEDULED", "PENDING", "RUNNING"} <= set(left), demo.killed
    assert left["RUNNING"] >= 3, demo.killed

    run = office.carrier(demo.number)
    assert run is not None
    assert (run.type, run.message) == ("COMPLETED", f"{demo.number} 办结:已建成挂牌")
    assert "环节:已建成挂牌" in run.tags
    assert told(office, demo.number) == told(office, played.number)
    assert office.decided(demo.number) == office.decided(played.number)
    letters = office.letters(demo.number)
    assert {entry.status for entry in letters} == {LetterStatus.SENT}
    ours = {message["Message-ID"] for message in mail.received if demo.number in message["Subject"]}
    assert ours == {f"<{entry.message_id}>" for entry in letters}, "a letter sent twice bears the same Message-ID"
    assert open_asks(office.resources, demo.number) == []
    assert office.faults(demo.number) == []
    assert office.ketang("audit", "verify", demo.number).stdout.startswith("核对无误")


def test_runs_that_died_with_the_worker_hold_no_place_for_ever(office: Office) -> None:
    with office.resources.database.write():  # what both wait for: neither is over before it is seen
        application = office.start(APPLY, {"application": office.application(next(office.households))})
        sweep = office.start(SWEEP, {})
        see(lambda: all(office.run(each).type == "RUNNING" for each in (application, sweep)), "both under way")
        office.stack.kill_worker()
    assert {office.run(each).type for each in (application, sweep)} == {"RUNNING"}
    office.stack.start_worker()
    assert [office.run(each).type for each in (application, sweep)] == ["CRASHED", "CRASHED"]
    assert "工作进程中断" in office.run(application).message

    # Both places of the pool and the only one of the sweep are free again.
    assert office.ended(office.start(SWEEP, {})).type == "COMPLETED"
    assert office.set_state(application, "SCHEDULED") == "ACCEPT"
    assert "已受理,案件编号" in office.ended(application).message
