"""
What administrators start by hand for calls: a call, proposals, what the survey, the panel and the meeting said.

Each is one command, carried out once however often the run is tried (the run's id is the key), and a wake of the case.
"""

from datetime import date, datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from pydantic import Field

from flows.forms import titled
from flows.once import once
from flows.waking import wake_each
from policies.errors import Refused
from policies.vocabulary import Door
from runtime.resources import Resources
from tasks import calls, proposals, screenings, surveys
from tasks.call_commands import (
    ByOffice,
    Counted,
    InterestEntry,
    OpenCall,
    ProjectField,
    Proposal,
    RecordSurvey,
    ScoreEntry,
    Screen,
    SurveyCount,
    VoteEntry,
)
from tasks.call_sheets import read_proposals, read_scores, read_survey, sheet_key
from tasks.commands import CaseNumber, Command, PersonField, PlainText, may_stay_empty

SHEET = "资料文件夹内的 XLSX 或 CSV 文件名"


class ProposalsEntry(Command):
    """Proposals, one by one or by a sheet."""

    case: CaseNumber = Field(title="征集编号", description="例如 ZJ-2026-0001")
    proposals: list[Proposal] = Field(
        default_factory=list, max_length=1, title="申报", description="逐个申报时填写一项"
    )
    sheet: PlainText = Field(
        default="",
        max_length=300,
        title="申报表",
        description=f"{SHEET},表头为 提议人、村(居)、项目名称、项目类别、项目内容、受益对象、预期效益、申请金额",
    )


class SurveyEntry(Command):
    """Answers of the survey, by hand or by a sheet."""

    case: CaseNumber = Field(title="征集编号", description="例如 ZJ-2026-0001")
    by: ByOffice
    channel: PlainText = Field(default="", max_length=50, title="调研方式", description="例如 入户走访、议事会")
    held_on: date | None = Field(
        default=None, json_schema_extra=may_stay_empty, title="调研日期", description="不填就是今天"
    )
    counts: list[SurveyCount] = Field(default_factory=list, title="各项目意见", description="多次登记的份数累加")
    sheet: PlainText = Field(
        default="", max_length=300, title="调研表", description=f"{SHEET},表头为 项目编号、赞成、反对、无所谓"
    )
    complete: bool = Field(default=False, title="调研完成")


class PointsEntry(Command):
    """One criterion's points."""

    criterion: PlainText = Field(min_length=1, max_length=100, title="评分标准")
    points: Counted = Field(title="得分")


class MemberEntry(Command):
    """One member's points for one proposal."""

    project: ProjectField
    member: PersonField = Field(title="评审人", description="评审组成员的人员编号或姓名")
    points: list[PointsEntry] = Field(min_length=1, title="各项得分")


class ScoresEntry(Command):
    """What the panel said, by hand or by a sheet."""

    case: CaseNumber = Field(title="征集编号", description="例如 ZJ-2026-0001")
    by: ByOffice
    joining: list[PersonField] = Field(
        default_factory=list, title="增补评审", description="回避后评审不足时,逐人填写登记簿中的人员编号"
    )
    interests: list[InterestEntry] = Field(default_factory=list, title="回避")
    scores: list[MemberEntry] = Field(default_factory=list, title="评分")
    sheet: PlainText = Field(
        default="", max_length=300, title="评分表", description=f"{SHEET},表头为 项目编号、评审人,以及各项评分标准"
    )
    complete: bool = Field(default=False, title="完成筛选", description="评分和表决都登记齐全后勾选")


class MeetingEntry(Command):
    """Who was at the meeting, and how it voted."""

    case: CaseNumber = Field(title="征集编号", description="例如 ZJ-2026-0001")
    by: ByOffice
    present: list[PersonField] = Field(default_factory=list, title="签到", description="到会的村(居)民代表,逐人填写")
    absent: list[PersonField] = Field(default_factory=list, title="撤销签到")
    votes: list[VoteEntry] = Field(default_factory=list, title="表决结果", description="签到不等于表决")
    complete: bool = Field(default=False, title="完成筛选", description="评分和表决都登记齐全后勾选")


