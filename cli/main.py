"""
``ketang``: everything an office does from the command line.

Each part is imported when it is asked for: importing them all takes seconds.
"""

import os
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from cli.chinese import speak_chinese

HELP = "客堂:社区办的流程台。先运行 ketang up,再打开它给出的网址。"
PARTS = (
    ("up", "cli.up:up", "启动客堂:业务数据库、Prefect 服务器、流程、工作进程。按 Ctrl-C 全部停止。"),
    ("worker", "cli.worker_command:worker", "再启动一个工作进程:在别的机器上,或在本机上。按 Ctrl-C 停止。"),
    ("demo", "cli.demo:app", "演示:在真实的流程引擎上走完一个完整的案件。"),
    ("case", "cli.case:app", "案件:申请、登记、办理、查看。"),
    ("site", "cli.site:app", "客堂间:名册、单个客堂间的情况、各村建设进度。"),
    ("theme", "cli.theme:app", "月度主题:登记、导入、查看谁已报谁未报。"),
    ("activity", "cli.activity:app", "活动:登记、导入、作废、查看,缺活动的周。"),
    ("publicity", "cli.publicity:app", "宣传报道:登记、作废、按渠道查看。"),
    ("statistics", "cli.statistics:app", "活动统计:场次、人次按时段、类别、村(居),对照建设目标,导出表格和网页。"),
    ("inspection", "cli.inspection:app", "督查:开展、登记检查、整改报告、抽签核对、总结。"),
    ("evaluation", "cli.evaluation:app", "年度考核:开启、名次、逐项得分和算法。"),
    ("call", "cli.call:app", "微项目征集:开启、申报、调研、评分、表决、筛选。"),
    ("project", "cli.project:app", "微项目:方案、资金、进度、验收、评估、结余。"),
    ("meeting", "cli.meeting:app", "联席会议:召集、变更、签到、纪要、办结,议定事项的落实。"),
    ("notice", "cli.notice:app", "公示:发布、异议、延期、撤销、公示网页。"),
    ("service", "cli.service:app", "服务点单:服务目录、点单、接单、送达、确认、均衡情况。"),
    ("change", "cli.change:app", "客堂间变更:更换负责人、迁址、暂停运行、注销。"),
    ("registry", "cli.registry:app", "登记簿:导入、模板、查看、导出。"),
    ("letters", "cli.letters:app", "信函:列出、查看、投递、重新寄送。"),
    ("ledger", "cli.ledger:app", "专款台账:查看、登记到账和支出、核对、导出。"),
    ("document", "cli.document:app", "文书:打印要签名盖章的表格、公示、报告;模板可以用 WPS 修改。"),
    ("register", "cli.register:register", "台账:把案件、公示、异议、专款、项目导出为表格。"),
    ("policy", "cli.policy:app", "政策文件:列出、查看、检查。"),
    ("audit", "cli.ledger:audit", "核查:办理记录、台账和材料有无被改动。"),
    ("archive", "cli.archive:app", "归档:办结已久的案件写成文件、核对、查看、移出数据库。"),
    ("sweep", "cli.engine:sweep", "立即巡检一次:提醒、督办、期满、信函、续办。平时由系统每五分钟自动进行。"),
    ("deploy", "cli.engine:deploy", "把全部流程部署到正在运行的 Prefect 服务器。"),
    ("clock", "cli.clock:app", "时钟:只用于培训系统(KETANG_TRAINING=1),让时间向前走。"),
    ("db", "cli.db:app", "业务数据库:升级、检查、复制到另一个数据库。"),
)
"""Name, where it is, help."""


class Part(TyperCommand):
    """
    A part of the command line that is not imported yet.

    Args:
        name: as people type it.
        place: ``module:attribute`` of its Typer application, or of the function that is the command.
        help: one Chinese sentence.
    """

    def __init__(self, name: str, place: str, help: str) -> None:
        super().__init__(name, help=help)
        self.place = place

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the part, and go on with it."""
        module, _, attribute = self.place.partition(":")
        part = getattr(import_module(module), attribute)
        if isinstance(part, typer.Typer):
            command: Any = get_group(part)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command()(part)
            command = get_command(alone)
        command.help = self.help
        return command.make_context(info_name, args, parent, **extra)


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("TZ", "Asia/Shanghai")
    # What it writes is about people: nobody but its own account reads it; see `runtime.privacy`.
    os.umask(0o077)
    speak_chinese()
    ketang = TyperGroup(help=HELP, no_args_is_help=True, commands=[Part(*part) for part in PARTS])
    ketang(prog_name="ketang")
