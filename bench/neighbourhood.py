"""
A neighbourhood, lived through by the desk's own commands: what `bench.district` copies.

A group of twenty households with a listed parlour: its case from the application to the subsidy, weeks of activities,
themes, orders of services, a public notice; and three open cases: an application whose households are signing, one that
waits for the office's review, an order on its way.
"""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bench.site import SiteDesk
from bench.town import CASE_PROCEDURES, LEADER, REVIEWER, Town
from models.case import Case, Site
from models.registry import Person
from policies.vocabulary import Door
from rules.periods import shanghai_day
from tasks import service_decisions, service_orders, services
from tasks.activities import record_activities
from tasks.deadlines import fire_due
from tasks.drivers import carry_with_relatives
from tasks.life_commands import ActivityEntry, RecordActivities, ReportThemes, ThemeEntry
from tasks.notice_commands import PublishNotice
from tasks.notice_pages import write_pages
from tasks.notices import publish_notice
from tasks.post import post_letters
from tasks.service_commands import ConfirmOrder, DeliverOrder, PlaceOrder, TakeOrder
from tasks.themes import submit_themes

SHANGHAI = ZoneInfo("Asia/Shanghai")
EDITION = "example-2026"
LISTED = datetime(2026, 3, 2, 10, tzinfo=SHANGHAI)
NOW = datetime(2026, 5, 12, 10, tzinfo=SHANGHAI)
"""When it has come so far: a Tuesday."""
PROVIDER = "F001"
WEEKS, ORDERS, HOUSEHOLDS = 9, 5, 20


class Neighbourhood:
    """The original."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.resources = town.resources
        self._live()

    def _live(self) -> None:
        town, clock = self.town, self.town.clock
        with self.resources.database.write() as session:
            session.add(Person(code=PROVIDER, name="卫联系", email="f001@provider.example"))
        town.add_groups(3, households=HOUSEHOLDS)
        self.listed = self._list("G000001")
        with self.resources.database.read() as session:
            self.site = session.scalars(select(Site.number).join(Case).where(Case.number == self.listed)).one()
        self._catalogue()
        clock.move_to(LISTED + timedelta(days=7))
        self._notice()
        for week in range(WEEKS):
            clock.move_to(LISTED + timedelta(days=7 * week + 8))
            self._record(shanghai_day(clock.now() - timedelta(days=1)))
            if week < ORDERS:
                self._order(f"order {week}", to_the_end=True)
        clock.move_to(NOW)
        fire_due(self.resources, at=NOW)
        carry_with_relatives(self.resources, self.notice, CASE_PROCEDURES, at=NOW)
        write_pages(self.resources)
        self._order("order on its way", to_the_end=False)
        self.signing = self._apply("G000002")
        self.reviewed = self._apply("G000003")
        desk = self.desk()
        desk.sign(self.reviewed, *(f"G000003-{n:03d}" for n in range(1, HOUSEHOLDS + 1)))
        desk.carry(self.reviewed)
        (forward, *_) = desk.decisions(self.reviewed)
        for act in forward:
            act()
        desk.carry(self.reviewed)
        self._post()

    def desk(self) -> SiteDesk:
        """What people do in a site case, now."""
        edition = self.resources.editions[EDITION].edition
        return SiteDesk(self.town, at=self.town.clock.now(), edition=edition)

    def _apply(self, group: str) -> str:
        desk = self.desk()
        number = desk.apply(group)
        desk.carry(number)
        self._post()
        return number

    def _list(self, group: str) -> str:
        number, desk = self._apply(group), self.desk()
        desk.sign(number, *(f"{group}-{n:03d}" for n in range(1, HOUSEHOLDS + 1)))
        desk.carry(number)
        for acts in desk.decisions(number):
            self._post()
            for act in acts:
                act()
            desk.carry(number)
        self._post()
        return number

    def _post(self) -> None:
        while post_letters(self.resources, at=self.town.clock.now()).sent:
            pass

    def _catalogue(self) -> None:
        folder = self.resources.settings.documents_folder
        row = ["YL", "卫生服务中心", "Z", PROVIDER, "YL01", "健康讲座", "便民服务", "不限", "一小时", "供应"]
        lines = [",".join(services.HEADS), ",".join(row)]
        (folder / "目录.csv").write_text("\n".join(lines), encoding="utf-8")
        services.import_catalogue(self.resources, folder, "目录.csv", by=REVIEWER, at=self.town.clock.now())

    def _record(self, day: date) -> None:
        at = self.town.clock.now()
        entry = ActivityEntry.model_validate(
            {"site": self.site, "held_on": day, "category": "文体服务", "title": f"灯谜会{day}", "attendance": 30}
        )
        command = RecordActivities(by=LEADER, activities=[entry])
        record_activities(self.resources, command, door=Door.FORM, key=f"week {day}", at=at)
        if day.day <= 7:
            after = date(day.year, day.month % 12 + 1, 1)
            theme = ThemeEntry.model_validate({"site": self.site, "month": f"{after:%Y-%m}", "title": "春耕农技讲堂"})
            submit_themes(self.resources, ReportThemes(by=LEADER, themes=[theme]), door=Door.FORM, at=at)

    def _order(self, key: str, *, to_the_end: bool) -> None:
        at, procedures, resources = self.town.clock.now(), CASE_PROCEDURES, self.resources
        day = shanghai_day(at) + timedelta(days=10)
        command = PlaceOrder.model_validate(
            {"by": LEADER, "site": self.site, "item": "YL01", "wished_on": day, "people": 20, "note": "上午九点"}
        )
        number = service_orders.place_order(resources, command, door=Door.FORM, key=key, at=at)
        carry_with_relatives(resources, number, procedures, at=at)
        taken = TakeOrder(case=number, by=PROVIDER, promised_on=day)
        service_decisions.take_order(resources, taken, door=Door.FORM, at=at)
        carry_with_relatives(resources, number, procedures, at=at)
        if to_the_end:
            at = datetime.combine(day, at.timetz())
            came = DeliverOrder(case=number, by=PROVIDER, delivered_on=day, served=18)
            service_decisions.deliver_order(resources, came, door=Door.FORM, at=at)
            carry_with_relatives(resources, number, procedures, at=at)
            confirmed = ConfirmOrder(case=number, by=LEADER, served=18, rating=4, comment="讲得好")
            service_decisions.confirm_order(resources, confirmed, door=Door.FORM, at=at)
            carry_with_relatives(resources, number, procedures, at=at)
        self._post()

    def _notice(self) -> None:
        command = PublishNotice.model_validate(
            {
                "unit": "ZD",
                "edition": "linping-2022",
                "by": REVIEWER,
                "title": "路灯改造方案",
                "text": "拟在老街安装路灯二十盏。\n施工期间请绕行。",
                "items": ["东段十二盏", "西段八盏"],
                "contact": "镇社区办,镇政府二楼",
                "place": "镇政务公开栏",
            }
        )
        at = self.town.clock.now()
        number = publish_notice(self.resources, command, door=Door.FORM, key="notice", at=at)
        carry_with_relatives(self.resources, number, CASE_PROCEDURES, at=at)
        write_pages(self.resources)
        self.notice = number
