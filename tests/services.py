"""A township with listed parlours and a catalogue of services; what sites and providers do, the clock moved."""

import csv
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from models.case import Case
from models.registry import Person
from models.service import ServiceOrder
from policies.vocabulary import Door, Verdict
from tasks import service_decisions, service_orders, services
from tasks.cases import local_day
from tasks.commands import Decide
from tasks.decisions import decide
from tasks.history import verify
from tasks.procedure import Ending, Waiting
from tasks.service_commands import ConfirmOrder, DeliverOrder, PlaceOrder, TakeOrder
from tests.desks import OpenTown
from tests.parlours import add_site, site_of
from tests.township import REVIEWER, Township

CONTACT, OTHER_CONTACT = "F001", "F002"
OPENED = {"example-2026": "2026-03-02 09:00", "xuhang-2013": "2013-03-04 09:00"}
"""A Monday on which each edition is in force."""
ROWS = (
    ("YL", "卫生服务中心", "Z", CONTACT, "YL01", "健康讲座", "便民服务", "2", "一小时", "供应"),
    ("YL", "卫生服务中心", "Z", CONTACT, "YL02", "血压检测", "便民服务", "", "", ""),
    ("WT", "文体服务中心", "Z", OTHER_CONTACT, "WT01", "戏曲演出", "便民服务", "不限", "演员6人", "供应"),
)


class ServiceTown:
    """A township, one listed parlour in it, and the acts of an order; `number` is the order placed last."""

    def __init__(self, town: Township) -> None:
        self.town, self.resources = town, town.resources
        with town.resources.database.write() as session:
            for code, name in ((CONTACT, "卫联系"), (OTHER_CONTACT, "文联系")):
                session.add(Person(code=code, name=name, email=f"{code.lower()}@provider.example"))
        self.site = add_site(town)
        self.number = ""

    @property
    def led_by(self) -> str:
        """The code of the parlour's leader."""
        return self.leader_of(self.site)

    def leader_of(self, site: str) -> str:
        """The code of a parlour's leader."""
        with self.resources.database.read() as session:
            return session.get_one(Person, site_of(self.town, site).leader_id).code

    # -- the catalogue ------------------------------------------------------------------------------------------------

    def sheet(self, rows: Sequence[Sequence[str]], *, name: str = "目录.csv", heads: Sequence[str] = ()) -> str:
        """Put a sheet into the documents folder; return its name."""
        folder = self.resources.settings.documents_folder
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([list(heads or services.HEADS), *rows])
        return name

    def bring(self, rows: Sequence[Sequence[str]] = ROWS, *, by: str | None = REVIEWER) -> services.CatalogueReport:
        """Import a catalogue."""
        folder = self.resources.settings.documents_folder
        return services.import_catalogue(self.resources, folder, self.sheet(rows), by=by, at=self.town.now())

    # -- an order -----------------------------------------------------------------------------------------------------

    def day(self, after: int = 0) -> date:
        """The day so many days from now."""
        return local_day(self.town.now()) + timedelta(days=after)

    def command(self, **changes: Any) -> PlaceOrder:
        """An order that meets every rule."""
        fields = {
            "by": changes.get("by") or self.leader_of(str(changes.get("site", self.site))),
            "site": self.site,
            "item": "YL01",
            "wished_on": self.day(10),
            "people": 20,
            "note": "上午九点",
        }
        return PlaceOrder.model_validate(fields | changes)

    def place(self, *, key: str = "", **changes: Any) -> str:
        """Place an order, and carry it to its first gate."""
        with self.resources.database.read() as session:
            placed = len(session.scalars(select(ServiceOrder.id)).all())
        command = self.command(**changes)
        self.number = service_orders.place_order(
            self.resources, command, door=Door.CLI, key=key or f"order {placed}", at=self.town.now()
        )
        self.carry()
        return self.number

    def carry(self) -> Ending | Waiting:
        """Let the procedure go on."""
        return self.town.rehearsal.carry(self.number)

    def take(self, on: date | None = None, *, by: str = CONTACT, note: str = "") -> Ending | Waiting:
        """Let the provider take the order."""
        command = TakeOrder(case=self.number, by=by, promised_on=on, note=note)
        service_decisions.take_order(self.resources, command, door=Door.CLI, at=self.town.now())
        return self.carry()

    def deliver(
        self, served: int = 18, *, on: date | None = None, by: str = CONTACT, proof: str = ""
    ) -> Ending | Waiting:
        """Let the provider say that it delivered."""
        command = DeliverOrder(case=self.number, by=by, delivered_on=on, served=served, proof=proof)
        service_decisions.deliver_order(self.resources, command, door=Door.CLI, at=self.town.now())
        return self.carry()

    def confirm(
        self, rating: int = 4, *, served: int = 17, comment: str = "讲得好", by: str = "", as_activity: bool = False
    ) -> Ending | Waiting:
        """Let the leader confirm."""
        command = ConfirmOrder(
            case=self.number,
            by=by or self.led_by,
            served=served,
            rating=rating,
            comment=comment,
            as_activity=as_activity,
        )
        service_decisions.confirm_order(self.resources, command, door=Door.CLI, at=self.town.now())
        return self.carry()

    def decide(self, verdict: Verdict, *, by: str, reason: str = "") -> Ending | Waiting:
        """Give a verdict that needs nothing but a reason."""
        command = Decide(case=self.number, by=by, verdict=verdict.label, reason=reason)
        decide(self.resources, command, door=Door.CLI, at=self.town.now())
        return self.carry()

    # -- what is there ------------------------------------------------------------------------------------------------

    def order(self, number: str = "") -> ServiceOrder:
        """An order as it stands."""
        with self.resources.database.read() as session:
            return session.scalars(select(ServiceOrder).join(Case).where(Case.number == (number or self.number))).one()

    def faults(self) -> list[str]:
        """What the audit finds."""
        with self.resources.database.read() as session:
            return [str(each) for each in verify(session)]

    def context(self, letter: str) -> Mapping[str, Any]:
        """The facts of the last letter of that kind."""
        return self.town.entries(letter)[-1].context


def services_in(open_town: OpenTown, edition: str = "example-2026") -> ServiceTown:
    """Open a township with a parlour and a catalogue."""
    there = ServiceTown(open_town(edition, OPENED[edition]))
    there.bring()
    return there
