"""The yearly evaluation: what the driver asks of its kind of case (D0-R14)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.work_item import Decision, WorkItem
from notifications.letters import TaskWaiting
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Outcome, Verdict, WorkItemStatus
from rules.periods import SHANGHAI
from tasks import items, year_letters, year_notice
from tasks.act import Act
from tasks.cases import deciders
from tasks.commands import Decide
from tasks.history import SYSTEM
from tasks.living import keep
from tasks.mail import about, due_note, send, to_person
from tasks.year_results import compute, evaluation_of, results_of, rules_of, totals_of
from tasks.year_routine import late_of
from tasks.year_words import award_in_words, by_grade, site_line, village_line

REVIEW = (
    "请核对考核数据和名次：无误的批准，系统随即公示考核结果；有遗漏、错误的，先补登或更正有关记录，再选择重新计算并写明理由，"
    "系统按届时的记录重新计算；不再考核的选择取消并写明理由，取消后本年度不能再次开启。"
)
SHOWN = 30
"""So many sites stand on the page; all of them in the register, the document and the list of results."""
VERDICTS = {
    Outcome.CLEARED: Verdict.CLEARED,
    Outcome.AMENDED: Verdict.AMENDED,
    Outcome.RETRACTED: Verdict.RETRACTED,
}
"""What the end of a notice says to the evaluation that waits for it."""


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Compute the figures of the round and ask for their review, or publish the notice of the results."""
    match item.gate:
        case Gate.FIGURES_REVIEW:
            compute(act, case, item.round)
            _ask_for_review(act, case, item)
        case Gate.RESULTS_NOTICE:
            year_notice.publish(act, case, item)
        case _:
            return


def _ask_for_review(act: Act, case: Case, item: WorkItem) -> None:
    late = late_of(act.session, case)
    lines = [f"{name}：{value}" for name, value in facts(act.session, case)]
    letter = TaskWaiting(
        **about(case),
        gate=item.gate.label,
        what_to_do=REVIEW,
        facts=(*([f"{late}。"] if late else []), *lines),
        due_on=item.due_on,
        due_note=due_note(item),
    )
    to = [to_person(each) for each in deciders(act.session, item, on=act.day)]
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}")


def check(act: Act, case: Case, item: WorkItem, command: Decide) -> list[str]:
    """
    Refuse a verdict that a rule forbids; there are no warnings to acknowledge.

    Raises:
        Refused: figures without any result are to be approved.
    """
    if item.gate is Gate.FIGURES_REVIEW and command.verdict is Verdict.APPROVED:
        evaluation = evaluation_of(act.session, case)
        if not totals_of(act.session, evaluation).sites:
            raise Refused(
                rules_of(case).where,
                f"第{evaluation.round}次计算没有参加考核的客堂间,不能批准;请核对名册后重新计算,或取消考核",
            )
    return []


def tell(act: Act, case: Case, item: WorkItem, decision: Decision) -> None:
    """Do nothing more: the next pass publishes, computes anew or closes the case, whose end its letter tells."""


def facts(session: Session, case: Case) -> tuple[tuple[str, str], ...]:
    """Return what a page says of it, as labelled rows: the ranking, compactly."""
    evaluation = evaluation_of(session, case)
    totals = totals_of(session, evaluation)
    villages = results_of(session, evaluation, sites=False)
    if not totals.sites and not villages:
        return (("考核年度", f"{evaluation.year}年"), ("考核结果", "尚无结果"))
    sites = results_of(session, evaluation, sites=True, first=SHOWN)
    computed = evaluation.computed_at.astimezone(SHANGHAI)
    more = f"；其余{totals.sites - SHOWN}个见考核结果表" if totals.sites > SHOWN else ""
    return (
        ("考核年度", f"{evaluation.year}年"),
        ("数据计算", f"第{evaluation.round}次，{computed:%Y-%m-%d %H:%M}"),
        ("结果状态", "已公示确定" if evaluation.final else "未确定"),
        ("客堂间等次", by_grade(case, totals.by_grade)),
        ("拟计入以奖代拨", award_in_words(totals.award_fen)),
        ("村（居）名次", "；".join(village_line(case, each) for each in villages) or "无"),
        ("客堂间名次", "；".join(site_line(case, each) for each in sites) + more or "无"),
    )


def after(act: Act, case: Case) -> None:
    """Do nothing: no other case waits for an evaluation."""


def after_notice(act: Act, case: Case) -> None:
    """
    Let the evaluation whose results were noticed go on: `case` is the notice that ended; its parent is locked.

    Cleared: the results are final, and everybody concerned is told. Amended: the procedure computes them anew.
    """
    parent = case.parent
    if parent is None or case.outcome is None:
        return
    item = act.session.scalars(
        select(WorkItem).where(
            WorkItem.case_id == parent.id,
            WorkItem.gate == Gate.RESULTS_NOTICE,
            WorkItem.status == WorkItemStatus.OPEN,
        )
    ).one_or_none()
    if item is None:
        return
    verdict, because = VERDICTS[case.outcome], f":{case.because}" if case.because else ""
    if verdict is Verdict.CLEARED:
        evaluation = evaluation_of(act.session, parent)
        evaluation.final = True
        keep(
            act,
            parent,
            [evaluation],
            actor=SYSTEM,
            summary=f"{evaluation.year}年度考核结果(第{evaluation.round}次计算)经公示 {case.number} 确定",
        )
        year_letters.tell_results(act, parent, notice=case.number)
    items.close(
        act,
        item,
        verdict,
        by=None,
        door=Door.SYSTEM,
        reason=f"公示 {case.number} {case.outcome.label}{because}",
        details={"notice": case.number},
    )
