"""``ketang demo micro-project``: a call with ten proposals, from its opening to its archive, person by person."""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import typer
from sqlalchemy import select

from cli.demo_ideas import BUDGET_YUAN, EDITION, IDEAS, OBJECTIONS
from cli.player import DemoFailed, Player
from models.case import Case
from models.notice import Notice
from models.project import Project
from models.registry import Person, RoleHolding, Unit
from models.work_item import WorkItem
from policies.vocabulary import Gate, Outcome, ProjectStanding, Role, UnitKind, WorkItemStatus
from rules.money import in_yuan
from rules.periods import SHANGHAI
from runtime.clock import TrainingClock
from tasks.case_file import as_markdown
from tasks.history import verify_ledger
from tasks.ledger_figures import programme

ONE_DAY = timedelta(days=1)
OPENS = timedelta(hours=9, minutes=30)


class MicroProjectDemo(Player):
    """
    A call with ten proposals, of which three are carried out.

    One is withdrawn, two lack support, one stays below the pass mark, two are over the budget, and one is dropped by an
    objection that is upheld. Time passes in it, so it needs a training system.
    """

    def run(self) -> None:
        """Play every person's part in order."""
        if not isinstance(self.resources.clock, TrainingClock):
            raise DemoFailed(
                "公示期和征集期要真实经过若干天,正式系统的时间不能移动;请用 make demo-micro-project,"
                "或者另设文件夹启动培训系统(KETANG_TRAINING=1 KETANG_HOME=… ketang up)后再演示"
            )
        self.clock = self.resources.clock
        self._to_office_hours()
        self._cast()
        self._open()
        self._propose()
        self._survey()
        self._screen()
        self._notices()
        players = self._projects()
        self._sum_up()
        self._end(players)

    # -- people and time ----------------------------------------------------------------------------------------------

    def _cast(self) -> None:
        with self.resources.database.read() as session:
            town = session.scalars(select(Unit).where(Unit.kind == UnitKind.TOWN).order_by(Unit.code)).first()
            if town is None:
                raise DemoFailed("登记簿还是空的;请先导入示例镇登记簿(ketang registry import)")
            self.town = town.code
            self.reviewer = self._holder(session, Role.OFFICE_REVIEWER, town)
            villages = session.scalars(select(Unit).where(Unit.parent_id == town.id).order_by(Unit.code)).all()
            self.responsible = {each.name: self._holder(session, Role.VILLAGE_RESPONSIBLE, each) for each in villages}
            self.proposers: list[tuple[str, str]] = []
            for village in villages:
                heads = session.scalars(
                    select(Person)
                    .join(RoleHolding)
                    .join(Unit, Unit.id == RoleHolding.unit_id)
                    .where(RoleHolding.role == Role.GROUP_HEAD, Unit.parent_id == village.id)
                    .order_by(Person.code)
                    .distinct()
                )
                self.proposers += [(head.display, village.name) for head in heads]
            self.panel = [each for each, _ in self.proposers[-3:]]
            self.proposers = self.proposers[: len(IDEAS)]
        if len(self.proposers) < len(IDEAS):
            raise DemoFailed(f"登记簿中的村(居)民小组长不足{len(IDEAS)}人,演示用的是示例镇登记簿")

    def _to_office_hours(self) -> None:
        """Begin on the next day at ten: what is late in the evening would end in the same hour."""
        tomorrow = self._today() + ONE_DAY
        self.clock.move_to(datetime(tomorrow.year, tomorrow.month, tomorrow.day, 10, tzinfo=SHANGHAI))

    def _let_pass(self, until: datetime) -> None:
        from flows.training import let_time_pass

        for line in let_time_pass(self.resources, self.clock, until=until):
            typer.echo(f"  时间到 {line}")

    def _until_the_end_of(self, number: str) -> None:
        """Let the period end that the case stands in; people come to the office in the morning after."""
        with self.resources.database.read() as session:
            due_at = session.scalars(
                select(WorkItem.due_at)
                .join(Case, Case.id == WorkItem.case_id)
                .where(Case.number == number, WorkItem.status == WorkItemStatus.OPEN, WorkItem.lapses)
            ).one()
        self._let_pass(due_at + OPENS)

    # -- 征集 ---------------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        today = self._today()
        self._say(self.reviewer, f"发布微项目征集,预算{BUDGET_YUAN}元,评审组{len(self.panel)}人")
        call = {
            "by": self.reviewer,
            "edition": EDITION,
            "unit": self.town,
            "title": f"{today.year}年居民微项目",
            "purpose": "征集居民身边的小事、急事、难事,由居民提出、居民评议、居民实施",
            "opens_on": today.isoformat(),
            "closes_on": (today + timedelta(days=14)).isoformat(),
            "budget_yuan": BUDGET_YUAN,
            "panel": self.panel,
            "contact": "社区办(镇政府二楼)",
            "place": "镇政务公开栏、各村(居)公示栏",
        }
        run = self._start("open-call/微项目征集", {"call": call}, "征集")
        self.number = self._opened(run)
        self._at(Gate.CALL_WINDOW)
        money = {
            "case": self.number,
            "by": self.reviewer,
            "source": "区级试点资金",
            "amount_yuan": BUDGET_YUAN,
            "memo": "区级微项目资金到账",
            "proof": self._proof("银行回单"),
        }
        self._say(self.reviewer, f"登记区级资金到账{BUDGET_YUAN}元")
        self._start("receive-money/登记资金到账", {"entry": money}, "资金到账")

    def _propose(self) -> None:
        heads = ("提议人", "村(居)", "项目名称", "项目类别", "项目内容", "受益对象", "预期效益", "申请金额")
        rows = [
            (who, village, idea.title, idea.kind, f"新增{idea.title}", "附近居民", "方便居民", idea.amount_yuan)
            for idea, (who, village) in zip(IDEAS, self.proposers, strict=True)
        ]
        sheet = self._sheet("申报表", heads, rows)
        self._say(self.reviewer, f"导入申报表:{len(rows)}个项目")
        self._start("propose/微项目申报", {"entry": {"case": self.number, "sheet": sheet}}, "申报")
        self.projects = {
            title: Player(self.resources, number) for title, number in self._numbers(Project.case_id).items()
        }
        for player in self.projects.values():
            player._at(Gate.SELECTION)
        last = self.projects[IDEAS[-1].title]
        self._say(self.proposers[-1][0], f"撤回“{IDEAS[-1].title}”")
        last._answer(by=self.proposers[-1][0], verdict="撤回申请", reason="已由镇民政办另行安排")
        last._ended()
        self._until_the_end_of(self.number)

    def _survey(self) -> None:
        self._at(Gate.SURVEY)
        asked = [idea for idea in IDEAS if idea.standing is not ProjectStanding.WITHDRAWN]
        rows = [(self.projects[idea.title].number, idea.in_favour, idea.against, 2) for idea in asked]
        self._say(self.reviewer, f"导入社情民意调研结果:{len(rows)}个项目")
        sheet = self._sheet("调研表", ("项目编号", "赞成", "反对", "无所谓"), rows)
        self._answer(by=self.reviewer, channel="入户走访", sheet=sheet, complete=True)

    def _screen(self) -> None:
        self._at(Gate.SCREENING)
        criteria = self.resources.editions[EDITION].edition.for_projects.screening.scoring.criteria
        rows = [
            (self.projects[idea.title].number, member, *(each.points_at_most * idea.share // 100 for each in criteria))
            for idea in IDEAS
            if idea.share
            for member in self.panel
        ]
        self._say(self.reviewer, f"导入评分表:评审组{len(self.panel)}人、{len(rows) // len(self.panel)}个项目")
        sheet = self._sheet("评分表", ("项目编号", "评审人", *(each.name for each in criteria)), rows)
        self._answer(by=self.reviewer, sheet=sheet, complete=True)

    # -- 公示 ---------------------------------------------------------------------------------------------------------

    def _notices(self) -> None:
        self._at(Gate.SELECTION_NOTICE)
        self.notices = [self._notice()]
        notice = self.notices[0]
        notice._at(Gate.NOTICE_PERIOD)
        typer.echo(f"  公示页面在文件夹 {self.resources.settings.notices_folder}")
        for place, (title, channel, content, finding, reasons) in enumerate(OBJECTIONS, start=1):
            self._say("居民", f"{channel}提出异议:{content}")
            entry = {
                "case": notice.number,
                "by": self.reviewer,
                "channel": channel,
                "name": f"居民{place}",
                "contact": f"resident{place}@example.com",
                "content": content,
                "against": self.projects[title].number,
            }
            self._start("record-objection/登记异议", {"entry": entry}, "异议")
            self._say(self.reviewer, f"{finding}:{reasons}")
            handled = {
                "case": notice.number,
                "by": self.reviewer,
                "objection": place,
                "finding": finding,
                "reasons": reasons,
            }
            self._start("handle-objection/处理异议", {"entry": handled}, "异议处理")
        self._until_the_end_of(notice.number)
        notice._at(Gate.OBJECTION_REVIEW)
        self._say(self.reviewer, "有异议成立:调整后重新公示")
        notice._answer(by=self.reviewer, verdict="调整后重新公示", reason="戏台帷幕的异议成立,取消入选")
        notice._ended()
        self._at(Gate.SELECTION_NOTICE, round_=2)
        again = self._notice()
        self.notices.append(again)
        again._at(Gate.NOTICE_PERIOD)
        self._until_the_end_of(again.number)
        again._ended()

    def _notice(self) -> Player:
        """Return the notice that was published last."""
        numbers = list(self._numbers(Notice.case_id).values())
        return Player(self.resources, numbers[-1])

    # -- 实施 ---------------------------------------------------------------------------------------------------------

    def _projects(self) -> dict[str, Player]:
        self._at(Gate.PROJECTS)
        chosen = {idea.title: self.projects[idea.title] for idea in IDEAS if idea.standing is ProjectStanding.CONFIRMED}
        for title, player in self.projects.items():
            if title not in chosen:
                player._ended()
        people = dict(zip((idea.title for idea in IDEAS), self.proposers, strict=True))
        steps: Sequence[Callable[[str, Player, str, str], None]] = (
            self._plan,
            partial(self._say_yes, Gate.PLAN_REVIEW, "批准"),
            self._fund,
            self._work,
            self._accept,
            self._evaluate,
            self._settle,
        )
        for step in steps:
            # One after another at the same gate: the next one is answered while the last one is carried on.
            for title, player in chosen.items():
                leader, village = people[title]
                step(title, player, leader, self.responsible[village])
        for player in chosen.values():
            player._ended()
        return chosen

    def _plan(self, title: str, player: Player, leader: str, responsible: str) -> None:
        player._at(Gate.PLAN)
        granted = next(int(idea.amount_yuan) for idea in IDEAS if idea.title == title)
        self._say(leader, f"“{title}”提交方案:预算{granted - 100}元")
        player._answer(
            by=leader,
            verdict="已提交",
            milestones=[{"name": "完成", "due_on": (self._today() + timedelta(days=30)).isoformat()}],
            lines=[
                {"name": "材料", "category": "物资购置", "amount_yuan": str(granted - 600)},
                {"name": "安装", "category": "服务购买", "amount_yuan": "500"},
            ],
        )

    def _say_yes(self, gate: Gate, verdict: str, title: str, player: Player, leader: str, responsible: str) -> None:
        player._at(gate)
        self._say(self.reviewer, f"“{title}”{gate.label}:{verdict}")
        player._answer(by=self.reviewer, verdict=verdict)

    def _fund(self, title: str, player: Player, leader: str, responsible: str) -> None:
        player._checklist(Gate.FUNDING, {"村(居)委会确认到账": responsible}, reviewer=self.reviewer)

    def _work(self, title: str, player: Player, leader: str, responsible: str) -> None:
        player._at(Gate.MILESTONE)
        today = self._today().isoformat()
        for line, amount in (("材料", "1200"), ("安装", "500")):
            self._say(responsible, f"“{title}”支出{line}{amount}元")
            spent = {
                "case": player.number,
                "by": responsible,
                "line": line,
                "amount_yuan": amount,
                "memo": f"购买{line}",
                "proof": player._proof(f"{line}发票"),
                "spent_on": today,
            }
            self._start("spend-on-project/登记项目支出", {"entry": spent}, "支出")
        self._say(leader, f"“{title}”完成进度节点")
        done = {"point": "完成", "done_on": today, "proof": player._proof("现场照片")}
        player._answer(by=leader, works=[done])

    def _accept(self, title: str, player: Player, leader: str, responsible: str) -> None:
        player._at(Gate.ACCEPTANCE)
        self._say(responsible, f"“{title}”验收合格")
        player._answer(by=responsible, verdict="验收合格", proof=player._proof("验收单"))

    def _evaluate(self, title: str, player: Player, leader: str, responsible: str) -> None:
        player._at(Gate.EVALUATION)
        self._say(self.reviewer, f"“{title}”评估:居民12份、专家3份")
        panels = [
            {"panel": "居民评议", "answers": 12, "points_total": 1080},
            {"panel": "专家评议", "answers": 3, "points_total": 258},
        ]
        player._answer(by=self.reviewer, panels=panels, complete=True)

    def _settle(self, title: str, player: Player, leader: str, responsible: str) -> None:
        player._checklist(Gate.SETTLEMENT, {}, reviewer=responsible)

    # -- 总结 ---------------------------------------------------------------------------------------------------------

    def _sum_up(self) -> None:
        self._at(Gate.SELF_CHECK)
        left = {"case": self.number, "by": self.reviewer, "memo": "项目结余退回区级", "proof": self._proof("退款回单")}
        self._say(self.reviewer, "把专户余额退回资金来源")
        self._start("return-funds/退回项目资金", {"entry": left}, "退回资金")
        self._say(self.reviewer, "提交自查报告")
        self._answer(
            by=self.reviewer,
            attainment="三个项目全部完成并通过验收",
            problems="申报材料质量参差不齐",
            next_steps="组织提议人培训",
        )

    def _end(self, chosen: Mapping[str, Player]) -> None:
        file = self._ended()
        for player in (self, *self.notices, *self.projects.values()):
            typer.echo("")
            typer.echo(as_markdown(player._file()))
        self._check(file.outcome, chosen)
        sent = sum(player._letters_sent() for player in (self, *self.notices, *self.projects.values()))
        with self.resources.database.read() as session:
            faults = [str(fault) for fault in verify_ledger(session)]
            money = programme(session, session.scalars(select(Case).where(Case.number == self.number)).one())
        if faults:
            raise DemoFailed(f"台账核对:{'、'.join(faults)}")
        typer.secho(
            f"演示完成:{self.number} {file.outcome},{len(IDEAS)}个申报、{len(chosen)}个完成,"
            f"专户余额{in_yuan(money.pool_fen)},寄出信函{sent}封,记录和台账核对无误。",
            fg="green",
        )

    def _check(self, outcome: str, chosen: Mapping[str, Player]) -> None:
        """Fail when a stage was missed, or anything ended otherwise than planned."""
        with self.resources.database.read() as session:
            rows = session.execute(
                select(Case.title, Project.standing)
                .join(Case, Case.id == Project.case_id)
                .where(Case.number.in_([each.number for each in self.projects.values()]))
            )
            standings = dict(rows.tuples().all())
        wanted = {idea.title: idea.standing for idea in IDEAS}
        off = [f"{title}为“{standings[title].label}”" for title in wanted if standings[title] is not wanted[title]]
        passed = [
            Gate.CALL_WINDOW,
            Gate.SURVEY,
            Gate.SCREENING,
            Gate.SELECTION_NOTICE,
            Gate.SELECTION_NOTICE,
            Gate.PROJECTS,
            Gate.SELF_CHECK,
        ]
        way = [
            Gate.SELECTION,
            Gate.PLAN,
            Gate.PLAN_REVIEW,
            Gate.FUNDING,
            Gate.MILESTONE,
            Gate.ACCEPTANCE,
            Gate.EVALUATION,
            Gate.SETTLEMENT,
        ]
        off += [f"“{title}”经过的环节不对" for title, each in chosen.items() if each.reached != way]
        ends = [each._file().outcome for each in (*self.notices, *chosen.values())]
        planned = [Outcome.AMENDED.label, Outcome.CLEARED.label] + [Outcome.COMPLETED.label] * len(chosen)
        if self.reached != passed or outcome != Outcome.CONCLUDED.label or ends != planned or off:
            raise DemoFailed(f"经过的环节或结果不对:{outcome},{'、'.join(ends)},{';'.join(off)}")

    # -- what is there ------------------------------------------------------------------------------------------------

    def _opened(self, run: str) -> str:
        with self.resources.database.read() as session:
            return session.scalars(select(Case.number).where(Case.opening_key == f"run:{run}")).one()

    def _numbers(self, of: Any) -> dict[str, str]:
        """Return title and number of the call's cases of one kind, in the order in which they were opened."""
        with self.resources.database.read() as session:
            call = select(Case.id).where(Case.number == self.number).scalar_subquery()
            rows = session.execute(
                select(Case.title, Case.number).where(Case.parent_id == call, Case.id == of).order_by(Case.id)
            )
            return {(f"{title} {number}" if of is Notice.case_id else title): number for title, number in rows}

    def _sheet(self, name: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
        """Put a sheet into the documents folder; return its name there."""
        path = self.resources.settings.documents_folder / self.number / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([heads, *rows])
        return f"{self.number}/{path.name}"
