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
    # Equal to its text, so hashed like it; and Enum's own hash is computed in Python at every look-up.
    __hash__ = str.__hash__

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
    REPRESENTATIVE = "representative", "村(居)民代表"
    PROJECT_LEADER = "project_leader", "微项目负责人"
    PROVIDER = "provider", "服务单位联系人"
    ASSIGNEE = "assignee", "承办人"

    @property
    def level(self) -> UnitKind:
        """The level of unit at which this role is held."""
        match self:
            case Role.OFFICE_HEAD | Role.OFFICE_REVIEWER | Role.PROVIDER | Role.ASSIGNEE:
                return UnitKind.TOWN
            case Role.VILLAGE_RESPONSIBLE | Role.LIAISON | Role.REPRESENTATIVE | Role.PROJECT_LEADER:
                return UnitKind.VILLAGE
            case Role.GROUP_HEAD | Role.SITE_LEADER:
                return UnitKind.GROUP


class CaseKind(Word):
    """Which procedure carries a case."""

    SITE = "site", "客堂间创建"
    CALL = "call", "微项目征集"
    PROJECT = "project", "微项目"
    NOTICE = "notice", "公示"
    CAMPAIGN = "campaign", "督查"
    INSPECTION = "inspection", "单点督查"
    ANNUAL_EVALUATION = "annual_evaluation", "年度考核"
    JOINT_MEETING = "joint_meeting", "联席会议"
    RESOLUTION = "resolution", "议定事项"
    SERVICE_ORDER = "service_order", "服务点单"
    SITE_CHANGE = "site_change", "客堂间变更"


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
    CONCLUDED = "concluded", "已总结归档"
    NO_PROJECTS = "no_projects", "无入选项目"
    COMPLETED = "completed", "已完成归档"
    NOT_SELECTED = "not_selected", "未入选"
    CLEARED = "cleared", "公示通过"
    AMENDED = "amended", "调整后重新公示"
    RETRACTED = "retracted", "公示已撤销"
    PASSED = "passed", "督查合格"
    REVOKED = "revoked", "已撤牌"
    KEPT = "kept", "不予撤牌"
    CALLED_OFF = "called_off", "已取消"
    DELIVERED = "delivered", "已送达确认"
    DECLINED = "declined", "未获接单"
    ABANDONED = "abandoned", "已终止"
    IN_EFFECT = "in_effect", "变更已生效"
    RESUMED = "resumed", "已恢复运行"


