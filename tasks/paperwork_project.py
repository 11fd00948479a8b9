"""What a project's application form and a public notice say."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import Notice
from models.project import Plan, Project
from policies.errors import Refused
from policies.vocabulary import CaseKind, ObjectionChannel, UnitKind
from rules.masking import mask_phone
from runtime.resources import edition_of
from tasks.cases import call_of, notice_of, project_of
from tasks.mail import chinese_date, office_of
from tasks.paperwork_words import Facts, Made, common, day, money, numbered


def of_proposal(session: Session, case: Case, made: Made) -> Facts:
    """Return what a project's application form says, with its plan once there is one."""
    project = project_of(session, case)
    scheme = edition_of(case).for_projects
    plan = session.scalars(select(Plan).where(Plan.case_id == case.id).order_by(Plan.round.desc())).first()
    categories = {each.code: each.name for each in scheme.funds.categories}
    lines = plan.lines if plan else []
    return {
        **common(case, made),
        "征集编号": project.call_case.number,
        "征集名称": project.call_case.title,
        **_without(of_project(project), "编号"),
        "提议人": project.leader.display,
        "提议人电话": mask_phone(project.leader.phone) if project.leader.phone else "",
        "内容": project.content,
        "受益人群": project.beneficiaries,
        "预期效益": project.expected_benefit,
        "申报日期": day(project.submitted_at),
        "遴选情况": project.standing.label + (f":{project.standing_because}" if project.standing_because else ""),
        **money("核定金额", project.granted_fen),
        "方案": plan.content if plan else "",
        "节点": numbered(
            {"名称": step.name, "期限": chinese_date(step.due_on)} for step in (plan.milestones if plan else [])
        ),
        "预算": numbered(
            {
                "用途": categories.get(line.category, line.category),
                "名称": line.name,
                **_without(money("金额", line.amount_fen), "金额大写"),
            }
            for line in lines
        ),
        **money("预算合计", sum(line.amount_fen for line in lines) if plan else None),
    }


def of_project(project: Project) -> Facts:
    """Return what every table of projects says of one: number, name, village, kind, amount asked for."""
    case = project.case
    kinds = {kind.code: kind.name for kind in edition_of(case).for_projects.kinds}
    return {
        "编号": case.number,
        "名称": case.title,
        "村居": case.unit.name,
        "类别": kinds.get(project.kind, project.kind),
        **money("金额", project.amount_fen),
    }


def of_notice(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what a notice says, word for word as it was published; of a call, its latest notice.

    Raises:
        Refused: the call has no notice yet.
    """
    if case.kind is CaseKind.CALL:
        call_of(session, case)
        return of_notice(session, _latest_notice(session, case), made)
    notice = notice_of(session, case)
    known = {each.id: each.number for each in session.scalars(select(Case).where(Case.id.in_(_cases(notice))))}
    return {
        **common(case, made),
        "标题": case.title,
        "次数": str(notice.edition),
        "正文": [{"段落": line.strip()} for line in notice.text.splitlines() if line.strip()],
        "事项": numbered(
            {"内容": str(item["label"]), "案件编号": known.get(item.get("case") or 0, "")} for item in notice.items
        ),
        "起始日期": day(notice.published_at),
        "截止日期": chinese_date(notice.ends_on),
        "期限说明": notice.period,
        "延长": [
            {
                "日期": _day_of(change["on"]),
                "原截止日期": _day_of(change["from"]),
                "新截止日期": _day_of(change["to"]),
                "原因": str(change["reason"]),
            }
            for change in notice.prolonged
        ],
        "联系方式": notice.contact,
        "办公电话": made.office_phone,
        "渠道": "、".join(ObjectionChannel(code).label for code in notice.channels),
        "地点": notice.place,
        "落款": case.unit.name if case.unit.kind is UnitKind.VILLAGE else office_of(case),
        "公示日期": day(notice.published_at),
        "校验值": notice.sha256[:16],
    }


def _latest_notice(session: Session, call: Case) -> Case:
    found = session.scalars(
        select(Case).where(Case.parent_id == call.id, Case.kind == CaseKind.NOTICE).order_by(Case.id.desc())
    ).first()
    if found is None:
        raise Refused("default", f"征集 {call.number} 尚未公示,没有公示可印;公示发布后再印")
    return found


def _cases(notice: Notice) -> list[int]:
    return [item["case"] for item in notice.items if item.get("case") is not None]


def _day_of(text: str) -> str:
    return chinese_date(date.fromisoformat(text[:10]))


def _without(facts: Mapping[str, object], name: str) -> Facts:
    return {key: value for key, value in facts.items() if key != name}
