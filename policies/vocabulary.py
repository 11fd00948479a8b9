"""
Every closed list of words in the product, each value with the Chinese label that people see.

Values are what the database stores and what policy files write; labels are what forms, letters and the CLI show.
A member is never renamed or removed once a release has stored it.
"""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A StrEnum whose members carry a Chinese label."""

    label: str

    def __new__(cls, value: str, label: str = "") -> Self:  # look-up by value has no label to give
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def by_label(cls, text: str) -> Self | None:
        """Return the member whose label or value is `text` (blanks trimmed), or None."""
        wanted = text.strip()
        return next((member for member in cls if wanted in (member.label, member.value)), None)


class UnitKind(Word):
    """A level of the organisation (D0 “who is in it”)."""

    DISTRICT = "district", "区"
    TOWN = "town", "镇(街道)"
    VILLAGE = "village", "村(居)"
    GROUP = "group", "村(居)民小组"


class BeautifulVillage(Word):
    """The 美丽乡村 grade of a group, on which the target share depends (D0-R5)."""

    CITY = "city", "市级"
    DISTRICT = "district", "区级"
    TOWN = "town", "镇级"
    NONE = "none", "无"


class Role(Word):
    """What a person may do, for one unit and everything below it."""

    OFFICE_HEAD = "office_head", "社区办负责人"
    OFFICE_REVIEWER = "office_reviewer", "社区办审核员"
    VILLAGE_RESPONSIBLE = "village_responsible", "村(居)委会责任人"
    LIAISON = "liaison", "联络员"
    GROUP_HEAD = "group_head", "村(居)民小组长"
    SITE_LEADER = "site_leader", "客堂间负责人"

    @property
    def level(self) -> UnitKind:
        """The level of unit at which this role is held."""
        match self:
            case Role.OFFICE_HEAD | Role.OFFICE_REVIEWER:
                return UnitKind.TOWN
            case Role.VILLAGE_RESPONSIBLE | Role.LIAISON:
                return UnitKind.VILLAGE
            case Role.GROUP_HEAD | Role.SITE_LEADER:
                return UnitKind.GROUP


class CaseKind(Word):
    """Which procedure carries a case."""

    SITE = "site", "客堂间创建"


class CaseStatus(Word):
    """Whether a case still runs."""

    OPEN = "open", "办理中"
    CLOSED = "closed", "已办结"


class Outcome(Word):
    """The final value of a case."""

    LISTED = "listed", "已建成挂牌"
    REJECTED = "rejected", "不予批准"
    WITHDRAWN = "withdrawn", "已撤回"
    LAPSED = "lapsed", "逾期终止"


class Gate(Word):
    """A point that waits for a decision."""

    HOUSEHOLD_CONSENT = "household_consent", "农户同意"
    VILLAGE_FORWARD = "village_forward", "村(居)委会上报"
    OFFICE_REVIEW = "office_review", "社区办审核"
    CORRECTION = "correction", "补正"
    PLAQUE = "plaque", "挂牌与布置"
    SUBSIDY = "subsidy", "补贴拨付"
    UNDELIVERED_LETTER = "undelivered_letter", "信函未送达"

    @property
    def slug(self) -> str:
        """The gate in ``[a-z0-9-]``, the only letters a Prefect suspend key may have."""
        return self.value.replace("_", "-")


class WorkItemStatus(Word):
    """Whether a gate still waits."""

    OPEN = "open", "待办"
    CLOSED = "closed", "已办"
    CANCELLED = "cancelled", "已取消"


class Verdict(Word):
    """The value of a decision."""

    CARRIED = "carried", "全体同意"
    NOT_CARRIED = "not_carried", "未获全体同意"
    FORWARDED = "forwarded", "同意上报"
    APPROVED = "approved", "批准"
    RETURNED = "returned", "退回补正"
    REJECTED = "rejected", "不予批准"
    RESUBMITTED = "resubmitted", "已补正"
    COMPLETED = "completed", "已完成"
    WITHDRAWN = "withdrawn", "撤回申请"
    LAPSED = "lapsed", "逾期"
    RESENT = "resent", "重新寄送"
    TOLD_OTHERWISE = "told_otherwise", "已用其他方式告知"


class Door(Word):
    """By which door a decision came in."""

    FORM = "form", "网页表单"
    CLI = "cli", "命令行"
    SHEET = "sheet", "表格导入"
    LAPSE = "lapse", "期限届满"
    SYSTEM = "system", "系统"


class Answer(Word):
    """What a household says."""

    AGREE = "agree", "同意"
    OBJECT = "object", "不同意"


class LeaderSource(Word):
    """From where a site leader may come (D0-R1)."""

    GROUP_HEAD = "group_head", "村(居)民小组长"
    REPRESENTATIVE = "representative", "村(居)民代表"
    CULTURE_ENTHUSIAST = "culture_enthusiast", "热心公益的文体爱好者"
    RETIRED_CADRE = "retired_cadre", "退休老干部"
    RETIRED_TEACHER = "retired_teacher", "退休教师"
    RETIRED_DOCTOR = "retired_doctor", "退休医生"
    PARTY_BACKBONE = "party_backbone", "党员骨干"
    VOLUNTEER = "volunteer", "热心社区志愿者"


class CombinedWith(Word):
    """What a site may be combined with (D0-R6)."""

    NEIGHBOUR_POINT = "neighbour_point", "睦邻点"
    WOMEN_HOME = "women_home", "妇女微家"
    PARTY_HOME = "party_home", "党建之家"


class Facility(Word):
    """What a room may be fitted with (D0-R3)."""

    LIVING_ROOM = "living_room", "客厅"
    TOILET = "toilet", "卫生间"
    TELEVISION = "television", "电视机"
    AIR_CONDITIONER = "air_conditioner", "空调"
    FAN = "fan", "电风扇"
    TABLES_AND_CHAIRS = "tables_and_chairs", "桌椅"
    READING = "reading", "书报"


class DayUnit(Word):
    """How a policy counts days."""

    WORKING_DAYS = "working_days", "个工作日"
    CALENDAR_DAYS = "calendar_days", "日"


class Firmness(Word):
    """What a standard that is not met leads to."""

    REFUSE = "refuse", "不予受理"
    WARN = "warn", "提示,由审核员确认"
    CURE = "cure", "挂牌前补齐"


class TimerKind(Word):
    """What time does to an open work item."""

    REMINDER = "reminder", "提醒"
    ESCALATION = "escalation", "督办"
    LAPSE = "lapse", "期限届满"


class LetterStatus(Word):
    """Where a letter is on its way."""

    QUEUED = "queued", "待寄"
    SENT = "sent", "已寄"
    DEAD = "dead", "无法寄达"


class Letter(Word):
    """A kind of message; the value names the folder under ``templates/letters``."""

    APPLICATION_RECEIVED = "application_received", "申请已受理"
    CONSENT_ASKED = "consent_asked", "征求农户意见"
    CONSENT_MISSING = "consent_missing", "农户意见未齐"
    CONSENT_COMPLETE = "consent_complete", "农户全体同意"
    FORWARD_WAITING = "forward_waiting", "待村(居)委会上报"
    REVIEW_WAITING = "review_waiting", "待社区办审核"
    RETURNED = "returned", "退回补正"
    REJECTED = "rejected", "不予批准"
    APPROVED = "approved", "批准"
    PLAQUE_DUE = "plaque_due", "待挂牌布置"
    SUBSIDY_DUE = "subsidy_due", "待拨付补贴"
    SUBSIDY_PAID = "subsidy_paid", "补贴已拨付"
    REMINDER = "reminder", "到期提醒"
    ESCALATION = "escalation", "逾期督办"
    URGED = "urged", "催办"
    HANDED_OVER = "handed_over", "转办"
    CASE_CLOSED = "case_closed", "办结"
    LETTER_UNDELIVERED = "letter_undelivered", "信函未送达"
    QUOTA_SHORTFALL = "quota_shortfall", "年度建设未达标"


class LedgerLevel(Word):
    """The level that holds money on its way to what it is for (D0-R15)."""

    DISTRICT = "district", "区级拨款"
    TOWN = "town", "镇级专户"
    VILLAGE = "village", "村级专账"
    SPENT = "spent", "已支出"


class LedgerMove(Word):
    """Why money moves."""

    GRANT = "grant", "区拨付到镇"
    TRANSFER = "transfer", "镇下拨到村"
    SPENDING = "spending", "支出"
    REFUND = "refund", "退回"


class SiteStatus(Word):
    """Whether a site works."""

    ACTIVE = "active", "运行中"
