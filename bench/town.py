"""A township for the bench: the registry is written in bulk, everything else by the desk's own commands."""

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from bench.contestant import Place
from flows.procedures import PROCEDURES
from migrations import run
from models.registry import Household, Person, RoleHolding, Unit
from notifications.mime import Mailbox, Parcel
from notifications.transport import Over, Transport
from policies.vocabulary import BeautifulVillage, CaseKind, Role, UnitKind
from runtime.clock import MovedClock
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from tasks.procedure import Procedure

REVIEWER, RESPONSIBLE, GROUP_HEAD, LEADER = "P001", "P010", "P020", "P030"
OPENED = datetime(2018, 10, 8, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
EDITION = "zhujiajiao-2018"
CASE_PROCEDURES: Mapping[CaseKind, Procedure] = PROCEDURES


class Taken:
    """A transport that takes every letter, rendered and built: the case's cost without a mail server's."""

    sender = Mailbox(address="ketang@office.example", name="社区办")
    at_once = 1
    longest = timedelta()
    taken = 0

    @asynccontextmanager
    async def open(self, over: Over) -> AsyncIterator["Taken"]:
        """Open nothing."""
        yield self

    async def send(self, parcel: Parcel) -> None:
        """Take a letter."""
        self.taken += 1


@dataclass(frozen=True)
class BenchResources(Resources):
    """The desk's resources, whose letters leave as the contest wants it."""

    way: Transport | None = None

    def transport(self) -> Transport:
        """Return the contest's transport, else the settings'."""
        return self.way or super().transport()


class Town:
    """One town, one village; groups of households are added as cases need them."""

    def __init__(
        self, place: Place, *, edition: str = EDITION, opened: datetime = OPENED, way: Transport | None = None
    ) -> None:
        self.place = place
        home = place.folder / "home"
        run.upgrade(place.url)
        self._stack = ExitStack()
        self.clock = MovedClock(opened)
        settings = Settings(home=home, database_url=place.url, _env_file=None)
        known = self._stack.enter_context(open_resources(settings, clock=self.clock))
        given = {field.name: getattr(known, field.name) for field in fields(Resources)}
        self.resources = BenchResources(**given, way=way or Taken())
        self.groups = 0
        self._settle(edition)

    def _settle(self, edition: str) -> None:
        with self.resources.database.write() as session:
            district = Unit(code="Q", kind=UnitKind.DISTRICT, name="示例区")
            town = Unit(code="Z", kind=UnitKind.TOWN, name="朱家角镇", parent=district, edition_id=edition)
            village = Unit(code="ZD", kind=UnitKind.VILLAGE, name="周荡村", parent=town)
            session.add_all([district, town, village])
            session.flush()
            self.village = village.id
            for code, name, role, unit in (
                (REVIEWER, "沈审核", Role.OFFICE_REVIEWER, town),
                (RESPONSIBLE, "周责任", Role.VILLAGE_RESPONSIBLE, village),
                (GROUP_HEAD, "顾组长", None, None),
                (LEADER, "陆负责", None, None),
            ):
                person = Person(code=code, name=name, email=f"{code.lower()}@office.example")
                session.add(person)
                session.flush()
                if role is not None and unit is not None:
                    session.add(RoleHolding(person_id=person.id, role=role, unit_id=unit.id, since=date(2010, 1, 1)))
        documents = self.resources.settings.documents_folder
        documents.mkdir(parents=True)
        (documents / "照片.jpg").write_bytes(b"\xff\xd8" + b"photo" * 2000)

    def add_groups(self, count: int, *, households: int) -> list[str]:
        """Add groups of households, each under the same head and leader; return their codes."""
        if not count:
            return []
        codes = [f"G{self.groups + n:06d}" for n in range(1, count + 1)]
        self.groups += count
        with self.resources.database.write() as session:
            leaders = select(Person).where(Person.code.in_((GROUP_HEAD, LEADER)))
            people = {person.code: person.id for person in session.scalars(leaders)}
            session.execute(
                insert(Unit),
                [
                    {
                        "code": code,
                        "kind": UnitKind.GROUP,
                        "name": code,
                        "parent_id": self.village,
                        "beautiful_village": BeautifulVillage.CITY,
                    }
                    for code in codes
                ],
            )
            ids = {row.code: row.id for row in session.execute(select(Unit.code, Unit.id).where(Unit.code.in_(codes)))}
            session.execute(
                insert(Household),
                [
                    {"number": f"{code}-{n:03d}", "group_id": ids[code], "head_name": f"户主{n}"}
                    for code in codes
                    for n in range(1, households + 1)
                ],
            )
            session.execute(
                insert(RoleHolding),
                [
                    {"person_id": people[who], "role": role, "unit_id": ids[code], "since": date(2010, 1, 1)}
                    for code in codes
                    for who, role in ((GROUP_HEAD, Role.GROUP_HEAD), (LEADER, Role.SITE_LEADER))
                ],
            )
        return codes
