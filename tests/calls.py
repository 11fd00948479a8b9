"""A town with villages, representatives, a panel, and the acts of a call of micro-projects in it, the clock moved."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.case import Case
from models.engine import Database
from models.project import Project
from models.registry import Person, RoleHolding, Unit
from policies.load import LoadedEdition
from policies.vocabulary import CaseKind, Door, Gate, ProjectStanding, Role, UnitKind, Verdict
from runtime.clock import MovedClock
from runtime.resources import open_resources
from runtime.settings import Settings
from tasks import calls, proposals, screenings, surveys
from tasks.call_commands import ChangeWindow, CorrectSurvey, OpenCall, Proposal, RecordSurvey, Screen, SelfCheck
from tasks.procedure import Ending, Waiting
from tests.desks import Desk
from tests.township import HEAD_OF_OFFICE, REVIEWER, SECOND_REVIEWER, Township, at

LINPING, EXAMPLE = "linping-2022", "example-micro-2026"
OPENED = {LINPING: "2022-04-11 09:00", EXAMPLE: "2026-03-09 09:00"}
"""A Monday on which each edition is in force: the call is opened then, for that day."""
CLOSES = {LINPING: "2022-05-06", EXAMPLE: "2026-03-27"}

VILLAGES = {"ZD": "周荡村", "LH": "柳河村", "QD": "桥东居"}
PANEL = ("P041", "P042", "P043", "P044", "P045")
REPRESENTATIVES = tuple(f"D{village}{number}" for village in VILLAGES for number in (1, 2, 3))
"""Three of each village, who propose, vote, and live there."""
RESPONSIBLES = {"ZD": "P010", "LH": "P012", "QD": "P013"}
RESIDENT = "P099"
"""Holds no role: may propose only where everybody may."""

PEOPLE: Sequence[tuple[str, str, Role | None, str]] = (
    (REVIEWER, "沈审核", Role.OFFICE_REVIEWER, "Z"),
    (SECOND_REVIEWER, "施审核", Role.OFFICE_REVIEWER, "Z"),
    (HEAD_OF_OFFICE, "丁主任", Role.OFFICE_HEAD, "Z"),
    ("P010", "周责任", Role.VILLAGE_RESPONSIBLE, "ZD"),
    ("P012", "柳责任", Role.VILLAGE_RESPONSIBLE, "LH"),
    ("P013", "桥责任", Role.VILLAGE_RESPONSIBLE, "QD"),
    ("P041", "评审甲", None, ""),
    ("P042", "评审乙", None, ""),
    ("P043", "评审丙", None, ""),
    ("P044", "评审丁", None, ""),
    ("P045", "评审戊", None, ""),
    *(
        (f"D{village}{number}", f"{name[0]}代表{'一二三'[number - 1]}", Role.REPRESENTATIVE, village)
        for village, name in VILLAGES.items()
        for number in (1, 2, 3)
    ),
    (RESIDENT, "路人甲", None, ""),
)


class CallTown(Township):
    """One town with three villages, and what its people do in a call; `number` is the call's."""

    edition_id: str

    def settle(self, edition: str, *, households: int = 0, since: date = date(2010, 1, 1)) -> None:
        """Write the registry."""
        self.edition_id = edition
        with self.resources.database.write() as session:
            district = Unit(code="Q", kind=UnitKind.DISTRICT, name="示例区")
            town = Unit(code="Z", kind=UnitKind.TOWN, name="朱家角镇", parent=district)
            villages = [
                Unit(code=code, kind=UnitKind.VILLAGE, name=name, parent=town) for code, name in VILLAGES.items()
            ]
            session.add_all([district, town, *villages])
            session.flush()
            units = {unit.code: unit for unit in (town, *villages)}
            for code, name, role, unit in PEOPLE:
                person = Person(code=code, name=name, phone="13900005678", email=f"{code.lower()}@office.example")
                session.add(person)
                session.flush()
                if role is not None:
                    session.add(RoleHolding(person_id=person.id, role=role, unit_id=units[unit].id, since=since))

    def edition(self) -> Any:
        """The edition in use."""
        return self.resources.editions[self.edition_id].edition

    # -- what is there ------------------------------------------------------------------------------------------------

    def project(self, number: str) -> Project:
        """A proposal as it stands."""
        with self.resources.database.read() as session:
            return session.scalars(
                select(Project).join(Case, Case.id == Project.case_id).where(Case.number == number)
            ).one()

    def standings(self) -> dict[str, ProjectStanding]:
        """Every proposal's title and where it stands, in the order in which they were filed."""
        with self.resources.database.read() as session:
            rows = session.execute(
                select(Case.title, Project.standing).join(Case, Case.id == Project.case_id).order_by(Project.id)
            )
            return dict(rows.tuples().all())

    def titled(self, title: str) -> str:
        """The number of the proposal of that title."""
        with self.resources.database.read() as session:
            return session.scalars(select(Case.number).where(Case.title == title, Case.kind == CaseKind.PROJECT)).one()

    def notices(self) -> list[Case]:
        """The call's notices, in order."""
        with self.resources.database.read() as session:
            query = select(Case).where(Case.kind == CaseKind.NOTICE).order_by(Case.id)
            return list(session.scalars(query))

    # -- what people do -----------------------------------------------------------------------------------------------

    def call(self, **changes: Any) -> OpenCall:
        """A call that meets every shipped edition."""
        opens = self.now().astimezone(at("2020-01-01").tzinfo).date()
        return OpenCall.model_validate(
            {
                "by": REVIEWER,
                "edition": self.edition_id,
                "unit": "Z",
                "title": "春季微项目",
                "purpose": "请各村提出居民身边的小事。",
                "opens_on": opens,
                "closes_on": CLOSES.get(self.edition_id, "2026-03-27"),
                "budget_yuan": "10000",
                "panel": list(PANEL),
                "contact": "镇社区办二楼",
                "place": "镇政务公开栏",
            }
            | changes
        )

    def open_call(self, *, key: str = "call", **changes: Any) -> str:
        """Open a call and carry it to its window."""
        self.number = calls.open_call(self.resources, self.call(**changes), door=Door.CLI, key=key, at=self.now())
        self.rehearsal.carry(self.number)
        return self.number

    def proposal(self, title: str, **changes: Any) -> Proposal:
        """A proposal that meets every shipped edition."""
        return Proposal.model_validate(
            {
                "proposer": "DZD1",
                "village": "ZD",
                "title": title,
                "kind": self.edition().for_projects.kinds[1].name,
                "content": "修好长廊的坐凳和扶手",
                "beneficiaries": "全村老人",
                "expected_benefit": "老人歇脚有地方",
                "amount_yuan": "3000",
            }
            | changes
        )

    def propose(self, title: str, *, key: str = "", **changes: Any) -> str:
        """File a proposal and carry its case."""
        proposal = self.proposal(title, **changes)
        number = proposals.propose(
            self.resources, self.number, proposal, door=Door.CLI, key=key or f"{self.number}:{title}", at=self.now()
        )
        self.rehearsal.carry(number)
        return number

    def end_window(self) -> None:
        """Let the last day of the window pass."""
        day = self.item_due()
        self.clock.move_to(day)
        self.rehearsal.sweep()

    def item_due(self) -> Any:
        """The end of the day on which the gate that waits is due."""
        item = self.item()
        assert item is not None
        return item.due_at

    def survey(
        self, counts: Mapping[str, tuple[int, int, int]], *, complete: bool = False, key: str = "", **changes: Any
    ) -> list[str]:
        """Enter answers by title or number: in favour, against, indifferent."""
        command = RecordSurvey.model_validate(
            {
                "case": self.number,
                "by": REVIEWER,
                "channel": "入户走访",
                "counts": [
                    {"project": project, "in_favour": yes, "against": no, "indifferent": none}
                    for project, (yes, no, none) in counts.items()
                ],
                "complete": complete,
            }
            | changes
        )
        left = surveys.record_survey(self.resources, command, door=Door.CLI, at=self.now(), key=key)
        self.rehearsal.carry(self.number)
        return left

    def correct(self, project: str, entry: int, counts: tuple[int, int, int], *, reason: str = "抄错一行") -> None:
        """Replace an entry of the survey."""
        yes, no, none = counts
        count = {"project": project, "in_favour": yes, "against": no, "indifferent": none}
        command = CorrectSurvey.model_validate(
            {"case": self.number, "by": REVIEWER, "entry": entry, "count": count, "reason": reason}
        )
        surveys.correct_survey(self.resources, command, at=self.now())

    def points(self, share: int) -> dict[str, int]:
        """Points for every criterion: about `share` out of 100 of each one's greatest."""
        criteria = self.edition().for_projects.screening.scoring.criteria
        return {each.name: each.points_at_most * share // 100 for each in criteria}

    def screen(self, **fields: Any) -> tuple[str, ...]:
        """Key in what the panel and the meeting said."""
        command = Screen.model_validate({"case": self.number, "by": REVIEWER} | fields)
        missing = screenings.screen(self.resources, command, door=Door.CLI, at=self.now())
        self.rehearsal.carry(self.number)
        return missing

    def score(self, shares: Mapping[str, int], *, members: Sequence[str] = PANEL) -> tuple[str, ...]:
        """Let members score proposals, each about `shares` out of 100."""
        return self.screen(
            scores=[
                {"project": project, "member": member, "points": self.points(share)}
                for project, share in shares.items()
                for member in members
            ]
        )

    def meet(self, votes: Mapping[str, tuple[int, int, int]], *, present: Sequence[str] = REPRESENTATIVES) -> None:
        """Let the meeting sign in and vote: in favour, against, abstained. Nothing where the edition has no meeting."""
        if self.edition().for_projects.screening.meeting is None:
            return
        self.screen(
            present=list(present),
            votes=[
                {"project": project, "in_favour": yes, "against": no, "abstained": none}
                for project, (yes, no, none) in votes.items()
            ],
        )

    def complete_screening(self) -> list[str]:
        """Complete the screening; return the titles selected, in rank."""
        self.screen(complete=True)
        (decision,) = [each for each in self.decisions() if each.work_item.gate is Gate.SCREENING]
        with self.resources.database.read() as session:
            return [
                session.scalars(select(Case.title).where(Case.number == number)).one()
                for number in decision.details["selected"]
            ]

    def prolong(self, closes_on: str | None, *, reason: str = "春耕农忙", by: str = REVIEWER) -> Any:
        """Prolong the window, or end it now when no day is named."""
        command = ChangeWindow.model_validate({"case": self.number, "by": by, "closes_on": closes_on, "reason": reason})
        ended = calls.change_window(self.resources, command, door=Door.CLI, at=self.now())
        self.rehearsal.carry(self.number)
        return ended

    def self_check(self, **changes: Any) -> Ending | Waiting:
        """Give the self-check report."""
        command = SelfCheck.model_validate(
            {
                "case": self.number,
                "by": REVIEWER,
                "attainment": "都已办成",
                "problems": "宣传不够",
                "next_steps": "早做宣传",
            }
            | changes
        )
        calls.self_check(self.resources, command, door=Door.CLI, at=self.now())
        return self.rehearsal.carry(self.number)

    def take_back(self, project: str, *, by: str = "DZD1", reason: str = "另有安排") -> Ending | Waiting:
        """Withdraw a proposal."""
        return self.decide(Verdict.WITHDRAWN, by=by, reason=reason, number=project)

    def to_screening(self, titles: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """Open a call, file proposals by title, let the survey support all of them; return their numbers by title."""
        self.open_call()
        numbers = {title: self.propose(title, **changes) for title, changes in titles.items()}
        self.end_window()
        self.survey(dict.fromkeys(numbers.values(), (20, 0, 0)), complete=True)
        return numbers

    def to_notice(self, titles: Mapping[str, Mapping[str, Any]], scores: Mapping[str, int]) -> dict[str, str]:
        """Carry a call to its first notice: everything is voted for, each proposal scored as named."""
        numbers = self.to_screening(titles)
        self.meet(dict.fromkeys(numbers.values(), (9, 0, 0)))
        self.score({numbers[title]: share for title, share in scores.items()})
        self.screen(complete=True)
        return numbers


@contextmanager
def call_town(
    database_url: str,
    home: Path,
    *,
    edition: str | LoadedEdition,
    now: str = "",
    database: Database | None = None,
    **settings: Any,
) -> Iterator[CallTown]:
    """Open a settled town on the day on which its call is opened; in `database` if one is open already."""
    chosen = Settings(home=home, database_url=database_url, _env_file=None, **settings)
    name = edition.edition.id if isinstance(edition, LoadedEdition) else edition
    moment = now or OPENED.get(name, OPENED[EXAMPLE])
    with open_resources(chosen, clock=MovedClock(at(moment))) as resources:
        editions = dict(resources.editions)
        if isinstance(edition, LoadedEdition):
            editions[name] = edition
        there = CallTown(replace(resources, editions=editions, database=database or resources.database))
        there.settle(name)
        yield there


OpenCallTown = Callable[..., CallTown]


@pytest.fixture
def open_call_town(desk: Desk, tmp_path: Path) -> Iterator[OpenCallTown]:
    """A function that settles a town for calls by an edition, once per kind of database."""
    with _opener(desk, tmp_path) as opened:
        yield opened


@pytest.fixture
def call_town_on_sqlite(sqlite_desk: Desk, tmp_path: Path) -> Iterator[OpenCallTown]:
    """The same on SQLite: where the kind of database does not matter."""
    with _opener(sqlite_desk, tmp_path) as opened:
        yield opened


@contextmanager
def _opener(desk: Desk, home: Path) -> Iterator[OpenCallTown]:
    with ExitStack() as stack:

        def opened(edition: str | LoadedEdition = EXAMPLE, **more: Any) -> CallTown:
            desk.clear()
            return stack.enter_context(call_town(desk.url, home, edition=edition, database=desk.database, **more))

        yield opened
