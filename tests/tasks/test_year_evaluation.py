"""The figures of a year as they are recorded, its opening once a year, and its routine; checked by hand."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from models.base import Base
from models.case import Case, Site
from models.evaluation import EvaluationResult, YearEvaluation
from models.inspection import Inspection, Visit, VisitFinding
from models.ledger import LedgerAccount, LedgerEntry, LedgerLine, account_code
from models.meeting import Meeting, MeetingAttendance, Resolution
from models.registry import Person, Unit
from models.service import Provider, ServiceItem, ServiceOrder
from models.site_life import PublicityItem
from models.work_item import Decision, WorkItem
from policies.errors import Refused
from policies.life_words import Finding, MeetingSeat, SiteFact, VillageFact
from policies.vocabulary import (
    AccountKind,
    BeautifulVillage,
    CaseKind,
    Door,
    Gate,
    LedgerLevel,
    LedgerMove,
    Outcome,
    Role,
    SiteStatus,
    Verdict,
    WorkItemStatus,
)
from rules.grading import Figure
from tasks.living import site_named
from tasks.year_figures import SiteInYear, Year, site_figures, sites_in_year
from tasks.year_routine import catch_up, open_due
from tasks.year_villages import village_figures
from tests.desks import OpenTown
from tests.parlours import add_site, add_village
from tests.township import HEAD_OF_OFFICE, LEADER, REVIEWER, Township, at
from tests.years import (
    MONDAYS,
    MONTHS,
    approve,
    faults,
    open_year,
    recompute,
    record_activities,
    record_themes,
    results,
    scores,
    set_status,
)

EXAMPLE = "example-2026"
NEW_YEAR = "2027-01-11 09:00"


@pytest.fixture
def town(open_town: OpenTown) -> Township:
    """New year's day of the year that is evaluated, once per kind of database."""
    return open_town(EXAMPLE, "2026-01-01 09:00")


@pytest.fixture
def lite(open_sqlite: OpenTown) -> Township:
    """The same on SQLite."""
    return open_sqlite(EXAMPLE, "2026-01-01 09:00")


def year_of(town: Township, session: Session, *, when: str = NEW_YEAR) -> Year:
    unit = session.scalars(select(Unit).where(Unit.code == "Z")).one()
    return Year(town=unit, year=2026, at=at(when), scheme=town.edition().for_sites)


def figures(town: Township, number: str, *, when: str = NEW_YEAR) -> dict[SiteFact, tuple[int, int | None]]:
    """What was counted for a site, and of how much; only the facts whose tables name it."""
    with town.resources.database.read() as session:
        year = year_of(town, session, when=when)
        sites = sites_in_year(session, year)
        wanted = next(each for each in sites if each.number == number)
        found = site_figures(session, year, sites)
        return {fact: (its.counted, its.out_of) for fact, by in found.items() if (its := by.get(wanted.id))}


def evaluated(town: Township) -> list[SiteInYear]:
    with town.resources.database.read() as session:
        return sites_in_year(session, year_of(town, session))


def of_villages(town: Township, points: dict[int, list[int]] | None = None) -> dict[VillageFact, dict[int, Figure]]:
    with town.resources.database.read() as session:
        return village_figures(session, year_of(town, session), points or {})


def village(town: Township, code: str = "ZD") -> int:
    with town.resources.database.read() as session:
        return session.scalars(select(Unit.id).where(Unit.code == code)).one()


def write(town: Township, make: Callable[[Session, Site], list[Base]], number: str) -> None:
    """Add rows about a site straight to the database: what other parts of the product write."""
    with town.resources.database.write() as session:
        session.add_all(make(session, site_named(session, number)))


# -- what a site owed ---------------------------------------------------------------------------------------------


