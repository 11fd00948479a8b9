"""The editions of micro-projects say what their texts say; a second one differs in every number, not in code."""

import json
from datetime import date
from fractions import Fraction

import pytest
import yaml

from policies.edition import Edition
from policies.errors import BadPolicy
from policies.load import EDITIONS, faults_of, load_edition, parse_edition
from policies.sections import Lapse
from policies.vocabulary import (
    DayUnit,
    EvaluationPanel,
    Gate,
    MajorityOf,
    MissingPanel,
    ObjectionChannel,
    OverBudget,
    Role,
    SourceKind,
    TieBreak,
    Verdict,
)

NAMES = ["example-micro-2026", "linping-2022"]


def edition(name: str) -> Edition:
    return load_edition(EDITIONS / f"{name}.yaml").edition


class TestLinping:
    """D2, 临平区“微自治”, draft of 2022-03-04."""

    loaded = edition("linping-2022")
    scheme = loaded.for_projects
    notices = loaded.for_notices

    def test_it_stands_from_the_day_of_its_notice_open_ended(self) -> None:
        span = self.loaded.in_force
        assert (span.from_, span.until, span.where) == (date(2022, 3, 4), None, "default")
        assert self.loaded.source_document == "002_786b7810064f9ed9.txt"

    def test_d2_r1_two_thirds_present_and_more_than_half_of_all(self) -> None:
        meeting = self.scheme.screening.meeting
        assert meeting is not None
        assert (meeting.quorum, meeting.majority, meeting.majority_of, meeting.more_than, meeting.clause) == (
            Fraction(2, 3),
            Fraction(1, 2),
            MajorityOf.ENTITLED,
            True,
            "二、(一)2",
        )

    def test_d2_r8_six_kinds(self) -> None:
        assert [kind.name for kind in self.scheme.kinds] == [
            "普惠公益",
            "生活关爱",
            "社会创新",
            "文体娱乐",
            "安全保障",
            "环境整治",
        ]
        assert {kind.clause for kind in self.scheme.kinds} == {"三、(二)3(1)"}

    def test_d2_r8_all_kinds_share_one_ceiling_which_the_text_does_not_say(self) -> None:
        assert {self.scheme.ceiling_of(kind) for kind in self.scheme.kinds} == {(1_000_000, "default")}

    def test_d2_r10_the_notice_of_ten_calendar_days_without_the_first(self) -> None:
        period = self.notices.gates.notice_period
        due = period.due
        assert (due.days, due.unit, due.start_counted, due.clause) == (10, DayUnit.CALENDAR_DAYS, False, "公告")
        assert set(self.notices.channels) == set(ObjectionChannel)
        review = self.notices.gates.objection_review.due
        assert (review.days, review.unit, review.where) == (5, DayUnit.WORKING_DAYS, "default")

    def test_d2_r11_residents_experts_and_a_third_party(self) -> None:
        evaluation = self.scheme.evaluation
        assert {each.panel for each in evaluation.panels} == set(EvaluationPanel)
        assert {each.where for each in evaluation.panels} == {"default"}, "the text names the sides, not their weights"
        assert evaluation.missing is MissingPanel.REDISTRIBUTE

    def test_d2_r13_thirty_thousand_yuan_a_pilot_and_the_town_may_match(self) -> None:
        sources = {each.kind: (each.amount_yuan, each.clause) for each in self.scheme.funds.sources}
        assert sources == {
            SourceKind.GRANT: (30_000, "三、(二)3(3)"),
            SourceKind.MATCH: (None, "三、(二)3(3)"),
            SourceKind.DONATION: (None, "四、(二)"),
        }

    def test_every_resident_may_propose(self) -> None:
        assert (self.scheme.proposers.roles, self.scheme.proposers.clause) == ((), "二、(三)3")


