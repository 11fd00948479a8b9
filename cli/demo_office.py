"""The people of the example township in a rehearsal: they apply, answer and decide by the commands of every door."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import select

from cli.player import DemoFailed
from flows.procedures import PROCEDURES
from models.case import Case
from models.registry import Household, Person, RoleHolding, Unit, holders, register
from models.work_item import WorkItem
from policies.vocabulary import Answer, CaseStatus, Door, Gate, Role, Verdict, WorkItemStatus
from rules.periods import SHANGHAI
from runtime.clock import MovedClock
from runtime.resources import Resources
from tasks import applications, consents, decisions, works
from tasks.case_file import CaseFile, case_file
from tasks.commands import ApplyForSite, Decide, HouseholdAnswer, RecordAnswers, RecordWorks, WorkRecord
from tasks.drivers import Rehearsal


class RehearsedOffice:
    """
    The office and its villages at a moved clock, on a database of their own.

    Args:
        resources: opened with a `MovedClock`; the example township is in the registry.
    """

    def __init__(self, resources: Resources) -> None:
        if not isinstance(resources.clock, MovedClock):
            raise TypeError("a rehearsed office needs resources with a MovedClock")
        self.resources = resources
        self.clock = resources.clock
        self.rehearsal = Rehearsal(resources, PROCEDURES)

    # -- time ---------------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return where the clock stands."""
        return self.clock.now()

    def today(self) -> date:
        """Return the day in Shanghai."""
        return self.now().astimezone(SHANGHAI).date()

    def move_to(self, day: date, hour: int, minute: int = 0) -> None:
        """Let time pass to an hour of a day, with everything that is due on the way."""
        self.rehearsal.move_to(datetime.combine(day, time(hour, minute), SHANGHAI))

    # -- people -------------------------------------------------------------------------------------------------------

    def holder(self, role: Role, unit: str) -> str:
        """Return the code of the first who holds a role for a unit; DemoFailed when nobody does."""
        with self.resources.database.read() as session:
            place = session.scalars(select(Unit).where(Unit.code == unit)).one()
            found = holders(session, role=role, unit_id=place.id, on=self.today())
            if not found:
                raise DemoFailed(f"登记簿中{place.name}没有{role.label}")
            return found[0].code

    def leader_in(self, group: str) -> str:
        """Return the code of a possible leader of a group."""
        with self.resources.database.read() as session:
            return session.scalars(
                select(Person.code)
                .join(RoleHolding)
                .join(Unit, Unit.id == RoleHolding.unit_id)
                .where(RoleHolding.role == Role.SITE_LEADER, Unit.code == group)
                .order_by(Person.code)
            ).first() or self.holder(Role.GROUP_HEAD, group)

    # -- a site -------------------------------------------------------------------------------------------------------

    def apply(self, group: str, *, speciality: str) -> str:
        """File the application of a group's first household; return the case's number."""
        with self.resources.database.read() as session:
            place = session.scalars(select(Unit).where(Unit.code == group)).one()
            household = register(session, place.id)[0].number
        command = ApplyForSite.model_validate(
            {
                "household": household,
                "household_agrees": True,
                "leader": self.leader_in(group),
                "leader_source": "党员骨干",
                "recommended_by": "村(居)党支部",
                "leader_agrees": True,
                "volunteers": 12,
                "area_square_metres": "26.5",
                "facilities": ["客厅", "卫生间", "电视机", "空调", "桌椅", "书报"],
                "speciality": speciality,
                "combined_with": ["睦邻点"],
            }
        )
        number = applications.apply_for_site(
            self.resources, command, door=Door.CLI, key=f"demo-year:{household}", at=self.now()
        )
        self.rehearsal.carry(number)
        return number

    def everybody_agrees(self, number: str) -> None:
        """Let every household that is asked agree."""
        with self.resources.database.read() as session:
            case = session.scalars(select(Case).where(Case.number == number)).one()
            households = session.scalars(
                select(Household.number).where(Household.group_id == case.group_id, Household.active)
            ).all()
            head = holders(session, role=Role.GROUP_HEAD, unit_id=case.group.id, on=self.today())[0].code
        answers = [HouseholdAnswer(household=each, answer=Answer.AGREE.label, note="书面签字") for each in households]
        command = RecordAnswers(case=number, by=head, answers=answers)
        consents.record_answers(self.resources, command, door=Door.CLI, at=self.now())
        self.rehearsal.carry(number)

    def finish_points(self, number: str, by: str, *, others: dict[str, str] | None = None) -> None:
        """Record every open point of a checklist gate, each by who may."""
        file = self.file(number)
        for point in file.awaited.open_points if file.awaited else ():
            person = (others or {}).get(point, by)
            record = WorkRecord(point=point, done_on=self.today(), proof=self.proof(f"{number}-{point}.txt"))
            command = RecordWorks(case=number, by=person, works=[record])
            works.record_works(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)

    def decide(self, number: str, by: str, verdict: Verdict, *, reason: str = "", **more: object) -> None:
        """Decide at the gate that waits."""
        fields = {"case": number, "by": by, "verdict": verdict.label, "reason": reason, **more}
        decisions.decide(self.resources, Decide.model_validate(fields), door=Door.CLI, at=self.now())
        self.rehearsal.carry(number)

    def proof(self, name: str) -> str:
        """Put a file into the documents folder and return its name."""
        path = self.resources.settings.documents_folder / name.replace(":", "-").replace("/", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"演示用证明材料:{name}\n", encoding="utf-8")
        return path.name

    # -- what stands --------------------------------------------------------------------------------------------------

    def file(self, number: str) -> CaseFile:
        """Return a case's file."""
        return case_file(self.resources, number, at=self.now())

    def at(self, number: str, gate: Gate) -> CaseFile:
        """Return the case's file when it waits at `gate`; DemoFailed otherwise."""
        file = self.file(number)
        if file.awaited is None or file.awaited.gate is not gate:
            where = file.awaited.gate.label if file.awaited else file.outcome
            raise DemoFailed(f"案件 {number} 应处于“{gate.label}”,实为“{where}”")
        return file

    def waiting_at(self, gate: Gate) -> Sequence[str]:
        """Return the numbers of the open cases that wait at `gate`, in their order."""
        with self.resources.database.read() as session:
            return session.scalars(
                select(Case.number)
                .join(WorkItem, WorkItem.case_id == Case.id)
                .where(Case.status == CaseStatus.OPEN, WorkItem.status == WorkItemStatus.OPEN, WorkItem.gate == gate)
                .order_by(Case.id)
            ).all()


def days_from(first: date, last: date) -> Sequence[date]:
    """Return every day from `first` to `last`."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
