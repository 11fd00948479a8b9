"""
``ketang demo year``: a year of the example township on a real database, with a moved clock and no Prefect.

The same tasks and procedures as the flows carry, by the rehearsal driver; each morning what the schedules of
`prefect.yaml` do on that day, then what people do.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import typer
from sqlalchemy import func, select, update

from cli.demo_business import OfficeYear
from cli.demo_life import FORGETFUL, STOPPED
from cli.demo_office import days_from
from cli.player import DemoFailed
from models.case import Case
from models.evaluation import EvaluationResult, YearEvaluation
from models.outbox import OutboxEntry
from models.site_life import Theme
from policies.vocabulary import CaseKind, CaseStatus, Letter, LetterStatus, Outcome
from rules.periods import SHANGHAI
from rules.statistics import PeriodChoice, chosen
from runtime.resources import Resources
from tasks import meeting_routine, theme_rounds, week_reports, year_routine
from tasks.history import verify
from tasks.post import post_letters
from tasks.statistics import statistics
from tasks.statistics_figures import Wanted

YEAR = 2026
FIRST, LAST = date(YEAR, 1, 5), date(YEAR + 1, 1, 31)


@dataclass(frozen=True)
class YearFigures:
    """What a simulated year came to."""

    sites: int
    themes: int
    late_themes: int
    sessions: int
    attendance: int
    letters: Counter[Letter]
    """Letters that left, by kind."""
    outcomes: Counter[tuple[CaseKind, Outcome | None]]
    """How the cases ended."""
    points: dict[str, str]
    """Points of each site in the evaluation, by its number."""
    open_cases: int
    dead_letters: int
    faults: int
    """What the audit of the records found."""


class YearDemo(OfficeYear):
    """
    One year, day by day.

    Args:
        resources: opened with a `MovedClock` that stands before `FIRST`; the example township is in the registry.
        out: prints a line of the timeline.
    """

    def __init__(self, resources: Resources, out: Callable[[str], None] = typer.echo) -> None:
        super().__init__(resources)
        self.out = out
        self._printed = 0

    def run(self) -> YearFigures:
        """Live through the year; return what it came to. DemoFailed when something is not as it should be."""
        for day in days_from(FIRST, LAST):
            if STOPPED[0] <= day <= STOPPED[1]:
                continue  # nobody is there, and nothing runs
            self.clock.move_to(datetime.combine(day, time(8), SHANGHAI))
            if day == STOPPED[1] + timedelta(days=1):
                self.say("停机七天后恢复,错过的事项补办一次")
            else:
                self._schedules(day)
            self.move_to(day, 10)
            self.print_day(day)
            if self.site:
                self.hold(day)
                self.settle_meetings()
                self.hold_meetings()
            for act in self._acts(day):
                act()
            post_letters(self.resources, at=self.now())
            self.print_day(day)
        self._settle()
        return self._checked(self.figures())

    def _settle(self) -> None:
        """Note that closed cases need no run: a stack started on this home would else start one for each of them."""
        with self.resources.database.write() as session:
            session.execute(update(Case).where(Case.status == CaseStatus.CLOSED).values(carried_seq=Case.decision_seq))

    def _schedules(self, day: date) -> None:
        """Do what the schedules of `prefect.yaml` do at eight in the morning."""
        at = self.now()  # what fell due in the night comes with the sweep after it
        for theme in theme_rounds.ask_for_themes(self.resources, at=at):
            if theme.missing:
                self.say(str(theme))
        if day.weekday() == 0:
            for week in week_reports.report_weeks(self.resources, at=at):
                if week.missing:
                    self.say(str(week))
        for number in meeting_routine.open_routine_meetings(self.resources, at=at):
            self.rehearsal.carry(number)
            self.say(f"例行联席会议 {number}")
        for number in year_routine.open_due(self.resources, at=at):
            self.rehearsal.carry(number)
            self.say(f"启动年度考核 {number}")

    def _acts(self, day: date) -> Iterator[Callable[[], None]]:
        """Yield what people do on a day, beside what they do every week."""
        acts: dict[str, Callable[[], None]] = {
            "01-05": self.apply_all,
            "01-12": self.agree_all,
            "01-14": self.forward_all,
            "01-20": self.approve_all,
            "02-05": self.hang_all,
            "02-25": self.pay_all,
            "03-20": lambda: self.publish("六户客堂间开门迎邻里", "ZD01", "LH01", "QD01"),
            "04-07": lambda: self.order("ZD01", "YL01", date(YEAR, 4, 21)),
            "04-08": lambda: self.answer_orders(),
            "04-21": self.deliver,
            "04-23": lambda: self.confirm(5),
            "05-08": lambda: self.order("LH01", "YL02", date(YEAR, 5, 20)),
            "05-11": lambda: self.answer_orders(decline="当日人员已排满,请改期"),
            "05-27": self.record_late,
            "06-03": self.inspect,
            "06-10": self.visit,
            "06-20": self.put_right,
            "06-25": self.look_again,
            "06-26": self.sum_up,
            "07-13": self.follow_up,
            "07-27": self.rest,
            "09-01": self.hand_on,
            "09-10": lambda: self.publish("茶香里的议事会", "QD01"),
            "11-12": lambda: self.order("ZD03", "WT01", date(YEAR, 11, 26)),
            "11-13": lambda: self.answer_orders(),
            "11-26": self.deliver,
        }
        if day.year == YEAR and (act := acts.get(f"{day:%m-%d}")):
            yield act
        if day.year == YEAR + 1 and day == date(YEAR + 1, 1, 12):
            yield self.approve_figures
        if not self.site:
            return
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        forgetful = FORGETFUL if following == date(YEAR, 7, 1) else ""
        if day.day == 17:
            yield lambda: self.report_themes(following, but=forgetful)
        if day == date(YEAR, 6, 28):
            yield lambda: self.report_themes(following, only=FORGETFUL)

    # -- what is printed -----------------------------------------------------------------------------------------------

    def print_day(self, day: date) -> None:
        """Print what was done and what went out since the last time."""
        with self.resources.database.read() as session:
            rows = session.execute(
                select(OutboxEntry.id, OutboxEntry.letter, OutboxEntry.status)
                .where(OutboxEntry.id > self._printed)
                .order_by(OutboxEntry.id)
            ).all()
        if rows:
            self._printed = rows[-1].id
        counted = Counter(f"{row.letter.label}" for row in rows)
        told = "、".join(f"{letter}{count}封" for letter, count in counted.items())
        said, self.said = self.said, []
        for line in said:
            self.out(f"{day} {line}")
        if told:
            self.out(f"{day}   发出:{told}")

    # -- what it came to -----------------------------------------------------------------------------------------------

    def figures(self) -> YearFigures:
        """Return what the year came to, from the records."""
        year = chosen(PeriodChoice.CUSTOM, on=LAST, first=date(YEAR, 1, 1), last=date(YEAR, 12, 31))
        found = statistics(self.resources, Wanted(period=year), at=self.now())
        total = sum((each.sums.now.sessions for each in found.villages), 0)
        people = sum((each.sums.now.attendance for each in found.villages), 0)
        with self.resources.database.read() as session:
            letters = Counter(
                session.scalars(select(OutboxEntry.letter).where(OutboxEntry.status == LetterStatus.SENT)).all()
            )
            results = session.scalars(
                select(EvaluationResult)
                .join(YearEvaluation)
                .where(EvaluationResult.site_id.is_not(None), EvaluationResult.round == YearEvaluation.round)
            ).all()
            return YearFigures(
                sites=len(self.site),
                themes=session.scalar(select(func.count(Theme.id))) or 0,
                late_themes=session.scalar(select(func.count(Theme.id)).where(Theme.late)) or 0,
                sessions=total,
                attendance=people,
                letters=letters,
                outcomes=Counter(
                    (kind, outcome) for kind, outcome in session.execute(select(Case.kind, Case.outcome)).tuples()
                ),
                points={
                    each.site.number: f"{each.points_tenths // 10}.{each.points_tenths % 10}"
                    for each in results
                    if each.site is not None
                },
                open_cases=session.scalar(select(func.count(Case.id)).where(Case.status == CaseStatus.OPEN)) or 0,
                dead_letters=session.scalar(
                    select(func.count(OutboxEntry.id)).where(OutboxEntry.status == LetterStatus.DEAD)
                )
                or 0,
                faults=len(list(verify(session))),
            )

    def _checked(self, figures: YearFigures) -> YearFigures:
        self.out("")
        self.out(f"客堂间{figures.sites}个;月度主题{figures.themes}个,其中逾期{figures.late_themes}个")
        self.out(f"活动{figures.sessions}场,参加{figures.attendance}人次")
        for (kind, outcome), count in sorted(figures.outcomes.items(), key=lambda each: each[0][0].value):
            self.out(f"{kind.label}:{outcome.label if outcome else '办理中'} {count}件")
        self.out("年度考核:" + "、".join(f"{number} {points}分" for number, points in figures.points.items()))
        self.out(f"寄出信函{figures.letters.total()}封,无法寄达{figures.dead_letters}封")
        if figures.faults or figures.open_cases:
            raise DemoFailed(f"记录核对有{figures.faults}处不符,未办结案件{figures.open_cases}件")
        return figures
