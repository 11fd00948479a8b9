"""
Whether an application meets the standards of its edition (D0-R1…R3, D1-R1).

Used when an application is filed, corrected and reviewed. Every finding is told, refusals and warnings apart; what a
finding leads to is the policy's word (`Firmness`), not this module's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from policies.errors import Refused
from policies.site_scheme import (
    AreaStandard,
    ConfirmationStandard,
    CountStandard,
    FacilityStandard,
    LeaderRule,
    SiteScheme,
    Standard,
)
from policies.vocabulary import Facility, Firmness, LeaderSource


@dataclass(frozen=True)
class PlaceFacts:
    """What an application, or a move, says about the room and who helps in it."""

    volunteers: int
    """Volunteers, count, >= 0."""
    area_square_metres: Decimal
    """Activity space in square metres, >= 0."""
    facilities: frozenset[Facility]
    """What the room is fitted with."""
    confirmations: frozenset[str]
    """Codes of the confirmation standards that the applicant confirms."""

    def __post_init__(self) -> None:
        if self.volunteers < 0:
            raise Refused("default", f"志愿者人数不能是{self.volunteers},请填写0或正整数")
        if not self.area_square_metres.is_finite() or self.area_square_metres < 0:
            raise Refused("default", f"活动空间面积不能是{self.area_square_metres},请填写以平方米计的数")


@dataclass(frozen=True)
class ApplicationFacts(PlaceFacts):
    """What an application says about the people and the room."""

    leader_source: LeaderSource
    """From where the leader comes."""
    recommended_by: str
    """The organisation that recommends the leader; empty when none does."""
    leader_agrees: bool
    """Whether the leader agrees to lead."""


@dataclass(frozen=True)
class Finding:
    """A standard that is not met."""

    code: str
    """Code of the standard, or ``leader_…`` for the leader's three requirements."""
    name: str
    firmness: Firmness
    message: str
    """Chinese, with the value, the bound and what to do next."""
    where: str
    """The clause, or ``default``."""


def examine(facts: ApplicationFacts, scheme: SiteScheme) -> tuple[Finding, ...]:
    """
    Hold an application against the leader's rule and every standard of `scheme`; an empty result meets them all.

    Source: D0-R1, D0-R2, D0-R3, D1-R1.
    """
    leader = examine_leader(
        scheme.leader, source=facts.leader_source, recommended_by=facts.recommended_by, agrees=facts.leader_agrees
    )
    return (*leader, *examine_place(facts, scheme))


def examine_place(facts: PlaceFacts, scheme: SiteScheme) -> tuple[Finding, ...]:
    """
    Hold a place and who helps in it against every standard of `scheme`; an empty result meets them all.

    Source: D0-R2, D0-R3, D1-R1.
    """
    unmet = ((standard, _unmet(facts, standard)) for standard in scheme.standards)
    return tuple(
        Finding(
            code=standard.code,
            name=standard.name,
            firmness=standard.firmness,
            message=f"{message};{_NEXT[standard.firmness]}",
            where=standard.where,
        )
        for standard, message in unmet
        if message
    )


def refuse_if_any(findings: Sequence[Finding]) -> None:
    """
    Refuse the application for every finding that refuses, all in one; the others pass.

    Raises:
        Refused: names each unmet requirement and each clause once.
    """
    refusing = [finding for finding in findings if finding.firmness is Firmness.REFUSE]
    if refusing:
        clauses = dict.fromkeys(finding.where for finding in refusing)
        named = [clause for clause in clauses if clause != "default"] or ["default"]
        raise Refused(";".join(named), "。".join(finding.message for finding in refusing))


_SHALL = {Firmness.REFUSE: "应", Firmness.WARN: "一般应", Firmness.CURE: "应"}
_NEXT = {
    Firmness.REFUSE: "不符合即不予受理,请补足后再申请",
    Firmness.WARN: "可以申请,须由审核员确认",
    Firmness.CURE: "可以申请,须在挂牌前补齐",
}


def examine_leader(rule: LeaderRule, *, source: LeaderSource, recommended_by: str, agrees: bool) -> tuple[Finding, ...]:
    """
    Hold a leader against the rule: from where they come, who recommends them, whether they agree.

    Source: D0-R1.
    """
    found: list[Finding] = []

    def add(code: str, name: str, message: str) -> None:
        found.append(Finding(code=code, name=name, firmness=Firmness.REFUSE, message=message, where=rule.where))

    if source not in rule.sources:
        choices = "、".join(each.label for each in rule.sources)
        add(
            "leader_source",
            "负责人来源",
            f"负责人来源为“{source.label}”,须为以下之一:{choices};请另选负责人",
        )
    if rule.recommendation_required and not recommended_by.strip():
        add("leader_recommendation", "组织推荐", "负责人须有组织推荐,推荐组织一栏为空;请填写推荐的组织")
    if rule.own_consent_required and not agrees:
        add("leader_consent", "本人意愿", "负责人须本人愿意,现填“不愿意”;请征得本人同意或另选负责人")
    return tuple(found)


def _unmet(facts: PlaceFacts, standard: Standard) -> str | None:
    match standard:
        case CountStandard(at_least=low, at_most=high):
            count = facts.volunteers
            if (low is None or count >= low) and (high is None or count <= high):
                return None
            return f"{standard.name}现有{count}人,{_SHALL[standard.firmness]}为{_bounds(low, high)}(含本数)"
        case AreaStandard(at_least_square_metres=low):
            if facts.area_square_metres >= low:
                return None
            return f"{standard.name}现有{facts.area_square_metres:f}平方米,{_SHALL[standard.firmness]}不少于{low}平方米"
        case FacilityStandard(any_of=choices):
            if not facts.facilities.isdisjoint(choices):
                return None
            return f"尚无{standard.name},应有{'或'.join(choice.label for choice in choices)}"
        case ConfirmationStandard(code=code):
            return None if code in facts.confirmations else f"未确认“{standard.name}”"


def _bounds(low: int | None, high: int | None) -> str:
    return (f"{low}人以上" if low is not None else "") + (f"{high}人以下" if high is not None else "")
