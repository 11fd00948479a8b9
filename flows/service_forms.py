"""What the forms of the gates of services ask for."""

from typing import Annotated

from pydantic import Field
from sqlalchemy.orm import Session

from flows.fields import Builder, Fields, text, verdict_fields
from models.case import Case
from policies.vocabulary import Gate
from tasks.case_file import Awaited
from tasks.order_case import reported_people
from tasks.service_activity import may_become_activity
from tasks.service_rows import order_of, rules_of

MOST_PEOPLE = 10_000
Served = Annotated[int, Field(ge=0, le=MOST_PEOPLE)]


def _reasoned(awaited: Awaited, description: str) -> Fields:
    return verdict_fields(awaited) | {"reason": text("理由", description=description)}


def _offer_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask whether the provider takes the order, and for which day."""
    wished_on = order_of(session, case).wished_on
    return _reasoned(awaited, "不予接单、撤回申请时必须填写;接单时可写说明,例如改期的原因") | {
        "promised_on": text("承诺日期", description=f"例如 {wished_on};不填就是希望日期{wished_on}", longest=20),
    }


def _delivery_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask when it was delivered and to how many."""
    return _reasoned(awaited, "未能送达、撤回申请时必须填写") | {
        "delivered_on": text("送达日期", description="例如 2026-05-06;不填就是今天", longest=20),
        "served": (Served, Field(0, title="服务人数", description="已送达时必须填写,单位:人")),
        "proof": text("证明材料", description="照片、签到表等,资料文件夹(documents)内的文件名;可以不填", longest=300),
    }


def _confirmation_fields(session: Session, case: Case, awaited: Awaited) -> Fields:
    """Ask whether it came as agreed, to how many, and how it was."""
    best = rules_of(case).best_rating
    fields = _reasoned(awaited, "未按约送达时必须填写") | {
        "served": (
            Served,
            Field(reported_people(session, case), title="服务人数", description="单位登记的人数,请核对"),
        ),
        "rating": (
            Annotated[int, Field(ge=0, le=best)],
            Field(0, title="评价", description=f"确认送达时必须填写:1分(最差)至{best}分(最好)"),
        ),
        "comment": text("评语", description="可以不填"),
    }
    if may_become_activity(session, case):
        fields["as_activity"] = (
            bool,
            Field(False, title="同时登记为客堂间活动", description="按送达日期、服务人数登记为本客堂间的一次活动"),
        )
    return fields


BUILDERS: dict[Gate, Builder] = {
    Gate.SERVICE_OFFER: _offer_fields,
    Gate.SERVICE_DELIVERY: _delivery_fields,
    Gate.SERVICE_CONFIRMATION: _confirmation_fields,
}
"""By gate; the others ask for a verdict."""
