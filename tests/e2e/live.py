"""People at a stack that runs: what they do by each door, and what they see in Prefect and in the books."""

import subprocess
import sys
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from sqlalchemy import select

from cli.up import EXAMPLE
from flows.deadline_sweep import sweep_directly
from flows.site_lifecycle import site
from flows.waking import Woken, wake
from models.case import Case
from models.outbox import OutboxEntry
from models.registry import Household, Person, RoleHolding, Unit, holders, register
from models.work_item import Decision, WorkItem
from policies.vocabulary import Answer, CaseKind, Door, Gate, Role, Verdict
from rules.periods import SHANGHAI
from runtime.clock import SystemClock
from runtime.resources import Resources, open_resources
from runtime.settings import PROJECT
from runtime.stack import Stack
from tasks import applications, consents, decisions, works
from tasks.case_file import CaseFile, case_file
from tasks.commands import ApplyForSite, Decide, HouseholdAnswer, RecordAnswers, RecordWorks, WorkRecord
from tasks.drivers import carry_directly
from tasks.history import verify
from tasks.registry import import_registry

T = TypeVar("T")

PATIENCE_SECONDS = 120
"""Other programs may use the machine too; on a quiet one everything looked for is there within ten."""
LOOK_SECONDS = 0.05
CARRYING = "site-lifecycle/客堂间办理"
GROUPS = ("ZD05", "LH05", "QD01", "ZD03")
"""Whose households apply in tests, the smallest groups first; the demonstration takes the smallest of all, QD04."""
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


def see(look: Callable[[], T | None], what: str) -> T:
    """Look until there is something to see, and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        if seen := look():
            return seen
        assert time.monotonic() < deadline, f"not seen within {PATIENCE_SECONDS} s: {what}"
        time.sleep(LOOK_SECONDS)


@dataclass(frozen=True)
class Cast:
    """Who is who for a household's case, each as forms show them."""

    household: str
    leader: str
    group_head: str
    responsible: str
    reviewer: str
    second_reviewer: str


@dataclass(frozen=True)
class Run:
    """A flow run as the Prefect API tells it."""

    id: str
    name: str
    tags: Sequence[str]
    deployment: str | None
    type: str
    state: str
    message: str
    key: str
    """Key of the form it waits for; empty when it does not wait."""

    @classmethod
    def told(cls, answer: Mapping[str, Any]) -> "Run":
        state = answer["state"]
        return cls(
            id=answer["id"],
            name=answer["name"],
            tags=answer["tags"],
            deployment=answer["deployment_id"],
            type=state["type"],
            state=state["name"],
            message=state["message"] or "",
            key=(state["state_details"]["pause_key"] or "") if state["type"] == "PAUSED" else "",
        )


@dataclass(frozen=True)
class Played:
    """A demonstration that was played to its end."""

    number: str
    said: str
    received: Counter[str]
    """Message-IDs of the letters that came in meanwhile."""


