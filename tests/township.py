"""A small township for tests: people with names and roles, and the acts of each, on the real database, clock moved."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from flows.procedures import PROCEDURES
from models.case import Case
from models.engine import Database
from models.registry import Household, Person, RoleHolding, Unit
from policies.load import LoadedEdition, load_all
from policies.vocabulary import Answer, BeautifulVillage, Door, Gate, Role, UnitKind, Verdict
from runtime.clock import MovedClock
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from tasks import applications, consents, decisions, ledger, office_acts, works
from tasks.commands import (
    ApplyForSite,
    Decide,
    HandOver,
    HouseholdAnswer,
    RecordAnswers,
    RecordWorks,
    Resubmit,
    Spend,
    Urge,
    Withdraw,
    WorkRecord,
)
from tasks.deadlines import SweepCounts
from tasks.drivers import Rehearsal
from tasks.procedure import Ending, Waiting
from tests.records import Records

SHANGHAI = ZoneInfo("Asia/Shanghai")

REVIEWER, SECOND_REVIEWER, HEAD_OF_OFFICE = "P001", "P002", "P003"
RESPONSIBLE, LIAISON, GROUP_HEAD, LEADER, STRANGER = "P010", "P011", "P020", "P030", "P099"

PEOPLE = {
    REVIEWER: ("沈审核", Role.OFFICE_REVIEWER, "Z"),
    SECOND_REVIEWER: ("施审核", Role.OFFICE_REVIEWER, "Z"),
    HEAD_OF_OFFICE: ("丁主任", Role.OFFICE_HEAD, "Z"),
    RESPONSIBLE: ("周责任", Role.VILLAGE_RESPONSIBLE, "ZD"),
    LIAISON: ("李联络", Role.LIAISON, "ZD"),
    GROUP_HEAD: ("顾组长", Role.GROUP_HEAD, "ZD01"),
    LEADER: ("陆负责", Role.SITE_LEADER, "ZD01"),
    STRANGER: ("路人甲", None, None),
}


def at(text: str) -> datetime:
    """A moment in Shanghai, e.g. ``"2018-10-08 09:00"``."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


