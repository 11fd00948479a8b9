"""What happens in the transaction that opens a gate of a call: rolls, notice, confirmation, letters that ask."""

from models.case import Case
from models.registry import Person
from models.work_item import WorkItem
from notifications.letters import TaskWaiting
from policies.vocabulary import Door, Gate, ProjectStanding, Verdict
from rules.money import in_yuan
from tasks import items, selection, selection_notice
from tasks.act import Act
from tasks.call_projects import counted, named, panel_of, roll_of, standing
from tasks.call_report import figures
from tasks.cases import call_of, deciders
from tasks.mail import about, due_note, send, to_person
from tasks.project_closing import confirm
from tasks.screenings import open_screening, screening_of
from tasks.survey_answers import rule_of, told_to_panel

SURVEY = "请就每个项目征求居民意见，把赞成、反对、无所谓的份数登记进来；份数齐全后办结调研。"
SCREENING = "请把评审组的评分、回避和会议的签到、表决登记进来；齐全后完成筛选，系统在预算内按名次确定拟入选项目。"
SCORING = "请您为下列项目逐项评分，把签名的评分表交社区办；与项目有利害关系的，请告知社区办予以回避。"
SELF_CHECK = "本次征集的项目已全部办结，请填写自查报告：达成情况、存在的问题、下一步打算；各项数字由系统统计。"


def ask(act: Act, case: Case, item: WorkItem) -> None:
    """Do what belongs to the opening of a call's gate, and write the letters that ask for its decision."""
    match item.gate:
        case Gate.SURVEY:
            _write(act, item, SURVEY, (f"每个项目至少须{rule_of(case).answers_at_least}份意见", *_listed(act, case)))
        case Gate.SCREENING:
            _screening(act, case, item)
        case Gate.SELECTION_NOTICE:
            _notice(act, case, item)
        case Gate.PROJECTS:
            confirm(act, case, item)
        case Gate.SELF_CHECK:
            rows = figures(act.session, case).rows()
            _write(act, item, SELF_CHECK, tuple(f"{name}：{value}" for name, value in rows))
        case _:
            # The window of a call opens with the call: nobody is asked to do anything but wait for its end.
            return


def _screening(act: Act, case: Case, item: WorkItem) -> None:
    open_screening(act, case)
    proposed = standing(act.session, case, ProjectStanding.PROPOSED)
    if not proposed:
        nothing: dict[str, list[str]] = {"selected": [], "ranking": []}
        why = f"{counted(act.session, case)}个申报项目都未通过调研或已撤回,没有可以筛选的项目"
        items.close(act, item, Verdict.COMPLETED, by=None, door=Door.SYSTEM, reason=why, details=nothing)
        return
    panel, listed = panel_of(act.session, case), _listed(act, case)
    scoring = screening_of(case).scoring
    facts = [f"评审组{len(panel)}人，每个项目至少须{scoring.scores_at_least}人评分"]
    if screening_of(case).meeting is not None:
        facts.append(f"表决会议应到{len(roll_of(act.session, case))}人")
    _write(act, item, SCREENING, (*facts, f"预算总额{in_yuan(call_of(act.session, case).budget_fen)}", *listed))
    criteria = "、".join(f"{each.name}（满分{each.points_at_most}）" for each in scoring.criteria)
    office = {each.id for each in deciders(act.session, item, on=act.day)}
    members = [each for each in panel.values() if each.id not in office]
    surveyed = [f"{named(each)}：{told}" for each in proposed if (told := told_to_panel(case, each))]
    _write(act, item, SCORING, (f"评分标准：{criteria}", *listed, *surveyed), to=members, event="scoring")


def _notice(act: Act, case: Case, item: WorkItem) -> None:
    withdrawn = standing(act.session, case, ProjectStanding.WITHDRAWN)
    if any(each.rank is not None for each in withdrawn):
        # Nothing of this round is made known yet: the next in rank moves up for who withdrew meanwhile.
        selection.reselect(act, case)
    if selection_notice.in_rank(act.session, case):
        selection_notice.publish(act, case, item)
        return
    why = "拟入选的项目都已撤回,无须公示"
    items.close(act, item, Verdict.CLEARED, by=None, door=Door.SYSTEM, reason=why)


def _listed(act: Act, case: Case) -> tuple[str, ...]:
    projects = standing(act.session, case, ProjectStanding.PROPOSED)
    return tuple(f"{named(each)}（{each.case.unit.name}，申请{in_yuan(each.amount_fen)}）" for each in projects)


def _write(
    act: Act,
    item: WorkItem,
    what_to_do: str,
    facts: tuple[str, ...],
    *,
    to: list[Person] | None = None,
    event: str = "",
) -> None:
    letter = TaskWaiting(
        **about(item.case),
        gate=item.gate.label,
        what_to_do=what_to_do,
        facts=facts,
        due_on=item.due_on,
        due_note=due_note(item),
    )
    people = deciders(act.session, item, on=act.day) if to is None else to
    send(
        act,
        item.case,
        letter,
        [to_person(each) for each in people],
        event=f"{item.gate.value}-{item.round}{event and f'-{event}'}",
    )