def test_themes_and_weeks_are_owed_only_while_the_site_was_active_throughout(town: Township) -> None:
    number = add_site(town)
    record_themes(town, number, MONTHS[:8], late=[MONTHS[2]])
    record_activities(town, number, MONDAYS[:20])
    town.clock.move_to(at("2026-06-10 09:00"))
    set_status(town, number, SiteStatus.SUSPENDED, date(2026, 6, 10))  # a Wednesday, before the asking for July
    set_status(town, number, SiteStatus.ACTIVE, date(2026, 8, 16))  # a Sunday, a day after the asking for September
    found = figures(town, number)
    # February to June, October to December: January, July, August and September were not owed.
    assert found[SiteFact.THEMES] == (5, 8)
    assert found[SiteFact.THEMES_IN_TIME] == (4, 8)
    # 5 January to 7 June are 22 weeks, 17 August to 3 January 20.
    assert found[SiteFact.WEEKS] == (20, 42)


def test_a_site_listed_late_owes_what_began_after_that(lite: Township) -> None:
    lite.clock.move_to(at("2026-11-18 10:00"))
    number = add_site(lite)
    record_activities(lite, number, [date(2026, 11, 20), *MONDAYS[-6:-1]])
    found = figures(lite, number)
    assert found[SiteFact.THEMES] == (0, 0), "December was asked for on 15 November"
    # From Monday 23 November on six weeks; the activity of the week in which it was listed counts as one held.
    assert found[SiteFact.WEEKS] == (5, 6)
    assert found[SiteFact.SESSIONS] == (6, None)
    lite.clock.move_to(at(NEW_YEAR))
    open_year(lite)
    # 44 of 365 days: 60 sessions and 1200 people a year become 8 and 145; no themes, so 65 points are owed:
    # weeks 46.1, sessions 15.4, attendance 15.4, records 15.4, publicity 7.7
    assert scores(lite, number) == {
        "themes": (0, 0, 0),
        "weeks": (5, 6, 384),
        "sessions": (6, None, 116),
        "attendance": (120, None, 127),
        "records": (6, 6, 154),
        "inspection": (0, 0, 0),
        "subsidy": (0, 0, 0),
        "publicity": (0, None, 0),
    }
    (result,) = results(lite)
    told = {score.code: score.explained for score in result.scores}
    assert "本项20分按比例分摊到其他各项" in told["themes"]
    assert "8得满分（全年60，按当年运行天数折算）" in told["sessions"]
    assert result.points_tenths == 384 + 116 + 127 + 154


def test_a_week_that_is_not_over_when_the_figures_are_computed_is_not_owed(lite: Township) -> None:
    number = add_site(lite)
    record_activities(lite, number, MONDAYS)
    assert figures(lite, number, when="2027-01-03 23:59")[SiteFact.WEEKS] == (51, 51)
    assert figures(lite, number, when="2027-01-04 00:00")[SiteFact.WEEKS] == (52, 52)


def test_activities_count_by_the_day_they_were_held_and_voided_ones_do_not(lite: Township) -> None:
    number = add_site(lite)
    record_activities(lite, number, [date(2026, 3, 2), date(2026, 3, 4)], attendance=15, after_days=7)
    record_activities(lite, number, [date(2026, 3, 9)], attendance=7, after_days=8)
    record_activities(lite, number, [date(2026, 3, 16)], voided=True)
    record_activities(lite, number, [date(2027, 1, 1)])  # in the week of 28 December
    found = figures(lite, number)
    assert found[SiteFact.SESSIONS] == (3, None)
    assert found[SiteFact.ATTENDANCE] == (37, None)
    assert found[SiteFact.RECORDED_IN_TIME] == (2, 3)
    assert found[SiteFact.WEEKS] == (3, 52)


def test_what_happens_after_the_year_does_not_change_what_was_owed(lite: Township) -> None:
    number = add_site(lite)
    before = figures(lite, number)
    lite.clock.move_to(at("2027-01-05 09:00"))
    set_status(lite, number, SiteStatus.REVOKED, date(2027, 1, 5))
    add_site(lite)
    assert figures(lite, number) == before
    assert [each.number for each in evaluated(lite)] == [number]


