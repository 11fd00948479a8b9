"""The survey of opinion and the screening: what is keyed in, what is refused, what it amounts to."""

import threading
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from models.project import Interest, MeetingVote, Score
from policies.errors import Refused
from policies.vocabulary import Door, Gate, ProjectStanding, Verdict
from tasks import screenings, surveys
from tasks.call_commands import RecordSurvey, Screen
from tasks.call_sheets import read_scores, read_survey, sheet_key
from tasks.cases import load_case
from tasks.survey_answers import entries_of
from tests.calls import EXAMPLE, LINPING, PANEL, REPRESENTATIVES, CallTown, OpenCallTown
from tests.desks import variant
from tests.township import REVIEWER, SECOND_REVIEWER, at

S = ProjectStanding
THREE: dict[str, dict[str, Any]] = {
    "长廊": {"amount_yuan": "3000"},
    "路灯": {"proposer": "DLH1", "village": "LH", "amount_yuan": "2500"},
    "花坛": {"proposer": "DQD1", "village": "QD", "amount_yuan": "2000"},
}


@pytest.fixture
def example(call_town_on_sqlite: OpenCallTown) -> CallTown:
    """The example's town: a survey with a bound, no meeting, points as they come."""
    return call_town_on_sqlite(EXAMPLE)


@pytest.fixture
def linping(call_town_on_sqlite: OpenCallTown) -> CallTown:
    """Linping: a meeting's vote before the points."""
    return call_town_on_sqlite(LINPING)


def in_survey(town: CallTown, *titles: str) -> dict[str, str]:
    """Open a call and let its window pass with these proposals."""
    town.open_call()
    numbers = {title: town.propose(title, **THREE[title]) for title in titles or THREE}
    town.end_window()
    return numbers


def sheet(town: CallTown, heads: list[str], rows: list[list[Any]], name: str) -> Path:
    """Put a sheet into the documents folder."""
    folder = town.resources.settings.documents_folder
    folder.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    assert book.active is not None
    for row in [heads, *rows]:
        book.active.append(row)
    book.save(folder / name)
    return folder


# -- the survey -------------------------------------------------------------------------------------------------------


