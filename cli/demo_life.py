"""What the people of the example township do with their parlours in a year; for `ketang demo year`."""

from datetime import date, timedelta

from sqlalchemy import select

from cli.demo_office import RehearsedOffice
from models.case import Case, Site
from policies.vocabulary import Door, Gate, Role, SiteStatus, Verdict
from runtime.resources import Resources
from tasks import (
    activities,
    publicity,
    themes,
)
from tasks.life_commands import RecordActivities, RecordPublicity, ReportThemes

HEAD, REVIEWER = "P001", "P002"
GROUPS = {"ZD01": "编织", "ZD02": "书画", "ZD03": "戏曲", "LH01": "健身", "LH05": "棋牌", "QD01": "茶艺"}
"""Whose first households open a parlour, and its speciality."""
THEMES = ("迎新", "闹元宵", "春耕", "祭扫", "防诈骗", "端午", "消夏", "用电安全", "敬老", "秋收", "健康", "议事")
"""What is done in each month of the year."""
FORGETFUL = "LH05"
"""Whose leader is late with one theme, and holds nothing in two weeks."""
STOPPED = (date(2026, 10, 20), date(2026, 10, 26))
"""First and last day on which the office's machine is off: over a 25th and over a Monday."""


class VillageLife(RehearsedOffice):
    """What the people do, day by day, after the parlours are listed."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self.site: dict[str, str] = {}
        """Number of the site by its group."""
        self.said: list[str] = []
        """What was done since it was last printed."""

    def say(self, what: str) -> None:
        """Note what was done, for the timeline."""
        self.said.append(what)

    # -- from the application to the plaque ----------------------------------------------------------------------------

    def apply_all(self) -> None:
        """Let a household of each group apply."""
        for group, speciality in GROUPS.items():
            self.say(f"申请 {self.apply(group, speciality=speciality)}({group},{speciality})")

    def agree_all(self) -> None:
        """Let all households agree."""
        for number in self.waiting_at(Gate.HOUSEHOLD_CONSENT):
            self.everybody_agrees(number)
        self.say("各组农户全体同意")

    def forward_all(self) -> None:
        """Let the villages forward the applications."""
        for number in self.waiting_at(Gate.VILLAGE_FORWARD):
            self.decide(number, self._holder_of(number, Role.VILLAGE_RESPONSIBLE), Verdict.FORWARDED)
        self.say("各村(居)委会上报")

    def approve_all(self) -> None:
        """Let the office approve them."""
        for number in self.waiting_at(Gate.OFFICE_REVIEW):
            self.decide(number, REVIEWER, Verdict.APPROVED)
        self.say("社区办批准")

    def hang_all(self) -> None:
        """Hang the plaques."""
        for number in self.waiting_at(Gate.PLAQUE):
            self.finish_points(number, REVIEWER)
        self.say("挂牌与布置完成")

    def pay_all(self) -> None:
        """Let the subsidy come down; then the parlours are listed."""
        for number in self.waiting_at(Gate.SUBSIDY):
            responsible = self._holder_of(number, Role.VILLAGE_RESPONSIBLE)
            self.finish_points(number, REVIEWER, others={"村(居)委会确认到账": responsible})
        groups = {site.group.code: site.number for site in self._listed()}
        self.site = {group: groups[group] for group in GROUPS}
        self.say(f"补贴到账,{len(self.site)}个客堂间列入名册")

    def _listed(self) -> list[Site]:
        with self.resources.database.read() as session:
            sites = list(session.scalars(select(Site).order_by(Site.number)))
            for site in sites:
                session.refresh(site, ["group"])
            return sites

    def _holder_of(self, number: str, role: Role) -> str:
        with self.resources.database.read() as session:
            village = session.scalars(select(Case).where(Case.number == number)).one().unit.lineage()[1]
            return self.holder(role, village.code)

    # -- themes and weeks ----------------------------------------------------------------------------------------------

    def running(self) -> list[tuple[str, str, str]]:
        """Return group, number and leader of every site that runs today, in the order of `GROUPS`."""
        with self.resources.database.read() as session:
            found = {site.number: (site.status, site.leader.code) for site in session.scalars(select(Site)).all()}
        return [
            (group, number, found[number][1])
            for group, number in self.site.items()
            if found[number][0] is SiteStatus.ACTIVE
        ]

    def report_themes(self, month: date, *, only: str = "", but: str = "") -> None:
        """Let leaders report the theme of a month."""
        told = []
        for group, number, leader in self.running():
            if group == but or only not in ("", group):
                continue
            title = f"{THEMES[month.month - 1]}·{GROUPS[group]}"
            command = ReportThemes.model_validate(
                {"by": leader, "themes": [{"site": number, "month": f"{month:%Y-%m}", "title": title}]}
            )
            told += themes.submit_themes(self.resources, command, door=Door.CLI, at=self.now())
        late = sum(each.late for each in told)
        self.say(f"报送{month:%Y年}{month.month}月主题{len(told)}个" + (f",其中逾期{late}个" if late else ""))

    def hold(self, day: date) -> None:
        """Record what was held the day before: each parlour has a day of the week of its own."""
        held = day - timedelta(days=1)
        categories = [
            each.name for each in self.resources.editions["example-2026"].edition.for_sites.activity_categories
        ]
        for n, (group, number, leader) in enumerate(self.running()):
            if held.weekday() != 1 + n % 5 or (group == FORGETFUL and held.isocalendar().week in (28, 29)):
                continue
            if group == "ZD03" and held.isocalendar().week == 20:
                continue  # recorded late, see `record_late`
            self._record(number, leader, held, categories[(held.isocalendar().week + n) % len(categories)], n)

    def record_late(self) -> None:
        """Record an activity that was held nearly two weeks ago."""
        self._record(self.site["ZD03"], self.leader_of("ZD03"), date(2026, 5, 14), "文体服务", 2)
        self.say("补登 5月14日的活动一场")

    def _record(self, number: str, leader: str, held: date, category: str, n: int) -> None:
        entry = {
            "site": number,
            "held_on": held.isoformat(),
            "category": category,
            "title": f"{category}活动",
            "attendance": 18 + (7 * n + 5 * held.isocalendar().week) % 25,
            "summary": "演示",
        }
        activities.record_activities(
            self.resources,
            RecordActivities.model_validate({"by": leader, "activities": [entry]}),
            door=Door.CLI,
            key=f"demo-year:{number}:{held}",
            at=self.now(),
        )

    def leader_of(self, group: str) -> str:
        """Return the leader of the parlour in a group."""
        return next(leader for code, _, leader in self.running() if code == group)

    def publish(self, title: str, *groups: str) -> None:
        """Record what was published about some parlours."""
        item = {
            "channel": "镇级网站",
            "published_on": self.today().isoformat(),
            "title": title,
            "reference": "https://www.example.cn/news",
            "sites": [self.site[group] for group in groups],
        }
        publicity.record_publicity(
            self.resources,
            RecordPublicity.model_validate({"by": REVIEWER, "items": [item]}),
            door=Door.CLI,
            key=f"demo-year:{title}",
            at=self.now(),
        )
        self.say(f"宣传报道“{title}”")
