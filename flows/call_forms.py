"""What the forms of a call's gates ask for."""

from typing import Annotated, Any

from pydantic import Field, create_model
from sqlalchemy.orm import Session

from flows.fields import NOBODY, UNDECIDED, Builder, Fields, choice, several, text
from models.case import Case
from policies.vocabulary import Gate
from tasks.call_facts import choices
from tasks.call_projects import panel_of, roll_of, signed_in
from tasks.case_file import Awaited
from tasks.screenings import screening_of
from tasks.survey_answers import entries_told

PROLONG, END = "延长征集", "提前结束征集"
LONGEST = 5000
Counted = Annotated[int, Field(ge=0, le=1_000_000)]
SHEET = "资料文件夹内的 XLSX 或 CSV 文件名"


def _count(title: str) -> Any:
    return (Counted, Field(0, title=title))


def _withdrawing(reason: str = "撤回征集时必须填写") -> Fields:
    return {
        "withdraw": (bool, Field(False, title="撤回征集", description="勾选后征集终止,并在理由中写明")),
        "reason": text("理由", description=reason),
    }


def _window_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask whether the window is prolonged or ended early; its end comes by itself."""
    return {
        "action": (
            choice(UNDECIDED, (PROLONG, END)),
            Field(UNDECIDED, title="事项", description="到申报末日系统自动结束征集,平时无须填写"),
        ),
        "closes_on": text("新的申报末日", description="仅延长征集时填写,例如 2026-04-10", longest=10),
        **_withdrawing("延长、提前结束、撤回征集时必须填写"),
    }


def _survey_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for answers, entry by entry or by a sheet, and whether the survey is complete."""
    projects = choices(session, case)
    record: Any = create_model(
        "SurveyEntry",
        project=(choice(NOBODY, projects), Field(NOBODY, title="项目")),
        in_favour=_count("赞成"),
        against=_count("反对"),
        indifferent=_count("无所谓"),
    )
    correction: Any = create_model(
        "SurveyCorrection",
        project=(choice(NOBODY, projects), Field(NOBODY, title="项目")),
        entry=(Counted, Field(0, title="登记号", description="已登记:" + entries_told(session, case))),
        in_favour=_count("赞成"),
        against=_count("反对"),
        indifferent=_count("无所谓"),
        reason=text("更正理由"),
    )
    return {
        "channel": text("调研方式", description="例如 入户走访、议事会", longest=50),
        "held_on": text("调研日期", description="例如 2026-04-10;不填就是今天", longest=10),
        "counts": (list[record], Field(default_factory=list, title="各项目意见", description="多次登记的份数累加")),
        "sheet": text("调研表", description=f"{SHEET},表头为 项目编号、赞成、反对、无所谓", longest=300),
        "corrections": (
            list[correction],
            Field(default_factory=list, title="更正", description="以正确的份数替换某一号登记;每次提交一项"),
        ),
        "complete": (bool, Field(False, title="调研完成", description="各项目意见份数达到要求后勾选")),
        **_withdrawing(),
    }


def _screening_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for what panel and meeting said, and whether the screening is complete."""
    projects, rule = choices(session, case), screening_of(case)
    panel = tuple(each.display for each in panel_of(session, case).values())
    criteria = "、".join(each.name for each in rule.scoring.criteria)
    interest: Any = create_model(
        "InterestRecord",
        project=(choice(NOBODY, projects), Field(NOBODY, title="项目")),
        member=(choice(NOBODY, panel), Field(NOBODY, title="评审人")),
        reason=text("回避理由", longest=200),
    )
    fields: Fields = {
        "sheet": text("评分表", description=f"{SHEET},表头为 项目编号、评审人、{criteria}", longest=300),
        "interests": (
            list[interest],
            Field(default_factory=list, title="回避", description="与项目有利害关系的评审人"),
        ),
        "joining": (
            list[str],
            Field(default_factory=list, title="增补评审", description="回避后评审不足时,逐人填写登记簿中的人员编号"),
        ),
    }
    if rule.meeting is not None:
        there = {each.person_id for each in signed_in(session, case)}
        roll = roll_of(session, case)
        vote: Any = create_model(
            "VoteRecord",
            project=(choice(NOBODY, projects), Field(NOBODY, title="项目")),
            in_favour=_count("赞成票"),
            against=_count("反对票"),
            abstained=_count("弃权票"),
        )
        fields |= {
            "present": (
                several(tuple(each.display for key, each in roll.items() if key not in there)),
                Field(default_factory=list, title="签到", description=f"应到{len(roll)}人,已签到{len(there)}人"),
            ),
            "absent": (
                several(tuple(each.display for key, each in roll.items() if key in there)),
                Field(default_factory=list, title="撤销签到", description="误签的"),
            ),
            "votes": (
                list[vote],
                Field(default_factory=list, title="表决结果", description="签到不等于表决;每个项目登记一次"),
            ),
        }
    return {
        **fields,
        "complete": (bool, Field(False, title="完成筛选", description="评分和表决都登记齐全后勾选")),
        **_withdrawing(),
    }


def _self_check_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask for the text of the self-check report; the figures are computed."""
    return {
        "attainment": text("达成情况", longest=LONGEST),
        "problems": text("存在的问题", longest=LONGEST),
        "next_steps": text("下一步打算", longest=LONGEST),
    }


BUILDERS: dict[Gate, Builder] = {
    Gate.CALL_WINDOW: _window_fields,
    Gate.SURVEY: _survey_fields,
    Gate.SCREENING: _screening_fields,
    Gate.SELF_CHECK: _self_check_fields,
}
"""By gate; the others ask for a verdict."""
