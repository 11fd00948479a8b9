"""
What administrators start by hand for projects at any time: money that came in, money that was spent, progress.

Each is one command, carried out once however often the run is tried (the run's id is the key), and a wake of the case.
"""

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.forms import titled
from flows.once import once
from rules.money import in_capitals, in_yuan
from runtime.resources import Resources
from tasks import funds, progress
from tasks.ledger_commands import ReceiveMoney, receive_money
from tasks.project_commands import RecordProgress, ReturnFunds, SpendOnProject


@flow(name="receive-money", flow_run_name="资金到账 {entry.case}")
def receive_funds(entry: ReceiveMoney = titled("到账")) -> State[Any]:
    """
    登记资金到账:区级拨款、镇级配套或社会捐赠进入一次征集的项目资金专户,不得超过政策规定的来源上限.

    Args:
        entry: 到账内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        stands = receive_money(resources, entry, at=at, key=f"run:{flow_run.id}")
        return entry.case, f"已登记到账,专户余额{in_yuan(stands)}({in_capitals(stands)})"

    return once("登记到账", act, ReceiveMoney)


@flow(name="spend-on-project", flow_run_name="项目支出 {entry.case}")
def spend_on_project(entry: SpendOnProject = titled("支出")) -> State[Any]:
    """
    登记项目支出:专款专用,只能用于方案的预算分项,不得超过分项预算和项目余额,须附凭证.

    Args:
        entry: 支出内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        left = funds.spend(resources, entry, at=at, key=f"run:{flow_run.id}")
        return entry.case, f"已登记支出,项目余额{in_yuan(left)}({in_capitals(left)})"

    return once("登记支出", act, SpendOnProject)


@flow(name="return-funds", flow_run_name="退回资金 {entry.case}")
def return_funds(entry: ReturnFunds = titled("退回")) -> State[Any]:
    """
    退回项目资金:一次征集的项目全部办结后,把专户结余按来源退回.

    Args:
        entry: 退回内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        amount = funds.return_funds(resources, entry, at=at, key=f"run:{flow_run.id}")
        return entry.case, f"已退回来源{in_yuan(amount)}({in_capitals(amount)})"

    return once("退回资金", act, ReturnFunds)


@flow(name="record-progress", flow_run_name="项目进展 {entry.case}")
def record_progress(entry: RecordProgress = titled("进展")) -> State[Any]:
    """
    登记项目进展:实施期内由项目负责人或村(居)登记日期、情况、总体进度和材料.

    Args:
        entry: 进展内容
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        progress.record_progress(resources, entry, at=at)
        return entry.case, f"已登记进展,总体{entry.percent}%"

    return once("登记进展", act, RecordProgress)
