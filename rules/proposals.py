"""
Whether a proposal, a call and a plan meet their edition (D2-R8, D2-R9, D2-R13).

Used when a call is opened, a proposal filed and a plan handed in. Every finding is told at once; a proposal outside
its window is refused with the moments.
"""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from policies.errors import Refused
from policies.micro_scheme import BudgetCategory, CallRule, MicroProjectScheme, ProjectKind
from policies.vocabulary import Firmness, Role
from rules.eligibility import Finding, refuse_if_any
from rules.money import in_yuan
from rules.periods import SHANGHAI
from rules.voting import spoken_share
from rules.window import spoken_day


@dataclass(frozen=True)
class ProposalFacts:
    """What a proposal says, and who hands it in."""

    title: str
    content: str
    beneficiaries: str
    """Who has what of it."""
    expected_benefit: str
    kind: str
    """Code or name of a kind."""
    amount_fen: int
    """Asked for."""
    proposer_roles: frozenset[Role]
    """Roles that the proposer holds in the call's area on the day; empty: a resident."""
    budget: tuple[str, ...] = ()
    """Names of the budget's lines, if the proposal has any yet."""


@dataclass(frozen=True)
class PlanLine:
    """One line of a plan's budget."""

    category: str
    """Code of a budget category."""
    name: str
    amount_fen: int


@dataclass(frozen=True)
class PlanMilestone:
    """One step of a plan."""

    name: str
    due_on: date
    """Last day, Shanghai."""


def kind_of(kind: str, scheme: MicroProjectScheme) -> ProjectKind | None:
    """Return the kind whose code or name is `kind` (blanks trimmed), or None (D2-R8)."""
    wanted = kind.strip()
    return next((each for each in scheme.kinds if wanted in (each.code, each.name)), None)


def examine_proposal(
    facts: ProposalFacts, scheme: MicroProjectScheme, *, called: Collection[str] = ()
) -> tuple[Finding, ...]:
    """
    Hold a proposal against its edition; an empty result meets it, `refuse_if_any` refuses all findings in one.

    Source: D2-R8 (kinds), D2-R9 (申请: content and expected benefit), D2-R13 (ceiling).

    Args:
        facts: what the proposal says.
        scheme: the edition's.
        called: codes of the kinds that the call is for; empty: all of the edition's.
    """
    return (
        *_completeness(facts),
        *_kind_and_amount(facts, scheme, called),
        *_prohibited(facts, scheme),
        *_who(facts, scheme),
    )


def check_window(*, opens_at: datetime, closes_at: datetime, at: datetime, clause: str) -> None:
    """
    Refuse a proposal that comes too early or too late, with the exact moments in Shanghai and by how much.

    Source: D2-R9 (征集).

    Args:
        opens_at: aware; a proposal at this instant is in time.
        closes_at: aware, the end of the last day; a proposal at this instant is late.
        at: aware; when the proposal came.
        clause: where the window stands.

    Raises:
        Refused: `at` is outside the window.
    """
    window = f"申报期为{_moment(opens_at)}至{_end(closes_at)}"
    if at < opens_at:
        raise Refused(
            clause, f"申报尚未开始:{window},本次申报于{_moment(at)},早了{_span(opens_at - at)};请于开始后再申报"
        )
    if at >= closes_at:
        raise Refused(
            clause,
            f"申报已经截止:{window},本次申报于{_moment(at)},迟了{_span(at - closes_at)};请等待下一次征集或向社区办咨询",
        )


def check_call(days: int, rule: CallRule) -> None:
    """
    Refuse a call that is open for fewer or more calendar days than the rule says, both bounds included.

    Source: D2-R9 (征集).

    Args:
        days: first and last day counted.
        rule: the edition's.

    Raises:
        Refused: names the figures.
    """
    if not rule.days_at_least <= days <= rule.days_at_most:
        raise Refused(
            rule.where, f"征集期为{days}日,须为{rule.days_at_least}日以上{rule.days_at_most}日以下(含本数);请改截止日"
        )


