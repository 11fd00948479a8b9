"""Confirmed micro-projects in a township, opened without their call's procedure; and what people do in them."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from models.case import Case
from models.project import Call, Project
from models.registry import Person, Unit
from policies.vocabulary import CaseKind, Door, Gate, ProjectStanding, Role, Verdict
from tasks import decisions, evaluations, funds, items, plans, progress, works
from tasks.act import acting
from tasks.cases import item_that_waits, load_case, local_day
from tasks.commands import Decide, RecordWorks, WorkRecord
from tasks.history import verify, verify_ledger
from tasks.ledger_commands import ReceiveMoney, receive_money
from tasks.ledger_figures import LineFigures, budget_lines, pool_balance, project_balance
from tasks.openings import publish
from tasks.procedure import Ending, Waiting
from tasks.project_commands import RecordEvaluation, RecordProgress, ReturnFunds, SpendOnProject, SubmitPlan
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, Township

PROPOSER = "P040"
GRANTED = 500_000
EDITIONS = {"linping-2022": "2022-05-16 10:00", "example-micro-2026": "2026-05-18 10:00"}
"""Each with a Monday on which its projects are confirmed."""
CATEGORIES = {
    "linping-2022": ("物资购置", "微自治项目开展"),
    "example-micro-2026": ("物资购置", "服务购买"),
}
"""A category without a cap, and another one, by edition."""


class Projects:
    """One confirmed project and its call; every act by the person whose act it is."""

    def __init__(
        self, town: Township, *, call: str, number: str, leader: str = PROPOSER, responsible: str = RESPONSIBLE
    ) -> None:
        self.town, self.resources = town, town.resources
        self.scheme = town.edition().for_projects
        self.call, self.number, self.leader, self.responsible = call, number, leader, responsible

    # -- acts ---------------------------------------------------------------------------------------------------------

    def carry(self) -> Ending | Waiting:
        """Let the procedure go on."""
        return self.town.rehearsal.carry(self.number)

    def day(self, after: int) -> date:
        """The day so many days from now."""
        return local_day(self.town.now()) + timedelta(days=after)

    def receive(
        self, yuan: str, *, source: str = "区级试点资金", name: str = "", key: str = "1", by: str = REVIEWER
    ) -> int:
        """Let money come into the programme."""
        command = ReceiveMoney(
            case=self.call,
            by=by,
            source=source,
            source_name=name,
            amount_yuan=yuan,
            memo="到账",
            proof=self.town.proof("回单.pdf"),
        )
        return receive_money(self.resources, command, at=self.town.now(), key=key)

    def plan(
        self,
        *,
        steps: Sequence[tuple[str, int]] = (("整地", 20), ("栽种", 40)),
        lines: Sequence[tuple[str, str, str]] | None = None,
        content: str = "在三个楼道口整地、栽种月季",
        by: str = "",
    ) -> int:
        """Hand in the plan: steps by name and days from now, lines by name, category and yuan."""
        first, second = CATEGORIES[self.town.edition().id]
        command = SubmitPlan.model_validate(
            {
                "case": self.number,
                "by": by or self.leader,
                "content": content,
                "expected_benefit": "三个楼道环境改善",
                "milestones": [{"name": name, "due_on": self.day(days)} for name, days in steps],
                "lines": [
                    {"name": name, "category": category, "amount_yuan": yuan}
                    for name, category, yuan in lines or (("花苗", first, "3000"), ("铺装", second, "1500.00"))
                ],
            }
        )
        total = plans.submit_plan(self.resources, command, door=Door.CLI, at=self.town.now())
        self.carry()
        return total

    def decide(self, verdict: Verdict, *, by: str = REVIEWER, reason: str = "", proof: str = "") -> Ending | Waiting:
        """Decide at the gate that waits."""
        command = Decide(
            case=self.number,
            by=by,
            verdict=verdict.label,
            reason=reason,
            proof=self.town.proof(proof) if proof else "",
        )
        decisions.decide(self.resources, command, door=Door.CLI, at=self.town.now())
        return self.carry()

    def record(self, point: str, *, by: str, done_on: date | None = None, proof: str = "照片.jpg") -> tuple[str, ...]:
        """Record a point of the list that waits."""
        record = WorkRecord(point=point, done_on=done_on or self.day(0), proof=self.town.proof(proof))
        command = RecordWorks(case=self.number, by=by, works=[record])
        left = works.record_works(self.resources, command, door=Door.CLI, at=self.town.now())
        self.carry()
        return left

    def fund(self) -> None:
        """Let the money arrive."""
        self.record("镇拨付到村(居)委会", by=REVIEWER, proof="回单.pdf")
        self.record("村(居)委会确认到账", by=self.responsible, proof="到账.pdf")

    def spend(
        self,
        yuan: str,
        *,
        line: str = "花苗",
        key: str = "1",
        by: str = "",
        on: date | None = None,
        proof: str = "发票.jpg",
    ) -> int:
        """Spend on a line of the budget."""
        command = SpendOnProject(
            case=self.number,
            by=by or self.responsible,
            line=line,
            amount_yuan=yuan,
            memo="购置",
            proof=self.town.proof(proof) if proof else "没有.jpg",
            spent_on=on or self.day(0),
        )
        left = funds.spend(self.resources, command, at=self.town.now(), key=key)
        self.carry()
        return left

    def return_funds(self, *, by: str = REVIEWER, key: str = "1") -> int:
        """Return what the programme has left to its sources."""
        command = ReturnFunds(case=self.call, by=by, proof=self.town.proof("退款回单.pdf"))
        return funds.return_funds(self.resources, command, at=self.town.now(), key=key)

    def progress(self, summary: str = "已整地", *, percent: int = 50, by: str = PROPOSER, **more: Any) -> None:
        """Record progress."""
        fields = {"case": self.number, "by": by, "happened_on": self.day(0), "summary": summary, "percent": percent}
        command = RecordProgress.model_validate(fields | more)
        progress.record_progress(self.resources, command, at=self.town.now())

    def evaluate(self, said: Mapping[str, tuple[int, int]], *, complete: bool = False, by: str = REVIEWER) -> Any:
        """Enter what sides say: number of answers and sum of points, by side."""
        panels = [
            {"panel": panel, "answers": answers, "points_total": points} for panel, (answers, points) in said.items()
        ]
        command = RecordEvaluation.model_validate({"case": self.number, "by": by, "panels": panels})
        left = evaluations.record_evaluation(
            self.resources, command, complete=complete, door=Door.CLI, at=self.town.now()
        )
        self.carry()
        return left

    def acceptor(self) -> str:
        """Who accepts in this edition."""
        decides = self.scheme.gates.acceptance.decided_by
        return self.responsible if decides is Role.VILLAGE_RESPONSIBLE else REVIEWER

    def to_gate(self, gate: Gate) -> None:
        """Carry the project from its plan straight to a gate."""
        way = {
            Gate.PLAN_REVIEW: lambda: self.plan(),
            Gate.FUNDING: lambda: self.decide(Verdict.APPROVED),
            Gate.MILESTONE: self.fund,
            Gate.ACCEPTANCE: self.finish_steps,
            Gate.EVALUATION: lambda: self.decide(Verdict.ACCEPTED, by=self.acceptor(), proof="验收单.pdf"),
            Gate.SETTLEMENT: lambda: self.evaluate({"居民评议": (10, 900), "专家评议": (3, 240)}, complete=True),
        }
        for reached, act in way.items():
            act()
            assert self.town.gate(self.number) is reached
            if reached is gate:
                return

    def finish_steps(self) -> None:
        """Finish every step of the plan."""
        for name in ("整地", "栽种"):
            self.record(name, by=self.leader)

    def stop(self, reason: str = "该地块将改建停车场", *, by: str = HEAD_OF_OFFICE) -> Ending | Waiting:
        """Give the project up."""
        return self.decide(Verdict.ABANDONED, by=by, reason=reason)

    # -- what stands --------------------------------------------------------------------------------------------------

    def pool(self) -> int:
        """What stands in the programme's pool."""
        with self.resources.database.read() as session:
            return pool_balance(session, load_case(session, self.call, lock=False))

    def left(self) -> int:
        """What the project has left."""
        with self.resources.database.read() as session:
            return project_balance(session, load_case(session, self.number, lock=False))

    def lines(self) -> tuple[LineFigures, ...]:
        """The project's budget lines."""
        with self.resources.database.read() as session:
            return budget_lines(session, load_case(session, self.number, lock=False))

    def project(self) -> Project:
        """The project."""
        with self.resources.database.read() as session:
            return session.scalars(
                select(Project).join(Case, Case.id == Project.case_id).where(Case.number == self.number)
            ).one()

    def faults(self) -> list[str]:
        """What both audits find."""
        with self.resources.database.read() as session:
            return [str(fault) for audit in (verify, verify_ledger) for fault in audit(session)]

    def told(self) -> list[str]:
        """The sentences of the project's history."""
        return [row.summary for row in self.town.history(self.number)]


