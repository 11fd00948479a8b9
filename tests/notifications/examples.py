"""One example of every letter, and of every shape a letter can take."""

from datetime import date

from notifications import (
    call_letters,
    change_letters,
    evaluation_letters,
    inspection_letters,
    letters,
    life_letters,
    meeting_letters,
    notice_letters,
    project_letters,
    service_letters,
)
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
PROJECT = KNOWN | {
    "case_number": "WX-2026-0003",
    "matter": "周荡村微项目“楼道口的花园”",
    "short": "微项目“楼道口的花园”",
    "party_label": "所在村（居）",
    "party": "周荡村",
}
NOTICE = KNOWN | {
    "case_number": "GS-2026-0002",
    "matter": "公示“2026年春季微项目拟入选名单”",
    "short": "公示“2026年春季微项目拟入选名单”",
    "party_label": "公示单位",
    "party": "示例镇",
    "notice_title": "2026年春季微项目拟入选名单",
    "place": "镇政务公开栏",
    "page": "https://www.example.cn/notices/gs-2026-0002.html",
}
OBJECTION = NOTICE | {
    "seq": 1,
    "against": "楼道口的花园",
    "content": "花园占了消防通道",
    "received": "2026-03-03 09:30",
}
MEETING = KNOWN | {
    "case_number": "KTLX-2026-0002",
    "matter": "联席会议“2026年第2季度联席会议”",
    "short": "联席会议“2026年第2季度联席会议”",
    "party_label": "承办单位",
    "party": "示例镇",
    "meeting": "2026年第2季度联席会议",
}
RESOLUTION = KNOWN | {
    "case_number": "KTYD-2026-0001",
    "matter": "议定事项“为周荡村两个客堂间更换音响”",
    "short": "议定事项“为周荡村两个客堂间更换音响”",
    "party_label": "承办单位",
    "party": "周荡村",
}
EVALUATION = KNOWN | {
    "case_number": "KTKH-2027-0001",
    "matter": "年度考核“示例镇2026年度客堂间考核”",
    "short": "年度考核“示例镇2026年度客堂间考核”",
    "party_label": "承办单位",
    "party": "示例镇",
}
DUE = date(2026, 3, 4)
NOTE = "自次日起算10个工作日，2027年放假安排公布前为暂定日期"
WARNINGS = ("活动空间18平方米，一般不少于20平方米", "志愿者8人，一般为10人以上30人以下")
DEFICIENCIES = ("空调（电风扇）", "书报")
WORKS = ("悬挂“话角里·客堂间”标牌", "制度上墙", "布置书架")

CALL = KNOWN | {
    "scheme_title": "示例镇居民微项目办法",
    "case_number": "ZJ-2026-0001",
    "matter": "微项目征集“2026年春季微项目”",
    "short": "微项目征集“2026年春季微项目”",
    "party_label": "征集单位",
    "party": "示例镇",
}
PROPOSAL = CALL | {
    "case_number": "WXM-2026-0003",
    "matter": "周荡村微项目“河边长廊修缮”",
    "short": "微项目“河边长廊修缮”",
    "party_label": "所在村（居）",
    "party": "周荡村",
}

DUTY = {
    "township": "示例镇",
    "office": "示例镇社区办",
    "scheme_title": "“话角里·客堂间”建设实施方案",
    "plaque_text": "话角里·客堂间",
    "late_note": "",
}
LATE = "本函应于2026年2月25日发出，因系统停运推迟至今天"

CAMPAIGN = KNOWN | {
    "case_number": "KTDC-2026-0001",
    "matter": "督查“2026年上半年督查”",
    "short": "督查“2026年上半年督查”",
    "party_label": "承办单位",
    "party": "示例镇",
}
INSPECTION = KNOWN | {
    "case_number": "KTDD-2026-0004",
    "matter": "单点督查“话角里·客堂间·王小明户（KT-2026-0007-S）”",
    "short": "单点督查“话角里·客堂间·王小明户（KT-2026-0007-S）”",
    "party_label": "所在村（居）民小组",
    "party": "第三村民小组",
}
INSPECTED = "周荡村第三村民小组王小明户“话角里·客堂间”（KT-2026-0007-S）"