class Township(Records):
    """One town, one village, one group of four households; and what its people do."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.number = ""
        self.stand_at(resources.clock.now())

    # -- what is there ------------------------------------------------------------------------------------------------

    def settle(self, edition: str, *, households: int = 4, since: date = date(2010, 1, 1)) -> None:
        """Write the registry."""
        with self.resources.database.write() as session:
            district = Unit(code="Q", kind=UnitKind.DISTRICT, name="示例区")
            town = Unit(code="Z", kind=UnitKind.TOWN, name="朱家角镇", parent=district, edition_id=edition)
            village = Unit(code="ZD", kind=UnitKind.VILLAGE, name="周荡村", parent=town)
            group = Unit(
                code="ZD01",
                kind=UnitKind.GROUP,
                name="第一组",
                parent=village,
                beautiful_village=BeautifulVillage.CITY,
            )
            session.add_all([district, town, village, group])
            session.flush()
            units = {unit.code: unit for unit in (town, village, group)}
            for number in range(1, households + 1):
                session.add(
                    Household(
                        number=f"ZD01-{number:03d}",
                        group_id=group.id,
                        head_name=f"户主{number}",
                        phone="13800001234",
                        email=f"hu{number}@example.com" if number == 1 else None,
                    )
                )
            for code, (name, role, unit) in PEOPLE.items():
                person = Person(code=code, name=name, phone="13900005678", email=f"{code.lower()}@office.example")
                session.add(person)
                session.flush()
                if role is not None and unit is not None:
                    session.add(RoleHolding(person_id=person.id, role=role, unit_id=units[unit].id, since=since))

    def add_village(self, code: str) -> None:
        """Add another village to the town, without people."""
        with self.resources.database.write() as session:
            town = session.scalars(select(Unit).where(Unit.code == "Z")).one()
            session.add(Unit(code=code, kind=UnitKind.VILLAGE, name=f"{code}村", parent_id=town.id))

    def add_person(
        self, code: str, name: str, role: Role, unit: str, *, email: str | None = "new@office.example"
    ) -> None:
        """Let somebody take up a role."""
        with self.resources.database.write() as session:
            place = session.scalars(select(Unit).where(Unit.code == unit)).one()
            person = Person(code=code, name=name, email=email)
            session.add(person)
            session.flush()
            session.add(RoleHolding(person_id=person.id, role=role, unit_id=place.id, since=date(2010, 1, 1)))

    def end_role(self, code: str, on: date) -> None:
        """Let somebody's roles end: `on` is the first day without."""
        with self.resources.database.write() as session:
            person = session.scalars(select(Person).where(Person.code == code)).one()
            for holding in session.scalars(select(RoleHolding).where(RoleHolding.person_id == person.id)):
                holding.until = on

    def set_email(self, code: str, address: str | None) -> None:
        """Change a person's e-mail address."""
        with self.resources.database.write() as session:
            session.scalars(select(Person).where(Person.code == code)).one().email = address

    def add_group(self, code: str, *, households: int = 1, village: str = "ZD") -> None:
        """Add another group to a village, under the same group head."""
        with self.resources.database.write() as session:
            parent = session.scalars(select(Unit).where(Unit.code == village)).one()
            group = Unit(code=code, kind=UnitKind.GROUP, name=code, parent_id=parent.id)
            session.add(group)
            session.flush()
            for number in range(1, households + 1):
                session.add(Household(number=f"{code}-{number:03d}", group_id=group.id, head_name=f"户主{number}"))
            head = session.scalars(select(Person).where(Person.code == GROUP_HEAD)).one()
            session.add(RoleHolding(person_id=head.id, role=Role.GROUP_HEAD, unit_id=group.id, since=date(2010, 1, 1)))

    def now(self) -> datetime:
        """Where the clock stands."""
        return self.clock.now()

    def proof(self, name: str) -> str:
        """Put a file into the documents folder and return its name."""
        folder = self.resources.settings.documents_folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"照片 {name}".encode())
        return name

    # -- what people do -----------------------------------------------------------------------------------------------

    def application(self, **changes: Any) -> dict[str, Any]:
        """The fields of an application that meets every standard of every shipped edition."""
        edition = self.edition()
        return {
            "household": "ZD01-001",
            "household_agrees": True,
            "leader": LEADER,
            "leader_source": next(iter(edition.for_sites.leader.sources)).label,
            "recommended_by": "周荡村党支部",
            "leader_agrees": True,
            "volunteers": 12,
            "area_square_metres": "25",
            "facilities": ["客厅", "卫生间", "电视机", "空调", "桌椅", "书报"],
            "confirmations": [each.name for each in edition.for_sites.standards if each.kind == "confirmation"],
            "speciality": "编织",
            "combined_with": [],
        } | changes

    def edition(self) -> Any:
        """The edition in use."""
        with self.resources.database.read() as session:
            town = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN)).one()
            return self.resources.editions[town.edition_id or ""].edition

    def apply(self, *, key: str = "", **changes: Any) -> str:
        """File the application and carry it to its first gate."""
        command = ApplyForSite.model_validate(self.application(**changes))
        self.number = applications.apply_for_site(
            self.resources, command, door=Door.CLI, key=key or command.household, at=self.now()
        )
        self.rehearsal.carry(self.number)
        return self.number

    def answer(self, answers: Mapping[str, Answer], *, by: str = GROUP_HEAD, number: str = "") -> Any:
        """Record households' answers."""
        command = RecordAnswers(
            case=number or self.number,
            by=by,
            answers=[
                HouseholdAnswer(household=household, answer=answer.label) for household, answer in answers.items()
            ],
        )
        counted = consents.record_answers(self.resources, command, door=Door.CLI, at=self.now())
        self.rehearsal.carry(number or self.number)
        return counted

    def everybody_agrees(self, *, number: str = "") -> None:
        """Let all households of the group agree."""
        with self.resources.database.read() as session:
            group = session.scalars(select(Case.group_id).where(Case.number == (number or self.number))).one()
            households = session.scalars(select(Household.number).where(Household.group_id == group)).all()
        self.answer(dict.fromkeys(households, Answer.AGREE), number=number)

    def decide(self, verdict: Verdict, *, by: str, reason: str = "", number: str = "", **more: Any) -> Ending | Waiting:
        """Decide at the gate that waits."""
        command = Decide(case=number or self.number, by=by, verdict=verdict.label, reason=reason, **more)
        decisions.decide(self.resources, command, door=Door.CLI, at=self.now())
        return self.rehearsal.carry(number or self.number)

    def withdraw(self, *, by: str = LEADER, reason: str = "不办了") -> Ending | Waiting:
        """Withdraw the application."""
        command = Withdraw(case=self.number, by=by, reason=reason)
        decisions.withdraw(self.resources, command, door=Door.CLI, at=self.now())
        return self.rehearsal.carry(self.number)

    def resubmit(self, *, by: str = LEADER, **changes: Any) -> Ending | Waiting:
        """Hand in the corrected application."""
        fields = self.application(**changes)
        fields.pop("household")
        command = Resubmit(case=self.number, by=by, **fields)
        applications.resubmit(self.resources, command, door=Door.CLI, at=self.now())
        return self.rehearsal.carry(self.number)

    def record(self, points: Mapping[str, str], *, done_on: date | None = None) -> tuple[str, ...]:
        """Record points of a checklist, each by the person named by code."""
        left: tuple[str, ...] = ()
        for point, by in points.items():
            done = WorkRecord(
                point=point,
                done_on=done_on or self.now().astimezone(SHANGHAI).date(),
                proof=self.proof(f"{point}.jpg".replace(":", "-")),
            )
            command = RecordWorks(case=self.number, by=by, works=[done])
            left = works.record_works(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(self.number)
        return left

    def urge(self, *, by: str, message: str = "") -> tuple[str, ...]:
        """Urge those who decide."""
        return office_acts.urge(self.resources, Urge(case=self.number, by=by, message=message), at=self.now())

    def hand_over(self, *, by: str, to: str, reason: str = "出差") -> None:
        """Hand the gate over."""
        command = HandOver(case=self.number, by=by, to=to, reason=reason)
        office_acts.hand_over(self.resources, command, at=self.now())

    def spend(
        self, yuan: str, *, key: str, by: str = "P010", purpose: str = "设施添置", proof: str = "发票.jpg"
    ) -> int:
        """Spend of the subsidy; the voucher is there unless another one is named."""
        self.proof("发票.jpg")
        command = Spend(case=self.number, by=by, purpose=purpose, amount_yuan=yuan, memo="购置", proof=proof)
        return ledger.spend(self.resources, command, at=self.now(), key=key)

    def stand_at(self, moment: datetime) -> None:
        """Start anew from a moment, also an earlier one."""
        self.resources = replace(self.resources, clock=MovedClock(moment))
        self.rehearsal = Rehearsal(self.resources, PROCEDURES)
        self.clock = self.rehearsal.clock

    def pass_until(self, when: str) -> None:
        """Let time pass with a sweep at every moment at which something is due."""
        self.rehearsal.move_to(at(when))

    def sleep_until(self, when: str) -> SweepCounts:
        """Let time pass with the sweep down; then one sweep."""
        self.clock.move_to(at(when))
        return self.rehearsal.sweep()

    def to_gate(self, gate: Gate) -> None:
        """Carry an application straight to a gate."""
        steps = {
            Gate.HOUSEHOLD_CONSENT: lambda: self.apply(),
            Gate.VILLAGE_FORWARD: lambda: self.everybody_agrees(),
            Gate.OFFICE_REVIEW: lambda: self.decide(Verdict.FORWARDED, by=self.forwarder()),
            Gate.PLAQUE: lambda: self.decide(Verdict.APPROVED, by=REVIEWER),
            Gate.SUBSIDY: lambda: self.finish_works(),
        }
        for step in steps.values():
            step()
            if self.gate() is gate:
                return
        raise AssertionError(f"{gate} was not reached, but {self.gate()}")

    def forwarder(self) -> str:
        """Who forwards in this edition."""
        return {Role.LIAISON: LIAISON}.get(self.edition().site.gates.village_forward.decided_by, RESPONSIBLE)

    def finish_works(self) -> None:
        """Do all the works of the plaque gate."""
        self.record({work.name: REVIEWER for work in self.edition().site.works})

    def finish_subsidy(self) -> None:
        """Let the money come down."""
        self.record({"区拨付到镇": REVIEWER, "镇下拨到村(居)委会": REVIEWER, "村(居)委会确认到账": RESPONSIBLE})


@contextmanager
def township(
    database_url: str,
    home: Path,
    *,
    edition: str | LoadedEdition,
    now: str,
    households: int = 4,
    database: Database | None = None,
    **settings: Any,
) -> Iterator[Township]:
    """Open a settled township at a moment; in `database` if one is open already."""
    chosen = Settings(home=home, database_url=database_url, _env_file=None, **settings)
    with open_resources(chosen, clock=MovedClock(at(now))) as resources:
        editions = dict(load_all())
        if isinstance(edition, LoadedEdition):
            editions[edition.edition.id] = edition
            edition = edition.edition.id
        there = Township(replace(resources, editions=editions, database=database or resources.database))
        there.settle(edition, households=households)
        yield there