def confirmed(town: Township, *, received: str = "20,000") -> Projects:
    """
    Return a project that waits for its plan, granted 5,000.00 yuan, in a call that nobody carries.

    Args:
        received: yuan that came into the programme from the district.
    """
    town.add_person(PROPOSER, "苏提议", Role.PROJECT_LEADER, "ZD")
    scheme, year = town.edition().for_projects, town.now().year
    projects = Projects(town, call=f"{scheme.call_prefix}-{year}-0001", number=f"{scheme.project_prefix}-{year}-0001")
    town.number = projects.number
    _open(projects)
    if received:
        projects.receive(received)
    projects.carry()
    with acting(town.resources, at=town.now()) as act:
        case = load_case(act.session, projects.number)
        project = act.session.scalars(select(Project).where(Project.case_id == case.id)).one()
        project.standing, project.granted_fen = ProjectStanding.CONFIRMED, GRANTED
        items.close(act, item_that_waits(act.session, case), Verdict.SELECTED, by=None, door=Door.SYSTEM)
    projects.carry()
    return projects


def _open(projects: Projects) -> None:
    town = projects.town
    with town.resources.database.write() as session:
        loaded = town.resources.editions[town.edition().id]
        edition = publish(session, loaded, at=town.now())
        units = {unit.code: unit.id for unit in session.scalars(select(Unit))}
        leader = session.scalars(select(Person).where(Person.code == PROPOSER)).one()
        known = {
            "edition_id": edition.id,
            "edition_sha256": edition.sha256,
            "year": town.now().year,
            "opened_at": town.now(),
        }
        call = Case(
            number=projects.call,
            opening_key="call",
            kind=CaseKind.CALL,
            title="春季征集",
            unit_id=units["Z"],
            carried_seq=0,  # nobody carries it: its own procedure is not what is tested here
            **known,
        )
        session.add(call)
        session.flush()
        project = Case(
            number=projects.number,
            opening_key="project",
            kind=CaseKind.PROJECT,
            title="楼道口的花园",
            unit_id=units["ZD"],
            parent_id=call.id,
            **known,
        )
        session.add(project)
        session.flush()
        day = local_day(town.now())
        session.add(
            Call(
                case_id=call.id,
                purpose="居民身边的小事",
                opens_on=day - timedelta(days=60),
                closes_on=day - timedelta(days=30),
                kinds=[each.code for each in projects.scheme.kinds],
                budget_fen=2_000_000,
                contact="社区办",
                place="公开栏",
            )
        )
        session.add(
            Project(
                case_id=project.id,
                call_case_id=call.id,
                leader_id=leader.id,
                kind="environment",
                content="在楼道口种花",
                beneficiaries="三个楼道的居民",
                expected_benefit="环境变好",
                amount_fen=GRANTED,
                submitted_at=town.now(),
            )
        )