def test_who_ended_or_rested_all_the_year_is_not_evaluated(lite: Township) -> None:
    active, rests, revoked, closed, rested = (add_site(lite) for _ in range(5))
    set_status(lite, rests, SiteStatus.SUSPENDED, date(2026, 12, 31))
    set_status(lite, revoked, SiteStatus.REVOKED, date(2026, 12, 31))
    set_status(lite, closed, SiteStatus.CLOSED, date(2026, 2, 1))
    set_status(lite, rested, SiteStatus.SUSPENDED, date(2026, 1, 1))
    assert [each.number for each in evaluated(lite)] == [active, rests]


# -- the other facts ----------------------------------------------------------------------------------------------


def case_for(session: Session, site: Site, kind: CaseKind, number: str, *, unit: Unit | None = None) -> Case:
    origin = site.case
    case = Case(
        number=number,
        kind=kind,
        edition_id=origin.edition_id,
        edition_sha256=origin.edition_sha256,
        opening_key=number,
        title=number,
        unit_id=unit.id if unit else site.group_id,
        year=2026,
        opened_at=at("2026-03-01 09:00"),
    )
    session.add(case)
    session.flush()
    return case


def inspect(town: Township, number: str, name: str, visits: list[tuple[date, list[Finding], date | None]]) -> None:
    def make(session: Session, site: Site) -> list[Base]:
        campaign = case_for(session, site, CaseKind.CAMPAIGN, f"DC-{name}")
        case = case_for(session, site, CaseKind.INSPECTION, f"DD-{name}")
        inspection = Inspection(case_id=case.id, campaign_case_id=campaign.id, site_id=site.id)
        session.add(inspection)
        session.flush()
        return [
            Visit(
                inspection_id=inspection.id,
                round=round_,
                visited_on=day,
                inspectors="沈审核",
                rectify_by=by,
                recorded_at=at("2026-03-01 09:00"),
                findings=[VisitFinding(code=f"p{place}", finding=each) for place, each in enumerate(found)],
            )
            for round_, (day, found, by) in enumerate(visits, 1)
        ]

    write(town, make, number)


def test_inspections_count_by_the_last_visit_of_the_year(town: Township) -> None:
    number = add_site(town)
    met, not_met, no = Finding.MET, Finding.NOT_MET, Finding.NOT_APPLICABLE
    inspect(
        town,
        number,
        "1",
        [
            (date(2026, 5, 6), [met, not_met, not_met, no], date(2026, 6, 1)),
            (date(2026, 6, 2), [met, met, not_met, no], None),
            (date(2027, 1, 5), [met, met, met, met], None),
        ],
    )
    inspect(town, number, "2", [(date(2026, 9, 1), [met, met], None)])
    inspect(town, number, "3", [(date(2025, 9, 1), [not_met], date(2025, 10, 1))])
    found = figures(town, number)
    assert found[SiteFact.INSPECTION] == (4, 5)
    assert found[SiteFact.RECTIFICATIONS] == (1, 2)


def test_the_subsidy_counts_as_it_stood_at_the_end_of_the_year(town: Township) -> None:
    number = add_site(town)

    def make(session: Session, site: Site) -> list[Base]:
        people = session.scalars(select(Person).where(Person.code == REVIEWER)).one()
        held = {
            level: LedgerAccount(
                code=account_code(level, site.case.number, purpose=purpose),
                name=level.label,
                kind=kind,
                level=level,
                case_id=site.case_id,
                purpose=purpose,
            )
            for level, kind, purpose in (
                (LedgerLevel.TOWN, AccountKind.HOLDING, ""),
                (LedgerLevel.VILLAGE, AccountKind.HOLDING, ""),
                (LedgerLevel.SPENT, AccountKind.PURPOSE, "fittings"),
            )
        }
        session.add_all(held.values())
        session.flush()
        town_, village_, spent = (held[each].id for each in (LedgerLevel.TOWN, LedgerLevel.VILLAGE, LedgerLevel.SPENT))
        moves = [
            (LedgerMove.TRANSFER, town_, village_, 1_000_000, "2026-02-01 09:00"),
            (LedgerMove.SPENDING, village_, spent, 400_000, "2026-12-31 23:59"),
            (LedgerMove.SPENDING, village_, spent, 300_000, "2027-01-01 00:00"),
        ]
        return [
            LedgerEntry(
                case_id=site.case_id,
                key=f"{number}:{place}",
                move=move,
                booked_at=at(when),
                booked_by_id=people.id,
                lines=[LedgerLine(account_id=out, amount_fen=-fen), LedgerLine(account_id=into, amount_fen=fen)],
            )
            for place, (move, out, into, fen, when) in enumerate(moves)
        ]

    write(town, make, number)
    assert figures(town, number)[SiteFact.SUBSIDY_SPENT] == (400_000, 1_000_000)


