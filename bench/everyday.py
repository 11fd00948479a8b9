"""
What an office does on any day, each as one act that can be repeated: in a district of the size that is asked for.

Used by the bench (what does it cost when there is more of everything) and by the tests of the queries' plans.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bench.contestant import Place
from bench.district import District
from bench.neighbourhood import EDITION, LISTED
from bench.town import CASE_PROCEDURES, GROUP_HEAD, LEADER, REVIEWER, Town
from flows.scheduling import A_DAY
from models.case import Case
from models.registry import RoleHolding, Unit
from policies.vocabulary import Answer, CaseStatus, Door, UnitKind, Verdict
from rules.duty import WEEK, monday_of
from rules.periods import shanghai_day
from rules.statistics import PeriodChoice, chosen
from tasks import consents, decisions
from tasks.activities import record_activities
from tasks.asks import runs_behind, runs_to_check, runs_to_wake
from tasks.case_file import case_file, waits_for
from tasks.catching_up import catch_up
from tasks.commands import Decide, HouseholdAnswer, RecordAnswers
from tasks.deadlines import SweepCounts, fire_due, recompute_provisional, sweep_silence
from tasks.drivers import carry_with_relatives
from tasks.due_instants import due_instants
from tasks.history import verify
from tasks.life_commands import ActivityEntry, RecordActivities, ReportThemes, ThemeEntry
from tasks.listing import letters_waiting, list_cases
from tasks.notice_changes import follow_calendar
from tasks.notice_pages import pages_wait, write_pages
from tasks.openings import next_number
from tasks.post import post_letters
from tasks.register_rows import Wanted
from tasks.registers import RegisterKind, make_register
from tasks.site_page import site_page
from tasks.sites import sites
from tasks.statistics import statistics
from tasks.statistics_figures import Wanted as WantedFigures
from tasks.theme_rounds import catch_up_themes
from tasks.themes import submit_themes, themes_of
from tasks.week_reports import catch_up_weeks, week_of
from tasks.year_end import report_shortfalls

LINES = 20
"""Of a list of cases, and of a page of the sweep: one costs as much as the next."""
PAGE = 100
"""Of runs that are looked after beforehand."""
DUE = 5


@dataclass(frozen=True)
class Act:
    """
    Something that is done every day.

    Args:
        name: as the table shows it.
        times: how often in a round, so that a round is long enough to be measured.
        run: does it once.
        prepare: lays out what the next `times` of it work on; not measured.
        limited: the district has no more than a few to do it with.
    """

    name: str
    times: int
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None
    limited: bool = False


class Everyday:
    """An office in a district of many cases, and its everyday acts."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.town = Town(place, edition=EDITION, opened=LISTED)
        self.resources = self.town.resources
        units = {name: int(place.options[name]) for name in ("a_village", "a_town") if name in place.options}
        self.district = District(self.town, **units)
        self.turn = 0
        self.serial = 0
        self.decided = 0
        self.fresh: list[str] = []
        self.applied: list[str] = []

    def grow(self, cases: int) -> int:
        """Let there be so many cases, none of them due."""
        # What was done about its duties, and that nothing is due, is copied with the rest.
        catch_up_themes(self.resources, self.at)
        catch_up_weeks(self.resources, self.at)
        self.district.let_letters_go()
        self.district.put_off()
        count = self.district.grow(cases)
        self._look_after_all()
        self._make_room()
        self.season()
        return count

    def _look_after_all(self) -> None:
        """Have every open case's run looked after once, a page after the other, as the sweep does it in some hours."""
        with self.resources.database.read() as session:
            open_ones = session.scalar(select(func.count(Case.id)).where(Case.status == CaseStatus.OPEN)) or 0
        for page in range(-(-open_ones // PAGE)):
            runs_to_check(self.resources, at=self.at + timedelta(milliseconds=page), limit=PAGE)

    def _make_room(self) -> None:
        """Have whoever applies from now on do so in a town of its own: the others stay as they are."""
        with self.resources.database.write() as session:
            by_code = {unit.code: unit for unit in session.scalars(select(Unit).where(Unit.code.in_(("Z", "ZD"))))}
            town = Unit(
                code="ZX", kind=UnitKind.TOWN, name="新朱家角镇", parent=by_code["Z"].parent, edition_id=EDITION
            )
            village = Unit(code="ZXD", kind=UnitKind.VILLAGE, name="新周荡村", parent=town)
            session.add_all([town, village])
            for old, new in ((by_code["Z"], town), (by_code["ZD"], village)):
                held = session.scalars(select(RoleHolding).where(RoleHolding.unit_id == old.id)).all()
                session.add_all(
                    RoleHolding(person_id=each.person_id, role=each.role, unit=new, since=each.since) for each in held
                )
            session.flush()
            self.town.village = village.id

    def season(self) -> None:
        """Do what the season asks for once, so that nothing of it is left over for a day."""
        self.town.clock.move_to(self.town.clock.now() + timedelta(minutes=1))
        catch_up(self.resources, at=self.at)
        self.district.let_letters_go()
        counts = self.sweep()
        assert not counts.failures, counts.failures[:3]
        self.district.let_letters_go()
        write_pages(self.resources)

    def close(self) -> None:
        """Let the database go."""
        self.resources.database.engine.dispose()

    @property
    def at(self) -> datetime:
        """Now."""
        return self.town.clock.now()

    @property
    def acts(self) -> tuple[Act, ...]:
        """What is done, in the order in which a round does it."""
        return (
            Act("a new application, to its first gate", 5, self.apply, self.add_groups),
            Act("its letters", 5, self.deliver, self.apply_many),
            Act("a household's signature", 10, self.sign),
            Act("the office's approval, to the next gate", 2, self.decide, limited=True),
            Act("an activity recorded", 10, self.record),
            Act("a theme reported", 10, self.report),
            Act("the next case number", 20, self.number),
            Act("a sweep, nothing due", 5, self.sweep),
            Act(f"a sweep, {DUE} reminders due", 1, self.sweep_due, self.make_due, limited=True),
            Act(f"{LINES} runs looked after", 10, self.look_after),
            Act(f"the {LINES} newest open cases", 2, self.list_open),
            Act(f"the {LINES} newest open cases of a village", 2, self.list_village),
            Act("a case file", 10, self.show),
            Act("a parlour's page", 10, self.page),
            Act("a village's parlours", 10, self.village_sites),
            Act("the register of a village's cases", 5, self.register),
            Act("a town's week", 5, self.week),
            Act("a town's themes", 5, self.themes),
            Act("a town's month in figures", 2, self.month),
            Act("letters not delivered", 10, self.undelivered),
            Act("one case audited", 5, self.audit),
        )

    # -- acts that change something -----------------------------------------------------------------------------------

    def add_groups(self, count: int = 5) -> None:
        """Add groups that have no parlour yet."""
        self.fresh = self.town.add_groups(count, households=20)

    def apply(self) -> None:
        """A household applies."""
        group = self.fresh.pop()
        desk = self.district.desk()
        number = desk.apply(group)
        desk.carry(number)
        self.applied.append(number)

    def apply_many(self) -> None:
        """Let there be applications whose letters wait."""
        while post_letters(self.resources, at=self.at).sent:
            pass
        self.add_groups()
        self.applied = []
        while self.fresh:
            self.apply()

    def deliver(self) -> None:
        """Deliver the letters of one of them."""
        report = post_letters(self.resources, at=self.at, number=self.applied.pop())
        assert report.sent, report

    def sign(self) -> None:
        """A household signs, in one case of many."""
        n = self._busy()
        self.serial += 1
        household = self.district.households_of("G000002", n)[self.serial % 19]
        command = RecordAnswers(
            case=self.district.number_of(self.district.signing, n),
            by=self.district.person_of(GROUP_HEAD, n),
            answers=[HouseholdAnswer(household=household, answer=Answer.AGREE.label)],
        )
        consents.record_answers(self.resources, command, door=Door.FORM, at=self.at)

    def decide(self) -> None:
        """The office returns, or approves, an application, and the procedure goes on."""
        n = self._unseen()
        number = self.district.number_of(self.district.reviewed, n)
        command = Decide(
            case=number, by=self.district.person_of(REVIEWER, n), verdict=Verdict.APPROVED.label, reason=""
        )
        decisions.decide(self.resources, command, door=Door.FORM, at=self.at)
        carry_with_relatives(self.resources, number, CASE_PROCEDURES, at=self.at)

    def record(self) -> None:
        """A leader records an activity."""
        n = self._any()
        self.serial += 1
        day = shanghai_day(self.at)
        entry = ActivityEntry.model_validate(
            {
                "site": self.district.site_of(n),
                "held_on": day,
                "category": "文体服务",
                "title": f"读书会{self.serial}",
                "attendance": 25,
            }
        )
        command = RecordActivities(by=self.district.person_of(LEADER, n), activities=[entry])
        record_activities(self.resources, command, door=Door.FORM, key=f"bench {self.serial}", at=self.at)

    def report(self) -> None:
        """A leader reports a theme."""
        n = self._any()
        self.serial += 1
        theme = ThemeEntry.model_validate(
            {"site": self.district.site_of(n), "month": "2026-06", "title": f"夏令讲堂{self.serial}"}
        )
        command = ReportThemes(by=self.district.person_of(LEADER, n), themes=[theme])
        submit_themes(self.resources, command, door=Door.FORM, at=self.at)

    def number(self) -> None:
        """A case number is given."""
        with self.resources.database.write() as session:
            next_number(session, "KT", 2026)

    def sweep(self) -> SweepCounts:
        """Do what the sweep does in the database."""
        resources, at = self.resources, self.at
        recompute_provisional(resources, at=at)
        follow_calendar(resources, at=at)
        counts = fire_due(resources, at=at)
        report_shortfalls(resources, at=at)
        catch_up(resources, at=at)
        post_letters(resources, at=at)
        pages_wait(resources)
        runs_behind(resources, limit=LINES, to_carry=True)
        runs_to_wake(resources, at=at, limit=LINES)
        due_instants(resources, at=at, within=A_DAY)
        sweep_silence(resources, at=at)
        return counts

    def make_due(self) -> None:
        """Let reminders be due."""
        self.district.make_due(DUE, at=self.at)

    def sweep_due(self) -> None:
        """A sweep that has something to do; its letters leave."""
        counts = self.sweep()
        assert counts.reminders == DUE, counts
        post_letters(self.resources, at=self.at)

    def look_after(self) -> None:
        """The sweep's page of runs."""
        runs_to_wake(self.resources, at=self.at, limit=LINES)
        assert runs_to_check(self.resources, at=self.at, limit=LINES)

    # -- acts that read -----------------------------------------------------------------------------------------------

    def list_open(self) -> None:
        """``ketang case list``."""
        self._lines()

    def list_village(self) -> None:
        """The same of one village."""
        self._lines(self.district.village_of(self._settled()))

    def _lines(self, village: str = "") -> None:
        listed = list_cases(self.resources, most=LINES, village=village)
        assert listed.numbers
        for number in listed.numbers:
            waits_for(case_file(self.resources, number, at=self.at))

    def show(self) -> None:
        """``ketang case show``."""
        case_file(self.resources, self.district.number_of(self.district.listed, self._any()), at=self.at)

    def page(self) -> None:
        """``ketang site show``."""
        site_page(self.resources, self.district.site_of(self._any()), at=self.at)

    def village_sites(self) -> None:
        """``ketang site list --village``."""
        assert sites(self.resources, village=self.district.village_of(self._settled()))

    def register(self) -> None:
        """``ketang register cases --village``."""
        self.serial += 1
        out = Path(self.place.folder) / f"register-{self.serial}.xlsx"
        wanted = Wanted(village=self.district.village_of(self._settled()))
        assert make_register(self.resources, RegisterKind.CASES, out=out, wanted=wanted)
        out.unlink()

    def week(self) -> None:
        """What a town's Monday report reads."""
        with self.resources.database.read() as session:
            assert week_of(session, self._town(session), monday_of(shanghai_day(self.at)) - WEEK)

    def themes(self) -> None:
        """What a town's month of themes reads."""
        policy = self.resources.editions[EDITION].edition.for_sites.monthly_theme
        assert policy is not None
        with self.resources.database.read() as session:
            assert themes_of(session, self._town(session), date(2026, 5, 1), policy)

    def _town(self, session: Session) -> Unit:
        code = self.district.town_of(self._settled())
        return session.scalars(select(Unit).where(Unit.code == code)).one()

    def month(self) -> None:
        """``ketang statistics``."""
        period = chosen(PeriodChoice.THIS_MONTH, on=shanghai_day(self.at))
        wanted = WantedFigures(period, town=self.district.town_of(self._settled()))
        assert statistics(self.resources, wanted, at=self.at).sites

    def undelivered(self) -> None:
        """How many letters wait, and how many are dead: ``ketang letters list``."""
        with self.resources.database.read() as session:
            letters_waiting(session)

    def audit(self) -> None:
        """``ketang audit verify`` of the one case that was really lived through."""
        with self.resources.database.read() as session:
            assert not list(verify(session, number=self.district.listed))

    # -- whose turn it is ---------------------------------------------------------------------------------------------

    def _any(self) -> int:
        """Return a copy, another one each time, spread over all."""
        self.turn += 1
        return (self.turn * 7919) % (self.district.copies - 1) + 1

    def _settled(self) -> int:
        """Return a copy whose town, and so its village, is as full as any."""
        copies = self.district.settled()
        self.turn += 1
        return copies[(self.turn * 7919) % len(copies)]

    def _busy(self) -> int:
        copies = self.district.busy()
        self.turn += 1
        return copies[(self.turn * 7919) % len(copies)]

    def _unseen(self) -> int:
        """Return a copy whose application waits for the office still."""
        copies = self.district.busy()
        self.decided += 1
        return copies[-self.decided]
