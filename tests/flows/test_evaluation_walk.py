"""A year's evaluation from its opening to the final results, on both kinds of database."""

from datetime import date

import pytest
from sqlalchemy import func, select

from flows.answers import apply
from flows.fields import UNDECIDED
from flows.forms import form_for
from models.evaluation import EvaluationResult, YearEvaluation
from models.notice import Notice
from models.work_item import Ask
from policies.errors import Refused
from policies.vocabulary import CaseStatus, Door, Gate, NoticeKind, Outcome, Verdict
from tasks import objections
from tasks.case_file import as_markdown, case_file
from tasks.cases import Asked
from tasks.notice_commands import HandleObjections, RecordObjection
from tests.desks import OpenTown
from tests.parlours import add_site, add_village
from tests.township import HEAD_OF_OFFICE, REVIEWER, Township, at
from tests.years import (
    MONDAYS,
    MONTHS,
    approve,
    faults,
    leader_of,
    open_year,
    recompute,
    record_activities,
    record_themes,
    results,
    scores,
)

NEW_YEAR = "2027-01-11 09:00"


@pytest.fixture
def good_and_bad(open_town: OpenTown) -> tuple[Township, str, str]:
    """A site that did everything and one that did half of it, over a whole year, once per kind of database."""
    return two_sites(open_town)


def two_sites(open_town: OpenTown) -> tuple[Township, str, str]:
    town = open_town("example-2026", "2026-01-01 09:00")
    add_village(town, "LH", "柳河村")
    good, bad = add_site(town), add_site(town, village="LH")
    record_themes(town, good, MONTHS)
    record_activities(town, good, [*MONDAYS, *[date(2026, month, 21) for month in range(1, 9)]])
    record_themes(town, bad, MONTHS[:6])
    record_activities(town, bad, MONDAYS[:26])
    town.clock.move_to(at(NEW_YEAR))
    return town, good, bad


def notices(town: Township) -> list[Notice]:
    with town.resources.database.read() as session:
        found = list(session.scalars(select(Notice).order_by(Notice.id)))
        for each in found:
            _ = each.case.number
        return found


def object_against(town: Township, against: str, finding: str) -> None:
    notice = notices(town)[-1].case.number
    entry = RecordObjection.model_validate(
        {
            "case": notice,
            "by": REVIEWER,
            "channel": "书面",
            "name": "王某",
            "contact": "wang@example.com",
            "content": "下半年的活动没有计入",
            "against": against,
        }
    )
    seq = objections.record_objection(town.resources, entry, door=Door.CLI, key=f"{notice}:{against}", at=town.now())
    handled = [{"objection": seq, "finding": finding, "reasons": "经核实"}]
    command = HandleObjections.model_validate({"case": notice, "by": REVIEWER, "handled": handled})
    objections.handle_objections(town.resources, command, door=Door.CLI, at=town.now())


def end_notice(town: Township) -> None:
    item = town.item(notices(town)[-1].case.number)
    assert item is not None
    town.clock.move_to(item.due_at)
    town.rehearsal.sweep()


def test_an_upheld_objection_leads_to_figures_computed_anew_and_noticed_again(
    good_and_bad: tuple[Township, str, str],
) -> None:
    town, good, bad = good_and_bad
    open_year(town)
    assert town.gate() is Gate.FIGURES_REVIEW
    assert town.told("task_waiting") == ["丁主任"]
    asked = str(town.entries("task_waiting")[0].context)
    assert f"第1名 {good}" in asked
    assert [(each.site.number, each.points_tenths, each.rank) for each in results(town) if each.site] == [
        # No inspection, no subsidy: 85 points are shared out as 23.5, 35.3, 11.8, 11.8, 11.7 and 5.9; no publicity.
        (good, 941, 1),
        # 23.5 x 5/11 = 10.7 (January was not owed), 35.3 / 2 = 17.7, 11.8 x 26/60 = 5.1 twice, 11.7 in full.
        (bad, 503, 2),
    ]

    approve(town)
    assert town.gate() is Gate.RESULTS_NOTICE
    (first,) = notices(town)
    assert first.kind is NoticeKind.EVALUATION
    assert f"第1名 {good}（周荡村，负责人{leader_of(town, good)}）94.1分，优秀。" in first.text
    assert "第1名 周荡村" in first.text
    assert set(town.told("notice_published")) == {
        leader_of(town, good),
        leader_of(town, bad),
        "周责任",
        "柳河村村(",
        "丁主任",
        "沈审核",
        "施审核",
    }

    object_against(town, bad.removesuffix("-S"), "异议成立")
    end_notice(town)
    town.decide(Verdict.AMENDED, by=REVIEWER, reason="下半年的活动补登", number=first.case.number)
    assert town.gate() is Gate.FIGURES_REVIEW
    assert town.item().round == 2  # type: ignore[union-attr]
    assert [each.points_tenths for each in results(town)] == [941, 503], "computed anew, nothing was entered yet"

    record_activities(town, bad, MONDAYS[26:])
    recompute(town)
    assert scores(town, bad)["weeks"][:2] == (52, 52)
    assert scores(town, bad, round_=1)["weeks"][:2] == (26, 52), "earlier results are kept"
    approve(town)
    assert len(notices(town)) == 2
    assert "因异议成立，考核结果已重新计算，再次公示。" in notices(town)[-1].text

    object_against(town, "", "异议不成立")
    end_notice(town)
    if town.gate(notices(town)[-1].case.number) is Gate.OBJECTION_REVIEW:
        town.decide(Verdict.CLEARED, by=REVIEWER, reason="不成立", number=notices(town)[-1].case.number)
    case = town.case()
    assert (case.status, case.outcome) == (CaseStatus.CLOSED, Outcome.CONCLUDED)
    with town.resources.database.read() as session:
        evaluation = session.scalars(select(YearEvaluation)).one()
        assert (evaluation.final, evaluation.round) == (True, 3)
        rounds = session.execute(
            select(EvaluationResult.round, func.count()).group_by(EvaluationResult.round).order_by("round")
        ).tuples()
        assert dict(rounds.all()) == {1: 4, 2: 4, 3: 4}

    told = town.entries("evaluation_result")
    assert {each.to_name for each in told} == {
        leader_of(town, good),
        leader_of(town, bad),
        "周责任",
        "柳河村村(",
        "丁主任",
        "沈审核",
        "施审核",
    }
    own = next(each for each in told if each.to_name == leader_of(town, bad)).context
    assert "在2个客堂间中列第2名" in own["result"]
    assert any("应开展52周，已开展52周" in each for each in own["scores"])
    village = next(each for each in town.entries("evaluation_result") if each.to_name == "周责任").context
    assert "拟计入以奖代拨2,000.00元" in village["consequence"]
    assert faults(town) == []