def test_publicity_and_confirmations_of_the_year_count(town: Township) -> None:
    number = add_site(town)

    def make(session: Session, site: Site) -> list[Base]:
        unit = session.scalars(select(Unit).where(Unit.code == "Z")).one()
        item = session.scalars(select(Person).where(Person.code == REVIEWER)).one()
        provider = Provider(code="F1", name="卫生院", unit_id=unit.id, contact_id=item.id)
        session.add(provider)
        session.flush()
        service = ServiceItem(code="S1", name="义诊", category="medical", provider_id=provider.id, description="")
        session.add(service)
        session.flush()
        rows: list[Base] = [
            PublicityItem(
                unit_id=unit.id,
                key=f"{place}",
                channel="town_website",
                published_on=day,
                title="编织",
                reference="第1版",
                recorded_at=at("2026-03-01 09:00"),
                recorded_by_id=item.id,
                voided_at=voided,
                sites=[site],
            )
            for place, (day, voided) in enumerate(
                [
                    (date(2026, 1, 1), None),
                    (date(2026, 12, 31), None),
                    (date(2026, 6, 1), at("2026-06-02 09:00")),
                    (date(2027, 1, 1), None),
                ]
            )
        ]
        for place, (verdict, opened) in enumerate(
            [
                (Verdict.CONFIRMED, "2026-03-01 09:00"),
                (Verdict.DISPUTED, "2026-04-01 09:00"),
                (Verdict.LAPSED, "2026-05-01 09:00"),
                (Verdict.CONFIRMED, "2027-01-02 09:00"),
            ]
        ):
            case = case_for(session, site, CaseKind.SERVICE_ORDER, f"PS-{place}")
            waiting = WorkItem(
                case_id=case.id,
                gate=Gate.SERVICE_CONFIRMATION,
                round=1,
                role=Role.SITE_LEADER,
                opened_at=at(opened),
                due_on=date(2026, 12, 31),
                due_at=at(opened),
                provisional=False,
                due_named=False,
                lapses=True,
                status=WorkItemStatus.CLOSED,
                closed_at=at(opened),
            )
            session.add(waiting)
            session.flush()
            lapsed = verdict is Verdict.LAPSED
            rows += [
                ServiceOrder(
                    case_id=case.id, site_id=site.id, item_id=service.id, wished_on=date(2026, 3, 1), people=9, note=""
                ),
                Decision(
                    work_item_id=waiting.id,
                    case_id=case.id,
                    verdict=verdict,
                    decided_by_id=None if lapsed else site.leader_id,
                    door=Door.LAPSE if lapsed else Door.FORM,
                    decided_at=at(opened),
                    effective_at=at(opened),
                    acknowledged=[],
                    details={},
                ),
            ]
        return rows

    write(town, make, number)
    found = figures(town, number)
    assert found[SiteFact.PUBLICITY] == (2, None)
    assert found[SiteFact.RATING] == (2, 3)


# -- villages -----------------------------------------------------------------------------------------------------