class TestExample:
    """An invented town that differs from Linping wherever an edition can."""

    loaded = edition("example-micro-2026")
    scheme = loaded.for_projects

    def test_every_value_is_ours(self) -> None:
        assert "clause:" not in (EDITIONS / "example-micro-2026.yaml").read_text(encoding="utf-8")

    def test_the_ceiling_depends_on_the_kind(self) -> None:
        assert [self.scheme.ceiling_of(kind)[0] for kind in self.scheme.kinds] == [
            500_000,
            2_000_000,
            800_000,
            300_000,  # without its own: the scheme's
        ]

    def test_it_prohibits_asks_for_support_and_has_no_meeting(self) -> None:
        assert [item.code for item in self.scheme.prohibited] == ["for_profit", "building", "pay"]
        assert self.scheme.survey is not None
        assert self.scheme.survey.support_at_least == Fraction(3, 5)
        assert self.scheme.screening.meeting is None
        assert self.scheme.proposers.roles == (Role.REPRESENTATIVE, Role.GROUP_HEAD, Role.LIAISON)

    def test_its_notice_counts_five_working_days_and_the_first_of_them(self) -> None:
        due = self.loaded.for_notices.gates.notice_period.due
        assert (due.days, due.unit, due.start_counted) == (5, DayUnit.WORKING_DAYS, True)

    def test_it_differs_from_linping_in_every_choice(self) -> None:
        other = edition("linping-2022").for_projects
        for ours, theirs in (
            (self.scheme.screening.over_budget, other.screening.over_budget),
            (self.scheme.screening.ties, other.screening.ties),
            (self.scheme.screening.scoring, other.screening.scoring),
            (self.scheme.evaluation.missing, other.evaluation.missing),
            (self.scheme.evaluation.panels, other.evaluation.panels),
            (self.scheme.plan, other.plan),
            (self.scheme.funds.categories, other.funds.categories),
            (self.scheme.returns, other.returns),
            (self.loaded.for_notices.prolonging, edition("linping-2022").for_notices.prolonging),
        ):
            assert ours != theirs
        assert self.scheme.screening.over_budget is OverBudget.STOP
        assert self.scheme.screening.ties[0] is TieBreak.SMALLER_AMOUNT


