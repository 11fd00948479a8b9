"""What the people of the example township do in a year, with their parlours and in the office."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from cli.demo_office import RehearsedOffice
from models.case import Case, Site
from models.meeting import Meeting
from models.work_item import WorkItem
from policies.life_words import ChangeKind, Finding
from policies.vocabulary import CaseKind, Door, Gate, Role, SiteStatus, Verdict, WorkItemStatus
from runtime.resources import Resources
from tasks import (
    activities,
    campaigns,
    changes,
    inspection_visits,
    meeting_records,
    meeting_resolutions,
    meetings,
    publicity,
    service_decisions,
    service_orders,
    themes,
)
from tasks.change_commands import ApplyForChange
from tasks.inspection_commands import ConcludeCampaign, OpenCampaign, RecordVisit, ReportRectification
from tasks.life_commands import RecordActivities, RecordPublicity, ReportThemes
from tasks.meeting_commands import ChangeMeeting, CompleteResolution, RecordMeeting
from tasks.service_commands import ConfirmOrder, DeliverOrder, PlaceOrder, TakeOrder

OFFICE, HEAD, REVIEWER = "SL", "P001", "P002"
GROUPS = {"ZD01": "编织", "ZD02": "书画", "ZD03": "戏曲", "LH01": "健身", "LH05": "棋牌", "QD01": "茶艺"}
"""Whose first households open a parlour, and its speciality."""
THEMES = ("迎新", "闹元宵", "春耕", "祭扫", "防诈骗", "端午", "消夏", "用电安全", "敬老", "秋收", "健康", "议事")
"""What is done in each month of the year."""
FORGETFUL = "LH05"
"""Whose leader is late with one theme, and holds nothing in two weeks."""
STOPPED = (date(2026, 10, 20), date(2026, 10, 26))
"""First and last day on which the office's machine is off: over a 25th and over a Monday."""


@dataclass
class Plan:
    """A thing that is done on a day."""

    on: date
    do: Callable[[], None]