def test_a_village_counts_its_sites_its_target_its_seats_and_its_resolutions(town: Township) -> None:
    number = add_site(town)
    zd, z = village(town), village(town, "Z")
    with town.resources.database.write() as session:
        site = site_named(session, number)
        site.group.beautiful_village = BeautifulVillage.CITY
    for code in ("A1", "A2"):
        town.add_group(code)
    with town.resources.database.write() as session:
        for unit in session.scalars(select(Unit).where(Unit.code.in_(("A1", "A2")))):
            unit.beautiful_village = BeautifulVillage.CITY

    def make(session: Session, site: Site) -> list[Base]:
        people = session.scalars(select(Person).where(Person.code.in_((REVIEWER, LEADER)))).all()
        rows: list[Base] = []
        for place, (held_on, seats) in enumerate(
            [
                (date(2026, 3, 5), [MeetingSeat.ATTENDED, MeetingSeat.LEAVE]),
                (date(2026, 6, 5), [MeetingSeat.ATTENDED]),
                (date(2027, 1, 5), [MeetingSeat.ABSENT]),
                (None, [None]),
            ]
        ):
            case = case_for(session, site, CaseKind.JOINT_MEETING, f"LX-{place}")
            rows.append(
                Meeting(
                    case_id=case.id,
                    unit_id=z,
                    meets_at=at("2026-03-05 09:00"),
                    place="镇",
                    chair="丁",
                    agenda=[],
                    held_on=held_on,
                    seats=[
                        MeetingAttendance(person_id=person.id, unit_id=zd, seat=seat)
                        for person, seat in zip(people, seats, strict=False)
                    ],
                )
            )
        place_of = session.get_one(Unit, zd)
        for seq, (due, done, outcome) in enumerate(
            [
                (date(2026, 5, 1), date(2026, 5, 1), None),
                (date(2026, 5, 1), date(2026, 5, 2), None),
                (date(2026, 12, 31), None, None),
                (date(2026, 7, 1), None, Outcome.ABANDONED),
                (date(2027, 1, 1), None, None),
            ]
        ):
            case = case_for(session, site, CaseKind.RESOLUTION, f"YD-{seq}", unit=place_of)
            if outcome is not None:
                case.status, case.outcome, case.closed_at = "closed", outcome, at("2026-07-01 09:00")  # type: ignore[assignment]
            rows.append(
                Resolution(
                    case_id=case.id,
                    meeting_case_id=case.id,
                    seq=seq,
                    text="添置桌椅",
                    responsible_id=people[0].id,
                    due_on=due,
                    postponed=[],
                    done_on=done,
                )
            )
        return rows

    write(town, make, number)
    found = of_villages(town, {zd: [900, 701]})
    assert (found[VillageFact.SITES][zd].counted, found[VillageFact.SITES][zd].out_of) == (1601, 2000)
    assert "平均80.1分" in found[VillageFact.SITES][zd].told
    # Four groups of city grade (ZD01, the site's, A1, A2): 70 % are 3, one is listed.
    assert (found[VillageFact.TARGET][zd].counted, found[VillageFact.TARGET][zd].out_of) == (1, 3)
    assert (found[VillageFact.MEETINGS][zd].counted, found[VillageFact.MEETINGS][zd].out_of) == (2, 3)
    assert (found[VillageFact.RESOLUTIONS][zd].counted, found[VillageFact.RESOLUTIONS][zd].out_of) == (1, 3)


def test_a_village_without_sites_and_target_is_not_evaluated_and_equal_points_share_a_rank(lite: Township) -> None:
    for code in ("LH", "QD", "XX"):
        add_village(lite, code, f"{code}村")
    for code in ("LH", "QD"):
        add_site(lite, village=code)
    lite.clock.move_to(at(NEW_YEAR))
    open_year(lite)
    found = {each.village.code: (each.points_tenths, each.rank) for each in results(lite, sites=False)}
    assert set(found) == {"ZD", "LH", "QD"}, "ZD owes a site; XX owes nothing"
    assert [each.rank for each in results(lite)] == [1, 1]
    assert {rank for _, rank in found.values()} == {1}