@flow(name="open-call", flow_run_name="微项目征集 {call.title}")
def open_call(call: OpenCall = titled("征集")) -> State[Any]:
    """
    微项目征集:写明征集内容、类别、申报期、预算和评审组,开启后告知各村(居),到申报末日自动结束.

    Args:
        call: 征集内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        number = calls.open_call(resources, call, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        return number, f"已开启征集,案件编号 {number}"

    return once("开启征集", act, OpenCall)


@flow(name="propose", flow_run_name="微项目申报 {entry.case}")
def propose(entry: ProposalsEntry = titled("申报")) -> State[Any]:
    """
    微项目申报:逐个填写,或由申报表批量登记;一处有误则全部不登记.

    Args:
        entry: 申报内容
    """
    key = f"run:{flow_run.id}"

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        if bool(entry.sheet) == bool(entry.proposals):
            raise Refused("default", "请填写一项申报,或填写申报表的文件名,二者取一")
        if not entry.sheet:
            number = proposals.propose(resources, entry.case, entry.proposals[0], door=Door.FORM, key=key, at=at)
            return number, f"已收到申报,项目编号 {number}"
        rows = read_proposals(resources.settings.documents_folder, entry.sheet)
        numbers = proposals.import_proposals(resources, entry.case, rows, sheet=entry.sheet, key=key, at=at)
        wake_each(resources, numbers, at=at)
        return entry.case, f"已登记{len(numbers)}个项目:{numbers[0]}至{numbers[-1]}"

    return once("登记申报", act, Proposal)


@flow(name="record-survey", flow_run_name="登记调研 {entry.case}")
def record_survey(entry: SurveyEntry = titled("调研")) -> State[Any]:
    """
    登记社情民意调研:各项目赞成、反对、无所谓的份数,逐项填写或由调研表登记,多次登记累加.

    Args:
        entry: 调研内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        counts, folder = list(entry.counts), resources.settings.documents_folder
        if entry.sheet:
            counts += read_survey(folder, entry.sheet)
        command = RecordSurvey(
            case=entry.case,
            by=entry.by,
            channel=entry.channel,
            held_on=entry.held_on,
            counts=counts,
            complete=entry.complete,
        )
        door, digest = (Door.SHEET, sheet_key(folder, entry.sheet)) if entry.sheet else (Door.FORM, "")
        left = surveys.record_survey(resources, command, door=door, at=at, key=f"run:{flow_run.id}", sheet=digest)
        return entry.case, f"已登记{len(counts)}个项目的意见;" + (f"尚缺:{';'.join(left)}" if left else "份数已够")

    return once("登记调研", act, RecordSurvey)


@flow(name="record-scores", flow_run_name="登记评分 {entry.case}")
def record_scores(entry: ScoresEntry = titled("评分")) -> State[Any]:
    """
    登记评审组的评分和回避:逐项填写或由评分表登记;完成筛选之前可以更正.

    Args:
        entry: 评分内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        scores = [
            ScoreEntry(
                project=each.project,
                member=each.member,
                points={one.criterion: one.points for one in each.points},
            )
            for each in entry.scores
        ]
        if entry.sheet:
            scores += read_scores(resources, entry.case, resources.settings.documents_folder, entry.sheet)
        command = Screen(
            case=entry.case,
            by=entry.by,
            joining=entry.joining,
            interests=entry.interests,
            scores=scores,
            complete=entry.complete,
        )
        door = Door.SHEET if entry.sheet else Door.FORM
        return entry.case, _screened(resources, command, door, at)

    return once("登记评分", act, Screen)


@flow(name="record-meeting", flow_run_name="登记会议表决 {entry.case}")
def record_meeting(entry: MeetingEntry = titled("会议")) -> State[Any]:
    """
    登记会议的签到和表决:每个项目的赞成、反对、弃权票数;签到不等于表决.

    Args:
        entry: 会议内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        command = Screen(
            case=entry.case,
            by=entry.by,
            present=entry.present,
            absent=entry.absent,
            votes=entry.votes,
            complete=entry.complete,
        )
        return entry.case, _screened(resources, command, Door.FORM, at)

    return once("登记会议表决", act, Screen)


def _screened(resources: Resources, command: Screen, door: Door, at: datetime) -> str:
    left = screenings.screen(resources, command, door=door, at=at)
    if command.complete:
        return "筛选已完成"
    return "已登记;" + (f"尚缺:{';'.join(left)}" if left else "已经齐全,可以完成筛选")
