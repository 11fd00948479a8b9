"""
What ``ketang policy show`` tells of micro-projects and of public notices, a row per rule.

Used by `cli.policy`; reads editions only.
"""

from fractions import Fraction

from rich.table import Table

from policies.micro_scheme import Evaluation, MicroProjectScheme, Screening, VoteRule
from policies.notice_scheme import NoticeScheme
from policies.sections import Sourced
from rules.money import in_yuan


def add_project_rules(rules: Table, scheme: MicroProjectScheme) -> None:
    """Add a row to `rules` for everything the micro-projects' scheme says."""
    for kind in scheme.kinds:
        ceiling, where = scheme.ceiling_of(kind)
        rules.add_row(
            f"项目类别 · {kind.name}", f"每个项目至多{in_yuan(ceiling)}", f"{where_of(kind)}(上限:{_clause(where)})"
        )
    for item in scheme.prohibited:
        rules.add_row(f"不得申报 · {item.name}", f"含“{'”“'.join(item.words)}”", where_of(item))
    proposers = "、".join(role.label for role in scheme.proposers.roles) or "名册上的居民"
    rules.add_row("提议人", proposers, where_of(scheme.proposers))
    call = scheme.call
    rules.add_row("征集期", f"{call.days_at_least}日以上{call.days_at_most}日以下", where_of(call))
    if survey := scheme.survey:
        support = f"赞成{fraction(survey.support_at_least)}以上" if survey.support_at_least else "支持率供评审参考"
        rules.add_row("社情民意调研", f"每个项目至少{survey.answers_at_least}份意见,{support}", where_of(survey))
    _screening(rules, scheme.screening)
    plan = scheme.plan
    rules.add_row("细化方案", f"至少{plan.milestones_at_least}个进度节点,{plan.days_at_most}日内完成", where_of(plan))
    for source in scheme.funds.sources:
        most = f"每期至多{in_yuan(source.amount_yuan * 100)}" if source.amount_yuan else "不设上限"
        rules.add_row(f"资金来源 · {source.name}", most, where_of(source))
    for category in scheme.funds.categories:
        cap = f"至多为预算的{fraction(category.share_at_most)}" if category.share_at_most else "不设上限"
        rules.add_row(f"资金用途 · {category.name}", cap, where_of(category))
    _evaluation(rules, scheme.evaluation)


def add_notice_rules(rules: Table, scheme: NoticeScheme) -> None:
    """Add a row to `rules` for everything the scheme of public notices says."""
    rules.add_row("公示 · 异议途径", "、".join(channel.label for channel in scheme.channels), "—")
    prolonging = scheme.prolonging
    times = (
        f"至多{prolonging.times_at_most}次,每次至多{prolonging.days_at_most}日"
        if prolonging.times_at_most
        else "不得延长"
    )
    rules.add_row("公示 · 延长", times, where_of(prolonging))


def fraction(share: Fraction) -> str:
    """Return a share as the policy file writes it, in lowest terms."""
    return f"{share.numerator}/{share.denominator}"


def where_of(section: Sourced) -> str:
    """Return the clause of `section`, ``默认`` when the value is ours."""
    return _clause(section.where)


def _clause(where: str) -> str:
    return "默认" if where == "default" else where


def _screening(rules: Table, screening: Screening) -> None:
    scoring = screening.scoring
    for criterion in scoring.criteria:
        rules.add_row(
            f"评分标准 · {criterion.name}",
            f"满分{criterion.points_at_most}分,权重{fraction(criterion.weight)}",
            where_of(criterion),
        )
    passing = f",{scoring.pass_at_least}分以上方可入选" if scoring.pass_at_least else ""
    panel = f"评审组至少{scoring.members_at_least}人,每个项目至少{scoring.scores_at_least}人评分{passing}"
    rules.add_row("评分", panel, where_of(scoring))
    if screening.meeting is not None:
        rules.add_row("会议表决", _vote(screening.meeting), where_of(screening.meeting))
    rules.add_row("同分排序", " → ".join(tie.label for tie in screening.ties), where_of(screening))
    rules.add_row("超出预算", screening.over_budget.label, where_of(screening))


def _vote(rule: VoteRule) -> str:
    more = "超过" if rule.more_than else "达到"
    return f"应到人数的{fraction(rule.quorum)}以上到会,赞成{more}{rule.majority_of.label}的{fraction(rule.majority)}"


def _evaluation(rules: Table, evaluation: Evaluation) -> None:
    for panel in evaluation.panels:
        rules.add_row(
            f"评估 · {panel.panel.label}",
            f"权重{fraction(panel.weight)},至少{panel.answers_at_least}份",
            where_of(panel),
        )
    rules.add_row("评估 · 缺少一方", evaluation.missing.label, "—")
    for grade in evaluation.grades:
        rules.add_row(f"评估等次 · {grade.name}", f"{grade.at_least}分以上", where_of(grade))
