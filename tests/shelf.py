"""A call with its projects, notices and objections, straight in the tables: what papers and registers read."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from models.case import Case, PublishedEdition
from models.notice import Notice, Objection
from models.project import (
    BudgetLine,
    Call,
    CallMember,
    Interest,
    MeetingVote,
    Milestone,
    Plan,
    Project,
    Score,
)
from models.registry import Person, Unit
from models.work_item import Decision, WorkItem
from policies.vocabulary import (
    CaseKind,
    CaseStatus,
    Door,
    Gate,
    NoticeKind,
    ObjectionChannel,
    ObjectionFinding,
    Outcome,
    ProjectStanding,
    Role,
    Verdict,
    WorkItemStatus,
)
from tests.programme import CALL, EDITION, FIRST, SECOND, Programme
from tests.township import HEAD_OF_OFFICE, LIAISON, REVIEWER, SECOND_REVIEWER, Township

NOTICE = "LPG-2022-0001"
PANEL = (REVIEWER, SECOND_REVIEWER, HEAD_OF_OFFICE)
CRITERIA = ("demand", "feasibility", "budget", "participation")


class Shelf(Programme):
    """A call of two projects; a test puts on the shelf what it needs."""

    def __init__(self, town: Township) -> None:
        super().__init__(town)
        self.name(CALL, "2022年春季微项目征集")
        self.name(FIRST, "楼道清洁志愿队")
        self.name(SECOND, "老年书画社")
        self.add(
            Call(
                case_id=self.id_of(CALL),
                purpose="围绕楼组自治,由居民提出",
                opens_on=date(2022, 3, 1),
                closes_on=date(2022, 3, 31),
                kinds=["environment", "culture_sports"],
                budget_fen=3_000_000,
                contact="社区办二楼",
                place="镇政务公开栏",
            ),
            *(CallMember(case_id=self.id_of(CALL), person_id=self.person(code), in_meeting=False) for code in PANEL),
        )

        self.change(FIRST, kind="environment", amount_fen=800_000, content="每周六清洁三个单元的楼道")
        self.change(SECOND, kind="culture_sports", amount_fen=45_678)

    # -- what is there ------------------------------------------------------------------------------------------------

    def id_of(self, number: str) -> int:
        """The key of a case."""
        with self.resources.database.read() as session:
            return session.scalars(select(Case.id).where(Case.number == number)).one()

    def person(self, code: str) -> int:
        """The key of a person."""
        with self.resources.database.read() as session:
            return session.scalars(select(Person.id).where(Person.code == code)).one()

    # -- what a test puts there ---------------------------------------------------------------------------------------

    def add(self, *rows: Any) -> None:
        """Write rows."""
        with self.resources.database.write() as session:
            session.add_all(rows)

    def change(self, number: str, **fields: Any) -> None:
        """Change what is known of a project."""
        with self.resources.database.write() as session:
            project = session.scalars(select(Project).where(Project.case_id == self.id_of(number))).one()
            for field, value in fields.items():
                setattr(project, field, value)

    def name(self, number: str, title: str) -> None:
        """Call a case something."""
        with self.resources.database.write() as session:
            session.scalars(select(Case).where(Case.number == number)).one().title = title

    def close(self, number: str, outcome: Outcome) -> None:
        """Let a case end."""
        with self.resources.database.write() as session:
            case = session.scalars(select(Case).where(Case.number == number)).one()
            case.status, case.outcome, case.closed_at = CaseStatus.CLOSED, outcome, self.town.now()

    def reach(self, gate: Gate, number: str = CALL, *, details: dict[str, Any] | None = None) -> None:
        """Let a case come to a gate; with `details`, let the gate be decided."""
        now = self.town.now()
        item = WorkItem(
            case_id=self.id_of(number),
            gate=gate,
            round=1,
            role=Role.OFFICE_REVIEWER,
            opened_at=now,
            due_on=date(2022, 4, 15),
            due_at=now + timedelta(days=30),
            provisional=False,
            lapses=False,
        )
        if details is not None:
            item.status, item.closed_at = WorkItemStatus.CLOSED, now
        with self.resources.database.write() as session:
            session.add(item)
            session.flush()
            if details is not None:
                session.add(
                    Decision(
                        work_item_id=item.id,
                        case_id=item.case_id,
                        verdict=Verdict.COMPLETED,
                        decided_by_id=self.person(REVIEWER),
                        door=Door.CLI,
                        decided_at=now,
                        effective_at=now,
                        acknowledged=[],
                        details=details,
                    )
                )

    def seat(self, *codes: str, signed_in: datetime | None = None) -> None:
        """Freeze the meeting's roll."""
        self.add(
            *(
                CallMember(
                    case_id=self.id_of(CALL), person_id=self.person(code), in_meeting=True, signed_in_at=signed_in
                )
                for code in codes
            )
        )

    def score(self, number: str, by: str, *points: int) -> None:
        """Let a member score a project, criterion by criterion."""
        self.add(
            *(
                Score(
                    case_id=self.id_of(number),
                    person_id=self.person(by),
                    criterion=criterion,
                    points=given,
                    recorded_at=self.town.now(),
                    recorded_by_id=self.person(REVIEWER),
                )
                for criterion, given in zip(CRITERIA, points, strict=True)
            )
        )

    def avoid(self, number: str, who: str) -> None:
        """Let a member have an interest in a project."""
        self.add(
            Interest(case_id=self.id_of(number), person_id=self.person(who), reason="亲属", declared_at=self.town.now())
        )

    def vote(self, number: str, in_favour: int, against: int, abstained: int) -> None:
        """Let the meeting vote on a project."""
        self.add(
            MeetingVote(
                case_id=self.id_of(number),
                in_favour=in_favour,
                against=against,
                abstained=abstained,
                recorded_at=self.town.now(),
                recorded_by_id=self.person(REVIEWER),
            )
        )

    def plan(self, number: str = FIRST) -> None:
        """Let a project have a plan."""
        self.add(
            Plan(
                case_id=self.id_of(number),
                round=1,
                content="分三步做",
                expected_benefit="楼道整洁",
                submitted_at=self.town.now(),
                submitted_by_id=self.person("P030"),
                lines=[
                    BudgetLine(seq=1, category="materials", name="清洁用具", amount_fen=500_000),
                    BudgetLine(seq=2, category="volunteers", name="志愿者午餐", amount_fen=100_050),
                ],
                milestones=[
                    Milestone(seq=1, name="组队", due_on=date(2022, 5, 4)),
                    Milestone(seq=2, name="首轮清洁", due_on=date(2022, 6, 30)),
                ],
            )
        )

    def publish(self, number: str = NOTICE, *, standing: ProjectStanding = ProjectStanding.CONFIRMED) -> None:
        """Publish the selection."""
        now = self.town.now()
        with self.resources.database.write() as session:
            unit = session.scalars(select(Unit).where(Unit.code == "Z")).one()
            edition = session.get_one(PublishedEdition, EDITION)
            case = Case(
                number=number,
                kind=CaseKind.NOTICE,
                edition_id=edition.id,
                edition_sha256=edition.sha256,
                opening_key=number,
                title="微项目入选公示",
                unit_id=unit.id,
                parent_id=self.id_of(CALL),
                year=2022,
                opened_at=now,
            )
            session.add(case)
            session.flush()
            session.add(
                Notice(
                    case_id=case.id,
                    kind=NoticeKind.SELECTION,
                    edition=1,
                    text="经协商筛选,以下项目拟入选。\n\n现予公示,接受监督。",
                    items=[
                        {"case": self.id_of(FIRST), "label": "楼道清洁志愿队,核定8,000.00元"},
                        {"case": None, "label": "其他事项"},
                    ],
                    channels=[ObjectionChannel.WRITTEN.value, ObjectionChannel.PHONE.value],
                    contact="社区办二楼",
                    place="镇政务公开栏",
                    published_at=now,
                    period="公示期10日,自公布次日(2022年3月5日)起算,至2022年3月14日24时止",
                    sha256="13812345678" + "a" * 53,
                    prolonged=[
                        {
                            "on": "2022-03-10",
                            "from": "2022-03-14",
                            "to": "2022-03-18",
                            "by": "沈审核(P001)",
                            "reason": "公告栏被遮挡",
                        }
                    ],
                    ends_on=date(2022, 3, 18),
                    page=f"{number.lower()}.html",
                )
            )

    def object(self, seq: int, *, finding: ObjectionFinding | None = None, **fields: Any) -> None:
        """Let somebody object against the notice."""
        now = self.town.now()
        with self.resources.database.write() as session:
            notice = session.scalars(select(Notice)).one()
            session.add(
                Objection(
                    **{
                        "notice_id": notice.id,
                        "seq": seq,
                        "key": f"{seq}",
                        "channel": ObjectionChannel.PHONE,
                        "name": "王居民",
                        "contact": "13911112222",
                        "content": "预算太高",
                        "against_case_id": self.id_of(FIRST),
                        "received_at": now,
                        "recorded_at": now,
                        "recorded_by_id": self.person(REVIEWER),
                        "finding": finding,
                        "reasons": "已核对" if finding else "",
                        "handled_at": now if finding else None,
                        "handled_by_id": self.person(LIAISON) if finding else None,
                        "details": {},
                    }
                    | fields
                )
            )
