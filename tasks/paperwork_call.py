"""What the documents of a call say: sign-in sheet, vote sheet, scoring sheets, self-check report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.case import Case
from models.notice import Notice, Objection
from models.project import Interest, MeetingVote, Project, Score
from models.registry import Person, RoleHolding, Unit, held_on, holders_below
from policies.errors import Refused
from policies.micro_scheme import Scoring, VoteRule
from policies.vocabulary import (
    CaseKind,
    Gate,
    MajorityOf,
    ObjectionFinding,
    ProjectStanding,
    Role,
)
from rules.money import in_yuan
from rules.scoring import member_score, shown
from rules.voting import explained, quorum_needed, spoken_share, votes_needed
from runtime.resources import edition_of
from tasks.call_projects import panel_of, projects_of, roll_of, signed_in
from tasks.call_report import figures, report_of
from tasks.cases import call_of, person_of
from tasks.ledger_figures import programme
from tasks.mail import chinese_date
from tasks.paperwork_project import of_project
from tasks.paperwork_words import Facts, Made, common, day, latest_item, money, numbered, reached, spoken_percent

_NOT_SCREENED = (ProjectStanding.WITHDRAWN, ProjectStanding.NOT_SUPPORTED)


@dataclass(frozen=True)
class Meeting:
    """Who should be there when proposals are selected."""

    name: str
    rule: VoteRule | None
    """None: the edition has no meeting, only the panel comes together."""
    people: tuple[Person, ...]
    signed_in: dict[int, str]
    """Person to when they signed in, as the office recorded it."""
    known_from: str
    """Where the list of people comes from, one Chinese sentence."""


def of_sign_in(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the sign-in sheet says: the meeting's frozen roll, or before screening the register's representatives.

    Raises:
        Refused: nobody is entitled yet.
    """
    meeting = _meeting(session, case, on=made.on)
    return {
        **_about_meeting(case, meeting, made),
        "成员": [
            {**row, "到会": meeting.signed_in.get(person.id, "")}
            for row, person in zip(_members(session, meeting.people, on=made.on), meeting.people, strict=True)
        ],
    }


