"""What time decides when a site says nothing about a delivery (D1-R5)."""

from typing import Any

from models.work_item import WorkItem
from tasks.act import Act
from tasks.mail import chinese_date


def end_confirmation(act: Act, item: WorkItem) -> tuple[str, dict[str, Any]]:
    """Count an unconfirmed delivery as delivered, without a rating; return why, in Chinese."""
    return f"至{chinese_date(item.due_on)}期满未确认,视为已送达,没有评价", {}