class VillageLife(RehearsedOffice):
    """What the people do, day by day, after the parlours are listed."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self.site: dict[str, str] = {}
        """Number of the site by its group."""
        self.said: list[str] = []
        """What was done since it was last printed."""
        self._settled: set[str] = set()

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
        self._record(self.site["ZD03"], self._leader("ZD03"), date(2026, 5, 14), "文体服务", 2)
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

    def _leader(self, group: str) -> str:
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

    # -- the inspection ------------------------------------------------------------------------------------------------

    def inspect(self) -> None:
        """Draw four parlours and let the office visit them."""
        command = OpenCampaign.model_validate(
            {
                "by": REVIEWER,
                "title": "2026年上半年督查",
                "scope": "随机抽查",
                "size": 4,
                "seed": "2026-06",
                "since": "2026-06-03",
                "until": "2026-06-30",
            }
        )
        number = campaigns.open_campaign(
            self.resources, command, door=Door.CLI, key="demo-year:campaign", at=self.now()
        )
        self.rehearsal.carry(number)
        for child in self.waiting_at(Gate.INSPECTION_VISIT):
            self.rehearsal.carry(child)
        self.say(f"开展督查 {number},随机抽取4个客堂间")

    def visit(self) -> None:
        """Visit them: one has a rule that hangs nowhere."""
        points = self._checklist()
        for n, number in enumerate(self.waiting_at(Gate.INSPECTION_VISIT)):
            found = dict.fromkeys(points, Finding.MET.label)
            if n == 1:
                found[points[-1]] = Finding.NOT_MET.label
            self._visit(number, found, Verdict.RECTIFY if n == 1 else Verdict.PASSED)
        self.say("现场督查4个,其中1个限期整改")

    def look_again(self) -> None:
        """Look again at what was to be put right."""
        points = self._checklist()
        for number in self.waiting_at(Gate.RE_INSPECTION):
            self._visit(number, dict.fromkeys(points, Finding.MET.label), Verdict.PASSED)
        self.say("复查合格")

    def _checklist(self) -> list[str]:
        rule = self.resources.editions["example-2026"].edition.for_sites.inspection
        return [each.name for each in rule.checklist] if rule else []

    def put_right(self) -> None:
        """Report what was put right."""
        for number in self.waiting_at(Gate.RECTIFICATION):
            people = self.file(number).awaited
            command = ReportRectification.model_validate(
                {
                    "case": number,
                    "by": people.people[0] if people else "",
                    "report": "安全预案已经村民讨论并上墙公开",
                    "proof": self.proof(f"{number}-整改.txt"),
                }
            )
            inspection_visits.report_rectification(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
        self.say("负责人报告整改情况")

    def sum_up(self) -> None:
        """Let the office sum the campaign up."""
        for number in self.waiting_at(Gate.CAMPAIGN_REPORT):
            command = ConcludeCampaign(case=number, by=REVIEWER, summary="总体规范,个别安全预案未上墙,已整改")
            campaigns.conclude(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
        self.say("督查总结")

    def _visit(self, number: str, found: dict[str, str], verdict: Verdict) -> None:
        findings = [
            {"point": point, "found": each, "note": "未上墙" if each == Finding.NOT_MET.label else ""}
            for point, each in found.items()
        ]
        command = RecordVisit.model_validate(
            {
                "case": number,
                "by": REVIEWER,
                "inspectors": "华文良",
                "findings": findings,
                "verdict": verdict.label,
                "rectify_by": "2026-06-24" if verdict is Verdict.RECTIFY else None,
                "reason": "安全预案未上墙,限期整改" if verdict is Verdict.RECTIFY else "",
            }
        )
        inspection_visits.record_visit(self.resources, command, door=Door.CLI, at=self.now())
        self.rehearsal.carry(number)

    # -- meetings ------------------------------------------------------------------------------------------------------

    def settle_meetings(self) -> None:
        """Give place and chair to the routine meetings that were called."""
        for number in self.waiting_at(Gate.MEETING):
            if number in self._settled:
                continue
            self._settled.add(number)
            command = ChangeMeeting(case=number, by=REVIEWER, place="镇政府三楼会议室", chair="秦义福")
            meetings.change_meeting(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
            self.say(f"联席会议 {number} 定下地点和主持人")

    def hold_meetings(self) -> None:
        """Hold the meeting of this day: in summer and autumn something is decided."""
        for number, meets_on in self._meetings():
            if meets_on > self.today():
                continue
            decided = [
                {"text": "各客堂间夏季活动安排错开高温时段", "responsible": "P005", "due_on": f"{meets_on:%Y}-07-20"},
                {"text": "补齐急救箱", "responsible": "P021", "due_on": f"{meets_on + timedelta(days=30):%Y-%m-%d}"},
            ]
            with_them = meets_on.month in (4, 5, 6)
            command = RecordMeeting.model_validate(
                {
                    "case": number,
                    "by": REVIEWER,
                    "held_on": meets_on.isoformat(),
                    "attended": ["P001", "P002", "P004", "P005", "P020", "P021", "P034"],
                    "on_leave": ["P035"],
                    "rest_absent": True,
                    "minutes": "通报上季度主题和活动情况,议定下列事项。",
                    "resolutions": decided if with_them else [],
                    "nothing_decided": not with_them,
                    "complete": True,
                }
            )
            meeting_records.record_meeting(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
            self.say(f"联席会议 {number} 召开,议定{2 if with_them else 0}项")

    def follow_up(self) -> None:
        """Carry out what the meeting decided."""
        for number in self.waiting_at(Gate.FOLLOW_UP):
            people = self.file(number).awaited
            command = CompleteResolution.model_validate(
                {
                    "case": number,
                    "by": people.people[0] if people else "",
                    "done_on": self.today().isoformat(),
                    "result": "已落实到各客堂间",
                }
            )
            meeting_resolutions.complete_resolution(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
            self.say(f"议定事项 {number} 落实")

    def _meetings(self) -> list[tuple[str, date]]:
        with self.resources.database.read() as session:
            rows = session.execute(
                select(Case.number, WorkItem.due_on)
                .join(WorkItem, WorkItem.case_id == Case.id)
                .join(Meeting, Meeting.case_id == Case.id)
                .where(
                    Case.kind == CaseKind.JOINT_MEETING,
                    WorkItem.gate == Gate.MEETING,
                    WorkItem.status == WorkItemStatus.OPEN,
                )
            )
            return [(number, due) for number, due in rows.tuples()]

    # -- services and changes ------------------------------------------------------------------------------------------

    def order(self, group: str, item: str, wished: date) -> None:
        """Order a service for a parlour."""
        command = PlaceOrder.model_validate(
            {
                "by": self._leader(group),
                "site": self.site[group],
                "item": item,
                "wished_on": wished.isoformat(),
                "people": 30,
            }
        )
        number = service_orders.place_order(
            self.resources, command, door=Door.CLI, key=f"demo-year:{group}:{item}:{wished}", at=self.now()
        )
        self.rehearsal.carry(number)
        self.say(f"点单 {number}:{group} 点 {item}")

    def answer_orders(self, *, decline: str = "") -> None:
        """Let the providers answer what was ordered."""
        for number in self.waiting_at(Gate.SERVICE_OFFER):
            people = self.file(number).awaited
            by = people.people[0] if people else ""
            if decline:
                self.decide(number, by, Verdict.DECLINED, reason=decline)
                self.say(f"{number} 不予接单:{decline}")
                continue
            service_decisions.take_order(self.resources, TakeOrder(case=number, by=by), door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
            self.say(f"{number} 接单")

    def deliver(self) -> None:
        """Let the providers deliver."""
        for number in self.waiting_at(Gate.SERVICE_DELIVERY):
            people = self.file(number).awaited
            command = DeliverOrder(case=number, by=people.people[0] if people else "", served=28)
            service_decisions.deliver_order(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
            self.say(f"{number} 送达")

    def confirm(self, rating: int) -> None:
        """Let the parlours confirm and rate."""
        for number in self.waiting_at(Gate.SERVICE_CONFIRMATION):
            people = self.file(number).awaited
            command = ConfirmOrder(case=number, by=people.people[0] if people else "", served=28, rating=rating)
            service_decisions.confirm_order(self.resources, command, door=Door.CLI, at=self.now())
            self.rehearsal.carry(number)
            self.say(f"{number} 确认,评{rating}分")

    def rest(self) -> None:
        """Let a parlour rest for repairs."""
        self._change(
            "LH01", ChangeKind.SUSPENSION, rests_from="2026-08-03", rests_until="2026-08-23", reason="房屋修缮"
        )

    def hand_on(self) -> None:
        """Let another person lead a parlour."""
        self._change(
            "QD01",
            ChangeKind.LEADER,
            leader=self.holder(Role.GROUP_HEAD, "QD01"),
            leader_source="村(居)民小组长",
            recommended_by="桥东居党支部",
            leader_agrees=True,
            reason="原负责人随子女迁居",
        )

    def _change(self, group: str, kind: ChangeKind, **fields: object) -> None:
        command = ApplyForChange.model_validate(
            {"site": self.site[group], "by": self._leader(group), "kind": kind.label, **fields}
        )
        number = changes.apply_for_change(
            self.resources, command, door=Door.CLI, key=f"demo-year:{group}:{kind}", at=self.now()
        )
        self.rehearsal.carry(number)
        people = self.at(number, Gate.CHANGE_OPINION).awaited
        self.decide(number, people.people[0] if people else "", Verdict.SUPPORTED)
        self.decide(number, REVIEWER, Verdict.APPROVED)
        self.say(f"变更 {number}:{kind.label}({self.site[group]})")

    # -- the evaluation ------------------------------------------------------------------------------------------------

    def approve_figures(self) -> None:
        """Let the head of the office approve the year's figures."""
        for number in self.waiting_at(Gate.FIGURES_REVIEW):
            self.decide(number, HEAD, Verdict.APPROVED)
            self.say(f"年度考核 {number} 核定,结果开始公示")
