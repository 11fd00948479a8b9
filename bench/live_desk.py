"""The desk, live: what ``make up`` starts, and a case decided by the forms of its runs."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings
from sqlalchemy import func, select

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.live_turn import Form, Live
from bench.prefect_api import Api, async_url, bytes_of_prefect
from bench.site import SiteDesk
from bench.storage import bytes_of, sqlite_bytes
from bench.town import EDITION, GROUP_HEAD, OPENED, RESPONSIBLE, REVIEWER, Town
from flows.waking import DEPLOYMENTS, wake
from models.case import Case
from models.outbox import OutboxEntry
from models.registry import Person
from models.work_item import WorkItem
from policies.vocabulary import CaseKind, Gate, LetterStatus, Outcome, Verdict, WorkItemStatus
from rules.periods import shanghai_day
from runtime.clock import machine_now
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from runtime.stack import Stack
from tasks.asks import claim_run, new_ask, request_run, run_of
from tasks.case_file import case_file

SWEEP = ("deadline-sweep", "期限巡检")
GATES = (Gate.HOUSEHOLD_CONSENT, Gate.VILLAGE_FORWARD, Gate.OFFICE_REVIEW, Gate.PLAQUE, Gate.SUBSIDY)
PAID = ("区拨付到镇", "镇下拨到村(居)委会")
ARRIVED = "村(居)委会确认到账"


class Office:
    """A township on a stack that runs; ends with `until`."""

    def __init__(self, place: Place, until: ExitStack, **settings: Any) -> None:
        self.place = place
        self.town = Town(place)
        prefect = place.options.get("prefect")
        chosen = Settings(
            _env_file=None,
            home=place.folder / "home",
            port=0,
            database_url=place.url,
            # The policy's months of application are of a year gone by.
            clock_offset_seconds=int((OPENED - machine_now()).total_seconds()),
            prefect_database_url=async_url(prefect) if prefect else "",
            **settings,
        )
        self.stack = until.enter_context(Stack(chosen))
        self.resources: Resources = until.enter_context(open_resources(self.stack.settings))
        until.enter_context(temporary_settings({PREFECT_API_URL: self.stack.api_url}))
        self.api = Api(self.stack.api_url)
        self.desk = SiteDesk(self.town, at=self.now(), edition=self.resources.editions[EDITION].edition)

    @property
    def server(self) -> int:
        """The server's process."""
        assert self.stack.server is not None
        return self.stack.server.pid

    @property
    def worker(self) -> int:
        """The worker's process."""
        assert self.stack.worker is not None
        return self.stack.worker.pid

    def restart(self) -> None:
        """Stop the stack and start it again, at the same place."""
        self.stack.stop()
        self.stack.start()

    def now(self) -> datetime:
        """Return the desk's time."""
        return self.resources.clock.now()

    @property
    def prefect_home(self) -> Path:
        """Where the server keeps its database."""
        return self.stack.settings.home / "prefect"

    def apply(self, group: str) -> str:
        """Hand in an application as the command line does, and have its run started; return the case's number."""
        number = self.desk.apply(group)
        wake(self.resources, number, at=self.now())
        return number

    @contextmanager
    def unswept(self) -> Iterator[None]:
        """Let no scheduled sweep take cases within the block for such whose runs were lost."""
        sweep = self.api.deployment(*SWEEP)
        self.api.ask("POST", f"/deployments/{sweep}/pause_deployment")
        try:
            yield
        finally:
            self.api.ask("POST", f"/deployments/{sweep}/resume_deployment")

    def lay_out_run(self, number: str) -> None:
        """Give a case that waits a run suspended as its own would have suspended itself, without a process."""
        run = run_of(self.resources, number)
        assert run is not None
        assert request_run(self.resources, run, at=self.now(), patience=timedelta())
        flow, _, deployment = DEPLOYMENTS[CaseKind.SITE].partition("/")
        carrier = self.api.start(
            self.api.deployment(flow, deployment),
            {"case_number": number},
            name=number,
            tags=[f"案件:{number}"],
            state={"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}},
        )
        claim_run(self.resources, number, carrier)
        awaited = case_file(self.resources, number, at=self.now()).awaited
        assert awaited is not None
        ask = new_ask(self.resources, awaited.work_item, carrier, at=self.now())
        assert ask is not None
        details = {"pause_key": ask.key, "pause_reschedule": True}
        suspended = {"type": "PAUSED", "name": "Suspended", "state_details": details}
        self.api.ask("POST", f"/flow_runs/{carrier}/set_state", {"state": suspended, "force": True})

    def run(self, number: str) -> str:
        """Return the run that carries a case; empty when it has none."""
        found = run_of(self.resources, number)
        return (found.flow_run_id or "") if found else ""

    def waits_at(self, number: str, gate: Gate | None) -> bool:
        """Return whether a gate is open, or the case listed, and none of the case's letters waits to be accepted."""
        with self.resources.database.read() as session:
            case_id, outcome = session.execute(select(Case.id, Case.outcome).where(Case.number == number)).one()
            if gate is None:
                there = outcome is Outcome.LISTED
            else:
                opened = select(WorkItem.id).where(
                    WorkItem.case_id == case_id, WorkItem.gate == gate, WorkItem.status == WorkItemStatus.OPEN
                )
                there = session.scalar(opened) is not None
            waiting = select(OutboxEntry.id).where(
                OutboxEntry.case_id == case_id, OutboxEntry.status != LetterStatus.SENT
            )
            return there and session.scalar(waiting.limit(1)) is None

    def forms(self, number: str, gate: Gate) -> list[Form]:
        """Return what people fill in at a gate; the last form closes it."""
        day = shanghai_day(self.now()).isoformat()
        people = {name: self._shown(name) for name in (GROUP_HEAD, REVIEWER, RESPONSIBLE)}

        def works(by: str, *points: str) -> Form:
            done = [{"point": point, "done_on": day, "proof": "照片.jpg"} for point in points]
            return {"by": people[by], "works": done}

        match gate:
            case Gate.HOUSEHOLD_CONSENT:
                file = case_file(self.resources, number, at=self.now())
                assert file.awaited is not None
                return [{"by": people[GROUP_HEAD], "agreeing": list(file.awaited.missing), "note": "书面签字"}]
            case Gate.VILLAGE_FORWARD:
                return [{"by": people[RESPONSIBLE], "verdict": Verdict.FORWARDED.label}]
            case Gate.OFFICE_REVIEW:
                return [{"by": people[REVIEWER], "verdict": Verdict.APPROVED.label}]
            case Gate.PLAQUE:
                points = [work.name for work in self.resources.editions[EDITION].edition.for_sites.works]
                return [works(REVIEWER, *points)]
            case _:
                return [works(REVIEWER, *PAID), works(RESPONSIBLE, ARRIVED)]

    def _shown(self, code: str) -> str:
        with self.resources.database.read() as session:
            return str(session.scalars(select(Person).where(Person.code == code)).one().display)


class Desk(Live):
    """One case after the other, on a stack with those of the desk's settings that stand in the options."""

    def begin(self, until: ExitStack) -> None:
        """Start the stack, with letters to the contest's mail server."""
        mail = {"smtp_host": "127.0.0.1", "smtp_port": self.mail.port, "smtp_security": "none"}
        self.office = Office(self.place, until, **mail, **self.place.options.get("settings", {}))
        self.api, self.server, self.worker = self.office.api, self.office.server, self.office.worker

    def open_case(self) -> str:
        """Apply; the run is known at once."""
        (group,) = self.office.town.add_groups(1, households=SIGNATURES)
        self.number = self.office.apply(group)
        return self.office.run(self.number)

    def form(self, gate: int) -> list[Form]:
        """Return what is filled in at a gate."""
        return self.office.forms(self.number, GATES[gate])

    def reached(self, gate: int) -> bool:
        """Return whether the gate is open and its letters are gone."""
        return self.office.waits_at(self.number, GATES[gate] if gate < len(GATES) else None)

    def books(self) -> tuple[int, int]:
        """Return the bytes of the databases."""
        return books(self.place, self.place.folder / "work.db", self.office.prefect_home)

    def sent(self) -> int:
        """Count the letters that are marked as accepted."""
        with self.office.resources.database.read() as session:
            return session.scalar(select(func.count()).where(OutboxEntry.status == LetterStatus.SENT)) or 0


def books(place: Place, business: Path, prefect_home: Path) -> tuple[int, int]:
    """Return the bytes of a contestant's business database and of its Prefect's."""
    taken = bytes_of(place) if place.postgres else sqlite_bytes(business)
    return taken, bytes_of_prefect(place, prefect_home)
