"""``ketang demo``: complete cases through the live stack, person by person, by the same forms that people fill in."""

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from sqlalchemy import func, select

from cli.context import reach_prefect, told
from cli.up import import_example
from models.case import Case, Site
from models.registry import Household, Person, RoleHolding, Unit
from policies.vocabulary import CaseStatus, Gate, LetterStatus, Outcome, Role, UnitKind
from rules.periods import SHANGHAI
from runtime.resources import Resources, open_resources
from runtime.settings import Settings
from runtime.stack import Stack, StackFailed, stop_signals
from tasks.case_file import CaseFile, as_markdown, case_file
from tasks.history import verify
from tasks.outbox import pending_counts

app = typer.Typer(no_args_is_help=True)

PATIENCE_SECONDS = 120
LOOK_EVERY_SECONDS = 0.3
T = TypeVar("T")


class DemoFailed(Exception):
    """A gate was not reached, or something is not as it should be; said in Chinese."""


@app.callback()
def _group() -> None:
    """Keep ``demo`` a group of commands."""


@app.command("site", help="一户的客堂间:申请 → 农户同意 → 上报 → 审核(退回一次)→ 挂牌 → 补贴 → 列入名册。")
def site(
    temporary: Annotated[
        bool, typer.Option("--temporary", help="在临时的整套系统上演示,结束后全部停止并删除。")
    ] = False,
) -> None:
    """Drive one complete case; exit 1 when a gate is not reached."""
    try:
        if temporary:
            with stop_signals(), told(), Stack.temporary(say=typer.echo) as stack:
                import_example(stack.settings)
                _site(stack.settings)
        else:
            with told():
                _site(Settings())
    except (DemoFailed, StackFailed) as failed:
        typer.secho(f"演示中断:{failed}", fg="red", err=True)
        raise typer.Exit(1) from failed


def _site(settings: Settings) -> None:
    reach_prefect(settings)
    with open_resources(settings) as resources:
        SiteDemo(resources).run()