def check_plan(
    lines: Sequence[PlanLine],
    milestones: Sequence[PlanMilestone],
    *,
    granted_fen: int,
    scheme: MicroProjectScheme,
    on: date,
) -> None:
    """
    Refuse a plan whose budget or steps do not meet the edition, for every finding in one.

    Source: D2-R9 (项目内容、实施方案、资金预算), D2-R13 (a budget never exceeds what was granted).

    Args:
        lines: the budget; a category's cap is a share of their sum.
        milestones: the steps, in their order.
        granted_fen: what the project was granted.
        scheme: the edition's.
        on: the Shanghai day from which the plan runs; steps lie after it.

    Raises:
        Refused: names every line, category and step at fault with its figures.
    """
    refuse_if_any((*_budget(lines, granted_fen, scheme), *_steps(milestones, scheme, on)))


def _refusing(code: str, name: str, message: str, where: str) -> Finding:
    return Finding(code=code, name=name, firmness=Firmness.REFUSE, message=message, where=where)


def _completeness(facts: ProposalFacts) -> Iterator[Finding]:
    asked = {
        "title": ("项目名称", facts.title),
        "content": ("项目内容", facts.content),
        "beneficiaries": ("受益对象", facts.beneficiaries),
        "expected_benefit": ("预期效益", facts.expected_benefit),
    }
    for code, (name, text) in asked.items():
        if not text.strip():
            yield _refusing(code, name, f"{name}没有填写,请补上", "default")


def _kind_and_amount(facts: ProposalFacts, scheme: MicroProjectScheme, called: Collection[str]) -> Iterator[Finding]:
    kind = kind_of(facts.kind, scheme)
    open_kinds = [each for each in scheme.kinds if not called or each.code in called]
    if kind is None or kind not in open_kinds:
        choices = "、".join(each.name for each in open_kinds)
        fault = f"没有“{facts.kind}”这一类" if kind is None else f"本次征集不收“{kind.name}”类"
        yield _refusing("kind", "项目类别", f"{fault},可选:{choices};请改选一类", _where(open_kinds or scheme.kinds))
    if facts.amount_fen <= 0:
        yield _refusing("amount", "申请金额", f"申请金额为{in_yuan(facts.amount_fen)},须大于0元;请填写金额", "default")
    elif kind is not None:
        ceiling, where = scheme.ceiling_of(kind)
        if facts.amount_fen > ceiling:
            over = in_yuan(facts.amount_fen - ceiling)
            message = (
                f"申请{in_yuan(facts.amount_fen)},“{kind.name}”类每个项目至多{in_yuan(ceiling)},超出{over};请减少金额"
            )
            yield _refusing("amount", "申请金额", message, where)


def _prohibited(facts: ProposalFacts, scheme: MicroProjectScheme) -> Iterator[Finding]:
    texts = {"项目名称": (facts.title,), "项目内容": (facts.content,), "预算": facts.budget}
    for item in scheme.prohibited:
        found = [
            f"{place}中的“{word}”"
            for place, written in texts.items()
            for word in item.words
            if any(word in _plain(text) for text in written)
        ]
        if found:
            message = f"不得用于“{item.name}”:见{'、'.join(found)};请改正,或改报其他项目"
            yield _refusing(item.code, item.name, message, item.where)


def _plain(text: str) -> str:
    # A blank, a line break or a full-width letter within a word must not hide it.
    return "".join(unicodedata.normalize("NFKC", text).split())


def _who(facts: ProposalFacts, scheme: MicroProjectScheme) -> Iterator[Finding]:
    allowed = scheme.proposers.roles
    if allowed and facts.proposer_roles.isdisjoint(allowed):
        held = "、".join(role.label for role in Role if role in facts.proposer_roles) or "居民"
        message = f"提议人是{held},须为{'、'.join(role.label for role in allowed)}之一;请由他们提议"
        yield _refusing("proposer", "提议人", message, scheme.proposers.where)


