"""Campaigns of inspection: what the driver asks of their kind of case (D0-R11)."""

from sqlalchemy.orm import Session

from models.case import Case
from models.registry import Unit
from models.work_item import Decision, WorkItem
from notifications.letters import TaskWaiting
from policies.errors import Refused
from policies.life_words import CampaignScope
from policies.vocabulary import Gate, Verdict
from tasks.act import Act
from tasks.campaign_figures import figures, result_of
from tasks.cases import deciders, policy_of
from tasks.commands import Decide
from tasks.inspection_points import campaign_of, inspections_in, site_named_in_full
from tasks.mail import about, due_note, send, to_person

SUMMARY = "本次督查的各点均已办结，请填写督查总结：总体情况、主要问题、下一步打算；各项数字由系统统计。"


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Ask the office for its summary when every site is through; the visits were asked for with the opening."""
    if item.gate is not Gate.CAMPAIGN_REPORT:
        return
    letter = TaskWaiting(
        **about(case),
        gate=item.gate.label,
        what_to_do=SUMMARY,
        facts=tuple(f"{name}：{value}" for name, value in figures(act.session, case).rows()),
        due_on=item.due_on,
        due_note=due_note(item),
    )
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}")


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """
    Refuse to sum a campaign up by a bare verdict; there are no warnings to acknowledge.

    Raises:
        Refused: says where the summary is written.
    """
    if command.verdict is Verdict.COMPLETED:
        raise Refused(
            policy_of(case, item.gate).where,
            f"“{item.gate.label}”须写督查总结:请在案件页面的表单中填写,或运行 ketang inspection conclude",
        )
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do nothing: the villages are told where the summary is taken (`tasks.campaigns.conclude`)."""


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of it: how the sites were chosen, the figures, and each site with its result."""
    campaign = campaign_of(session, case)
    rows = [("督查日期", f"{campaign.since}至{campaign.until}"), ("督查范围", campaign.scope.label)]
    if campaign.villages:
        names = [each.name for each in session.query(Unit).where(Unit.code.in_(campaign.villages)).order_by(Unit.code)]
        rows.append(("村(居)", "、".join(names)))
    if campaign.scope is CampaignScope.SAMPLE:
        how = "每个编号按“抽签号:编号”计算SHA-256,取最小者"
        rows.append(("抽签", f"抽签号 {campaign.seed},从{len(campaign.drawn_from)}处中抽取;{how}"))
        rows.append(("抽签名单", "、".join(campaign.drawn_from)))
    rows += figures(session, case).rows()
    rows += [
        (each.case.number, f"{site_named_in_full(each.site)}：{result_of(each)}")
        for each in inspections_in(session, case)
    ]
    return tuple(rows)


def after(act: Act, case: Case) -> None:
    """Do nothing: no other case waits for a campaign."""
