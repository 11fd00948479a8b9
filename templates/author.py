"""
Write the shipped Word templates; for developers only: ``python -m templates.author`` (``make documents``).

What stands between braces is filled by `tasks.paperwork`; the tags are listed in `tasks.paperwork_fields`. An office
edits copies of the files, never this.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from templates.layout import Sheet

FOLDER = Path(__file__).resolve().parent / "documents"
BLANK_DAY = "　　　　年　　月　　日"


def application() -> Sheet:
    """Return 创建申请表: what a household applies with."""
    sheet = Sheet("客堂间创建申请表")
    sheet.title("{{ 村居 }}“{{ 铭牌 }}”创建申请表")
    sheet.line("案件编号：{{ 案件编号 }}（第{{ 轮次 }}次提交）　依据：《{{ 政策 }}》")
    sheet.pairs(
        (
            ("申请户主", "{{ 户主 }}", "户号", "{{ 户号 }}"),
            ("村（居）", "{{ 村居 }}", "小组", "{{ 小组 }}"),
            ("地址", "{{ 地址 }}", "户主电话", "{{ 户主电话 }}"),
            ("负责人", "{{ 负责人 }}", "负责人电话", "{{ 负责人电话 }}"),
            ("负责人来源", "{{ 负责人来源 }}", "推荐组织", "{{ 推荐组织 }}"),
            ("户主自愿", "{{ 户主意愿 }}", "负责人意愿", "{{ 本人意愿 }}"),
            ("志愿者", "{{ 志愿者 }}", "活动空间", "{{ 面积 }}"),
            ("特色主题", "{{ 特色主题 }}", "结合建设", "{{ 结合建设 }}"),
        )
    )
    sheet.facts(
        (("现有设施", "{{ 设施 }}"), ("补贴", "{{ 补贴 }}{% if 补贴大写 %}（{{ 补贴大写 }}）{% endif %}")), label_mm=30
    )
    sheet.heading("对照标准")
    sheet.listing(
        (("序号", 14), ("标准", 48), ("情况", 66), ("依据", 28)),
        each="标 in 标准",
        cells=("{{ 标.序号 }}", "{{ 标.名称 }}", "{{ 标.情况 }}", "{{ 标.依据 }}"),
    )
    sheet.text("本户自愿提供住宅的上述空间，供左邻右舍开展活动，所填情况属实。")
    sheet.signed("户主（签名）：＿＿＿＿＿＿", "负责人（签名）：＿＿＿＿＿＿", day="{{ 申请日期 }}")
    return sheet


def consent() -> Sheet:
    """Return 农户意见征询签名表: one row for each household of the frozen roll."""
    sheet = Sheet("农户意见征询签名表")
    sheet.title("“{{ 铭牌 }}”创建农户意见征询签名表")
    sheet.text(
        "{{ 村居 }}{{ 小组 }}{{ 户主 }}户（户号{{ 户号 }}）自愿申请在其住宅创建“{{ 铭牌 }}”，由{{ 负责人 }}负责。"
        "依照《{{ 政策 }}》，现征求本组全体农户的意见，须{{ 须同意 }}农户同意。"
    )
    sheet.text("征求意见：自{{ 开始日期 }}起，至{{ 截止日期 }}止。{{ 期限说明 }}")
    sheet.line("案件编号：{{ 案件编号 }}（第{{ 轮次 }}次征求意见）　　本组共{{ 户数 }}户")
    sheet.listing(
        (("序号", 14), ("户号", 26), ("户主", 24), ("地址", 28), ("意见", 34), ("签名", 30)),
        each="户 in 农户",
        cells=(
            "{{ 户.序号 }}",
            "{{ 户.户号 }}",
            "{{ 户.户主 }}",
            "{{ 户.地址 }}",
            "{{ 户.意见 }}{% if 户.备注 %}（{{ 户.备注 }}）{% endif %}",
            "",
        ),
        tall=True,
        below="已登记：同意{{ 同意户数 }}户，不同意{{ 不同意户数 }}户，未答复{{ 未答复户数 }}户。",
    )
    sheet.line("由户主本人在“意见”一栏选择、签名；代签须注明与户主的关系。签名后交村（居）民小组长登记。")
    sheet.signed("村（居）民小组长（签名）：＿＿＿＿＿＿", day="{{ 制表日期 }}")
    return sheet


def review() -> Sheet:
    """Return 审核表: what the office looks at, and what it found."""
    sheet = Sheet("客堂间创建审核表")
    sheet.title("“{{ 铭牌 }}”创建审核表")
    sheet.line("案件编号：{{ 案件编号 }}　　依据：《{{ 政策 }}》")
    sheet.pairs(
        (
            ("申请户", "{{ 户主 }}（{{ 户号 }}）", "村（居）、组", "{{ 村居 }}{{ 小组 }}"),
            ("负责人", "{{ 负责人 }}", "申请日期", "{{ 申请日期 }}"),
            ("志愿者", "{{ 志愿者 }}", "活动空间", "{{ 面积 }}"),
            ("特色主题", "{{ 特色主题 }}", "现有设施", "{{ 设施 }}"),
        )
    )
    sheet.facts(
        (
            ("审核提示", "{{ 提示 }}"),
            ("挂牌前补齐", "{{ 待补齐 }}"),
            ("补贴", "{{ 补贴 }}{% if 补贴大写 %}（{{ 补贴大写 }}）{% endif %}"),
        ),
        label_mm=30,
    )
    sheet.heading("对照标准")
    sheet.listing(
        (("序号", 14), ("标准", 48), ("情况", 66), ("依据", 28)),
        each="标 in 标准",
        cells=("{{ 标.序号 }}", "{{ 标.名称 }}", "{{ 标.情况 }}", "{{ 标.依据 }}"),
    )
    sheet.heading("办理情况")
    sheet.listing(
        (("环节", 36), ("决定", 24), ("理由或说明", 40), ("办理人", 24), ("日期", 32)),
        each="步 in 办理",
        cells=("{{ 步.环节 }}", "{{ 步.决定 }}", "{{ 步.理由 }}", "{{ 步.办理人 }}", "{{ 步.日期 }}"),
    )
    sheet.heading("审核意见")
    sheet.control("if 审核决定")
    sheet.text("审核决定：{{ 审核决定 }}。{% if 审核理由 %}理由：{{ 审核理由 }}{% endif %}")
    sheet.text("审核人：{{ 审核人 }}")
    sheet.signed("{{ 社区办 }}（盖章）", day="{{ 审核日期 }}")
    sheet.control("else")
    sheet.text("□批准　　□退回补正　　□不予批准　　（须在{{ 审核期限 }}前办理）")
    sheet.text("理由：")
    sheet.text("审核人（签名）：")
    sheet.signed("{{ 社区办 }}（盖章）", day=BLANK_DAY)
    sheet.control("endif")
    return sheet


def notice() -> Sheet:
    """Return 公示: a notice as it was published."""
    sheet = Sheet("公示")
    sheet.title("{{ 标题 }}")
    sheet.control("for 段 in 正文")
    sheet.text("{{ 段.段落 }}")
    sheet.control("endfor")
    sheet.control("if 事项")
    sheet.listing(
        (("序号", 14), ("公示事项", 104), ("案件编号", 38)),
        each="项 in 事项",
        cells=("{{ 项.序号 }}", "{{ 项.内容 }}", "{{ 项.案件编号 }}"),
    )
    sheet.control("endif")
    sheet.text("公示时间：{{ 起始日期 }}至{{ 截止日期 }}（{{ 期限说明 }}）。")
    sheet.control("for 次 in 延长")
    sheet.text("{{ 次.日期 }}决定将公示期由{{ 次.原截止日期 }}延长至{{ 次.新截止日期 }}，原因：{{ 次.原因 }}")
    sheet.control("endfor")
    sheet.text(
        "公示期内如有异议，请以{{ 渠道 }}的方式向以下联系人提出："
        "{{ 联系方式 }}{% if 办公电话 %}，电话{{ 办公电话 }}{% endif %}。"
    )
    sheet.text("公示地点：{{ 地点 }}")
    sheet.signed("{{ 落款 }}", day="{{ 公示日期 }}")
    sheet.line("编号：{{ 案件编号 }}（第{{ 次数 }}次公示）　校验值：{{ 校验值 }}")
    return sheet


def sign_in() -> Sheet:
    """Return 签到表: who came to the meeting."""
    sheet = Sheet("签到表")
    sheet.title("{{ 会议 }}签到表")
    sheet.line("{{ 案件名称 }}（{{ 案件编号 }}）")
    sheet.line("会议时间：" + BLANK_DAY + "　　时　　分　　　　地点：")
    sheet.line("应到{{ 应到人数 }}人　　实到　　　人　　{% if 须到人数 %}至少须到{{ 须到人数 }}人{% endif %}")
    sheet.listing(
        (("序号", 14), ("姓名", 30), ("人员编号", 24), ("单位", 40), ("签名", 48)),
        each="人 in 成员",
        cells=("{{ 人.序号 }}", "{{ 人.姓名 }}", "{{ 人.编号 }}", "{{ 人.单位 }}", "{{ 人.到会 }}"),
        tall=True,
    )
    sheet.line("{{ 规则 }}")
    sheet.line("{{ 名单来源 }}")
    sheet.signed("{{ 社区办 }}", "主持人（签名）：＿＿＿＿＿＿", "记录人（签名）：＿＿＿＿＿＿", day="{{ 制表日期 }}")
    return sheet


def vote() -> Sheet:
    """Return 表决签名表: one table for each project, everybody signs."""
    sheet = Sheet("表决签名表")
    sheet.control("for 项 in 项目")
    sheet.title("{{ 会议 }}表决签名表")
    sheet.line("{{ 案件名称 }}（{{ 案件编号 }}）")
    sheet.text("第{{ 项.序号 }}项：{{ 项.名称 }}（{{ 项.编号 }}，{{ 项.村居 }}）")
    sheet.text("申请金额：{{ 项.金额 }}（{{ 项.金额大写 }}）")
    sheet.listing(
        (("序号", 14), ("姓名", 28), ("单位", 30), ("表决", 50), ("签名", 34)),
        each="人 in 成员",
        cells=("{{ 人.序号 }}", "{{ 人.姓名 }}", "{{ 人.单位 }}", "□赞成 □反对 □弃权", ""),
        tall=True,
        below="{% if 项.票数 %}{{ 项.票数 }}{% else %}"
        "应到{{ 应到人数 }}人，实到　　人；赞成　　票，反对　　票，弃权　　票。{% endif %}",
    )
    sheet.line("{{ 规则 }}")
    sheet.line("{{ 名单来源 }}")
    sheet.signed("{{ 社区办 }}", "计票人（签名）：＿＿＿＿＿＿", "监票人（签名）：＿＿＿＿＿＿", day=BLANK_DAY)
    sheet.control("if not loop.last")
    sheet.page_break()
    sheet.control("endif")
    sheet.control("endfor")
    return sheet


def scoring() -> Sheet:
    """Return 评分表: a page for each member of the panel, projects by criteria."""
    sheet = Sheet("评分表", wide=True)
    sheet.control("for 人 in 评审")
    sheet.title("{{ 案件名称 }}评分表")
    sheet.line("评审：{{ 人.姓名 }}（{{ 人.编号 }}）　　案件编号：{{ 案件编号 }}")
    sheet.matrix(
        (("序号", 14), ("项目", 56)),
        columns="标 in 评分标准",
        head="{{ 标.名称 }}（满分{{ 标.满分 }}，权重{{ 标.权重 }}）",
        column_mm=107,
        tail=(("加权分", 20), ("备注", 28)),
        each="项 in 人.项目",
        cells=("{{ 项.序号 }}", "{{ 项.名称 }}（{{ 项.编号 }}，{{ 项.村居 }}，{{ 项.金额 }}）"),
        inner="格 in 项.得分",
        inner_cell="{{ 格.分 }}",
        tail_cells=("{{ 项.加权分 }}", "{{ 项.备注 }}"),
    )
    sheet.line("各项填整数，不得超过满分。与项目有利害关系的须回避，不评该项目。{{ 评分规则 }}")
    sheet.signed("评审（签名）：＿＿＿＿＿＿", day=BLANK_DAY)
    sheet.control("if not loop.last")
    sheet.page_break()
    sheet.control("endif")
    sheet.control("endfor")
    return sheet


def self_check() -> Sheet:
    """Return 自查报告: what came of a call, and where its money went."""
    sheet = Sheet("自查报告")
    sheet.title("{{ 案件名称 }}自查报告")
    sheet.heading("一、征集和入选")
    sheet.text(
        "依照《{{ 政策 }}》，{{ 征集单位 }}于{{ 开始日期 }}至{{ 截止日期 }}征集{{ 征集类别 }}类微项目，"
        "内容为：{{ 征集内容 }}"
    )
    sheet.text(
        "共申报{{ 申报数 }}个项目（撤回{{ 撤回数 }}个），确认入选{{ 入选数 }}个，其中完成{{ 完成数 }}个（{{ 等次 }}）、"
        "终止{{ 终止数 }}个。预算总额{{ 预算 }}（{{ 预算大写 }}），核定{{ 核定合计 }}（{{ 核定合计大写 }}）。"
    )
    sheet.heading("二、资金")
    sheet.listing(
        (("资金来源", 76), ("到账", 40), ("退回", 40)),
        each="源 in 资金来源",
        cells=("{{ 源.来源 }}", "{{ 源.到账 }}", "{{ 源.退回 }}"),
    )
    sheet.text(
        "到账合计{{ 到账合计 }}（{{ 到账合计大写 }}），下拨项目{{ 下拨合计 }}，"
        "项目支出{{ 支出合计 }}（{{ 支出合计大写 }}），退回来源{{ 退回合计 }}。"
    )
    sheet.heading("三、入选项目的实施和评估")
    sheet.listing(
        (("序号", 14), ("项目", 36), ("负责人", 24), ("核定金额", 28), ("支出与结余", 28), ("评估与结果", 26)),
        each="项 in 项目",
        cells=(
            "{{ 项.序号 }}",
            "{{ 项.名称 }}（{{ 项.编号 }}，{{ 项.村居 }}）",
            "{{ 项.负责人 }}",
            "{{ 项.核定金额 }}",
            "支出{{ 项.支出 }}，结余{{ 项.结余 }}",
            "{{ 项.评估 }}{% if 项.结果 %}，{{ 项.结果 }}{% endif %}",
        ),
    )
    sheet.heading("四、公示和异议")
    sheet.control("if 公示")
    sheet.listing(
        (("公示", 54), ("时间", 42), ("异议", 34), ("结果", 26)),
        each="次 in 公示",
        cells=(
            "{{ 次.标题 }}（{{ 次.编号 }}）",
            "{{ 次.起始日期 }}至{{ 次.截止日期 }}",
            "{{ 次.异议 }}",
            "{{ 次.结果 }}",
        ),
    )
    sheet.control("else")
    sheet.text("本次征集没有公示。")
    sheet.control("endif")
    sheet.heading("五、未入选的项目")
    sheet.control("if 未入选")
    sheet.listing(
        (("序号", 14), ("项目", 58), ("情况", 34), ("原因", 50)),
        each="项 in 未入选",
        cells=("{{ 项.序号 }}", "{{ 项.名称 }}（{{ 项.编号 }}）", "{{ 项.情况 }}", "{{ 项.原因 }}"),
    )
    sheet.control("else")
    sheet.text("申报的项目全部入选。")
    sheet.control("endif")
    for number, (name, tag) in zip(
        "六七八", (("预期效益达成情况", "达成情况"), ("存在的问题", "问题"), ("下一步打算", "下一步")), strict=True
    ):
        sheet.heading(f"{number}、{name}")
        sheet.text(f"{{{{ {tag} }}}}")
        sheet.text("")
    sheet.signed("{{ 社区办 }}（盖章）", day="{{ 制表日期 }}")
    return sheet


def proposal() -> Sheet:
    """Return 微项目申报表: a proposal, and its plan once there is one."""
    sheet = Sheet("微项目申报表")
    sheet.title("微项目申报表")
    sheet.line("案件编号：{{ 案件编号 }}　　征集：{{ 征集名称 }}（{{ 征集编号 }}）　　依据：《{{ 政策 }}》")
    sheet.pairs(
        (
            ("项目名称", "{{ 名称 }}", "类别", "{{ 类别 }}"),
            ("村（居）", "{{ 村居 }}", "申报日期", "{{ 申报日期 }}"),
            ("提议人", "{{ 提议人 }}", "联系电话", "{{ 提议人电话 }}"),
        )
    )
    sheet.facts(
        (
            ("项目内容", "{{ 内容 }}"),
            ("受益人群", "{{ 受益人群 }}"),
            ("预期效益", "{{ 预期效益 }}"),
            ("申请金额", "{{ 金额 }}（{{ 金额大写 }}）"),
            ("遴选情况", "{{ 遴选情况 }}"),
            ("核定金额", "{% if 核定金额 %}{{ 核定金额 }}（{{ 核定金额大写 }}）{% endif %}"),
        ),
        label_mm=30,
    )
    sheet.control("if 方案")
    sheet.heading("细化方案")
    sheet.text("{{ 方案 }}")
    sheet.listing(
        (("序号", 14), ("进度节点", 100), ("完成期限", 42)),
        each="步 in 节点",
        cells=("{{ 步.序号 }}", "{{ 步.名称 }}", "{{ 步.期限 }}"),
    )
    sheet.line("")
    sheet.listing(
        (("序号", 14), ("用途", 44), ("名称", 58), ("金额", 40)),
        each="行 in 预算",
        cells=("{{ 行.序号 }}", "{{ 行.用途 }}", "{{ 行.名称 }}", "{{ 行.金额 }}"),
        below="合计：{{ 预算合计 }}（{{ 预算合计大写 }}）",
    )
    sheet.control("endif")
    sheet.signed("提议人（签名）：＿＿＿＿＿＿", "{{ 村居 }}（盖章）", day="{{ 申报日期 }}")
    return sheet


def meeting_sign_in() -> Sheet:
    """Return 会议议程和签到表: what a joint meeting is about, and who came."""
    sheet = Sheet("会议议程和签到表")
    sheet.title("{{ 案件名称 }}议程和签到表")
    sheet.line("案件编号：{{ 案件编号 }}　　依据：《{{ 政策 }}》")
    sheet.facts(
        (
            ("时间", "{{ 开会时间 }}"),
            ("地点", "{{ 地点 }}"),
            ("主持人", "{{ 主持人 }}"),
        ),
        label_mm=30,
    )
    sheet.heading("议程")
    sheet.control("for 项 in 议程")
    sheet.text("{{ 项.序号 }}. {{ 项.内容 }}")
    sheet.control("endfor")
    sheet.heading("签到")
    sheet.line("应到{{ 应到人数 }}人　　实到　　　人")
    sheet.listing(
        (("序号", 14), ("姓名", 30), ("人员编号", 24), ("单位", 40), ("签名", 48)),
        each="人 in 成员",
        cells=("{{ 人.序号 }}", "{{ 人.姓名 }}", "{{ 人.编号 }}", "{{ 人.单位 }}", "{{ 人.到会 }}"),
        tall=True,
    )
    sheet.line("列席人员（单位、姓名）：")
    sheet.signed("{{ 社区办 }}", "记录人（签名）：＿＿＿＿＿＿", day="{{ 制表日期 }}")
    return sheet


def minutes() -> Sheet:
    """Return 会议纪要: what a joint meeting heard and decided, as a 纪要 of GB/T 9704 goes."""
    sheet = Sheet("会议纪要")
    sheet.title("{{ 案件名称 }}纪要")
    sheet.line("案件编号：{{ 案件编号 }}　　依据：《{{ 政策 }}》")
    sheet.text("{{ 召开日期 }}，{{ 社区办 }}在{{ 地点 }}召开{{ 案件名称 }}，由{{ 主持人 }}主持。现将会议情况纪要如下。")
    sheet.heading("一、会议议程")
    sheet.control("for 项 in 议程")
    sheet.text("{{ 项.序号 }}. {{ 项.内容 }}")
    sheet.control("endfor")
    sheet.heading("二、会议情况")
    sheet.control("for 段 in 正文")
    sheet.text("{{ 段.段落 }}")
    sheet.control("endfor")
    sheet.control("if 纪要文件")
    sheet.text("签字的会议纪要另存：{{ 纪要文件 }}")
    sheet.control("endif")
    sheet.heading("三、议定事项")
    sheet.control("if 议定事项")
    sheet.listing(
        (("序号", 14), ("事项", 54), ("承办人", 24), ("单位", 24), ("期限", 40)),
        each="项 in 议定事项",
        cells=(
            "{{ 项.序号 }}",
            "{{ 项.内容 }}",
            "{{ 项.承办人 }}",
            "{{ 项.承办单位 }}",
            "{{ 项.期限 }}（{{ 项.情况 }}）",
        ),
    )
    sheet.control("else")
    sheet.text("本次会议没有议定事项。")
    sheet.control("endif")
    sheet.text("出席（应到{{ 应到人数 }}人，实到{{ 出席人数 }}人）：{{ 出席 }}")
    sheet.text("请假：{% if 请假 %}{{ 请假 }}{% else %}无{% endif %}")
    sheet.text("缺席：{% if 缺席 %}{{ 缺席 }}{% else %}无{% endif %}")
    sheet.text("列席：{% if 列席 %}{{ 列席 }}{% else %}无{% endif %}")
    sheet.signed("{{ 社区办 }}", day="{{ 制表日期 }}")
    return sheet


def evaluation() -> Sheet:
    """Return 年度考核结果: criteria, rankings, and how each result comes about."""
    sheet = Sheet("年度考核结果", wide=True)
    sheet.title("{{ 案件名称 }}结果")
    sheet.line("案件编号：{{ 案件编号 }}　　依据：《{{ 政策 }}》{{ 依据条款 }}")
    sheet.text(
        "{{ 社区办 }}按登记的记录，对{{ 考核年度 }}年度各客堂间、各村（居）进行考核（第{{ 计算次数 }}次计算，"
        "{{ 计算时间 }}）。结果{{ 结果状态 }}。"
    )
    sheet.text("客堂间{{ 客堂间等次 }}。村（居）{{ 村居等次 }}。")
    sheet.text(
        "各客堂间拟计入所在村（居）以奖代拨的金额合计{{ 奖补合计 }}（{{ 奖补合计大写 }}），为建议数；"
        "村（居）得分按比例计入村级年度考核，至多{{ 考核加分上限 }}分。"
    )
    sheet.heading("一、客堂间名次")
    ranked = (("名次", 16), ("客堂间", 50), ("村（居）", 40), ("负责人", 40), ("得分", 24), ("等次", 23))
    sheet.listing(
        (*ranked, ("计入以奖代拨", 32)),
        each="项 in 客堂间",
        cells=(
            "{{ 项.名次 }}",
            "{{ 项.编号 }}",
            "{{ 项.村居 }}",
            "{{ 项.负责人 }}",
            "{{ 项.得分 }}",
            "{{ 项.等次 }}",
            "{{ 项.金额 }}",
        ),
    )
    sheet.heading("二、村（居）名次")
    sheet.listing(
        (("名次", 16), ("村（居）", 60), ("得分", 24), ("等次", 25), ("以奖代拨", 50), ("计入村级年度考核", 50)),
        each="项 in 村居",
        cells=(
            "{{ 项.名次 }}",
            "{{ 项.村居 }}",
            "{{ 项.得分 }}",
            "{{ 项.等次 }}",
            "{{ 项.金额 }}",
            "{{ 项.加分 }}",
        ),
    )
    sheet.heading("三、考核标准")
    for rows, name in (("客堂间标准", "客堂间考核项目"), ("村居标准", "村（居）考核项目")):
        sheet.listing(
            (("序号", 16), (name, 50), ("分值", 24), ("计分标准", 85), ("依据", 50)),
            each=f"项 in {rows}",
            cells=("{{ 项.序号 }}", "{{ 项.名称 }}", "{{ 项.分值 }}", "{{ 项.标准 }}", "{{ 项.依据 }}"),
        )
        sheet.line("")
    sheet.listing(
        (("等次", 75), ("得分", 75), ("每个客堂间计入以奖代拨", 75)),
        each="项 in 等次标准",
        cells=("{{ 项.等次 }}", "{{ 项.分数 }}", "{{ 项.金额 }}"),
    )
    sheet.line(
        "暂停运行期间和列入名册以前的月份、周次不计；当年没有应办事项的项目，其分值按比例分摊到其他各项；"
        "场次、人次、篇数的标准按当年运行天数折算。"
    )
    sheet.heading("四、得分说明")
    for rows, head in (
        ("客堂间", "{{ 对.编号 }}（{{ 对.村居 }}）：{{ 对.得分 }}，{{ 对.等次 }}，第{{ 对.名次 }}名"),
        ("村居", "{{ 对.村居 }}：{{ 对.得分 }}，{{ 对.等次 }}，第{{ 对.名次 }}名"),
    ):
        sheet.control(f"for 对 in {rows}")
        sheet.line(head)
        sheet.listing(
            (("项目", 50), ("得分", 25), ("说明", 150)),
            each="项 in 对.明细",
            cells=("{{ 项.项目 }}", "{{ 项.分 }}", "{{ 项.说明 }}"),
        )
        sheet.control("endfor")
    sheet.signed("{{ 社区办 }}（盖章）", day="{{ 制表日期 }}")
    return sheet


TEMPLATES: dict[str, Callable[[], Sheet]] = {
    "application": application,
    "consent": consent,
    "review": review,
    "notice": notice,
    "sign_in": sign_in,
    "vote": vote,
    "scoring": scoring,
    "self_check": self_check,
    "proposal": proposal,
    "meeting_sign_in": meeting_sign_in,
    "minutes": minutes,
    "evaluation": evaluation,
}
"""File name without its ending, and what writes it."""


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every template into `folder`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, compose in TEMPLATES.items():
        path = folder / f"{name}.docx"
        path.write_bytes(compose().written())
        paths.append(path)
    return paths


if __name__ == "__main__":
    for written in write():
        sys.stdout.write(f"{written.name}\n")