@pytest.mark.parametrize("name", NAMES)
def test_only_windows_and_notices_end_by_themselves(name: str) -> None:
    loaded = edition(name)
    lapses: dict[Gate, Lapse] = {}
    for gate in Gate:
        try:
            timing = loaded.timing(gate)
        except KeyError:
            continue
        if timing.lapse is not None:
            lapses[gate] = timing.lapse
    assert {gate: lapse.verdict for gate, lapse in lapses.items()} == {
        Gate.CALL_WINDOW: Verdict.ENDED,
        Gate.SURVEY: Verdict.ENDED,
        Gate.NOTICE_PERIOD: Verdict.ENDED,
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_gate_that_waits_for_another_case_reminds_nobody(name: str) -> None:
    for gate in (Gate.SELECTION_NOTICE, Gate.PROJECTS, Gate.SELECTION):
        timing = edition(name).timing(gate)
        assert (timing.remind, timing.escalate, timing.lapse) == (None, None, None)


def test_an_edition_of_projects_has_no_sites_and_the_other_way_round() -> None:
    with pytest.raises(LookupError, match="linping-2022 says nothing of sites"):
        _ = edition("linping-2022").for_sites
    for ask in ("for_projects", "for_notices"):
        with pytest.raises(LookupError, match="xuhang-2013 says nothing of"):
            getattr(edition("xuhang-2013"), ask)


GOOD = (EDITIONS / "linping-2022.yaml").read_text(encoding="utf-8")

# what was changed, to what: path of the fault, words of the reason
FAULTS: dict[str, tuple[str, str, str, str]] = {
    "weights of criteria that are no whole": (
        'weight: "35/100"',
        'weight: "36/100"',
        "micro_project.screening.scoring",
        "权重之和须恰为 1,现为 101/100",
    ),
    "weights of sides that are no whole": (
        'weight: "40/100"',
        'weight: "39/100"',
        "micro_project.evaluation",
        "权重之和须恰为 1,现为 99/100",
    ),
    "a criterion written twice": (
        "code: feasibility",
        "code: demand",
        "micro_project.screening.scoring",
        "criteria 的代码重复:demand",
    ),
    "more scores than members": (
        "scores_at_least: 3",
        "scores_at_least: 6",
        "micro_project.screening.scoring",
        "每个项目至少6人评分,而评审组至少只有5人",
    ),
    "a bound above all points": (
        "pass_at_least: 60",
        "pass_at_least: 101",
        "micro_project.screening.scoring.pass_at_least",
        "不得大于100",
    ),
    "a majority that nobody can exceed": (
        'majority: "1/2"',
        'majority: "1/1"',
        "micro_project.screening.meeting",
        "赞成票不可能超过全部",
    ),
    "ties that may not end": (
        "ties: [support, smaller_amount, earlier]",
        "ties: [earlier, support]",
        "micro_project.screening",
        "最后一条须为 earlier",
    ),
    "a tie rule written twice": (
        "ties: [support, smaller_amount, earlier]",
        "ties: [earlier, support, earlier]",
        "micro_project.screening",
        "不得重复",
    ),
    "a kind written twice": (
        "code: safety",
        "code: environment",
        "micro_project",
        "kinds、prohibited 的代码重复:environment",
    ),
    "a source written twice": (
        "kind: donation",
        "kind: grant",
        "micro_project.funds",
        "funds 的代码重复:grant",
    ),
    "grades out of order": (
        "at_least: 90",
        "at_least: 70",
        "micro_project.evaluation",
        "从高到低",
    ),
    "a last grade above nothing": (
        "        at_least: 0\n",
        "        at_least: 1\n",
        "micro_project.evaluation",
        "最后一级从0分起",
    ),
    "call bounds the wrong way round": (
        "days_at_least: 7",
        "days_at_least: 61",
        "micro_project.call",
        "征集期的下限不得大于上限",
    ),
    "a usual call outside its bounds": (
        "due: {days: 30, unit: calendar_days, source: default}\n      remind: {days_before: [7, 3, 1]",
        "due: {days: 61, unit: calendar_days, source: default}\n      remind: {days_before: [7, 3, 1]",
        "micro_project",
        "gates.call_window 为61日,不在 call 的7至60日之内",
    ),
    "one prefix for both": (
        "project_prefix: LPX",
        "project_prefix: LPZ",
        "micro_project",
        "不得相同",
    ),
    "an escalation where time decides": (
        "      lapse: {verdict: ended, source: default}\n    survey:",
        "      escalate: {to: office_head, after_days: 0, source: default}\n"
        "      lapse: {verdict: ended, source: default}\n    survey:",
        "micro_project.gates.call_window",
        "不能写 escalate",
    ),
    "a survey whose end is told to nobody": (
        "      escalate: {to: office_head, after_days: 0, source: default}\n"
        "      lapse: {verdict: ended, source: default}\n    screening:",
        "      lapse: {verdict: ended, source: default}\n    screening:",
        "micro_project.gates.survey.escalate",
        "缺少此项",
    ),
    "a survey reported after it ended": (
        "      escalate: {to: office_head, after_days: 0, source: default}\n"
        "      lapse: {verdict: ended, source: default}\n    screening:",
        "      escalate: {to: office_head, after_days: 1, source: default}\n"
        "      lapse: {verdict: ended, source: default}\n    screening:",
        "micro_project.gates.survey",
        "escalate.after_days 须为 0",
    ),
    "a call that ends otherwise": (
        "      lapse: {verdict: ended, source: default}\n    survey:",
        "      lapse: {verdict: lapsed, source: default}\n    survey:",
        "micro_project.gates",
        "call_window 不能因期限届满而作出“逾期”",
    ),
    "a notice that clears itself whatever was objected": (
        "lapse: {verdict: ended, clause: 公告}",
        "lapse: {verdict: cleared, clause: 公告}",
        "notices.gates",
        "期满只能是“期满结束”",
    ),
    "a notice that does not say how its first day counts": (
        "start_counted: false, ",
        "",
        "notices.gates.notice_period.due.start_counted",
        "缺少此项",
    ),
    "a notice that reminds on its first day": (
        "start_counted: false, clause: 公告}\n      remind: {days_before: [2]",
        "start_counted: true, clause: 公告}\n      remind: {days_before: [9]",
        "notices.gates.notice_period",
        "就是公布当天",
    ),
    "a reminder before the notice": (
        "remind: {days_before: [2], source: default}",
        "remind: {days_before: [10], source: default}",
        "notices.gates.notice_period",
        "提醒须早于期限",
    ),
    "an unknown channel": (
        "channels: [written, phone, visit, online]",
        "channels: [written, rumour]",
        "notices.channels[1]",
        "written、phone、visit、online",
    ),
    "no notices at all": ("notices:\n", "notices: null\nnotes:\n", "notes", "未知的键"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_policy_of_projects_is_refused_for(what: str) -> None:
    old, new, path, words = FAULTS[what]
    faults = refused(GOOD.replace(old, new, 1), changed=old)
    assert any(fault.path == path and words in fault.reason for fault in faults), [
        (fault.path, fault.reason) for fault in faults
    ]


def refused(text: str, *, changed: str) -> tuple[BadPolicy, ...]:
    assert changed in GOOD
    with pytest.raises(BadPolicy) as caught:
        parse_edition(text.encode(), "linping-2022.yaml")
    return faults_of(caught.value)


def without(*path: str) -> bytes:
    """Return Linping's text without one section, dotted path of keys."""
    document = yaml.safe_load(GOOD)
    here = document
    for key in path[:-1]:
        here = here[key]
    del here[path[-1]]
    return written(document)


def written(document: object) -> bytes:
    # JSON is YAML with every text in quotes, which shares need and the one date must not have.
    return json.dumps(document, default=str).replace('"2022-03-04"', "2022-03-04").encode()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (["notices"], "微项目须公示:请写 notices"),
        (["micro_project"], "site(客堂间)或 micro_project(微项目),二者取一"),
        (["micro_project", "survey"], "survey(调研)与 gates.survey(调研环节)须同时有或同时无"),
        (["micro_project", "gates", "survey"], "survey(调研)与 gates.survey(调研环节)须同时有或同时无"),
    ],
)
def test_parts_that_belong_together_are_missed(path: list[str], words: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        parse_edition(without(*path), "linping-2022.yaml")
    assert any(words in fault.reason for fault in faults_of(caught.value))


def test_without_a_survey_support_can_not_break_ties() -> None:
    document = yaml.safe_load(GOOD)
    del document["micro_project"]["survey"], document["micro_project"]["gates"]["survey"]
    with pytest.raises(BadPolicy, match="没有调研就没有支持率"):
        parse_edition(written(document), "linping-2022.yaml")
    document["micro_project"]["screening"]["ties"] = ["smaller_amount", "earlier"]
    loaded = parse_edition(written(document), "linping-2022.yaml")
    assert loaded.edition.for_projects.survey is None


def test_caps_that_leave_money_no_line_may_hold_are_refused() -> None:
    document = yaml.safe_load(GOOD)
    categories = document["micro_project"]["funds"]["categories"]
    for each, share in zip(categories, ("1/4", "1/4", "1/4", "1/5"), strict=True):
        each["share_at_most"] = share
    with pytest.raises(BadPolicy, match="合计只有 19/20"):
        parse_edition(written(document), "linping-2022.yaml")
    categories[3]["share_at_most"] = "1/4"
    parse_edition(written(document), "linping-2022.yaml")
