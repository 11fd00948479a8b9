"""A person of a demonstration: fills in the forms of one case as the UI does, and looks what came of it."""

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import typer
from sqlalchemy import select

from models.registry import Person, RoleHolding, Unit
from models.work_item import Ask
from policies.vocabulary import Gate, LetterStatus, Role
from rules.periods import SHANGHAI
from runtime.resources import Resources
from tasks.case_file import CaseFile, case_file
from tasks.cases import load_case
from tasks.history import verify
from tasks.outbox import pending_counts

PATIENCE_SECONDS = 120
LOOK_EVERY_SECONDS = 0.3
T = TypeVar("T")


class DemoFailed(Exception):
    """A gate was not reached, or something is not as it should be; said in Chinese."""


class Player:
    """
    Plays the people of one case.

    Args:
        number: the case's; empty until it is opened.
    """

    def __init__(self, resources: Resources, number: str = "") -> None:
        from prefect.client.orchestration import get_client

        self.resources = resources
        self.client = get_client(sync_client=True)
        self.number = number
        self.reached: list[Gate] = []

    def _start(self, deployment: str, parameters: Mapping[str, Any], what: str) -> str:
        """Run a deployment with a filled-in form, as the UI does; return the run's id when it has done its work."""
        found = self.client.read_deployment_by_name(deployment)
        run = self.client.create_flow_run_from_deployment(found.id, parameters=dict(parameters))
        state = self._until(lambda: self._final(run.id), what)
        if not state.is_completed():
            raise DemoFailed(f"{what}未受理:{state.message}")
        return str(run.id)

    @staticmethod
    def _holder(session: Any, role: Role, unit: Unit) -> str:
        person = session.scalars(
            select(Person)
            .join(RoleHolding)
            .where(RoleHolding.role == role, RoleHolding.unit_id == unit.id, RoleHolding.until.is_(None), Person.active)
            .order_by(Person.code)
        ).first()
        if person is None:
            raise DemoFailed(f"登记簿中{unit.name}没有{role.label}")
        return str(person.display)

    def _checklist(self, gate: Gate, by: Mapping[str, str], *, reviewer: str = "") -> None:
        file = self._at(gate)
        open_points = file.awaited.open_points if file.awaited else ()
        for left, point in reversed(list(enumerate(reversed(open_points)))):
            choices = file.awaited.people if file.awaited else ()
            person = by.get(point) or reviewer or choices[0]
            self._say(person, f"登记完成:{point}")
            proof = self._proof(point)
            record = {"point": point, "done_on": self._today().isoformat(), "proof": proof}
            self._answer(by=person, works=[record])
            if left:
                self._until(lambda left=left: self._points_left(gate) == left, f"登记{point}")  # type: ignore[misc]
                self._suspended()

    def _ended(self) -> CaseFile:
        """Wait for the end of the case and of its run; return the case file."""

        def closed() -> CaseFile | None:
            file = self._file()
            return file if file.outcome else None

        file = self._until(closed, "办结")
        self._until(lambda: self._final(UUID(self._file().flow_run_id or "")), "流程运行结束")
        return file

    def _letters_sent(self) -> int:
        """Check the case's records and letters; return how many letters left."""
        with self.resources.database.read() as session:
            faults = [str(fault) for fault in verify(session, number=self.number)]
            letters = pending_counts(session, case_id=load_case(session, self.number, lock=False).id)
        if faults or letters[LetterStatus.QUEUED]:
            raise DemoFailed(f"记录核对:{faults or '无误'};未寄出信函:{letters[LetterStatus.QUEUED]}封")
        return letters[LetterStatus.SENT]

    def _answer(self, **fields: Any) -> None:
        """Fill in the Resume form of the suspended run, as the UI does."""
        from prefect.client.schemas.responses import SetStateStatus

        result = self.client.resume_flow_run(self._suspended(), run_input=fields)
        if result.status is not SetStateStatus.ACCEPT:
            raise DemoFailed(f"表单未被接受:{getattr(result.details, 'reason', result.status)}")

    def _at(self, gate: Gate, *, round_: int = 1) -> CaseFile:
        def there() -> CaseFile | None:
            file = self._file()
            if file.awaited and file.awaited.gate is gate and file.awaited.round == round_:
                return file
            if file.awaited and file.awaited.refusal:
                raise DemoFailed(f"{file.awaited.gate.label}未被接受:{file.awaited.refusal}")
            return None

        file = self._until(there, f"到达“{gate.label}”")
        self._suspended()
        self.reached.append(gate)
        until = file.awaited.due_on if file.awaited else ""
        typer.secho(f"—— {gate.label}(第{round_}轮),期限至{until}", fg="cyan")
        return file

    def _suspended(self) -> UUID:
        """Return the run that carries the case, once it waits for an answer to the gate that is open now."""

        def waits() -> UUID | None:
            file = self._file()
            if file.flow_run_id is None or file.awaited is None:
                return None
            run = self.client.read_flow_run(UUID(file.flow_run_id))
            key = (run.state.state_details.pause_key or "") if run.state and run.state.is_paused() else ""
            fits = key.startswith(f"{file.awaited.gate.slug}-{file.awaited.round}-")
            return run.id if fits and self._unanswered(key) else None

        return self._until(waits, "流程等待填写表单")

    def _unanswered(self, key: str) -> bool:
        with self.resources.database.read() as session:
            return session.scalars(select(Ask.id).where(Ask.key == key, Ask.consumed_at.is_(None))).first() is not None

    def _final(self, run_id: UUID) -> Any:
        state = self.client.read_flow_run(run_id).state
        return state if state is not None and state.is_final() else None

    def _points_left(self, gate: Gate) -> int:
        awaited = self._file().awaited
        return len(awaited.open_points) if awaited and awaited.gate is gate else 0

    def _file(self) -> CaseFile:
        return case_file(self.resources, self.number, at=self.resources.clock.now())

    def _today(self) -> date:
        return self.resources.clock.now().astimezone(SHANGHAI).date()

    def _proof(self, point: str) -> str:
        name = f"{self.number}/{point.replace(':', '-')}.txt"
        path = self.resources.settings.documents_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"演示用证明材料:{self.number} {point}\n", encoding="utf-8")
        return name

    @staticmethod
    def _say(person: str, what: str) -> None:
        typer.echo(f"{person}:{what}")

    @staticmethod
    def _until(look: Callable[[], T | None], what: str) -> T:
        """Look until there is something to see; DemoFailed when patience is over."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if seen := look():
                return seen
            time.sleep(LOOK_EVERY_SECONDS)
        raise DemoFailed(f"{PATIENCE_SECONDS}秒内没有{what}")
