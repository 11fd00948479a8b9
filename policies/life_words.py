"""The closed lists of what happens in a site's life after its plaque; as `policies.vocabulary`, never renamed."""

from policies.vocabulary import Word


class ChangeKind(Word):
    """What a site's change is about."""

    LEADER = "leader", "更换负责人"
    MOVE = "move", "迁址"
    SUSPENSION = "suspension", "申请暂停运行"
    CLOSURE = "closure", "注销"


class DutyKind(Word):
    """What is owed again and again (D0-R4)."""

    THEME = "theme", "月度主题"
    ACTIVITY = "activity", "每周活动"


class DutyStep(Word):
    """What the office does about a duty, in this order."""

    ASK = "ask", "通知"
    REMIND = "remind", "提醒"
    ESCALATE = "escalate", "督办"
    REPORT = "report", "通报"


class CampaignScope(Word):
    """Which sites a campaign inspects (D0-R11)."""

    ALL = "all", "全部客堂间"
    VILLAGES = "villages", "按村(居)"
    SAMPLE = "sample", "随机抽查"
    NAMED = "named", "指定客堂间"


class Finding(Word):
    """What an inspection found about one point of the checklist."""

    MET = "met", "符合"
    NOT_MET = "not_met", "不符合"
    NOT_APPLICABLE = "not_applicable", "不适用"


class SiteFact(Word):
    """A recorded fact by which a site is evaluated (D0-R14)."""

    THEMES = "themes", "月度主题报送率"
    THEMES_IN_TIME = "themes_in_time", "月度主题按时报送率"
    WEEKS = "weeks", "活动周达标率"
    SESSIONS = "sessions", "活动场次"
    ATTENDANCE = "attendance", "参加人次"
    RECORDED_IN_TIME = "recorded_in_time", "活动及时登记率"
    INSPECTION = "inspection", "督查检查点符合率"
    RECTIFICATIONS = "rectifications", "无限期整改"
    SUBSIDY_SPENT = "subsidy_spent", "补贴使用率"
    PUBLICITY = "publicity", "宣传报道篇数"
    RATING = "rating", "服务及时确认率"


class VillageFact(Word):
    """A recorded fact by which a village is evaluated (D0-R14)."""

    SITES = "sites", "所辖客堂间平均得分"
    TARGET = "target", "建设目标完成率"
    MEETINGS = "meetings", "联席会议出席率"
    RESOLUTIONS = "resolutions", "议定事项按期落实率"


class MeetingSeat(Word):
    """How somebody takes part in a meeting."""

    ATTENDED = "attended", "出席"
    LEAVE = "leave", "请假"
    ABSENT = "absent", "缺席"