class Gate(Word):
    """A point that waits for a decision."""

    HOUSEHOLD_CONSENT = "household_consent", "农户同意"
    VILLAGE_FORWARD = "village_forward", "村(居)委会上报"
    OFFICE_REVIEW = "office_review", "社区办审核"
    CORRECTION = "correction", "补正"
    PLAQUE = "plaque", "挂牌与布置"
    SUBSIDY = "subsidy", "补贴拨付"
    UNDELIVERED_LETTER = "undelivered_letter", "信函未送达"
    CALL_WINDOW = "call_window", "征集申报"
    SURVEY = "survey", "社情民意调研"
    SCREENING = "screening", "协商筛选"
    SELECTION_NOTICE = "selection_notice", "入选公示"
    PROJECTS = "projects", "项目实施"
    SELF_CHECK = "self_check", "自查总结"
    SELECTION = "selection", "遴选结果"
    PLAN = "plan", "细化方案"
    PLAN_REVIEW = "plan_review", "方案审核"
    FUNDING = "funding", "资金拨付"
    MILESTONE = "milestone", "进度节点"
    ACCEPTANCE = "acceptance", "项目验收"
    EVALUATION = "evaluation", "项目评估"
    SETTLEMENT = "settlement", "结余清退"
    NOTICE_PERIOD = "notice_period", "公示期"
    OBJECTION_REVIEW = "objection_review", "异议复核"
    INSPECTIONS = "inspections", "逐点督查"
    CAMPAIGN_REPORT = "campaign_report", "督查总结"
    INSPECTION_VISIT = "inspection_visit", "现场督查"
    RECTIFICATION = "rectification", "整改"
    RE_INSPECTION = "re_inspection", "复查"
    REVOCATION_NOTICE = "revocation_notice", "撤牌公示"
    FIGURES_REVIEW = "figures_review", "考核核定"
    RESULTS_NOTICE = "results_notice", "考核结果公示"
    MEETING = "meeting", "会议召开"
    RESOLUTIONS = "resolutions", "议定事项落实"
    FOLLOW_UP = "follow_up", "落实"
    SERVICE_OFFER = "service_offer", "接单"
    SERVICE_DELIVERY = "service_delivery", "服务送达"
    SERVICE_CONFIRMATION = "service_confirmation", "服务确认"
    CHANGE_OPINION = "change_opinion", "村(居)委会意见"
    CHANGE_REVIEW = "change_review", "变更审核"
    CHANGE_WORKS = "change_works", "迁址布置"
    SUSPENSION = "suspension", "暂停运行"

    @property
    def waits_for_a_case(self) -> bool:
        """Whether another case closes it; people only withdraw there."""
        return self in (
            Gate.SELECTION_NOTICE,
            Gate.PROJECTS,
            Gate.SELECTION,
            Gate.INSPECTIONS,
            Gate.REVOCATION_NOTICE,
            Gate.RESULTS_NOTICE,
            Gate.RESOLUTIONS,
        )

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
    ENDED = "ended", "期满结束"
    SELECTED = "selected", "确认入选"
    NOT_SELECTED = "not_selected", "未入选"
    CLEARED = "cleared", "公示通过"
    AMENDED = "amended", "调整后重新公示"
    RETRACTED = "retracted", "撤销公示"
    SUBMITTED = "submitted", "已提交"
    ACCEPTED = "accepted", "验收合格"
    RECTIFY = "rectify", "限期整改"
    ABANDONED = "abandoned", "终止实施"
    PASSED = "passed", "督查合格"
    REVOKE = "revoke", "拟撤牌"
    REPORTED = "reported", "已报整改"
    RECOMPUTED = "recomputed", "重新计算"
    HELD = "held", "已召开"
    CALLED_OFF = "called_off", "取消"
    POSTPONED = "postponed", "延期"
    TAKEN = "taken", "接单"
    DECLINED = "declined", "不予接单"
    DELIVERED = "delivered", "已送达"
    FAILED = "failed", "未能送达"
    CONFIRMED = "confirmed", "确认送达"
    DISPUTED = "disputed", "未按约送达"
    SUPPORTED = "supported", "同意变更"
    OPPOSED = "opposed", "不同意变更"
    RESUMED = "resumed", "恢复运行"


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
    TASK_WAITING = "task_waiting", "待办事项"
    PLAN_RETURNED = "plan_returned", "方案退回修改"
    PLAN_APPROVED = "plan_approved", "方案通过"
    FUNDS_ARRIVED = "funds_arrived", "项目资金到账"
    RECTIFICATION_ASKED = "rectification_asked", "限期整改"
    PROJECT_STOPPED = "project_stopped", "项目终止"
    PROJECT_EVALUATED = "project_evaluated", "项目评估结果"
    SURPLUS_RETURNED = "surplus_returned", "结余退回"
    CALL_OPENED = "call_opened", "微项目征集"
    PROPOSAL_RECEIVED = "proposal_received", "微项目已申报"
    PROPOSAL_RESULT = "proposal_result", "微项目遴选结果"
    NOTICE_PUBLISHED = "notice_published", "公示发布"
    NOTICE_PROLONGED = "notice_prolonged", "公示延期"
    NOTICE_CLOSED = "notice_closed", "公示结果"
    OBJECTION_RECEIVED = "objection_received", "收到异议"
    OBJECTION_ANSWERED = "objection_answered", "异议答复"
    THEME_ASKED = "theme_asked", "征集月度主题"
    THEME_MISSING = "theme_missing", "月度主题未报"
    THEMES_MISSING = "themes_missing", "月度主题未报督办"
    WEEK_MISSING = "week_missing", "本周活动未记录"
    WEEKS_MISSING = "weeks_missing", "活动未记录通报"
    INSPECTION_ANNOUNCED = "inspection_announced", "督查通知"
    SITE_RECTIFICATION = "site_rectification", "客堂间限期整改"
    INSPECTION_RESULT = "inspection_result", "督查结果"
    SITE_REVOKED = "site_revoked", "客堂间撤牌"
    EVALUATION_RESULT = "evaluation_result", "年度考核结果"
    MEETING_INVITATION = "meeting_invitation", "联席会议通知"
    MEETING_CALLED_OFF = "meeting_called_off", "联席会议取消"
    MEETING_MINUTES = "meeting_minutes", "联席会议纪要"
    RESOLUTION_ASSIGNED = "resolution_assigned", "议定事项交办"
    ORDER_PLACED = "order_placed", "服务点单"
    ORDER_ANSWERED = "order_answered", "点单答复"
    ORDER_DELIVERED = "order_delivered", "服务送达待确认"
    ORDER_DISPUTED = "order_disputed", "服务未按约送达"
    CHANGE_RECEIVED = "change_received", "变更申请已受理"
    CHANGE_DECIDED = "change_decided", "变更审核结果"
    SITE_CHANGED = "site_changed", "客堂间变更生效"


