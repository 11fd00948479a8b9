"""What the office does in a year: it inspects, meets, answers orders and changes, evaluates; for `ketang demo year`."""

from datetime import date, timedelta

from sqlalchemy import select

from cli.demo_life import HEAD, REVIEWER, VillageLife
from models.case import Case
from models.meeting import Meeting
from models.work_item import WorkItem
from policies.life_words import ChangeKind, Finding
from policies.vocabulary import CaseKind, Door, Gate, Role, Verdict, WorkItemStatus
from runtime.resources import Resources
from tasks import (
    campaigns,
    changes,
    inspection_visits,
    meeting_records,
    meeting_resolutions,
    meetings,
    service_decisions,
    service_orders,
)
from tasks.change_commands import ApplyForChange
from tasks.inspection_commands import ConcludeCampaign, OpenCampaign, RecordVisit, ReportRectification
from tasks.meeting_commands import ChangeMeeting, CompleteResolution, RecordMeeting
from tasks.service_commands import ConfirmOrder, DeliverOrder, PlaceOrder, TakeOrder


class OfficeYear(VillageLife):
    """What the office does, beside what the villages do."""

    def __init__(self, resources: Resources) -> None:
        super().__init__(resources)
        self._settled: set[str] = set()

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
                "by": self.leader_of(group),
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
            {"site": self.site[group], "by": self.leader_of(group), "kind": kind.label, **fields}
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