def test_answers_add_up_and_a_correction_replaces_one_entry(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    (number,) = in_survey(town, "长廊").values()
    assert town.survey({number: (3, 1, 0)}) == [
        f"{number}“长廊”收到意见4份,赞成3份、反对1份、无所谓0份;至少须10份,不足"
    ]
    assert town.survey({"长廊": (4, 0, 2)}, channel="议事会", held_on="2026-03-28") == []
    project = town.project(number)
    assert (project.in_favour, project.against, project.indifferent) == (7, 1, 2)

    town.correct(number, 1, (1, 5, 0))
    project = town.project(number)
    assert (project.in_favour, project.against, project.indifferent) == (5, 5, 2)
    with town.resources.database.read() as session:
        entries = entries_of(session, load_case(session, number, lock=False))
    assert [(each.number, each.in_favour, each.channel) for each in entries] == [(1, 1, "入户走访"), (2, 4, "议事会")]
    assert entries[1].held_on == date(2026, 3, 28)
    kinds = [row.kind for row in town.history(number) if row.kind.startswith("survey")]
    assert kinds == ["survey_recorded", "survey_recorded", "survey_corrected"]
    with pytest.raises(Refused, match="没有第3号调研登记,现有:1、2"):
        town.correct(number, 3, (1, 0, 0))


def test_a_survey_without_enough_answers_is_not_completed_by_people(example: CallTown) -> None:
    numbers = in_survey(example)
    example.survey({numbers["长廊"]: (10, 0, 0), numbers["路灯"]: (9, 0, 0)})
    with pytest.raises(Refused, match=r"调研还不能完成:.*路灯.*收到意见9份.*;.*花坛.*收到意见0份.*至少须10份"):
        example.survey({}, complete=True)
    with pytest.raises(Refused, match="调研还不能完成"):
        example.decide(Verdict.COMPLETED, by=REVIEWER)
    assert example.gate() is Gate.SURVEY


def test_support_decides_by_the_exact_share(example: CallTown) -> None:
    numbers = in_survey(example)
    counts = {numbers["长廊"]: (6, 4, 0), numbers["路灯"]: (5, 4, 1), numbers["花坛"]: (59, 41, 0)}
    example.survey(counts)
    example.decide(Verdict.COMPLETED, by=REVIEWER)
    assert example.standings() == {"长廊": S.PROPOSED, "路灯": S.NOT_SUPPORTED, "花坛": S.NOT_SUPPORTED}
    because = example.project(numbers["花坛"]).standing_because
    assert "支持率59.00%" in because
    assert "3/5" in because


def test_at_the_end_of_its_time_too_few_answers_are_no_support(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    numbers = in_survey(town, "长廊", "路灯")
    town.survey({numbers["长廊"]: (10, 0, 0), numbers["路灯"]: (9, 0, 0)})
    town.end_window()
    assert town.gate() is Gate.SCREENING
    assert town.standings() == {"长廊": S.PROPOSED, "路灯": S.NOT_SUPPORTED}
    assert "至少须10份,不足" in town.project(numbers["路灯"]).standing_because
    assert town.decisions()[-1].details["supported"] == [numbers["长廊"]]


def test_where_the_survey_only_informs_too_few_answers_throw_nobody_out(open_call_town: OpenCallTown) -> None:
    town = open_call_town(LINPING)
    numbers = in_survey(town, "长廊", "路灯")
    town.survey({numbers["长廊"]: (18, 1, 1), numbers["路灯"]: (3, 1, 0)})
    town.end_window()
    assert (town.gate(), set(town.standings().values())) == (Gate.SCREENING, {S.PROPOSED})
    few = "收到意见4份,赞成3份、反对1份、无所谓0份;至少须20份,不足"
    assert town.project(numbers["路灯"]).standing_because == f"{few},调研仅供评审参考,进入筛选"
    assert town.project(numbers["长廊"]).standing_because == ""
    assert town.decisions()[-1].details["supported"] == list(numbers.values())
    asked = [
        each.context["facts"] for each in town.entries("task_waiting") if each.context["gate"] == Gate.SCREENING.label
    ]
    scoring = [facts for facts in asked if facts[0].startswith("评分标准")]
    assert scoring
    for facts in scoring:
        assert facts[-1].endswith(few)
        assert facts[-2].endswith("支持率90.00%;供评审参考")


def test_a_survey_that_time_ends_is_reported_to_the_head_of_the_office(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    in_survey(town, "长廊", "路灯")
    town.end_window()
    (letter,) = town.entries("escalation")
    assert (letter.to_name, letter.context["gate"]) == ("丁主任", Gate.SURVEY.label)
    (ended,) = [each for each in town.decisions() if each.work_item.gate is Gate.SURVEY]
    assert ended.verdict is Verdict.ENDED


def test_a_survey_that_is_completed_in_time_is_reported_to_nobody(linping: CallTown) -> None:
    numbers = in_survey(linping)
    linping.survey(dict.fromkeys(numbers.values(), (20, 0, 0)), complete=True)
    assert linping.entries("escalation") == []


def test_without_a_bound_the_share_is_only_told(linping: CallTown) -> None:
    numbers = in_survey(linping)
    linping.survey(dict.fromkeys(numbers.values(), (1, 19, 0)), complete=True)
    assert set(linping.standings().values()) == {S.PROPOSED}


@pytest.mark.parametrize(
    ("counts", "changes", "message"),
    [
        ({"无此项目": (1, 0, 0)}, {}, "没有项目“无此项目”"),
        ({"长廊": (0, 0, 0)}, {}, "份数全为0"),
        ({"长廊": (1, 0, 0)}, {"channel": ""}, "没有填写调研方式"),
        ({"长廊": (1, 0, 0)}, {"held_on": "2026-03-30"}, "2026年3月30日还没有到"),
        ({"长廊": (1, 0, 0)}, {"by": "P010"}, "无权办理"),
        ({}, {}, "没有填写任何项目"),
        ({"撤了的": (1, 0, 0)}, {}, r"撤了的.*已撤回.*不再参加遴选"),
    ],
)
def test_a_faulty_entry_of_a_survey_is_refused(
    example: CallTown, counts: dict[str, tuple[int, int, int]], changes: dict[str, Any], message: str
) -> None:
    example.open_call()
    example.propose("长廊")
    example.take_back(example.propose("撤了的"))
    example.end_window()
    with pytest.raises(Refused, match=message):
        example.survey(counts, **changes)
    assert example.project(example.titled("长廊")).in_favour == 0


def test_a_survey_sheet_counts_once_and_names_its_faults(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    numbers = in_survey(town, "长廊", "路灯")
    heads = ["项目编号", "赞成", "反对", "无所谓"]
    folder = sheet(town, heads, [[numbers["长廊"], 8, 1, None], [numbers["路灯"], 9, "很多", 1]], "调研.xlsx")
    with pytest.raises(Refused, match=r"第3行.*反对.*很多"):
        read_survey(folder, "调研.xlsx")
    sheet(town, heads, [[numbers["长廊"], 8, 1, None], [numbers["路灯"], 9, 0, 1]], "调研.xlsx")
    command = RecordSurvey(
        case=town.number, by=REVIEWER, channel="问卷", counts=read_survey(folder, "调研.xlsx"), complete=False
    )
    for _ in range(2):
        surveys.record_survey(town.resources, command, door=Door.SHEET, at=town.now(), key="run:1")
    assert [town.project(number).in_favour for number in numbers.values()] == [8, 9]


def test_the_same_survey_sheet_by_another_door_does_not_count_again(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    numbers = in_survey(town, "长廊")
    folder = sheet(town, ["项目编号", "赞成", "反对", "无所谓"], [[numbers["长廊"], 8, 1, None]], "调研.xlsx")
    command = RecordSurvey(case=town.number, by=REVIEWER, channel="问卷", counts=read_survey(folder, "调研.xlsx"))
    digest = sheet_key(folder, "调研.xlsx")
    surveys.record_survey(town.resources, command, door=Door.SHEET, at=town.now(), key="run:1", sheet=digest)
    with pytest.raises(Refused, match="这份调研表已登记过"):
        surveys.record_survey(town.resources, command, door=Door.SHEET, at=town.now(), sheet=digest)
    assert town.project(numbers["长廊"]).in_favour == 8


# -- points -----------------------------------------------------------------------------------------------------------


def test_completing_names_who_has_not_scored_what(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    numbers = town.to_screening(THREE)
    town.score({numbers["长廊"]: 80}, members=PANEL[:2])
    missing = town.score({numbers["路灯"]: 80}, members=PANEL[:1])
    assert any("“路灯”有1人评分,至少须2人;尚未评分:评审乙、评审丙、评审丁、评审戊" in each for each in missing)
    with pytest.raises(Refused, match=r"筛选还不能完成:.*“路灯”.*尚未评分.*“花坛”有0人评分"):
        town.screen(complete=True)
    assert set(town.standings().values()) == {S.PROPOSED}
    assert town.gate() is Gate.SCREENING


def test_points_can_be_corrected_until_the_screening_is_completed(example: CallTown) -> None:
    numbers = example.to_screening({"长廊": THREE["长廊"]})
    example.score({"长廊": 100}, members=PANEL[:2])
    example.score({"长廊": 70}, members=PANEL[:1])
    kinds = [row.kind for row in example.history() if row.kind.startswith("score")]
    assert kinds == ["score_recorded", "score_recorded", "score_changed"]
    assert example.complete_screening() == ["长廊"]
    assert Fraction(example.project(numbers["长廊"]).score) == Fraction(100 + 70, 2)
    with pytest.raises(Refused, match=r"协商筛选.*已由沈审核"):
        example.score({"长廊": 80})


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"member": "P010"}, "评分人不在本次征集的评审组内"),
        ({"points": {"受益面": 51, "可行性": 30, "节俭程度": 20}}, "“受益面”评了51分,须为0至50分"),
        ({"points": {"受益面": 50, "可行性": 30}}, "“节俭程度”没有评分"),
        ({"points": {"受益面": 50, "可行性": 30, "节俭程度": 20, "人情": 5}}, "没有“人情”这项评分标准"),
        ({"project": "无此项目"}, "没有项目“无此项目”"),
    ],
)
def test_a_faulty_score_is_refused(example: CallTown, entry: dict[str, Any], message: str) -> None:
    example.to_screening({"长廊": THREE["长廊"]})
    good = {"project": "长廊", "member": PANEL[0], "points": example.points(80)}
    with pytest.raises(Refused, match=message):
        example.screen(scores=[good | entry])
    with example.resources.database.read() as session:
        assert session.scalars(select(Score)).all() == []


def test_a_member_with_an_interest_keeps_away_and_what_was_scored_is_dropped(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    numbers = town.to_screening({"长廊": THREE["长廊"], "路灯": THREE["路灯"]})
    town.score(dict.fromkeys(numbers.values(), 80), members=PANEL[:3])
    town.screen(interests=[{"project": numbers["长廊"], "member": "评审甲", "reason": "提议人的妹妹"}])
    with pytest.raises(Refused, match="评审甲与“长廊”有利害关系,须回避"):
        town.score({numbers["长廊"]: 100}, members=["P041"])
    with pytest.raises(Refused, match="不在评审组内,无须回避"):
        town.screen(interests=[{"project": numbers["长廊"], "member": "P010", "reason": "同村"}])
    town.screen(complete=True)
    record = next(row for row in town.history() if row.kind == "screening_record")
    assert "评审甲" not in record.summary
    with town.resources.database.read() as session:
        scored = session.scalars(
            select(Score.person_id).where(Score.case_id == town.project(numbers["长廊"]).case_id).distinct()
        ).all()
    assert len(scored) == 2


def test_a_member_keeps_away_from_the_own_proposal_without_being_told(example: CallTown) -> None:
    example.open_call(panel=[*PANEL[:2], "DZD1"])
    number = example.propose("长廊", proposer="DZD1")
    example.end_window()
    example.survey({number: (20, 0, 0)}, complete=True)
    with example.resources.database.read() as session:
        (interest,) = session.scalars(select(Interest)).all()
    assert interest.reason == "评审人本人是提议人"
    with pytest.raises(Refused, match="周代表一与“长廊”有利害关系"):
        example.score({number: 100}, members=["DZD1"])
    example.score({number: 90}, members=PANEL[:2])
    assert example.complete_screening() == ["长廊"]


def test_a_panel_too_small_for_its_interests_is_filled_up(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    town.to_screening({"长廊": {}})
    away = [{"project": "长廊", "member": member, "reason": "提议人的亲属"} for member in PANEL[:-1]]
    town.screen(interests=away)
    town.score({"长廊": 90}, members=PANEL[-1:])
    with pytest.raises(Refused, match="能评分的只有1人,请增补评审"):
        town.complete_screening()
    with pytest.raises(Refused, match="登记簿中没有在职人员“P999”"):
        town.screen(joining=["P999"])
    town.screen(joining=["DLH1", "DZD1"])
    with pytest.raises(Refused, match="须回避"):
        town.score({"长廊": 90}, members=["DZD1"])
    town.score({"长廊": 90}, members=["DLH1"])
    assert town.complete_screening() == ["长廊"]
    assert sum(row.kind == "panel_joined" for row in town.history()) == 2


def test_a_sheet_of_scores_is_members_by_criteria(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    numbers = town.to_screening({"长廊": THREE["长廊"]})
    heads = ["项目编号", "评审人", "受益面", "可行性", "节俭程度"]
    rows = [[numbers["长廊"], name, 45, 27, 18] for name in ("评审甲", "P042")]
    folder = sheet(town, heads, [*rows, [numbers["长廊"], "评审丙", None, None, None]], "评分表.xlsx")
    entries = read_scores(town.resources, town.number, folder, "评分表.xlsx")
    assert len(entries) == 2, "who has not scored is passed over"
    town.screen(scores=[each.model_dump() for each in entries])
    assert town.complete_screening() == ["长廊"]
    assert Fraction(town.project(numbers["长廊"]).score) == 90

    sheet(town, heads, [[numbers["长廊"], "评审甲", 45, None, 18], [numbers["长廊"], "评审乙", "高", 1, 1]], "错.xlsx")
    with pytest.raises(Refused) as refused:
        read_scores(town.resources, town.number, folder, "错.xlsx")
    assert "第2行:“可行性”没有填分" in refused.value.reason
    assert "第3行" in refused.value.reason


# -- the meeting ------------------------------------------------------------------------------------------------------


def test_the_roll_is_frozen_from_the_registry_when_the_gate_opens(open_call_town: OpenCallTown) -> None:
    town = open_call_town(LINPING)
    town.to_screening({"长廊": THREE["长廊"]})
    for code in REPRESENTATIVES[:3]:
        town.end_role(code, date(2022, 5, 1))
    assert any("表决会议应到9人" in row.summary for row in town.history())
    town.screen(present=list(REPRESENTATIVES[:6]))
    with pytest.raises(Refused, match=r"评审甲\(P041\)不在应到名单内,列席人员不签到"):
        town.screen(present=["P041"])


def test_a_vote_needs_the_quorum_and_a_sign_in_is_no_vote(open_call_town: OpenCallTown) -> None:
    town = open_call_town(LINPING)
    numbers = town.to_screening({"长廊": THREE["长廊"], "路灯": THREE["路灯"]})
    vote = {"project": numbers["长廊"], "in_favour": 5}
    with pytest.raises(Refused, match="应到9人,实到5人,须到6人"):
        town.screen(present=list(REPRESENTATIVES[:5]), votes=[vote])
    with town.resources.database.read() as session:
        assert session.scalars(select(MeetingVote)).all() == []
    town.score(dict.fromkeys(numbers.values(), 90))
    town.screen(present=list(REPRESENTATIVES[:6]))
    with pytest.raises(Refused, match=r"长廊.*没有表决结果;签到不等于表决.*路灯.*没有表决结果"):
        town.screen(complete=True)
    with pytest.raises(Refused, match="合计7票,多于实到6人"):
        town.screen(votes=[{"project": numbers["长廊"], "in_favour": 5, "against": 1, "abstained": 1}])
    town.screen(votes=[vote, {"project": numbers["路灯"], "in_favour": 4, "against": 2}])
    assert town.complete_screening() == ["长廊"], "more than half of all nine: five carry, four do not"
    assert town.standings()["路灯"] is S.NOT_CARRIED
    assert "全体过半数须5票,未通过" in town.project(numbers["路灯"]).standing_because


def test_a_sign_in_that_is_struck_may_break_the_quorum(linping: CallTown) -> None:
    numbers = linping.to_screening({"长廊": THREE["长廊"]})
    linping.score(dict.fromkeys(numbers.values(), 90))
    linping.meet({numbers["长廊"]: (6, 0, 0)}, present=REPRESENTATIVES[:6])
    linping.screen(absent=[REPRESENTATIVES[0]])
    with pytest.raises(Refused, match="多于实到5人"):
        linping.screen(complete=True)


def test_what_the_meeting_did_not_carry_needs_no_points(linping: CallTown) -> None:
    numbers = linping.to_screening({"长廊": THREE["长廊"], "路灯": THREE["路灯"]})
    linping.meet({numbers["长廊"]: (9, 0, 0), numbers["路灯"]: (4, 5, 0)})
    linping.score({numbers["长廊"]: 70})
    assert linping.complete_screening() == ["长廊"]
    assert linping.project(numbers["路灯"]).score == ""


def test_without_a_meeting_in_the_edition_nobody_votes(example: CallTown) -> None:
    numbers = example.to_screening({"长廊": THREE["长廊"]})
    with pytest.raises(Refused, match="不经会议表决"):
        example.screen(votes=[{"project": numbers["长廊"], "in_favour": 1}])


# -- the result -------------------------------------------------------------------------------------------------------


def test_each_proposal_gets_its_own_verdict_with_the_worked_reason(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    titles: dict[str, dict[str, Any]] = {
        **THREE,
        "书屋": {"proposer": "DZD2", "amount_yuan": "8000"},
        "凉亭": {"proposer": "DLH2", "village": "LH", "amount_yuan": "1000"},
        "步道": {"proposer": "DQD2", "village": "QD", "amount_yuan": "500"},
    }
    numbers = town.to_screening(titles)
    town.score({"长廊": 100, "路灯": 90, "花坛": 60, "书屋": 80, "凉亭": 90, "步道": 70})
    assert town.complete_screening() == ["长廊", "凉亭", "路灯"], "of two with the same points the cheaper one is first"
    assert town.standings() == {
        "长廊": S.SELECTED,
        "路灯": S.SELECTED,
        "花坛": S.BELOW_PASS,
        "书屋": S.OVER_BUDGET,
        "凉亭": S.SELECTED,
        "步道": S.OVER_BUDGET,
    }
    because = {title: town.project(number).standing_because for title, number in numbers.items()}
    assert "与“路灯”同为90.00分,申请金额少者优先:申请1,000.00元少于2,500.00元" in because["凉亭"]
    assert "须达到70分,未达到" in because["花坛"]
    assert "申请8,000.00元,超过剩余预算3,500.00元" in because["书屋"]
    assert "按规则到此为止" in because["步道"], "this edition stops at the first that does not fit"
    ranks = {title: town.project(number).rank for title, number in numbers.items()}
    assert ranks == {"长廊": 1, "凉亭": 2, "路灯": 3, "书屋": 4, "步道": 5, "花坛": None}
    (decision,) = [each for each in town.decisions() if each.work_item.gate is Gate.SCREENING]
    assert [each["place"] for each in decision.details["ranking"]] == [1, 2, 3, 4, 5]


def test_where_the_edition_skips_a_smaller_one_behind_still_fits(call_town_on_sqlite: OpenCallTown) -> None:
    town = call_town_on_sqlite(variant(EXAMPLE, "skip-micro-2026", ("over_budget: stop", "over_budget: skip")))
    town.to_screening(
        {"长廊": {"amount_yuan": "9000"}, "书屋": {"amount_yuan": "8000"}, "步道": {"amount_yuan": "500"}}
    )
    town.score({"长廊": 100, "书屋": 90, "步道": 80})
    assert town.complete_screening() == ["长廊", "步道"]


def test_who_withdraws_during_the_screening_takes_no_part(example: CallTown) -> None:
    numbers = example.to_screening({"长廊": THREE["长廊"], "路灯": THREE["路灯"]})
    example.take_back(numbers["路灯"], by="DLH1")
    with pytest.raises(Refused, match="已撤回"):
        example.score({numbers["路灯"]: 90})
    example.score({numbers["长廊"]: 90})
    assert example.complete_screening() == ["长廊"]


def test_the_screening_is_completed_by_its_own_command_only(example: CallTown) -> None:
    example.to_screening({"长廊": THREE["长廊"]})
    with pytest.raises(Refused, match="勾选“完成筛选”"):
        example.decide(Verdict.COMPLETED, by=REVIEWER)
    with pytest.raises(Refused, match="没有填写评分、回避、签到或表决结果"):
        example.screen()


def test_of_two_who_complete_a_screening_at_once_the_slower_is_told(open_call_town: OpenCallTown) -> None:
    town = open_call_town(EXAMPLE)
    numbers = town.to_screening({"长廊": THREE["长廊"]})
    town.score({numbers["长廊"]: 90})
    start, told = threading.Barrier(2), list[str]()

    def complete(by: str) -> None:
        start.wait()
        try:
            screenings.screen(
                town.resources, Screen(case=town.number, by=by, complete=True), door=Door.CLI, at=town.now()
            )
        except Refused as refusal:
            told.append(refusal.reason)

    threads = [threading.Thread(target=complete, args=(by,)) for by in (REVIEWER, SECOND_REVIEWER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1
    assert "的“协商筛选”已由" in told[0]
    assert [row.kind for row in town.history()].count("screening_record") == 1


def test_panel_and_office_are_asked_by_letter(example: CallTown) -> None:
    example.to_screening({"长廊": THREE["长廊"]})
    asked = example.told("task_waiting")
    assert asked[-5:] == ["评审甲", "评审乙", "评审丙", "评审丁", "评审戊"]
    assert "沈审核" in asked
    assert at("2026-03-28 00:00") <= example.now()
