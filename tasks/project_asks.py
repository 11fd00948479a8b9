"""The letters that open the gates of a project."""

from models.case import Case
from models.registry import Person
from models.work_item import WorkItem
from notifications.letters import TaskWaiting
from policies.vocabulary import Gate, Role
from rules.money import in_capitals, in_yuan
from tasks import plans
from tasks.act import Act
from tasks.cases import deciders, entitled, project_of
from tasks.evaluations import panel_texts
from tasks.funds import settle_if_spent
from tasks.ledger_figures import budget_lines, pool_balance, project_balance
from tasks.mail import about, chinese_date, due_note, send, to_person
from tasks.progress import last_progress
from tasks.project_plan import milestone_of, milestones_done, plan_of, total_of

WHAT_TO_DO: dict[Gate, str] = {
    Gate.PLAN: "请细化项目内容、预期效益、进度节点和预算分项，填写后提交；不再实施的，请选择“终止实施”并写明理由。",
    Gate.PLAN_REVIEW: "请审核方案的内容、进度和预算，予以批准，或写明理由退回修改。",
    Gate.FUNDING: "请由社区办登记资金拨付，再由村（居）委会责任人确认到账，各附日期和凭证。",
    Gate.MILESTONE: "请在完成后登记完成日期和证明材料；确实无法继续的，由社区办负责人终止实施。",
    Gate.ACCEPTANCE: "请对照方案验收：合格的，附村务监督意见或验收单；须整改的，写明理由。",
    Gate.EVALUATION: "请登记各方评估的份数和总分，收齐后办结，系统按权重计算得分和等次。",
    Gate.SETTLEMENT: "请由村（居）委会责任人将结余资金退回项目资金专户，登记日期和凭证；尚未登记的支出请先登记。",
}
"""What is asked at each gate, as sentences; a gate that waits for another case asks nobody."""
_ALSO = {Gate.FUNDING: Role.VILLAGE_RESPONSIBLE, Gate.SETTLEMENT: Role.VILLAGE_RESPONSIBLE}
"""Who has a part in a gate beside those who decide at it."""


def ask_project(act: Act, case: Case, item: WorkItem) -> None:
    """Write the letters that open a gate of a project; a settlement with nothing to return closes at once."""
    if item.gate is Gate.SETTLEMENT and settle_if_spent(act, item):
        return
    if item.gate is Gate.PLAN and item.round > 1:
        return  # the letter that returned the plan has already told them
    also = entitled(act.session, case, _ALSO[item.gate], on=act.day) if item.gate in _ALSO else []
    ask(act, case, item, _facts(act, case, item), also=also)


def _facts(act: Act, case: Case, item: WorkItem) -> tuple[str, ...]:
    """Return what those who decide should know, line by line."""
    session = act.session
    match item.gate:
        case Gate.PLAN:
            return (f"核定金额{_money(project_of(session, case).granted_fen or 0)}，预算可以少于、不得超过核定金额",)
        case Gate.PLAN_REVIEW:
            return _plan_facts(act, case)
        case Gate.FUNDING:
            pool = pool_balance(session, case.parent) if case.parent is not None else 0
            granted = project_of(session, case).granted_fen or 0
            return (f"应拨付{_money(granted)}", f"项目资金专户现有{in_yuan(pool)}")
        case Gate.MILESTONE:
            step = milestone_of(session, case, item.round)
            return (f"第{step.seq}个节点“{step.name}”，方案规定{chinese_date(step.due_on)}前完成",)
        case Gate.ACCEPTANCE:
            return (*step_facts(act, case), *line_facts(act, case), progress_fact(act, case))
        case Gate.EVALUATION:
            return panel_texts(session, case)
        case Gate.SETTLEMENT:
            return (f"应退回结余{_money(project_balance(session, case))}", *line_facts(act, case))
        case _:
            return ()


def _money(fen: int) -> str:
    return f"{in_yuan(fen)}（{in_capitals(fen)}）"


def _plan_facts(act: Act, case: Case) -> tuple[str, ...]:
    plan = plan_of(act.session, case)
    if plan is None:
        return ()
    granted = project_of(act.session, case).granted_fen or 0
    total = f"核定金额{in_yuan(granted)}，预算合计{_money(total_of(plan))}"
    return (total, *plans.line_texts(case, plan), *plans.step_texts(plan))


def step_facts(act: Act, case: Case) -> tuple[str, ...]:
    """Return each step of the plan, due when, done when."""
    plan, done = plan_of(act.session, case), milestones_done(act.session, case)
    return tuple(
        f"节点“{step.name}”：期限{chinese_date(step.due_on)}，"
        + (f"完成于{chinese_date(done[step.seq])}" if step.seq in done else "未完成")
        for step in (plan.milestones if plan else ())
    )


def line_facts(act: Act, case: Case) -> tuple[str, ...]:
    """Return each budget line: how much, what was spent, what is left."""
    return tuple(
        f"“{line.name}”：预算{in_yuan(line.cap_fen)}，已支出{in_yuan(line.spent_fen)}，尚余{in_yuan(line.left_fen)}"
        for line in budget_lines(act.session, case)
    )


def progress_fact(act: Act, case: Case) -> str:
    """Return what was recorded last of the project's progress."""
    last = last_progress(act.session, case)
    if last is None:
        return "没有登记过进展"
    return f"最近进展（{chinese_date(last.happened_on)}，总体{last.percent}%）：{last.summary}"


def ask(act: Act, case: Case, item: WorkItem, facts: tuple[str, ...] = (), *, also: list[Person] | None = None) -> None:
    """
    Ask those who decide at `item`, by letter; nobody at a gate that waits for another case.

    Args:
        also: who has a part in it beside them.
    """
    if item.gate.waits_for_a_case:
        return
    letter = TaskWaiting(
        **about(case),
        gate=item.gate.label,
        what_to_do=WHAT_TO_DO[item.gate],
        facts=facts,
        due_on=item.due_on,
        due_note=due_note(item),
    )
    people = {each.id: each for each in [*deciders(act.session, item, on=act.day), *(also or ())]}
    to = [to_person(each) for each in people.values()]
    send(act, case, letter, to, event=f"{item.gate.value}-{item.round}")
