"""What people start by hand for changes of listed sites: an application, carried out once however often it is tried."""

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run

from flows.forms import titled
from flows.once import once
from policies.vocabulary import Door
from runtime.resources import Resources
from tasks import changes
from tasks.change_commands import ApplyForChange


@flow(name="apply-for-change", flow_run_name="客堂间变更 {change.site}")
def apply_for_change(change: ApplyForChange = titled("变更申请")) -> State[Any]:
    """
    客堂间变更:更换负责人、迁址、申请暂停运行、注销;只填写所申请事项的各栏,受理后由系统启动“客堂间变更办理”.

    Args:
        change: 变更申请
    """

    def act(resources: Resources, at: datetime) -> tuple[str, str]:
        number = changes.apply_for_change(resources, change, door=Door.FORM, key=f"run:{flow_run.id}", at=at)
        return number, f"已受理{change.kind.label}申请,案件编号 {number}"

    return once("受理变更申请", act, ApplyForChange)