def test_a_retracted_notice_calls_the_evaluation_off_and_nothing_becomes_final(open_sqlite: OpenTown) -> None:
    town, *_ = two_sites(open_sqlite)
    open_year(town)
    approve(town)
    town.decide(Verdict.RETRACTED, by=REVIEWER, reason="口径有误", number=notices(town)[0].case.number)
    town.rehearsal.sweep()
    case = town.case()
    assert (case.status, case.outcome) == (CaseStatus.CLOSED, Outcome.CALLED_OFF)
    with town.resources.database.read() as session:
        assert not session.scalars(select(YearEvaluation.final)).one()
    assert town.told("evaluation_result") == []
    with pytest.raises(Refused, match=f"案件编号 {case.number},已办结"):
        open_year(town, key="again")


def test_the_head_may_call_it_off_with_a_reason_only(open_sqlite: OpenTown) -> None:
    town, *_ = two_sites(open_sqlite)
    open_year(town)
    with pytest.raises(Refused, match="须写明理由"):
        town.decide(Verdict.CALLED_OFF, by=HEAD_OF_OFFICE)
    with pytest.raises(Refused, match="无权办理"):
        town.decide(Verdict.APPROVED, by=REVIEWER)
    town.decide(Verdict.CALLED_OFF, by=HEAD_OF_OFFICE, reason="区里统一考核")
    assert town.case().outcome is Outcome.CALLED_OFF


def test_the_page_and_the_form_show_the_ranking_and_decide_nothing_by_themselves(open_sqlite: OpenTown) -> None:
    town, good, bad = two_sites(open_sqlite)
    number = open_year(town)
    file = case_file(town.resources, number, at=town.now())
    page = as_markdown(file)
    assert page.index(f"第1名 {good}") < page.index(f"第2名 {bad}")
    assert file.awaited is not None
    form = form_for(town.resources, file, file.awaited)
    assert form().model_dump()["verdict"] == UNDECIDED
    offered = form.model_json_schema()["properties"]["verdict"]["enum"]
    assert offered == [UNDECIDED, *(each.label for each in (Verdict.APPROVED, Verdict.RECOMPUTED, Verdict.CALLED_OFF))]

    def answer(**fields: str) -> str:
        filled = form(**fields).model_dump(mode="json")
        item = town.item(number)
        assert item is not None
        with town.resources.database.write() as session:
            key = f"figures-review-{len(fields)}-{fields.get('reason', '')}"
            ask = Ask(case_id=item.case_id, work_item_id=item.id, flow_run_id="run", key=key, asked_at=town.now())
            session.add(ask)
            session.flush()
            asked = Asked(work_item=item.id, ask=ask.id)
        return apply(town.resources, number, item.gate, filled, asked, at=town.now())

    head = "丁主任(P003)"
    assert "未选择决定" in answer(by=head)
    assert "须写明理由" in answer(by=head, verdict=Verdict.RECOMPUTED.label)
    assert answer(by=head, verdict=Verdict.RECOMPUTED.label, reason="补登了六月的活动") == ""
    town.rehearsal.carry(number)
    assert town.item(number).round == 2  # type: ignore[union-attr]


def test_carrying_it_again_at_any_gate_changes_nothing(open_sqlite: OpenTown) -> None:
    town, *_ = two_sites(open_sqlite)
    number = open_year(town)

    def again() -> None:
        before = town.state()
        town.rehearsal.carry(number)
        assert town.state() == before

    again()
    recompute(town)
    again()
    approve(town)
    again()
    end_notice(town)
    again()
    assert town.case().outcome is Outcome.CONCLUDED


def test_reminders_and_the_escalation_come_by_themselves(open_sqlite: OpenTown) -> None:
    town, *_ = two_sites(open_sqlite)
    open_year(town)
    town.pass_until("2027-01-27 10:00")
    told = [(each.letter.value, each.to_name) for each in town.entries() if town.number in str(each.context)]
    assert told == [(letter, "丁主任") for letter in ("task_waiting", "reminder", "reminder", "escalation")]
    assert town.gate() is Gate.FIGURES_REVIEW, "no deadline approves figures"
