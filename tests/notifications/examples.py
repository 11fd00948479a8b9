"""One example of every letter, and of every shape a letter can take."""

from datetime import date

from notifications import letters
from notifications.context import LetterContext

KNOWN = {
    "township": "示例镇",
    "office": "示例镇社区办",
    "scheme_title": "“话角里·客堂间”建设实施方案",
    "case_number": "KT-2026-0007",
    "matter": "周荡村第三村民小组王小明户的“话角里·客堂间”建设申请",
    "short": "王小明户申请",
    "party_label": "申请户",
    "party": "周荡村第三村民小组王小明户",
}
CASE = KNOWN | {
    "plaque_text": "话角里·客堂间",
    "village": "周荡村",
    "group": "第三村民小组",
    "household_head": "王小明",
}
DUE = date(2026, 3, 4)
NOTE = "自次日起算10个工作日，2027年放假安排公布前为暂定日期"
WARNINGS = ("活动空间18平方米，一般不少于20平方米", "志愿者8人，一般为10人以上30人以下")
DEFICIENCIES = ("空调（电风扇）", "书报")
WORKS = ("悬挂“话角里·客堂间”标牌", "制度上墙", "布置书架")

EXAMPLES: dict[str, LetterContext] = {
    "task_waiting": letters.TaskWaiting(
        **KNOWN,
        gate="方案审核",
        what_to_do="请审核方案的内容、进度和预算，批准或者退回补正。",
        facts=("核定金额12,000.00元（人民币壹万贰仟元整）", "预算3项，进度节点2个"),
        due_on=DUE,
        due_note=NOTE,
    ),
    "application_received": letters.ApplicationReceived(
        **CASE,
        submitted_on=date(2026, 2, 3),
        next_step="由村民小组长征求本组各户意见",
        due_on=DUE,
        warnings=WARNINGS,
        deficiencies=DEFICIENCIES,
    ),
    "application_received.in_order": letters.ApplicationReceived(
        **CASE,
        submitted_on=date(2026, 2, 3),
        next_step="由村民小组长征求本组各户意见",
        due_on=DUE,
        warnings=(),
        deficiencies=(),
    ),
    "consent_asked": letters.ConsentAsked(
        **CASE, due_on=DUE, due_note=NOTE, roll=("赵一", "钱二", "孙三"), without_email=("孙三",), for_household=False
    ),
    "consent_asked.household": letters.ConsentAsked(
        **CASE, due_on=DUE, due_note="", roll=(), without_email=(), for_household=True
    ),
    "consent_missing": letters.ConsentMissing(
        **CASE, entitled=20, agreeing=17, missing=("赵一", "钱二"), objecting=("孙三",), due_on=DUE, closed=False
    ),
    "consent_missing.closed": letters.ConsentMissing(
        **CASE, entitled=20, agreeing=19, missing=(), objecting=("孙三",), due_on=DUE, closed=True
    ),
    "consent_complete": letters.ConsentComplete(**CASE, entitled=20),
    "forward_waiting": letters.ForwardWaiting(**CASE, due_on=DUE, due_note=NOTE),
    "review_waiting": letters.ReviewWaiting(**CASE, due_on=DUE, due_note="", warnings=(), round=1),
    "review_waiting.again": letters.ReviewWaiting(**CASE, due_on=DUE, due_note=NOTE, warnings=WARNINGS, round=2),
    "returned": letters.Returned(**CASE, by="沈审核", reason="请补充卫生间照片", due_on=DUE),
    "rejected": letters.Rejected(**CASE, by="沈审核", reason="该住宅已列入拆迁范围"),
    "approved": letters.Approved(**CASE, by="沈审核", works=WORKS, deficiencies=DEFICIENCIES),
    "plaque_due": letters.PlaqueDue(**CASE, due_on=DUE, works=WORKS, deficiencies=DEFICIENCIES),
    "subsidy_due": letters.SubsidyDue(
        **CASE, due_on=DUE, amount_fen=1_000_000, route=("区级拨款", "镇级专户", "村级专账")
    ),
    "subsidy_paid": letters.SubsidyPaid(**CASE, amount_fen=1_000_000, purposes=("设施添置", "报刊订阅")),
    "reminder": letters.Reminder(
        **KNOWN,
        gate="农户同意",
        due_on=DUE,
        days_left=3,
        due_note=NOTE,
        late_note="系统于2月25日至3月1日停止运行，本提醒因此迟发",
        waiting_for=("赵一", "钱二"),
    ),
    "reminder.today": letters.Reminder(
        **KNOWN, gate="社区办审核", due_on=DUE, days_left=0, due_note="", late_note="", waiting_for=()
    ),
    "escalation": letters.Escalation(
        **KNOWN, gate="社区办审核", due_on=DUE, days_late=2, responsible=("沈审核", "施审核"), late_note=""
    ),
    "escalation.today": letters.Escalation(
        **KNOWN, gate="社区办审核", due_on=DUE, days_late=0, responsible=(), late_note="系统停机，本督办迟发"
    ),
    "escalation.lapsed": letters.Escalation(
        **KNOWN,
        gate="补正",
        due_on=DUE,
        days_late=1,
        responsible=("陆负责",),
        late_note="",
        decided="逾期",
    ),
    "urged": letters.Urged(**KNOWN, gate="社区办审核", by="周责任", due_on=DUE, message="农户已多次询问进展"),
    "handed_over": letters.HandedOver(
        **KNOWN, gate="社区办审核", from_name="沈审核", to_name="施审核", by="丁主任", reason="沈审核出差", due_on=DUE
    ),
    "case_closed": letters.CaseClosed(
        **KNOWN, outcome="已建成挂牌", because="挂牌、布置和补贴拨付均已完成", closed_on=DUE
    ),
    "letter_undelivered": letters.LetterUndelivered(
        **KNOWN, letter="征求农户意见", to_name="孙三", error="没有电子邮箱", due_on=DUE
    ),
    "quota_shortfall": letters.QuotaShortfall(
        township="示例镇",
        office="示例镇社区办",
        scheme_title="徐行镇“客堂匯”建设标准",
        plaque_text="客堂匯",
        year=2013,
        at_least=2,
        villages=("周荡村：建成1个", "柳河村：建成0个"),
    ),
}
