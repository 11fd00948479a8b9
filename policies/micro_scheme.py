"""The scheme of residents' micro-projects (微项目): what their lifecycle asks of an edition (D2-R8…R13)."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field, StrictBool, model_validator

from policies.sections import (
    Code,
    Count,
    GatePolicy,
    Name,
    Positive,
    ReturnLimit,
    Section,
    Share,
    Sourced,
    Timing,
    Urging,
    Window,
    twice,
)
from policies.vocabulary import (
    DayUnit,
    EvaluationPanel,
    Gate,
    MajorityOf,
    MissingPanel,
    OverBudget,
    Role,
    SourceKind,
    TieBreak,
    Verdict,
)


class ProjectKind(Sourced):
    """A kind of micro-project (D2-R8)."""

    code: Code
    name: Name
    ceiling_yuan: Positive | None = None
    """The most that one project of this kind may ask for, whole yuan; null: the scheme's ceiling."""


class Ceiling(Sourced):
    """The most that one project may ask for."""

    amount_yuan: Positive


class Prohibited(Sourced):
    """What no project may be for."""

    code: Code
    name: Name
    words: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Words in a proposal's title, content or budget that show it."""


class Proposers(Sourced):
    """Who may propose."""

    roles: tuple[Role, ...] = ()
    """Holders of one of these roles in the call's area; empty: everybody in the register."""


class CallRule(Sourced):
    """How long a call stands open, calendar days, both bounds included."""

    days_at_least: Positive
    days_at_most: Positive

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.days_at_least > self.days_at_most:
            raise ValueError("征集期的下限不得大于上限")
        return self


class SurveyRule(Sourced):
    """The survey of opinion (社情民意调研) on each proposal (D2-R9)."""

    answers_at_least: Count
    """Answers that each proposal needs."""
    support_at_least: Share | None = None
    """Share of the answers in favour that a proposal needs to be screened; null: the survey only informs the panel."""


class Criterion(Sourced):
    """What a panel scores a proposal by."""

    code: Code
    name: Name
    points_at_most: Positive
    weight: Share


class Scoring(Sourced):
    """How a panel scores (D2-R9, D2-R11)."""

    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    members_at_least: Positive
    """Members of the panel of a call."""
    scores_at_least: Positive
    """Members that must have scored a proposal, those with an interest in it not counted."""
    pass_at_least: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    """Weighted points out of 100 that a proposal needs; null: none."""

    @model_validator(mode="after")
    def _weighed(self) -> Self:
        whole(each.weight for each in self.criteria)
        if codes := twice(each.code for each in self.criteria):
            raise ValueError(f"criteria 的代码重复:{'、'.join(codes)}")
        if self.scores_at_least > self.members_at_least:
            raise ValueError(f"每个项目至少{self.scores_at_least}人评分,而评审组至少只有{self.members_at_least}人")
        return self


class VoteRule(Sourced):
    """A meeting's vote (D2-R1, D2-R5): the quorum, and the majority that carries a project."""

    quorum: Share
    """Share of those entitled who must be present, the share itself included (三分之二以上)."""
    majority: Share
    """The share of votes in favour."""
    majority_of: MajorityOf
    """Of whom."""
    more_than: StrictBool
    """Whether the votes must exceed the share (过半数) or may equal it (以上)."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.more_than and self.majority == 1:
            raise ValueError("赞成票不可能超过全部:majority 为 1/1 时 more_than 须为 false")
        return self


class Screening(Sourced):
    """How proposals are selected (遴选): scored by a panel, voted by a meeting, or both (D2-R9)."""

    scoring: Scoring
    meeting: VoteRule | None = None
    ties: Annotated[tuple[TieBreak, ...], Field(min_length=1)]
    """What decides between equal scores, in this order."""
    over_budget: OverBudget
    """What happens at the first proposal that no longer fits into the budget."""

    @model_validator(mode="after")
    def _ties_end(self) -> Self:
        if len(set(self.ties)) != len(self.ties) or self.ties[-1] is not TieBreak.EARLIER:
            raise ValueError("ties 不得重复,且最后一条须为 earlier(申报在先),否则可能分不出先后")
        return self


class PlanRule(Sourced):
    """What a refined plan must have (D2-R9: content, steps, budget, expected benefit)."""

    milestones_at_least: Positive
    days_at_most: Positive
    """Calendar days from the day the plan is handed in to its last milestone."""


class FundSource(Sourced):
    """From where a programme's money comes (D2-R13)."""

    kind: SourceKind
    name: Name
    amount_yuan: Positive | None = None
    """The most from this source for one programme; null: without limit."""


class BudgetCategory(Sourced):
    """What a project's money may be spent on."""

    code: Code
    name: Name
    share_at_most: Share | None = None
    """The most of a project's budget; null: without limit."""