def _budget(lines: Sequence[PlanLine], granted_fen: int, scheme: MicroProjectScheme) -> Iterator[Finding]:
    where = scheme.plan.where
    if not lines:
        yield _refusing("budget", "资金预算", "预算没有一行,请逐项填写", where)
        return
    categories = {each.code: each for each in scheme.funds.categories}
    for number, line in enumerate(lines, start=1):
        if line.category not in categories:
            choices = "、".join(each.name for each in categories.values())
            message = f"预算第{number}行“{line.name}”的用途“{line.category}”不在范围内,可选:{choices}"
            yield _refusing("category", "资金用途", message, _where(scheme.funds.categories))
        if line.amount_fen <= 0:
            message = f"预算第{number}行“{line.name}”为{in_yuan(line.amount_fen)},须大于0元"
            yield _refusing("amount", "预算金额", message, where)
    total = sum(line.amount_fen for line in lines)
    if total > granted_fen:
        message = f"预算合计{in_yuan(total)},超过核定的{in_yuan(granted_fen)},超出{in_yuan(total - granted_fen)};请减少"
        yield _refusing("budget", "资金预算", message, where)
    if any(line.amount_fen <= 0 for line in lines):
        return
    for category in categories.values():
        spent = sum(line.amount_fen for line in lines if line.category == category.code)
        if category.share_at_most is not None and spent > category.share_at_most * total:
            most = int(category.share_at_most * total)
            message = (
                f"“{category.name}”预算{in_yuan(spent)},至多为预算合计{in_yuan(total)}的"
                f"{spoken_share(category.share_at_most)}即{in_yuan(most)};请减少"
            )
            yield _refusing("share", "用途上限", message, category.where)


def _steps(milestones: Sequence[PlanMilestone], scheme: MicroProjectScheme, on: date) -> Iterator[Finding]:
    rule = scheme.plan
    if len(milestones) < rule.milestones_at_least:
        message = f"进度节点有{len(milestones)}个,至少须{rule.milestones_at_least}个;请补上"
        yield _refusing("milestones", "进度节点", message, rule.where)
    last = on + timedelta(days=rule.days_at_most)
    before: PlanMilestone | None = None
    for number, each in enumerate(milestones, start=1):
        named = f"第{number}个节点“{each.name}”({spoken_day(each.due_on)})"
        if not each.name.strip():
            yield _refusing("milestone", "进度节点", f"第{number}个节点没有名称,请补上", rule.where)
        if each.due_on <= on:
            yield _refusing("milestone", "进度节点", f"{named}须在{spoken_day(on)}之后;请改日期", rule.where)
        if each.due_on > last:
            message = f"{named}晚于{spoken_day(last)}:自{spoken_day(on)}起至多{rule.days_at_most}日;请改日期"
            yield _refusing("milestone", "进度节点", message, rule.where)
        if before is not None and each.due_on < before.due_on:
            message = f"{named}早于前一节点“{before.name}”({spoken_day(before.due_on)});请按先后排列"
            yield _refusing("milestone", "进度节点", message, rule.where)
        before = each


def _where(sections: Sequence[ProjectKind] | Sequence[BudgetCategory]) -> str:
    clauses = [each.where for each in sections if each.where != "default"]
    return ";".join(dict.fromkeys(clauses)) or "default"


def _moment(at: datetime) -> str:
    local = at.astimezone(SHANGHAI)
    return f"{spoken_day(local.date())}{local:%H:%M}"


def _end(at: datetime) -> str:
    local = at.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        return f"{spoken_day(local.date() - timedelta(days=1))}24:00"
    return _moment(at)


def _span(span: timedelta) -> str:
    minutes = span // timedelta(minutes=1)
    if minutes == 0:
        return "不足1分钟"
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = ((days, "日"), (hours, "小时"), (minutes, "分钟"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
