"""
What ``ketang policy show`` tells of a site's life after its plaque, a row per rule.

Used by `cli.policy`; reads editions only.
"""

from rich.table import Table

from cli.policy_rules import where_of
from policies.life_scheme import AnnualEvaluation, Inspection, JointMeeting, MonthlyTheme, WeeklyActivities
from policies.site_scheme import SiteScheme
from rules.money import in_yuan


def add_life_rules(rules: Table, scheme: SiteScheme) -> None:
    """Add a row to `rules` for everything the scheme says of listed sites."""
    if theme := scheme.monthly_theme:
        _theme(rules, theme)
    if weekly := scheme.weekly_activities:
        _weekly(rules, weekly)
    if inspection := scheme.inspection:
        _inspection(rules, inspection)
    if evaluation := scheme.evaluation:
        _evaluation(rules, evaluation)
    if meeting := scheme.joint_meeting:
        _meeting(rules, meeting)
    if services := scheme.services:
        limits = f"至少提前{services.ahead_days}日,每个客堂间同时至多{services.open_at_most}单"
        rules.add_row("服务点单", f"{limits},评价1至{services.best_rating}分", where_of(services))
    if changes := scheme.changes:
        rules.add_row("暂停运行", f"至多{changes.suspended_days_at_most}日", where_of(changes))


def _theme(rules: Table, theme: MonthlyTheme) -> None:
    due = theme.due_day_of_month_before
    rules.add_row("每月主题", f"上月{due}日前报送", where_of(theme))
    asked = f"上月{due - theme.ask_days_before}日通知"
    rules.add_row("每月主题 · 通知", asked, where_of(theme))
    days = "、".join(str(due - each) for each in theme.remind.days_before)
    rules.add_row("每月主题 · 提醒", f"上月{days}日提醒未报的负责人", where_of(theme.remind))
    late = f"期限后{theme.escalate.after_days}日报{theme.escalate.to.label}"
    rules.add_row("每月主题 · 督办", late, where_of(theme.escalate))


def _weekly(rules: Table, weekly: WeeklyActivities) -> None:
    rules.add_row("每周活动", f"至少{weekly.at_least}次", where_of(weekly))
    rules.add_row("每周活动 · 通报", f"周一通报负责人和{weekly.report.to.label}", where_of(weekly.report))
    rules.add_row("每周活动 · 登记", f"活动后{weekly.record.within_days}日内为及时", where_of(weekly.record))


def _inspection(rules: Table, inspection: Inspection) -> None:
    for point in inspection.checklist:
        rules.add_row("督查检查点", point.name, where_of(point))
    rules.add_row("督查 · 限期整改", f"每次督查至多{inspection.rectifications_at_most}次", where_of(inspection))


def _evaluation(rules: Table, evaluation: AnnualEvaluation) -> None:
    month, day = (int(part) for part in evaluation.opens.split("-"))
    opens = f"次年{month}月{day}日启动,村(居)年度考核至多{evaluation.assessment_points_at_most}分"
    rules.add_row("年度考核", opens, where_of(evaluation))
    for each in evaluation.site_criteria:
        full = f",满{each.full_at}得满分" if each.full_at else ""
        rules.add_row(f"考核 · 客堂间 · {each.name}", f"{each.points}分,按{each.fact.label}计{full}", where_of(each))
    for item in evaluation.village_criteria:
        rules.add_row(f"考核 · 村(居) · {item.name}", f"{item.points}分,按{item.fact.label}计", where_of(item))
    for grade in evaluation.grades:
        award = f",每个客堂间以奖代拨{in_yuan(grade.award_yuan * 100)}" if grade.award_yuan else ""
        rules.add_row(f"考核等次 · {grade.name}", f"{grade.from_points}分以上{award}", where_of(grade))


def _meeting(rules: Table, meeting: JointMeeting) -> None:
    rules.add_row("联席会议", f"每{meeting.every_months}个月一次", where_of(meeting))
    invited = "、".join(role.label for role in meeting.invited)
    rules.add_row("联席会议 · 通知", f"至少提前{meeting.invite_days_before}日通知{invited}", where_of(meeting))
    rules.add_row("议定事项 · 延期", f"至多{meeting.postponed_at_most}次", where_of(meeting))