ORDER = KNOWN | {
    "case_number": "KTPS-2026-0004",
    "matter": "服务点单“老年人健康讲座(KT-2026-0007-S)”",
    "short": "服务点单“老年人健康讲座(KT-2026-0007-S)”",
    "party_label": "所在村（居）民小组",
    "party": "周荡村第三村民小组",
    "item": "老年人健康讲座",
    "provider": "示例镇社区卫生服务中心",
}
PLACED = ORDER | {
    "site": "KT-2026-0007-S",
    "address": "周荡村第三村民小组王小明户（三组12号）",
    "leader": "李四",
    "wished_on": date(2026, 3, 16),
    "people": 20,
}

CHANGE = KNOWN | {
    "case_number": "KTBG-2026-0002",
    "matter": "客堂间变更“话角里·客堂间·王小明户 更换负责人”",
    "short": "客堂间变更“话角里·客堂间·王小明户 更换负责人”",
    "party_label": "所在村（居）民小组",
    "party": "第三村民小组",
    "site": "周荡村第三村民小组王小明户的“话角里·客堂间”（编号KT-2026-0007-S）",
    "kind": "更换负责人",
}
CHANGE_ASKED = ("新负责人为赵一(P031)（退休教师），由周荡村党支部推荐，本人同意",)

EXAMPLES: dict[str, LetterContext] = {
    "task_waiting": letters.TaskWaiting(
        **KNOWN,
        gate="方案审核",
        what_to_do="请审核方案的内容、进度和预算，批准或者退回补正。",
        facts=("核定金额12,000.00元（人民币壹万贰仟元整）", "预算3项，进度节点2个"),
        due_on=DUE,
        due_note=NOTE,
    ),
    "plan_returned": project_letters.PlanReturned(
        **PROJECT, by="沈审核", reason="预算第2项未列明单价", due_on=DUE, returns_left=2
    ),
    "plan_approved": project_letters.PlanApproved(
        **PROJECT,
        by="沈审核",
        total_fen=450_000,
        lines=("花苗（物资购置）3,000.00元", "铺装（服务购买）1,500.00元"),
        milestones=("整地，2026年4月10日前", "栽种，2026年5月8日前"),
    ),
    "funds_arrived": project_letters.FundsArrived(
        **PROJECT, amount_fen=500_000, lines=("花苗3,000.00元", "铺装1,500.00元")
    ),
    "rectification_asked": project_letters.RectificationAsked(
        **PROJECT, by="沈审核", reason="花池边缘有积水，须加排水口", due_on=DUE
    ),
    "project_stopped": project_letters.ProjectStopped(
        **PROJECT, by="丁主任", reason="该地块将改建停车场", left_fen=200_000
    ),
    "project_stopped.nothing_left": project_letters.ProjectStopped(
        **PROJECT, by="丁主任", reason="该地块将改建停车场", left_fen=0
    ),
    "project_evaluated": project_letters.ProjectEvaluated(
        **PROJECT,
        points="87.50",
        grade="良好",
        panels=("居民评议：12份，平均90.00分", "专家评议：3份，平均85.00分"),
        reckoning="居民评议90.00分×1/2+专家评议85.00分×1/2，合计87.50分，良好",
    ),
    "surplus_returned": project_letters.SurplusReturned(
        **PROJECT, amount_fen=50_000, spent_fen=450_000, returned_on=DUE
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
    "reminder.window": letters.Reminder(
        **KNOWN, gate="公示期", due_on=DUE, days_left=2, due_note="", late_note="", waiting_for=(), ends_itself=True
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
    "notice_published": notice_letters.NoticePublished(
        **NOTICE,
        published_on=date(2026, 3, 2),
        ends_on=date(2026, 3, 6),
        period="公示期5个工作日，自公布当日（2026年3月2日）起算，当日计入，至2026年3月6日24时止",
        items=("楼道口的花园", "长者食堂"),
        channels=("书面", "来电"),
        contact="示例镇社区办（镇政府二楼）",
        sha256="ab" * 32,
    ),
    "notice_published.plain": notice_letters.NoticePublished(
        **NOTICE | {"page": ""},
        published_on=date(2026, 3, 2),
        ends_on=date(2026, 3, 6),
        period="公示期5个工作日，至2026年3月6日24时止",
        items=(),
        channels=("书面",),
        contact="示例镇社区办（镇政府二楼）",
        sha256="ab" * 32,
    ),
    "notice_prolonged": notice_letters.NoticeProlonged(
        **NOTICE, by="沈审核", reason="连日暴雨，公开栏无法张贴", from_day=date(2026, 3, 6), to_day=date(2026, 3, 10)
    ),
    "notice_closed": notice_letters.NoticeClosed(
        **NOTICE,
        outcome="公示通过",
        because="公示期满，无成立或待处理的异议",
        ended_on=date(2026, 3, 6),
        cancelled=False,
        received=0,
        upheld=0,
        not_upheld=0,
        late_note="",
    ),
    "notice_closed.late": notice_letters.NoticeClosed(
        **NOTICE,
        outcome="调整后重新公示",
        because="第1件异议成立，该项目退出",
        ended_on=date(2026, 3, 6),
        cancelled=False,
        received=2,
        upheld=1,
        not_upheld=1,
        late_note="公示期已于2026年3月6日24时届满，因系统停运，至2026-03-09 08:12补记，效力自期满之时起算",
    ),
    "notice_closed.cancelled": notice_letters.NoticeClosed(
        **NOTICE | {"page": ""},
        outcome="公示已撤销",
        because="名单有误",
        ended_on=date(2026, 3, 4),
        cancelled=True,
        received=0,
        upheld=0,
        not_upheld=0,
        late_note="",
    ),
    "objection_received": notice_letters.ObjectionReceived(
        **OBJECTION, channel="来访", who="王五", contact="w***@example.com", open_count=2, for_objector=False
    ),
    "objection_received.anonymous": notice_letters.ObjectionReceived(
        **OBJECTION, channel="书面", who="(匿名)", contact="", open_count=1, for_objector=False
    ),
    "objection_received.objector": notice_letters.ObjectionReceived(
        **OBJECTION, channel="网络", who="王五", contact="w***@example.com", open_count=1, for_objector=True
    ),
    "objection_received.later": notice_letters.ObjectionReceived(
        **OBJECTION,
        channel="书面",
        who="王五",
        contact="",
        open_count=1,
        for_objector=False,
        ended_note="这件公示已于2026年3月6日24时期满，2026-03-07 00:00办结（公示通过）；异议在公示期内收到，为补登。",
    ),
    "objection_answered": notice_letters.ObjectionAnswered(
        **OBJECTION, finding="异议不成立", reasons="经消防部门现场核实，未占用消防通道"
    ),
    "objection_answered.head": notice_letters.ObjectionAnswered(
        **OBJECTION,
        finding="异议成立",
        reasons="经消防部门现场核实，占用消防通道",
        what_follows="这件公示已于2026年3月6日24时期满，2026-03-07 00:00办结（公示通过），结果不因此自动改变。"
        "社区办负责人可以终止实施所涉项目 XM-2026-0001“楼道口的花园”，或者另行发布公示。",
    ),
    "meeting_invitation": meeting_letters.MeetingInvitation(
        **MEETING,
        meets_on=date(2026, 4, 15),
        begins="14:00",
        place="镇政府三楼会议室",
        chair="丁主任",
        agenda=("通报2026年第1季度客堂间运行情况", "听取议定事项“更换音响”的落实情况", "各村（居）交流工作情况"),
        invited=("示例镇：丁主任、沈审核", "周荡村：周责任、李联络"),
        change="",
        late_note="",
    ),
    "meeting_invitation.changed": meeting_letters.MeetingInvitation(
        **MEETING,
        meets_on=date(2026, 4, 22),
        begins="09:30",
        place="镇文化中心一楼",
        chair="丁主任",
        agenda=("通报2026年第1季度客堂间运行情况",),
        invited=("示例镇：丁主任、沈审核", "周荡村：周责任、李联络"),
        change="会议延期至2026年4月22日",
        late_note="",
    ),
    "meeting_invitation.reminder": meeting_letters.MeetingInvitation(
        **MEETING,
        meets_on=date(2026, 4, 15),
        begins="14:00",
        place="镇政府三楼会议室",
        chair="丁主任",
        agenda=("通报2026年第1季度客堂间运行情况", "各村（居）交流工作情况"),
        invited=("示例镇：丁主任、沈审核", "周荡村：周责任、李联络"),
        change="",
        late_note="",
        reminder=True,
    ),
    "meeting_invitation.late": meeting_letters.MeetingInvitation(
        **MEETING,
        meets_on=date(2026, 4, 20),
        begins="14:00",
        place="",
        chair="",
        agenda=("通报2026年第1季度客堂间运行情况",),
        invited=("示例镇：丁主任、沈审核",),
        change="",
        late_note="本次会议应于2026年4月1日召集，现予补办。",
    ),
    "meeting_called_off": meeting_letters.MeetingCalledOff(
        **MEETING, meets_on=date(2026, 4, 15), by="沈审核", reason="与全镇防汛会议冲突"
    ),
    "meeting_minutes": meeting_letters.MeetingMinutes(
        **MEETING,
        held_on=date(2026, 4, 15),
        place="镇政府三楼会议室",
        chair="丁主任",
        attended=("丁主任", "沈审核", "周责任"),
        on_leave=("李联络",),
        absent=("柳联络",),
        guests="镇文化中心金老师",
        invited_count=5,
        minutes="会议听取了各村（居）一季度的工作情况。\n会议强调，活动记录须当周完成。",
        document="KTLX-2026-0002/会议纪要.pdf",
        resolutions=("为周荡村两个客堂间更换音响（承办人：周责任，期限：2026年5月8日）",),
    ),
    "meeting_minutes.nothing_decided": meeting_letters.MeetingMinutes(
        **MEETING,
        held_on=date(2026, 4, 15),
        place="镇政府三楼会议室",
        chair="丁主任",
        attended=("丁主任", "沈审核"),
        on_leave=(),
        absent=(),
        guests="",
        invited_count=2,
        minutes="会议传达了有关文件。",
        document="",
        resolutions=(),
    ),
    "resolution_assigned": meeting_letters.ResolutionAssigned(
        **RESOLUTION,
        meeting="2026年第2季度联席会议",
        held_on=date(2026, 4, 15),
        text="为周荡村两个客堂间更换音响",
        due_on=date(2026, 5, 8),
        put_off="",
        left=2,
    ),
    "resolution_assigned.put_off": meeting_letters.ResolutionAssigned(
        **RESOLUTION,
        meeting="2026年第2季度联席会议",
        held_on=date(2026, 4, 15),
        text="为周荡村两个客堂间更换音响",
        due_on=date(2026, 5, 29),
        put_off="原期限2026年5月8日，改为2026年5月29日，由丁主任决定，理由：厂家供货推迟",
        left=0,
    ),
    "call_opened": call_letters.CallOpened(
        **CALL,
        purpose="请各村围绕居民身边的小事，提出一个月内能见效的项目。",
        kinds=("邻里关爱，每个项目至多5,000.00元", "环境美化，每个项目至多20,000.00元"),
        who="村（居）民代表、村（居）民小组长可以提议",
        opens_on=date(2026, 3, 9),
        closes_on=date(2026, 3, 27),
        budget_fen=3_000_000,
        contact="示例镇社区办二楼",
        change="",
    ),
    "call_opened.prolonged": call_letters.CallOpened(
        **CALL,
        purpose="请各村围绕居民身边的小事，提出一个月内能见效的项目。",
        kinds=("邻里关爱，每个项目至多5,000.00元",),
        who="登记簿中的居民都可以提议",
        opens_on=date(2026, 3, 9),
        closes_on=date(2026, 4, 3),
        budget_fen=3_000_000,
        contact="示例镇社区办二楼",
        change="清明前后外出务工的村民才能回来",
    ),
    "proposal_received": call_letters.ProposalReceived(
        **PROPOSAL,
        submitted_on=date(2026, 3, 12),
        kind="环境美化",
        amount_fen=480_000,
        closes_on=date(2026, 3, 27),
        steps=("社情民意调研", "评审组评分，在预算内择优", "入选公示，听取异议", "确认入选，细化方案"),
    ),
    "proposal_result": call_letters.ProposalResult(
        **PROPOSAL,
        selected=True,
        amount_fen=480_000,
        because="第1名，5人评分，平均86.67分，须达到70分，达到",
        next_step="请于2026年5月20日前细化项目内容、实施步骤、资金预算和预期效益，提交方案；届时另行通知。",
    ),
    "proposal_result.not_selected": call_letters.ProposalResult(
        **PROPOSAL,
        selected=False,
        amount_fen=0,
        because="超出预算（第5名，申请4,800.00元，超过剩余预算1,200.00元）",
        next_step="",
    ),
    "inspection_announced": inspection_letters.InspectionAnnounced(
        **CAMPAIGN,
        since=date(2026, 3, 9),
        until=date(2026, 3, 31),
        sites=(
            f"KTDD-2026-0004 {INSPECTED}",
            "KTDD-2026-0005 周荡村第四村民小组李某户“话角里·客堂间”（KT-2026-0008-S）",
        ),
        checklist=("活动资料记录和存档", "补贴资金专款专用、凭证齐全"),
        for_office=False,
    ),
    "inspection_announced.office": inspection_letters.InspectionAnnounced(
        **CAMPAIGN,
        since=date(2026, 3, 9),
        until=date(2026, 3, 31),
        sites=(f"KTDD-2026-0004 {INSPECTED}",),
        checklist=("活动资料记录和存档",),
        for_office=True,
    ),
    "site_rectification": inspection_letters.SiteRectification(
        **INSPECTION,
        site=INSPECTED,
        visited_on=date(2026, 3, 10),
        points=("活动资料记录和存档：不符合，缺2月的签到表",),
        reason="补齐2月的签到表并存档",
        due_on=date(2026, 4, 9),
        times_left=1,
    ),
    "site_rectification.last": inspection_letters.SiteRectification(
        **INSPECTION,
        site=INSPECTED,
        visited_on=date(2026, 4, 13),
        points=("活动资料记录和存档：不符合，签到表仍缺2次",),
        reason="补齐签到表",
        due_on=date(2026, 5, 13),
        times_left=0,
    ),
    "inspection_result": inspection_letters.InspectionResult(
        **INSPECTION,
        result="督查合格",
        because="",
        lines=("活动资料记录和存档：符合", "补贴资金专款专用、凭证齐全：不适用，尚未拨付"),
        next_step="",
    ),
    "inspection_result.revoke": inspection_letters.InspectionResult(
        **INSPECTION,
        result="拟撤牌",
        because="三个月没有开展活动，两次整改均无效果",
        lines=("活动资料记录和存档：不符合，没有记录",),
        next_step="将先行公示，对撤牌有异议的，请在公示期内向社区办提出；公示无成立的异议，期满后撤牌。",
    ),
    "inspection_result.village": inspection_letters.InspectionResult(
        **CAMPAIGN,
        result="周荡村1处已全部办结",
        because="",
        lines=(f"{INSPECTED}：督查合格",),
        next_step="督查结果计入年度考核。",
    ),
    "site_revoked": inspection_letters.SiteRevoked(
        **INSPECTION,
        site=INSPECTED,
        revoked_on=date(2026, 5, 25),
        reason="三个月没有开展活动，两次整改均无效果",
        points=("活动资料记录和存档：不符合，没有记录",),
        notice="GS-2026-0002",
        duties=(
            "尚未办结的服务点单KTPS-2026-0004：尚未送达、不再需要的，请社区办审核员写明理由撤回，系统随即通知服务单位",
        ),
    ),
    "theme_asked": life_letters.ThemeAsked(
        **DUTY,
        month="2026年4月",
        due_on=date(2026, 3, 25),
        sites=("KT-2026-0001-S（周荡村第三村民小组）", "KT-2026-0009-S（周荡村第五村民小组）"),
    ),
    "theme_missing": life_letters.ThemeMissing(
        **DUTY,
        months="2026年4月",
        sites=("KT-2026-0001-S（周荡村第三村民小组）：2026年4月主题，应于2026年3月25日前报送",),
    ),
    "theme_missing.late": life_letters.ThemeMissing(
        **DUTY | {"late_note": LATE},
        months="2026年3月、2026年4月",
        sites=(
            "KT-2026-0001-S（周荡村第三村民小组）：2026年3月主题，应于2026年2月25日前报送，已逾期29日",
            "KT-2026-0001-S（周荡村第三村民小组）：2026年4月主题，应于2026年3月25日前报送，已逾期1日",
        ),
    ),
    "themes_missing": life_letters.ThemesMissing(
        **DUTY,
        months="2026年4月",
        sites=("KT-2026-0001-S（周荡村第三村民小组，负责人陆负责）：2026年4月主题",),
        unreachable=(),
    ),
    "themes_missing.in_person": life_letters.ThemesMissing(
        **DUTY,
        months="2026年4月",
        sites=(),
        unreachable=("周荡村第三村民小组负责人陆负责（没有电子邮箱）：KT-2026-0001-S",),
    ),
    "themes_missing.late": life_letters.ThemesMissing(
        **DUTY | {"late_note": LATE},
        months="2026年4月",
        sites=("KT-2026-0001-S（周荡村第三村民小组，负责人陆负责）：2026年4月主题",),
        unreachable=("周荡村第三村民小组负责人陆负责（没有电子邮箱）：KT-2026-0001-S",),
    ),
    "week_missing": life_letters.WeekMissing(
        **DUTY,
        weeks="2026年3月2日至3月8日",
        at_least=1,
        sites=("KT-2026-0001-S（周荡村第三村民小组）：2026年3月2日至3月8日（已记录0次）",),
    ),
    "weeks_missing": life_letters.WeeksMissing(
        **DUTY,
        weeks="2026年3月2日至3月8日",
        at_least=1,
        sites=("KT-2026-0001-S（周荡村第三村民小组，负责人陆负责）：2026年3月2日至3月8日（已记录0次）",),
        unreachable=(),
    ),
    "weeks_missing.late": life_letters.WeeksMissing(
        **DUTY | {"late_note": LATE},
        weeks="2026年3月2日至3月8日、2026年3月9日至3月15日",
        at_least=2,
        sites=(
            "KT-2026-0001-S（周荡村第三村民小组，负责人陆负责）：2026年3月2日至3月8日（已记录0次）、"
            "2026年3月9日至3月15日（已记录1次）",
        ),
        unreachable=("周荡村第三村民小组负责人陆负责（没有电子邮箱）：KT-2026-0001-S",),
    ),
    "order_placed": service_letters.OrderPlaced(
        **PLACED, for_site=False, note="上午九点，以高血压患者为主", due_on=DUE, due_note=NOTE
    ),
    "order_placed.receipt": service_letters.OrderPlaced(**PLACED, for_site=True, note="", due_on=DUE, due_note=""),
    "order_answered": service_letters.OrderAnswered(
        **ORDER, taken=True, wished_on=date(2026, 3, 16), promised_on=date(2026, 3, 18), reason="16日有义诊"
    ),
    "order_answered.as_wished": service_letters.OrderAnswered(
        **ORDER, taken=True, wished_on=date(2026, 3, 16), promised_on=date(2026, 3, 16), reason=""
    ),
    "order_answered.declined": service_letters.OrderAnswered(
        **ORDER, taken=False, wished_on=date(2026, 3, 16), promised_on=None, reason="本月讲座已经排满"
    ),
    "order_delivered": service_letters.OrderDelivered(
        **ORDER,
        delivered_on=date(2026, 3, 18),
        served=18,
        proof="KTPS-2026-0004/签到表.jpg",
        best_rating=5,
        lapses=True,
        due_on=date(2026, 3, 30),
        due_note=NOTE,
    ),
    "order_disputed": service_letters.OrderDisputed(
        **ORDER,
        site="KT-2026-0007-S",
        by="李四",
        claimed_on=date(2026, 3, 18),
        reason="只讲了半小时，没有测血压",
        due_on=date(2026, 4, 20),
    ),
    "change_received": change_letters.ChangeReceived(
        **CHANGE,
        applied_by="周责任(P010)",
        submitted_on=date(2026, 2, 3),
        reason="原负责人病故",
        asked=CHANGE_ASKED,
        next_step="由村（居）委会提出意见，再由社区办审核",
        due_on=DUE,
    ),
    "change_decided": change_letters.ChangeDecided(
        **CHANGE,
        approved=True,
        by="沈审核",
        opinion="村（居）委会同意变更（周责任(P010)）",
        reason="情况属实",
        asked=CHANGE_ASKED,
        next_step="变更自批准之日起生效，详见另函。",
    ),
    "change_decided.rejected": change_letters.ChangeDecided(
        **CHANGE,
        approved=False,
        by="沈审核",
        opinion="村（居）委会不同意变更（周责任(P010)），理由为“群众还想由原负责人牵头”",
        reason="推荐组织未盖章",
        asked=CHANGE_ASKED,
        next_step="",
    ),
    "site_changed": change_letters.SiteChanged(
        **CHANGE,
        effective_on=DUE,
        changes=("负责人：由“钱二(P030)”改为“赵一(P031)”",),
        duties=("请原负责人（或者由村（居）委会代为）向新负责人移交活动记录、补贴使用凭证和设施物品",),
        late_note="",
    ),
    "site_changed.resumed_late": change_letters.SiteChanged(
        **CHANGE | {"kind": "恢复运行"},
        effective_on=DUE,
        changes=("状态：由“暂停运行”恢复为“运行中”（暂停期满）",),
        duties=(),
        late_note="本次变更应于2026年3月4日办理，系统于2026年3月6日补办，效力自2026年3月4日起算。",
    ),
    "consent_asked.move": letters.ConsentAsked(
        **CASE,
        due_on=DUE,
        due_note=NOTE,
        roll=("赵一", "钱二"),
        without_email=(),
        for_household=False,
        moves_from="周荡村第一村民小组李大伯户",
    ),
    "consent_asked.move_household": letters.ConsentAsked(
        **CASE,
        due_on=DUE,
        due_note="",
        roll=(),
        without_email=(),
        for_household=True,
        moves_from="周荡村第一村民小组李大伯户",
    ),
    "consent_missing.move": letters.ConsentMissing(
        **CASE,
        entitled=20,
        agreeing=19,
        missing=(),
        objecting=("孙三",),
        due_on=DUE,
        closed=True,
        moves_from="周荡村第一村民小组李大伯户",
    ),
    "consent_complete.move": letters.ConsentComplete(**CASE, entitled=20, moves_from="周荡村第一村民小组李大伯户"),
    "evaluation_result": evaluation_letters.EvaluationTold(
        **EVALUATION,
        year=2026,
        who="客堂间 KT-2026-0001-S（周荡村）",
        result="得94.1分，优秀，在12个客堂间中列第1名",
        notice="KTGS-2027-0001",
        scores=(
            "月月有主题：应报11个月，已报11个月，其中按时11个月；本项20分，连同分摊的分值按23.5分计；得23.5分（满分23.5分）",
            "督查检查点：当年未被督查；没有应办事项，本项10分按比例分摊到其他各项",
        ),
        consequence="按“优秀”等次，拟计入周荡村以奖代拨2,000.00元，为建议数，以实际拨付为准。",
        villages=(),
        sites=(),
    ),
    "evaluation_result.village": evaluation_letters.EvaluationTold(
        **EVALUATION,
        year=2026,
        who="周荡村",
        result="得73.2分，合格，在3个村（居）中列第2名",
        notice="KTGS-2027-0001",
        scores=("所辖客堂间：所辖客堂间2个，平均94.1分；本项70分，连同分摊的分值按77.8分计；得73.2分（满分77.8分）",),
        consequence="所辖客堂间拟计入以奖代拨4,000.00元，为建议数，以实际拨付为准；计入村级年度考核3.7分。",
        villages=(),
        sites=("第1名 KT-2026-0001-S（周荡村，负责人陆负责）94.1分，优秀",),
    ),
    "evaluation_result.office": evaluation_letters.EvaluationTold(
        **EVALUATION,
        year=2026,
        who="示例镇",
        result="客堂间共2个：优秀1个、良好0个、合格0个、不合格1个；村（居）共1个：优秀0个、良好0个、合格1个、不合格0个",
        notice="KTGS-2027-0001",
        scores=(),
        consequence="拟计入以奖代拨合计2,000.00元（人民币贰仟元整），为建议数；各村（居）计入村级年度考核的分数见下。",
        villages=("第1名 周荡村73.2分，合格，拟计入以奖代拨2,000.00元、村级年度考核3.7分",),
        sites=(
            "第1名 KT-2026-0001-S（周荡村，负责人陆负责）94.1分，优秀",
            "第2名 KT-2026-0002-S（周荡村，负责人王大）50.3分，不合格",
        ),
    ),
}