class SiteDemo:
    """One complete site case, played by the people of the example township."""

    def __init__(self, resources: Resources) -> None:
        from prefect.client.orchestration import get_client

        self.resources = resources
        self.client = get_client(sync_client=True)
        self.number = ""
        self.reached: list[Gate] = []

    def run(self) -> None:
        """Play every person's part in order."""
        people = self._cast()
        self.number = self._apply(people)
        file = self._at(Gate.HOUSEHOLD_CONSENT)
        self._ask_households(people, file)
        self._at(Gate.VILLAGE_FORWARD)
        self._say(people["responsible"], "村(居)委会责任人同意上报")
        self._answer(by=people["responsible"], verdict="同意上报")
        file = self._at(Gate.OFFICE_REVIEW)
        self._say(people["reviewer"], "社区办审核员退回补正,写明理由")
        self._answer(by=people["reviewer"], verdict="退回补正", reason="志愿者不足10人,请补充名单后再报")
        self._at(Gate.CORRECTION)
        self._say(people["leader"], "负责人补充志愿者至12人,重新提交")
        self._answer(by=people["leader"], verdict="已补正", volunteers=12)
        self._at(Gate.OFFICE_REVIEW, round_=2)
        self._say(people["reviewer"], "社区办审核员批准")
        self._answer(by=people["reviewer"], verdict="批准")
        self._checklist(Gate.PLAQUE, {})
        self._checklist(Gate.SUBSIDY, {"村(居)委会确认到账": people["responsible"]}, reviewer=people["reviewer"])
        self._end()

    # -- the people ---------------------------------------------------------------------------------------------------

    def _cast(self) -> dict[str, str]:
        """Choose a household of the smallest group that has no case yet, and who is who for it."""
        with self.resources.database.read() as session:
            taken = select(Case.household_id).where(Case.status == CaseStatus.OPEN).union(select(Site.household_id))
            sizes = (
                select(Household.group_id, func.count().label("size"))
                .where(Household.active)
                .group_by(Household.group_id)
                .subquery()
            )
            household = session.scalars(
                select(Household)
                .join(sizes, sizes.c.group_id == Household.group_id)
                .where(Household.active, Household.id.not_in(taken))
                .order_by(sizes.c.size, Household.number)
                .limit(1)
            ).first()
            if household is None:
                raise DemoFailed("登记簿中没有可以申请的农户;请先导入示例镇登记簿(ketang registry import)")
            units = {unit.kind: unit for unit in household.group.lineage()}
            return {
                "household": household.number,
                "leader": self._holder(session, Role.SITE_LEADER, units[UnitKind.GROUP]),
                "group_head": self._holder(session, Role.GROUP_HEAD, units[UnitKind.GROUP]),
                "responsible": self._holder(session, Role.VILLAGE_RESPONSIBLE, units[UnitKind.VILLAGE]),
                "reviewer": self._holder(session, Role.OFFICE_REVIEWER, units[UnitKind.TOWN]),
                "village": units[UnitKind.VILLAGE].name,
            }

    @staticmethod
    def _holder(session: Any, role: Role, unit: Unit) -> str:
        person = session.scalars(
            select(Person)
            .join(RoleHolding)
            .where(RoleHolding.role == role, RoleHolding.unit_id == unit.id, RoleHolding.until.is_(None), Person.active)
            .order_by(Person.code)
        ).first()
        if person is None:
            raise DemoFailed(f"登记簿中{unit.name}没有{role.label}")
        return str(person.display)

    def _apply(self, people: Mapping[str, str]) -> str:
        self._say(people["leader"], f"为{people['household']}户申请创建客堂间(志愿者9人,尚缺书报)")
        application = {
            "household": people["household"],
            "household_agrees": True,
            "leader": people["leader"],
            "leader_source": "党员骨干",
            "recommended_by": f"{people['village']}党支部",
            "leader_agrees": True,
            "volunteers": 9,
            "area_square_metres": 26.5,
            "facilities": ["客厅", "卫生间", "电视机", "空调", "桌椅"],
            "speciality": "编织",
            "combined_with": ["睦邻点"],
        }
        deployment = self.client.read_deployment_by_name("site-application/客堂间申请")
        run = self.client.create_flow_run_from_deployment(deployment.id, parameters={"application": application})
        state = self._until(lambda: self._final(run.id), "申请受理")
        if not state.is_completed():
            raise DemoFailed(f"申请未受理:{state.message}")
        with self.resources.database.read() as session:
            return session.scalars(select(Case.number).where(Case.opening_key == f"run:{run.id}")).one()

    def _ask_households(self, people: Mapping[str, str], file: CaseFile) -> None:
        households = file.awaited.missing if file.awaited else ()
        first, rest = households[0], list(households[1:])
        self._say(people["group_head"], f"小组长登记:{len(rest)}户同意,{first}不同意")
        self._answer(by=people["group_head"], agreeing=rest, objecting=[first], note="书面签字")
        self._until(lambda: self._counted(len(rest)), "登记农户答复")
        self._suspended()
        self._say(people["group_head"], f"{first}改变主意,同意")
        self._answer(by=people["group_head"], agreeing=[first], note="上门说明后签字")

    def _checklist(self, gate: Gate, by: Mapping[str, str], *, reviewer: str = "") -> None:
        file = self._at(gate)
        open_points = file.awaited.open_points if file.awaited else ()
        for left, point in reversed(list(enumerate(reversed(open_points)))):
            choices = file.awaited.people if file.awaited else ()
            person = by.get(point) or reviewer or choices[0]
            self._say(person, f"登记完成:{point}")
            proof = self._proof(point)
            record = {"point": point, "done_on": self._today().isoformat(), "proof": proof}
            self._answer(by=person, works=[record])
            if left:
                self._until(lambda left=left: self._points_left(gate) == left, f"登记{point}")  # type: ignore[misc]
                self._suspended()

    def _end(self) -> None:
        def closed() -> CaseFile | None:
            file = self._file()
            return file if file.outcome else None

        file = self._until(closed, "办结")
        self._until(lambda: self._final(UUID(file.flow_run_id or "")), "流程运行结束")
        typer.echo("")
        typer.echo(as_markdown(file))
        wanted = [
            Gate.HOUSEHOLD_CONSENT,
            Gate.VILLAGE_FORWARD,
            Gate.OFFICE_REVIEW,
            Gate.CORRECTION,
            Gate.OFFICE_REVIEW,
            Gate.PLAQUE,
            Gate.SUBSIDY,
        ]
        if self.reached != wanted or file.outcome != Outcome.LISTED.label:
            raise DemoFailed(f"经过的环节不对:{'、'.join(gate.label for gate in self.reached)},结果:{file.outcome}")
        with self.resources.database.read() as session:
            faults = [str(fault) for fault in verify(session, number=self.number)]
            case_id = session.scalars(select(Case.id).where(Case.number == self.number)).one()
            letters = pending_counts(session, case_id=case_id)
        if faults or letters[LetterStatus.QUEUED]:
            raise DemoFailed(f"记录核对:{faults or '无误'};未寄出信函:{letters[LetterStatus.QUEUED]}封")
        typer.secho(
            f"演示完成:{self.number} {file.outcome},寄出信函{letters[LetterStatus.SENT]}封,记录核对无误。", fg="green"
        )

    # -- how a person fills in a form, and how we see what came of it -------------------------------------------------

    def _answer(self, **fields: Any) -> None:
        """Fill in the Resume form of the suspended run, as the UI does."""
        from prefect.client.schemas.responses import SetStateStatus

        result = self.client.resume_flow_run(self._suspended(), run_input=fields)
        if result.status is not SetStateStatus.ACCEPT:
            raise DemoFailed(f"表单未被接受:{getattr(result.details, 'reason', result.status)}")

    def _at(self, gate: Gate, *, round_: int = 1) -> CaseFile:
        def there() -> CaseFile | None:
            file = self._file()
            if file.awaited and file.awaited.gate is gate and file.awaited.round == round_:
                return file
            if file.awaited and file.awaited.refusal:
                raise DemoFailed(f"{file.awaited.gate.label}未被接受:{file.awaited.refusal}")
            return None

        file = self._until(there, f"到达“{gate.label}”")
        self._suspended()
        self.reached.append(gate)
        until = file.awaited.due_on if file.awaited else ""
        typer.secho(f"—— {gate.label}(第{round_}轮),期限至{until}", fg="cyan")
        return file

    def _suspended(self) -> UUID:
        """Return the run that carries the case, once it waits for an answer to the gate that is open now."""

        def waits() -> UUID | None:
            file = self._file()
            if file.flow_run_id is None or file.awaited is None:
                return None
            run = self.client.read_flow_run(UUID(file.flow_run_id))
            key = (run.state.state_details.pause_key or "") if run.state and run.state.is_paused() else ""
            fits = key.startswith(f"{file.awaited.gate.slug}-{file.awaited.round}-")
            return run.id if fits and self._unanswered(key) else None

        return self._until(waits, "流程等待填写表单")

    def _unanswered(self, key: str) -> bool:
        from models.work_item import Ask

        with self.resources.database.read() as session:
            return session.scalars(select(Ask.id).where(Ask.key == key, Ask.consumed_at.is_(None))).first() is not None

    def _final(self, run_id: UUID) -> Any:
        state = self.client.read_flow_run(run_id).state
        return state if state is not None and state.is_final() else None

    def _counted(self, agreeing: int) -> bool:
        awaited = self._file().awaited
        return awaited is not None and awaited.agreeing == agreeing

    def _points_left(self, gate: Gate) -> int:
        awaited = self._file().awaited
        return len(awaited.open_points) if awaited and awaited.gate is gate else 0

    def _file(self) -> CaseFile:
        return case_file(self.resources, self.number, at=self.resources.clock.now())

    def _today(self) -> date:
        return self.resources.clock.now().astimezone(SHANGHAI).date()

    def _proof(self, point: str) -> str:
        name = f"{self.number}/{point.replace(':', '-')}.txt"
        path = self.resources.settings.documents_folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"演示用证明材料:{self.number} {point}\n", encoding="utf-8")
        return name

    @staticmethod
    def _say(person: str, what: str) -> None:
        typer.echo(f"{person}:{what}")

    @staticmethod
    def _until(look: Callable[[], T | None], what: str) -> T:
        """Look until there is something to see; DemoFailed when patience is over."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if seen := look():
                return seen
            time.sleep(LOOK_EVERY_SECONDS)
        raise DemoFailed(f"{PATIENCE_SECONDS}秒内没有{what}")
