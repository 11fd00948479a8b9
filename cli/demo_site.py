"""``ketang demo site``: one complete site case, played by the people of the example township."""

from collections.abc import Mapping

import typer
from sqlalchemy import func, select

from cli.player import DemoFailed, Player
from models.case import Case, Site
from models.registry import Household
from policies.vocabulary import CaseStatus, Gate, Outcome, Role, UnitKind
from tasks.case_file import CaseFile, as_markdown


class SiteDemo(Player):
    """One complete site case, played by the people of the example township."""

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
        run = self._start("site-application/客堂间申请", {"application": application}, "申请")
        with self.resources.database.read() as session:
            return session.scalars(select(Case.number).where(Case.opening_key == f"run:{run}")).one()

    def _ask_households(self, people: Mapping[str, str], file: CaseFile) -> None:
        households = file.awaited.missing if file.awaited else ()
        first, rest = households[0], list(households[1:])
        self._say(people["group_head"], f"小组长登记:{len(rest)}户同意,{first}不同意")
        self._answer(by=people["group_head"], agreeing=rest, objecting=[first], note="书面签字")
        self._until(lambda: self._counted(len(rest)), "登记农户答复")
        self._suspended()
        self._say(people["group_head"], f"{first}改变主意,同意")
        self._answer(by=people["group_head"], agreeing=[first], note="上门说明后签字")

    def _end(self) -> None:
        file = self._ended()
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
        sent = self._letters_sent()
        typer.secho(f"演示完成:{self.number} {file.outcome},寄出信函{sent}封,记录核对无误。", fg="green")

    def _counted(self, agreeing: int) -> bool:
        awaited = self._file().awaited
        return awaited is not None and awaited.agreeing == agreeing
