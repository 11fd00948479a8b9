"""
The survey of opinion (社情民意调研): answers to each proposal are counted, entry by entry (D2-R9).

Every entry stands in the project's history under its number; a correction is an entry that replaces an earlier one.
What stands in `projects` is their sum.
"""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.history import HistoryRow
from models.project import Project
from policies.errors import Refused
from policies.vocabulary import Door, Gate, Verdict
from rules.window import spoken_day
from runtime.resources import Resources
from tasks import items
from tasks.act import Act
from tasks.call_commands import CorrectSurvey, RecordSurvey, SurveyCount
from tasks.call_projects import load_call, named, project_named, projects_of
from tasks.cases import Asked, check_authority, load_case, person_of
from tasks.deciding import deciding, item_to_decide
from tasks.history import append
from tasks.survey_answers import CORRECTED, RECORDED, check_complete, data_of, entries_of, rule_of, settle, too_few

KEYED_IN = "survey_keyed_in"


def record_survey(
    resources: Resources,
    command: RecordSurvey,
    *,
    door: Door,
    at: datetime,
    key: str = "",
    sheet: str = "",
    asked: Asked | None = None,
) -> list[str]:
    """
    Enter answers, which add to those entered before; and complete the survey when asked to (D2-R9).

    Args:
        key: what entered them; the same key enters them once. Empty: each call enters them.
        sheet: what tells the sheet they come from from every other one; it counts once, by whichever door.
        asked: the form it came in on; None: by another door.

    Returns:
        What is still too little, as sentences; empty: the survey may be completed.

    Raises:
        Refused: no survey waits, the person may not, nothing was entered, a proposal takes no part, or the survey is
            to be completed while answers are missing; all faults in one.
    """
    with deciding(resources, at=at) as act:
        case = load_call(act.session, command.case)
        if key and _keyed_in(act.session, case, key):
            return too_few(act.session, case)
        item = item_to_decide(act, case, asked, Gate.SURVEY)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        if not command.counts and not command.complete:
            raise Refused(rule_of(case).where, "没有填写任何项目的意见份数,请填写后再提交")
        if command.counts:
            _enter(act, case, command, by=by.display, key=key, sheet=sheet)
        if command.complete:
            check_complete(act, case)
            items.close(act, item, Verdict.COMPLETED, by=by, door=door)
            settle(act, case)
        return too_few(act.session, case)


def _enter(act: Act, case: Case, command: RecordSurvey, *, by: str, key: str, sheet: str) -> None:
    where, held_on = rule_of(case).where, command.held_on or act.day
    if sheet and _keyed_in(act.session, case, sheet, name="sheet"):
        raise Refused(where, "这份调研表已登记过,同一份表不重复累加;有误的用“更正”,另有意见的请另填一份表")
    if not command.channel:
        raise Refused(where, "没有填写调研方式,请填写,例如 入户走访、议事会")
    if held_on > act.day:
        raise Refused(where, f"调研日期{spoken_day(held_on)}还没有到,请改正")
    projects, faults, entered = projects_of(act.session, case), list[str](), list[tuple[Project, SurveyCount]]()
    for number, count in enumerate(command.counts, start=1):
        try:
            project = project_named(projects, count.project, case)
        except Refused as refusal:
            faults.append(f"第{number}项:{refusal.reason}")
            continue
        if any(project is other for other, _ in entered):
            faults.append(f"第{number}项:项目 {named(project)} 填写了两次,请合并")
        elif not count.in_favour + count.against + count.indifferent:
            faults.append(f"第{number}项:项目 {named(project)} 的份数全为0,请填写或删去")
        entered.append((project, count))
    if faults:
        raise Refused(where, f"调研意见有{len(faults)}处有误,均未登记:{';'.join(faults)}")
    for project, count in entered:
        number = max((each.number for each in entries_of(act.session, project.case)), default=0) + 1
        _keep(act, project, RECORDED, number, count, channel=command.channel, held_on=held_on, by=by)
        project.in_favour += count.in_favour
        project.against += count.against
        project.indifferent += count.indifferent
    append(
        act.session,
        case,
        kind=KEYED_IN,
        actor=by,
        summary=f"登记社情民意调研({command.channel},{spoken_day(held_on)}):{len(entered)}个项目",
        at=act.at,
        data={"key": key, "sheet": sheet, "projects": [project.case.number for project, _ in entered]},
    )


def _keep(
    act: Act,
    project: Project,
    kind: str,
    number: int,
    count: SurveyCount,
    *,
    channel: str,
    held_on: date,
    by: str,
    reason: str = "",
) -> None:
    said = f"赞成{count.in_favour}份、反对{count.against}份、无所谓{count.indifferent}份"
    what = f"登记调研意见第{number}号" if kind == RECORDED else f"更正调研意见第{number}号"
    append(
        act.session,
        load_case(act.session, project.case.number),
        kind=kind,
        actor=by,
        summary=f"{what}({channel},{spoken_day(held_on)}):{said}" + (f",理由:{reason}" if reason else ""),
        at=act.at,
        data={
            "entry": number,
            "channel": channel,
            "held_on": held_on.isoformat(),
            "in_favour": count.in_favour,
            "against": count.against,
            "indifferent": count.indifferent,
            "reason": reason,
        },
    )


def correct_survey(resources: Resources, command: CorrectSurvey, *, at: datetime, asked: Asked | None = None) -> None:
    """
    Replace the counts of one entry, with a reason; what stood there before stays in the history (D2-R9).

    Raises:
        Refused: no survey waits, the person may not, there is no such entry, or nothing would change.
    """
    with deciding(resources, at=at) as act:
        case = load_call(act.session, command.case)
        item = item_to_decide(act, case, asked, Gate.SURVEY)
        by = person_of(act.session, command.by)
        check_authority(act.session, item, by, on=act.day)
        count = command.count
        project = project_named(projects_of(act.session, case), count.project, case)
        entries = entries_of(act.session, project.case)
        old = next((each for each in entries if each.number == command.entry), None)
        if old is None:
            known = "、".join(str(each.number) for each in entries) or "(尚无登记)"
            raise Refused(
                rule_of(case).where, f"项目 {named(project)} 没有第{command.entry}号调研登记,现有:{known};请核对登记号"
            )
        if (old.in_favour, old.against, old.indifferent) == (count.in_favour, count.against, count.indifferent):
            raise Refused(rule_of(case).where, f"第{command.entry}号登记本来就是这些份数,无须更正")
        project.in_favour += count.in_favour - old.in_favour
        project.against += count.against - old.against
        project.indifferent += count.indifferent - old.indifferent
        _keep(
            act,
            project,
            CORRECTED,
            old.number,
            count,
            channel=old.channel,
            held_on=old.held_on,
            by=by.display,
            reason=command.reason,
        )


def _keyed_in(session: Session, case: Case, key: str, *, name: str = "key") -> bool:
    rows = session.scalars(select(HistoryRow).where(HistoryRow.case_id == case.id, HistoryRow.kind == KEYED_IN))
    return any(data_of(row).get(name) == key for row in rows)
