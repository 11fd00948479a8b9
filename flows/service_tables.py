"""What the Prefect UI shows of a town's services: the catalogue, and who got how much of it this year."""

import re
from datetime import datetime

from prefect.artifacts import create_table_artifact

from runtime.resources import Resources
from tasks.service_catalogue import catalogue
from tasks.service_shares import item_table, shares_of, site_table, told


def show_services(resources: Resources, *, town: str = "", at: datetime) -> str:
    """
    Write a town's tables of this year: its catalogue, the shares of its sites, the record of items and providers.

    Args:
        town: code or name; empty: as `tasks.service_shares.shares_of`.

    Returns:
        In one sentence how evenly the services came to the sites.
    """
    found = shares_of(resources, town=town, at=at)
    key = re.sub(r"[^a-z0-9-]+", "-", found.town_code.lower()).strip("-") or "town"
    offered = [
        {
            "项目编码": each.code,
            "项目名称": each.name,
            "类别": each.category,
            "服务单位": each.provider,
            "可点": each.capacity,
            "说明": each.description,
        }
        for each in catalogue(resources, town=found.town_code, at=at)
    ]
    for name, table, description in (
        ("catalogue", offered, f"{found.town}服务目录"),
        ("shares", site_table(found), told(found)),
        ("records", item_table(found), f"{found.town}服务单位和项目的点单、接单、逾期、评价"),
    ):
        if table:
            create_table_artifact(key=f"services-{name}-{key}", table=table, description=description)
    return told(found)