def test_a_village_earns_what_its_sites_earn_and_its_share_of_the_assessment(lite: Township) -> None:
    number, other = add_site(lite), add_site(lite)
    for each in (number, other):
        record_themes(lite, each, MONTHS)
        record_activities(lite, each, [*MONDAYS, *[date(2026, month, 21) for month in range(1, 9)]])
    lite.clock.move_to(at(NEW_YEAR))
    open_year(lite)
    assert [(each.points_tenths, each.grade, each.award_fen) for each in results(lite)] == [
        (941, "excellent", 200_000)
    ] * 2
    (of_village,) = results(lite, sites=False)
    assert of_village.award_fen == 400_000
    # Sites 70 and target 20 are owed: 77.8 x 0.941 = 73.2, 22.2 x 0 of 1 = 0; 5 x 0.732 = 3.66 -> 3.7
    assert (of_village.points_tenths, of_village.assessment_tenths, of_village.grade) == (732, 37, "passed")


# -- computed anew, kept, sealed ----------------------------------------------------------------------------------


def test_computing_anew_takes_in_late_entries_and_keeps_what_was(town: Township) -> None:
    number = add_site(town)
    record_activities(town, number, MONDAYS[:10])
    town.clock.move_to(at(NEW_YEAR))
    open_year(town)
    record_activities(town, number, MONDAYS[10:12])
    recompute(town)
    assert scores(town, number, round_=1)["weeks"][:2] == (10, 52)
    assert scores(town, number)["weeks"][:2] == (12, 52)
    with pytest.raises(Refused, match="第3次计算不存在"):
        results(town, round_=3)
    assert faults(town) == []
    with town.resources.database.write() as session:
        session.execute(
            text("UPDATE evaluation_results SET points_tenths = 999 WHERE site_id IS NOT NULL AND round = 2")
        )
    assert any("points_tenths" in each for each in faults(town))


def test_figures_without_any_site_can_not_be_approved(lite: Township) -> None:
    number = add_site(lite)
    lite.clock.move_to(at(NEW_YEAR))
    open_year(lite)
    set_status(lite, number, SiteStatus.CLOSED, date(2026, 1, 1))
    recompute(lite)
    with pytest.raises(Refused, match="没有参加考核的客堂间,不能批准"):
        approve(lite)


def test_the_number_of_statements_does_not_grow_with_the_sites(lite: Township) -> None:
    asked: list[str] = []
    event.listen(lite.resources.database.engine, "before_cursor_execute", lambda *each: asked.append(each[2]))

    def count() -> int:
        asked.clear()
        with lite.resources.database.read() as session:
            year = year_of(lite, session)
            sites = sites_in_year(session, year)
            site_figures(session, year, sites)
            village_figures(session, year, {})
        return len([each for each in asked if each.lstrip().startswith("SELECT")])

    first = add_site(lite)
    record_activities(lite, first, MONDAYS[:3])
    few = count()
    for _ in range(6):
        number = add_site(lite)
        record_themes(lite, number, MONTHS)
        record_activities(lite, number, MONDAYS[:3])
    assert count() == few

    lite.clock.move_to(at(NEW_YEAR))
    asked.clear()
    open_year(lite)
    written = [each for each in asked if "INTO evaluation_results" in each or "INTO criterion_scores" in each]
    read = [each for each in asked if "FROM evaluation_results" in each or "FROM criterion_scores" in each]
    assert len(results(lite)) == 7
    assert len(written) == 2
    assert len(read) <= 12


# -- opened once a year -------------------------------------------------------------------------------------------


def test_a_year_is_opened_once_whoever_opens_it_and_the_case_is_named(town: Township) -> None:
    add_site(town)
    town.clock.move_to(at("2027-01-05 09:00"))
    number = open_year(town)
    assert open_year(town) == number, "the same key opens one"
    with pytest.raises(Refused, match=f"2026年度考核已于2027年1月5日开启,案件编号 {number},正在办理"):
        open_year(town, key="another")
    town.clock.move_to(at(NEW_YEAR))
    assert open_due(town.resources, at=town.now()) == []
    with town.resources.database.read() as session:
        assert len(session.scalars(select(YearEvaluation)).all()) == 1
    assert faults(town) == []