def of_vote(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the vote sheet says: every project that is screened, and everybody who is entitled.

    Raises:
        Refused: the edition has no meeting, nobody is entitled, or there is no proposal yet.
    """
    scheme = edition_of(case)
    if scheme.for_projects.screening.meeting is None:
        raise Refused(
            scheme.for_projects.screening.where,
            f"《{scheme.title}》没有规定会议表决,没有表决签名表可印;由评审组评分,请印评分表",
        )
    meeting = _meeting(session, case, on=made.on)
    projects = _screened(session, case, what="表决签名表")
    cast = select(MeetingVote).where(MeetingVote.case_id.in_([each.case_id for each in projects]))
    votes = {vote.case_id: vote for vote in session.scalars(cast)}
    return {
        **_about_meeting(case, meeting, made),
        "项目": numbered({**of_project(each), "票数": _counted(meeting, votes.get(each.case_id))} for each in projects),
        "成员": _members(session, meeting.people, on=made.on),
    }


def of_scoring(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the scoring sheets say: for each member of the panel, every project by every criterion (D2-R9).

    Raises:
        Refused: screening has not begun, the panel is not named, or the member whose page is wanted is not of it.
    """
    reached(session, case, Gate.SCREENING, missing="尚未遴选,没有评分表可印")
    scoring = edition_of(case).for_projects.screening.scoring
    panel = panel_of(session, case)
    if not panel:
        raise Refused(scoring.where, f"征集 {case.number} 尚未登记评审组,没有评分表可印;请先登记评审组成员")
    if made.member:
        wanted = person_of(session, made.member)
        if wanted.id not in panel:
            names = "、".join(person.display for person in panel.values())
            raise Refused(scoring.where, f"{wanted.display}不在征集 {case.number} 的评审组内;评审组:{names}")
        panel = {wanted.id: wanted}
    projects = _screened(session, case, what="评分表")
    return {
        **common(case, made),
        "评分规则": _scoring_rule(scoring),
        "评分标准": [
            {"名称": each.name, "满分": str(each.points_at_most), "权重": spoken_percent(each.weight)}
            for each in scoring.criteria
        ],
        "评审": [_sheet_of(session, person, projects, scoring) for person in panel.values()],
    }


def of_self_check(session: Session, case: Case, made: Made) -> Facts:
    """
    Return what the self-check report says: what came of the call, and where its money went (D2-R9, D2-R13).

    Raises:
        Refused: the projects have not ended yet.
    """
    reached(session, case, Gate.SELF_CHECK, missing="项目尚未全部结束,没有自查报告可印")
    call, scheme = call_of(session, case), edition_of(case).for_projects
    projects = projects_of(session, case)
    chosen = [each for each in projects if each.standing is ProjectStanding.CONFIRMED]
    kinds = {kind.code: kind.name for kind in scheme.kinds}
    grades = {grade.code: grade.name for grade in scheme.evaluation.grades}
    counted, funds = figures(session, case), programme(session, case)
    report = report_of(session, case) or {}
    by_number = {each.number: each for each in funds.projects}
    return {
        **common(case, made),
        "征集单位": case.unit.name,
        "征集内容": call.purpose,
        "征集类别": "、".join(str(kinds.get(code, code)) for code in call.kinds),
        "开始日期": chinese_date(call.opens_on),
        "截止日期": chinese_date(call.closes_on),
        **money("预算", call.budget_fen),
        "申报数": str(counted.proposals),
        "撤回数": str(counted.withdrawn),
        "入选数": str(counted.selected),
        "完成数": str(counted.completed),
        "终止数": str(counted.abandoned),
        "等次": "、".join(f"{name}{count}个" for name, count in counted.by_grade),
        **money("核定合计", counted.budget_fen),
        "资金来源": [
            {
                "来源": each.source.label if each.name == each.source.label else f"{each.source.label}（{each.name}）",
                "到账": in_yuan(each.amount_fen),
                "退回": in_yuan(each.returned_fen),
            }
            for each in funds.received
        ],
        **money("到账合计", funds.received_fen),
        "下拨合计": in_yuan(funds.granted_fen),
        **money("支出合计", funds.spent_fen),
        "退回合计": in_yuan(funds.returned_fen),
        "项目": numbered(
            {
                **of_project(project),
                "负责人": project.leader.display,
                "核定金额": in_yuan(project.granted_fen or 0),
                "支出": in_yuan(by_number[project.case.number].spent_fen if project.case.number in by_number else 0),
                "结余": in_yuan(by_number[project.case.number].left_fen if project.case.number in by_number else 0),
                "评估": _evaluated(project, grades),
                "结果": project.case.outcome.label if project.case.outcome else "",
            }
            for project in chosen
        ),
        "未入选": numbered(
            {**of_project(project), "情况": project.standing.label, "原因": project.standing_because}
            for project in projects
            if project.standing is not ProjectStanding.CONFIRMED
        ),
        "公示": _notices(session, case),
        "达成情况": str(report.get("attainment", "")),
        "问题": str(report.get("problems", "")),
        "下一步": str(report.get("next_steps", "")),
    }


def _meeting(session: Session, case: Case, *, on: date) -> Meeting:
    rule = edition_of(case).for_projects.screening.meeting
    people = tuple((panel_of(session, case) if rule is None else roll_of(session, case)).values())
    opened = latest_item(session, case, Gate.SCREENING)
    if rule is None:
        name, known_from = "评审组", "应到名单为已登记的评审组。"
        if not people:
            raise Refused("default", f"征集 {case.number} 尚未登记评审组,没有签到表可印;请先登记评审组成员")
    else:
        name = f"{Role.REPRESENTATIVE.label}会议"
        known_from = f"应到名单为遴选开始时（{day(opened.opened_at)}）定下的名册。" if opened else ""
        if not people:
            people = tuple(holders_below(session, Role.REPRESENTATIVE, case.unit, on=on))
            known_from = f"应到名单取自{chinese_date(on)}的登记簿，遴选开始时另行定下。"
        if not people:
            raise Refused(
                rule.where,
                f"登记簿中{case.unit.name}没有在任的{Role.REPRESENTATIVE.label},没有名单可印;请先在登记簿登记",
            )
    return Meeting(
        name=name,
        rule=rule,
        people=people,
        signed_in={
            each.person_id: f"{day(each.signed_in_at)}已登记到会"
            for each in signed_in(session, case)
            if each.signed_in_at is not None
        },
        known_from=known_from,
    )


def _about_meeting(case: Case, meeting: Meeting, made: Made) -> Facts:
    entitled = len(meeting.people)
    return {
        **common(case, made),
        "会议": meeting.name,
        "应到人数": str(entitled),
        "须到人数": str(quorum_needed(meeting.rule, entitled)) if meeting.rule else "",
        "规则": _vote_rule(meeting.rule, entitled) if meeting.rule else "",
        "名单来源": meeting.known_from,
    }


def _vote_rule(rule: VoteRule, entitled: int) -> str:
    share = spoken_share(rule.majority)
    if rule.more_than:
        majority = "过半数" if rule.majority == Fraction(1, 2) else f"超过{share}"
    else:
        majority = share if rule.majority == 1 else f"{share}以上"
    votes = (
        f"（至少{votes_needed(rule, present=0, entitled=entitled)}票）"
        if rule.majority_of is MajorityOf.ENTITLED
        else ""
    )
    quorum = spoken_share(rule.quorum) + ("" if rule.quorum == 1 else "以上")
    return (
        f"应到人数的{quorum}（至少{quorum_needed(rule, entitled)}人）到会方可表决；"
        f"赞成票达到{rule.majority_of.label}的{majority}{votes}，项目方为通过。依据：{rule.clause or '系统默认规定'}"
    )


def _counted(meeting: Meeting, vote: MeetingVote | None) -> str:
    if vote is None or meeting.rule is None:
        return ""
    return explained(
        meeting.rule,
        entitled=len(meeting.people),
        present=len(meeting.signed_in),
        in_favour=vote.in_favour,
        against=vote.against,
        abstained=vote.abstained,
    )


def _members(session: Session, people: Sequence[Person], *, on: date) -> list[Facts]:
    places: dict[int, str] = {}
    query = (
        select(RoleHolding.person_id, RoleHolding.role, Unit.name)
        .join(Unit, Unit.id == RoleHolding.unit_id)
        .where(
            RoleHolding.person_id.in_([person.id for person in people]),
            held_on(on),
        )
        .order_by(RoleHolding.id)
    )
    # As a representative first: that is what brings somebody to the meeting.
    for person_id, _, unit in sorted(
        session.execute(query).tuples(), key=lambda row: row[1] is not Role.REPRESENTATIVE
    ):
        places.setdefault(person_id, unit)
    return numbered({"姓名": person.name, "编号": person.code, "单位": places.get(person.id, "")} for person in people)


def _screened(session: Session, case: Case, *, what: str) -> list[Project]:
    found = [each for each in projects_of(session, case) if each.standing not in _NOT_SCREENED]
    if not found:
        raise Refused("default", f"征集 {case.number} 没有参加遴选的项目,没有{what}可印;有项目申报后再印")
    return found


def _scoring_rule(scoring: Scoring) -> str:
    passing = f"，加权平均{scoring.pass_at_least}分以上为达标" if scoring.pass_at_least is not None else ""
    return f"每个项目至少{scoring.scores_at_least}人评分{passing}（依据：{scoring.clause or '系统默认规定'}）。"


def _sheet_of(session: Session, person: Person, projects: Sequence[Project], scoring: Scoring) -> Facts:
    ids = [each.case_id for each in projects]
    given: dict[int, dict[str, int]] = {}
    for score in session.scalars(select(Score).where(Score.person_id == person.id, Score.case_id.in_(ids))):
        given.setdefault(score.case_id, {})[score.criterion] = score.points
    avoids = set(
        session.scalars(select(Interest.case_id).where(Interest.person_id == person.id, Interest.case_id.in_(ids)))
    )
    rows = []
    for project in projects:
        keeps_away = project.case_id in avoids
        points = {} if keeps_away else given.get(project.case_id, {})
        complete = all(each.code in points for each in scoring.criteria)
        rows.append(
            {
                **of_project(project),
                "得分": [{"分": str(points.get(each.code, ""))} for each in scoring.criteria],
                "加权分": shown(member_score(points, scoring)) if complete else "",
                "备注": "回避" if keeps_away else "",
            }
        )
    return {"姓名": person.name, "编号": person.code, "项目": numbered(rows)}


def _evaluated(project: Project, grades: dict[str, str]) -> str:
    if not project.result:
        return "未评估"
    return f"{shown(Fraction(project.result))}分，{grades.get(project.grade, project.grade)}"


def _notices(session: Session, case: Case) -> list[Facts]:
    query = (
        select(Notice, Case)
        .join(Case, Case.id == Notice.case_id)
        .where(Case.parent_id == case.id, Case.kind == CaseKind.NOTICE)
        .order_by(Case.id)
    )
    rows = []
    for notice, its_case in session.execute(query).tuples():
        findings = session.scalars(select(Objection.finding).where(Objection.notice_id == notice.id)).all()
        rows.append(
            {
                "编号": its_case.number,
                "标题": its_case.title,
                "起始日期": day(notice.published_at),
                "截止日期": chinese_date(notice.ends_on),
                "异议": f"异议{len(findings)}件，成立{findings.count(ObjectionFinding.UPHELD)}件",
                "结果": its_case.outcome.label if its_case.outcome else its_case.status.label,
            }
        )
    return rows