class Funds(Section):
    """The dedicated money of a programme (D0-R15, D2-R13)."""

    sources: Annotated[tuple[FundSource, ...], Field(min_length=1)]
    categories: Annotated[tuple[BudgetCategory, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if codes := twice(each.kind.value for each in self.sources) + twice(each.code for each in self.categories):
            raise ValueError(f"funds 的代码重复:{'、'.join(codes)}")
        return self

    @model_validator(mode="after")
    def _all_can_be_spent(self) -> Self:
        caps = [each.share_at_most for each in self.categories if each.share_at_most is not None]
        if len(caps) == len(self.categories) and (total := sum(caps, Fraction(0))) < 1:
            raise ValueError(f"每一类都有上限,合计只有 {total},预算不可能编满:须放宽上限或增加一类不设上限的用途")
        return self


class PanelWeight(Sourced):
    """How much one side's evaluation counts (D2-R11)."""

    panel: EvaluationPanel
    weight: Share
    answers_at_least: Positive
    """Answers or members without which this side counts as missing."""


class Grade(Sourced):
    """The word for a result."""

    code: Code
    name: Name
    at_least: Annotated[int, Field(strict=True, ge=0, le=100)]
    """Points out of 100, included."""


class Evaluation(Section):
    """How a finished project is evaluated (D2-R11)."""

    panels: Annotated[tuple[PanelWeight, ...], Field(min_length=1)]
    missing: MissingPanel
    grades: Annotated[tuple[Grade, ...], Field(min_length=1)]
    """From the best down; the last one starts at 0."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        whole(each.weight for each in self.panels)
        if codes := twice(each.panel.value for each in self.panels) + twice(each.code for each in self.grades):
            raise ValueError(f"evaluation 的代码重复:{'、'.join(codes)}")
        bounds = [each.at_least for each in self.grades]
        if bounds != sorted(set(bounds), reverse=True) or bounds[-1] != 0:
            raise ValueError("grades 须从高到低排列且不重复,最后一级从0分起")
        return self


def whole(weights: Iterable[Fraction]) -> None:
    """Refuse weights that do not make one whole, exactly."""
    if (total := sum(weights, Fraction(0))) != 1:
        raise ValueError(f"各项权重之和须恰为 1,现为 {total}")


class MicroGates(Section):
    """The gates of a call and of its projects, in their order."""

    call_window: Window
    """Open until the day that the call names; `due` is the length when it names none."""
    survey: GatePolicy | None = None
    """Closed by the office when the answers suffice, or by the end of its time: then the office head hears of it."""
    screening: GatePolicy
    selection_notice: Timing
    projects: Timing
    self_check: GatePolicy
    selection: Timing
    plan: GatePolicy
    plan_review: GatePolicy
    funding: GatePolicy
    milestone: GatePolicy
    """Due on the day that the plan names."""
    acceptance: GatePolicy
    evaluation: GatePolicy
    settlement: GatePolicy
    undelivered_letter: GatePolicy

    @model_validator(mode="after")
    def _lapses_fit(self) -> Self:
        allowed = {Gate.CALL_WINDOW: Verdict.ENDED, Gate.SURVEY: Verdict.ENDED, Gate.PLAN: Verdict.ABANDONED}
        for name in type(self).model_fields:
            timing: Timing | None = getattr(self, name)
            if timing is None or timing.lapse is None:
                continue
            if timing.lapse.verdict is not allowed.get(Gate(name)):
                raise ValueError(f"{name} 不能因期限届满而作出“{timing.lapse.verdict.label}”")
        return self


class MicroProjectScheme(Section):
    """Everything the micro-project lifecycle asks of an edition."""

    call_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    """Letters before a call's number."""
    project_prefix: Annotated[str, Field(pattern=r"^[A-Z]{2,5}$")]
    """Letters before a project's number."""
    kinds: Annotated[tuple[ProjectKind, ...], Field(min_length=1)]
    ceiling: Ceiling
    prohibited: tuple[Prohibited, ...] = ()
    proposers: Proposers
    call: CallRule
    survey: SurveyRule | None = None
    screening: Screening
    plan: PlanRule
    funds: Funds
    evaluation: Evaluation
    gates: MicroGates
    returns: ReturnLimit
    urging: Urging

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.survey is None) != (self.gates.survey is None):
            raise ValueError("survey(调研)与 gates.survey(调研环节)须同时有或同时无")
        if TieBreak.SUPPORT in self.screening.ties and self.survey is None:
            raise ValueError("没有调研就没有支持率,ties 不能写 support")
        window = self.gates.call_window.due
        if (
            window.unit is DayUnit.CALENDAR_DAYS
            and not self.call.days_at_least <= window.days <= self.call.days_at_most
        ):
            raise ValueError(
                f"gates.call_window 为{window.days}日,"
                f"不在 call 的{self.call.days_at_least}至{self.call.days_at_most}日之内"
            )
        if self.call_prefix == self.project_prefix:
            raise ValueError("call_prefix 与 project_prefix 不得相同")
        codes = twice(each.code for each in self.kinds) + twice(each.code for each in self.prohibited)
        if codes:
            raise ValueError(f"kinds、prohibited 的代码重复:{'、'.join(codes)}")
        return self

    def ceiling_of(self, kind: ProjectKind) -> tuple[int, str]:
        """Return the most a project of `kind` may ask for, in fen, and the clause that says so."""
        if kind.ceiling_yuan is not None:
            return kind.ceiling_yuan * 100, kind.where
        return self.ceiling.amount_yuan * 100, self.ceiling.where