class LedgerLevel(Word):
    """The level that holds money on its way to what it is for (D0-R15)."""

    DISTRICT = "district", "区级拨款"
    TOWN = "town", "镇级专户"
    VILLAGE = "village", "村级专账"
    SPENT = "spent", "已支出"
    DONOR = "donor", "社会捐赠"
    TOWN_BUDGET = "town_budget", "镇级财政"


class AccountKind(Word):
    """What an account of the dedicated ledger stands for."""

    SOURCE = "source", "资金来源"
    HOLDING = "holding", "专户"
    PURPOSE = "purpose", "支出用途"


class LedgerMove(Word):
    """Why money moves."""

    GRANT = "grant", "区拨付到镇"
    TRANSFER = "transfer", "镇下拨到村"
    SPENDING = "spending", "支出"
    REFUND = "refund", "退回"
    MATCH = "match", "镇级配套"
    DONATION = "donation", "社会捐赠"


class SiteStatus(Word):
    """Whether a site works."""

    ACTIVE = "active", "运行中"
    SUSPENDED = "suspended", "暂停运行"
    CLOSED = "closed", "已注销"
    REVOKED = "revoked", "已撤牌"


class SourceKind(Word):
    """From where money comes in (D2-R13)."""

    GRANT = "grant", "区级试点资金"
    MATCH = "match", "镇级配套资金"
    DONATION = "donation", "社会捐赠"


class NoticeKind(Word):
    """What a public notice is about."""

    SELECTION = "selection", "微项目入选"
    REVOCATION = "revocation", "客堂间撤牌"
    EVALUATION = "evaluation", "年度考核结果"
    GENERAL = "general", "一般事项"


class ObjectionChannel(Word):
    """By which channel an objection came (D2-R10)."""

    WRITTEN = "written", "书面"
    PHONE = "phone", "来电"
    VISIT = "visit", "来访"
    ONLINE = "online", "网络"


class ObjectionFinding(Word):
    """What the office found about an objection."""

    UPHELD = "upheld", "异议成立"
    NOT_UPHELD = "not_upheld", "异议不成立"


class ProjectStanding(Word):
    """Where a proposal stands in its call."""

    PROPOSED = "proposed", "已申报"
    NOT_SUPPORTED = "not_supported", "民意支持不足"
    NOT_CARRIED = "not_carried", "会议未通过"
    BELOW_PASS = "below_pass", "评分未达标"
    OVER_BUDGET = "over_budget", "超出预算"
    SELECTED = "selected", "拟入选"
    UPHELD_AGAINST = "upheld_against", "异议成立取消"
    CONFIRMED = "confirmed", "确认入选"
    WITHDRAWN = "withdrawn", "已撤回"


class MajorityOf(Word):
    """The base of a majority."""

    ENTITLED = "entitled", "全体应到人数"
    PRESENT = "present", "实到人数"


class TieBreak(Word):
    """What decides between two proposals of the same score, in the edition's order."""

    SUPPORT = "support", "民意支持率高者优先"
    SMALLER_AMOUNT = "smaller_amount", "申请金额少者优先"
    EARLIER = "earlier", "申报在先者优先"


class OverBudget(Word):
    """What happens when the next proposal in rank does not fit into what is left."""

    SKIP = "skip", "跳过,看后一名"
    STOP = "stop", "到此为止"


class MissingPanel(Word):
    """What a missing evaluation panel does (D2-R11)."""

    REDISTRIBUTE = "redistribute", "权重按比例分给其他方"
    ZERO = "zero", "按零分计"
    REFUSE = "refuse", "不得办结"


class EvaluationPanel(Word):
    """Who evaluates a project (D2-R11)."""

    RESIDENTS = "residents", "居民评议"
    EXPERTS = "experts", "专家评议"
    THIRD_PARTY = "third_party", "第三方评估"