def test_a_year_that_is_not_over_or_has_no_sites_and_a_stranger_are_refused(lite: Township) -> None:
    add_site(lite)
    lite.clock.move_to(at(NEW_YEAR))
    for year in (2027, 2028):
        with pytest.raises(Refused, match=f"{year}年尚未结束"):
            open_year(lite, year)
    with pytest.raises(Refused, match="2025年末没有当年运行过的客堂间"):
        open_year(lite, 2025)
    with pytest.raises(Refused, match="不能为朱家角镇开启年度考核:须由其社区办负责人、社区办审核员办理"):
        open_year(lite, by="P099")
    assert open_year(lite, by=HEAD_OF_OFFICE)


def test_an_edition_without_an_evaluation_is_refused_and_opens_nothing(open_sqlite: OpenTown) -> None:
    town = open_sqlite("xuhang-2013", "2013-06-03 09:00")
    add_site(town)
    town.clock.move_to(at("2014-02-10 09:00"))
    assert open_due(town.resources, at=town.now()) == []
    with pytest.raises(Refused, match="没有规定年度考核"):
        open_year(town, 2013)


def scores_written(town: Township) -> int:
    with town.resources.database.read() as session:
        return len(session.scalars(select(EvaluationResult)).all())


# -- by itself ----------------------------------------------------------------------------------------------------


def opened(town: Township) -> list[tuple[datetime, str, str]]:
    with town.resources.database.read() as session:
        query = select(Case).where(Case.kind == CaseKind.ANNUAL_EVALUATION).order_by(Case.id)
        return [(each.opened_at, each.number, each.opening_key) for each in session.scalars(query)]


def test_the_scheduled_flow_opens_it_on_the_day_and_not_before(lite: Township) -> None:
    add_site(lite)
    lite.clock.move_to(at("2027-01-10 07:59"))
    assert open_due(lite.resources, at=lite.now()) == []
    lite.clock.move_to(at("2027-01-10 08:00"))
    assert catch_up(lite.resources, lite.now()) == "", "the sweep leaves it to the scheduled flow for an hour"
    (number,) = open_due(lite.resources, at=lite.now())
    assert scores_written(lite) == 0, "computed only with the first gate"
    assert open_due(lite.resources, at=lite.now()) == []
    lite.number = number
    lite.rehearsal.carry(number)
    assert lite.gate() is Gate.FIGURES_REVIEW
    (first, *_) = lite.history()
    assert first.summary == "开启朱家角镇2026年度考核"
    assert not any("补办" in str(each.context) for each in lite.entries("task_waiting"))


def test_after_a_standstill_over_new_year_it_is_opened_once_and_told_as_late(town: Township) -> None:
    add_site(town)
    town.sleep_until("2027-01-22 10:00")
    town.rehearsal.sweep()
    ((_, number, _),) = opened(town)
    first = town.history(number)[0]
    assert "按政策应于2027年1月10日自动开启,因系统停运,迟12日补办" in first.summary
    assert '"late_days":12' in first.data
    asked = [each for each in town.entries("task_waiting") if number in str(each.context)]
    assert "迟12日补办" in str(asked[0].context)
    assert faults(town) == []


def test_a_town_without_sites_in_the_year_is_left_alone(lite: Township) -> None:
    lite.clock.move_to(at("2027-01-05 09:00"))
    add_site(lite)
    lite.sleep_until("2027-02-22 10:00")
    assert opened(lite) == []


def test_looking_for_what_is_due_costs_next_to_nothing(lite: Township) -> None:
    add_site(lite)
    asked: list[str] = []
    event.listen(lite.resources.database.engine, "before_cursor_execute", lambda *each: asked.append(each[2]))
    assert catch_up(lite.resources, at("2026-12-01 09:00")) == ""
    assert len(asked) <= 4
    open_due(lite.resources, at=at(NEW_YEAR))
    asked.clear()
    assert catch_up(lite.resources, at("2027-06-01 09:00")) == ""
    assert len(asked) <= 4