@dataclass
class Office:
    """The office of the example township at a stack that runs."""

    stack: Stack
    resources: Resources
    households: Iterator[str] = field(default_factory=lambda: iter(()))

    # -- the Prefect API ----------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the API's answer; None for "not found"."""
        return self.stack._ask(method, path, body)

    def refused(self, method: str, path: str, body: object) -> tuple[int, str]:
        """Return status and text of an answer that is a refusal."""
        try:
            answer = self.ask(method, path, body)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        raise AssertionError(f"not refused: {answer}")

    def deployment(self, name: str) -> dict[str, Any]:
        flow, _, deployment = name.partition("/")
        found: dict[str, Any] | None = self.ask("GET", f"/deployments/name/{quote(flow)}/{quote(deployment)}")
        assert found is not None, name
        return found

    def start(self, deployment: str, parameters: Mapping[str, Any]) -> str:
        """Run a deployment as the Prefect UI does; return the run's id."""
        path = f"/deployments/{self.deployment(deployment)['id']}/create_flow_run"
        return str(self.ask("POST", path, {"parameters": parameters})["id"])

    def run(self, run_id: str) -> Run:
        answer = self.ask("GET", f"/flow_runs/{run_id}")
        assert answer is not None, run_id
        return Run.told(answer)

    def runs(self, **wanted: Any) -> list[Run]:
        """Return the runs that a filter of the run list finds, the newest first."""
        body = {"flow_runs": wanted, "sort": "START_TIME_DESC", "limit": 200}
        return [Run.told(answer) for answer in self.ask("POST", "/flow_runs/filter", body)]

    def ended(self, run_id: str) -> Run:
        """Wait until a run has ended."""

        def final() -> Run | None:
            run = self.run(run_id)
            return run if run.type in FINAL else None

        return see(final, f"end of run {run_id}")

    def set_state(self, run_id: str, kind: str, *, force: bool = False) -> str:
        """Set a run's state as the UI's buttons do; return what came of it."""
        body = {"state": {"type": kind, "state_details": {}}, "force": force}
        return str(self.ask("POST", f"/flow_runs/{run_id}/set_state", body)["status"])

    def fill_in(self, run_id: str, fields: Mapping[str, Any]) -> tuple[str, str]:
        """Fill in the Resume form of a run; return Prefect's answer: ACCEPT, REJECT or ABORT, and why."""
        answer = self.ask("POST", f"/flow_runs/{run_id}/resume", {"run_input": fields})
        return answer["status"], answer["details"].get("reason") or ""

    def description(self, run: Run) -> str:
        """Return what stands above the form a run waits for."""
        text = self.ask("GET", f"/flow_runs/{run.id}/input/suspended-{run.key}-description")
        return str(text)

    def logs(self, run_id: str) -> list[str]:
        """Return what a run has logged, as far as it has come in."""
        answer = self.ask("POST", "/logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}})
        return [line["message"] for line in answer]

    def artifact(self, key: str) -> str:
        """Return the latest version of an artifact."""
        answer = self.ask("GET", f"/artifacts/{key}/latest")
        assert answer is not None, key
        return str(answer["data"])

    # -- a case -------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.resources.clock.now()

    def file(self, number: str) -> CaseFile:
        return case_file(self.resources, number, at=self.now())

    def carrier(self, number: str) -> Run | None:
        """Return the run that carries a case; None when it has none, or Prefect does not know it."""
        run_id = self.file(number).flow_run_id
        answer = self.ask("GET", f"/flow_runs/{run_id}") if run_id else None
        return Run.told(answer) if answer else None

    def waiting(self, number: str, gate: Gate, round_: int = 1, *, but: str = "") -> Run:
        """
        Wait until the case's run is suspended with the form of the gate that is open, and return it.

        Args:
            but: the key of a form that is not the one.
        """

        def suspended() -> Run | None:
            file, run = self.file(number), self.carrier(number)
            if run is None or file.awaited is None or (file.awaited.gate, file.awaited.round) != (gate, round_):
                return None
            return run if run.key.startswith(f"{gate.slug}-{round_}-") and run.key != but else None

        return see(suspended, f"{number} waits at {gate.label} ({round_}), but it is {self.carrier(number)}")

    def gate(self, number: str) -> Gate | None:
        awaited = self.file(number).awaited
        return awaited.gate if awaited else None

    def decided(self, number: str) -> list[tuple[Gate, int, Verdict, Door]]:
        """Return the decisions of a case in their order."""
        with self.resources.database.read() as session:
            rows = session.execute(
                select(WorkItem.gate, WorkItem.round, Decision.verdict, Decision.door)
                .join(Decision, Decision.work_item_id == WorkItem.id)
                .join(Case, Case.id == WorkItem.case_id)
                .where(Case.number == number)
                .order_by(Decision.id)
            )
            return [(row.gate, row.round, row.verdict, row.door) for row in rows]

    def letters(self, number: str) -> list[OutboxEntry]:
        with self.resources.database.read() as session:
            return list(
                session.scalars(
                    select(OutboxEntry)
                    .join(Case, Case.id == OutboxEntry.case_id)
                    .where(Case.number == number)
                    .order_by(OutboxEntry.id)
                )
            )

    def faults(self, number: str) -> list[str]:
        with self.resources.database.read() as session:
            return [str(fault) for fault in verify(session, number=number)]

    def books(self, number: str) -> tuple[object, ...]:
        """Return what the database holds of a case, to compare before and after."""
        file = self.file(number)
        return file.timeline, self.decided(number), [entry.dedup_key for entry in self.letters(number)], file.facts

    # -- people -------------------------------------------------------------------------------------------------------

    def cast(self, household: str) -> Cast:
        """Return who is who for a household."""
        with self.resources.database.read() as session:
            group = session.scalars(select(Household).where(Household.number == household)).one().group
            day = self.now().astimezone(SHANGHAI).date()

            def who(role: Role) -> list[str]:
                return [person.display for person in holders(session, role=role, unit_id=group.id, on=day)]

            reviewers = who(Role.OFFICE_REVIEWER)
            return Cast(
                household=household,
                leader=who(Role.SITE_LEADER)[0],
                group_head=who(Role.GROUP_HEAD)[0],
                responsible=who(Role.VILLAGE_RESPONSIBLE)[0],
                reviewer=reviewers[0],
                second_reviewer=reviewers[1],
            )

    def application(self, household: str, **changes: Any) -> dict[str, Any]:
        """Return an application of a household as the form gives it, with one warning: nine volunteers are few."""
        return {
            "household": household,
            "household_agrees": True,
            "leader": self.cast(household).leader,
            "leader_source": "党员骨干",
            "recommended_by": "村党支部",
            "leader_agrees": True,
            "volunteers": 9,
            "area_square_metres": 26.5,
            "facilities": ["客厅", "卫生间", "电视机", "空调", "桌椅", "书报"],
            "speciality": "编织",
            "combined_with": ["睦邻点"],
        } | changes

    def neighbours(self, household: str) -> list[str]:
        """Return all households of the same group, as the consent form lists them."""
        with self.resources.database.read() as session:
            group = session.scalars(select(Household).where(Household.number == household)).one().group_id
            return [f"{each.number} {each.head_name}" for each in register(session, group)]

    def open_case(self, gate: Gate, **changes: Any) -> tuple[str, Cast]:
        """
        Open a case of a household that has none, carry it to a gate without Prefect, and start its run.

        Returns:
            The case's number and its cast, once the run waits at the gate.
        """
        number, cast = self.carried_to(gate, **changes)
        assert wake(self.resources, number, at=self.now()) is Woken.STARTED
        self.waiting(number, gate)
        return number, cast

    def carried_to(self, gate: Gate, **changes: Any) -> tuple[str, Cast]:
        """Open a case of a household that has none and carry it to a gate; it has no run then."""
        household = next(self.households)
        cast = self.cast(household)
        command = ApplyForSite.model_validate(self.application(household, **changes))
        number = applications.apply_for_site(
            self.resources, command, door=Door.CLI, key=f"test:{household}", at=self.now()
        )
        steps: dict[Gate, Callable[[], object]] = {
            Gate.HOUSEHOLD_CONSENT: lambda: None,
            Gate.VILLAGE_FORWARD: lambda: self.agree(number, cast, self.neighbours(household)),
            Gate.OFFICE_REVIEW: lambda: self.decide(number, cast.responsible, Verdict.FORWARDED),
            Gate.PLAQUE: lambda: self.decide(number, cast.reviewer, Verdict.APPROVED, acknowledged=["志愿者人数"]),
        }
        for reached, step in steps.items():
            step()
            carry_directly(self.resources, number, {CaseKind.SITE: site}, at=self.now())
            assert self.gate(number) is reached
            if reached is gate:
                return number, cast
        raise AssertionError(f"{gate} is not on this way")

    def agree(self, number: str, cast: Cast, households: Sequence[str]) -> None:
        """Enter the consent of households, by no form and without a wake."""
        answers = [
            HouseholdAnswer(household=each.partition(" ")[0], answer=Answer.AGREE.label, note="书面签字")
            for each in households
        ]
        command = RecordAnswers(case=number, by=cast.group_head, answers=answers)
        consents.record_answers(self.resources, command, door=Door.CLI, at=self.now())

    def decide(self, number: str, by: str, verdict: Verdict, **more: Any) -> None:
        """Decide at the gate that waits, by no form and without a wake."""
        command = Decide.model_validate({"case": number, "by": by, "verdict": verdict.label, **more})
        decisions.decide(self.resources, command, door=Door.CLI, at=self.now())

    def finish_works(self, number: str, cast: Cast) -> None:
        """Record all the works of the plaque gate, by no form and without a wake."""
        awaited = self.file(number).awaited
        assert awaited is not None
        today = self.now().astimezone(SHANGHAI).date()
        records = [WorkRecord(point=each, done_on=today, proof=self.proof(number)) for each in awaited.open_points]
        command = RecordWorks(case=number, by=cast.reviewer, works=records)
        works.record_works(self.resources, command, door=Door.CLI, at=self.now())

    def proof(self, number: str) -> str:
        path = self.resources.settings.documents_folder / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("证明材料", encoding="utf-8")
        return path.name

    @contextmanager
    def without_role(self, person: str, role: Role) -> Iterator[None]:
        """Take a role from a person for the length of the block."""
        code = person.rpartition("(")[2].rstrip(")")
        day = self.now().astimezone(SHANGHAI).date()

        def hold(until: date | None) -> None:
            with self.resources.database.write() as session:
                holding = session.scalars(
                    select(RoleHolding).join(Person).where(Person.code == code, RoleHolding.role == role)
                ).one()
                holding.until = until

        hold(day)
        try:
            yield
        finally:
            hold(None)

    # -- commands -----------------------------------------------------------------------------------------------------

    def ketang(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the product's as a person does, in the stack's environment."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("ketang")), *arguments],
            env=self.stack.environment | environment,
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )

    def sweep(self, *, later: timedelta = timedelta(), stuck_after: int = 180) -> list[str]:
        """
        Sweep once, as ``ketang sweep`` does; return what it says.

        Args:
            later: by how much the clock is ahead meanwhile.
            stuck_after: seconds after which a run that is said to run counts as lost.
        """
        settings = self.resources.settings.model_copy(update={"stuck_after_seconds": stuck_after})
        counts, told = sweep_directly(replace(self.resources, settings=settings, clock=SystemClock(later)))
        assert counts.failures == []
        return told


@contextmanager
def at_the_api(stack: Stack) -> Iterator[None]:
    """Let what asks Prefect in this process ask the stack's server."""
    secret = stack.settings.prefect_auth.get_secret_value()
    with temporary_settings({PREFECT_API_URL: stack.api_url, PREFECT_API_AUTH_STRING: secret or None}):
        yield


@contextmanager
def office_at(stack: Stack) -> Iterator[Office]:
    """Open the office of the example township at a stack that runs; import the township first."""
    with open_resources(stack.settings) as resources:
        editions = set(resources.editions)
        import_registry(resources.database, EXAMPLE, at=resources.clock.now(), editions=editions)
        yield Office(stack, resources, households_of(resources))


def households_of(resources: Resources) -> Iterator[str]:
    """Yield the numbers of households that may apply, each once."""
    with resources.database.read() as session:
        numbers = [
            household.number
            for code in GROUPS
            for household in register(session, session.scalars(select(Unit.id).where(Unit.code == code)).one())
        ]
    yield from numbers
