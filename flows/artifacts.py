"""What the Prefect UI shows of cases: the run's name and tags, the case file, a village's progress."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate

from policies.vocabulary import CaseKind
from runtime.resources import Resources
from tasks.case_file import CaseFile, as_markdown, progress
from tasks.year_words import ranking


def show(client: SyncPrefectClient, resources: Resources, file: CaseFile, flow_run_id: str) -> None:
    """
    Bring everything that the UI shows of a case up to date; its village's table is for `show_progress`.

    Args:
        client: to the Prefect server; opening one costs more than what is sent here.
        file: the case as it stands.
        flow_run_id: the run that carries it, on whose page the case file is found.
    """
    run = UUID(flow_run_id)
    client.create_artifact(
        ArtifactCreate(
            type="markdown",
            key=f"case-{key_of(file.number)}",
            description=f"案卷 {file.number} {file.title}",
            data=as_markdown(file),
            flow_run_id=run,
        )
    )
    if file.kind is CaseKind.ANNUAL_EVALUATION:
        show_results(client, resources, file.number, run)
    waits = f"等待{file.awaited.gate.label}" if file.awaited else file.outcome or file.status
    tags = [f"案件:{file.number}", f"村居:{file.village}", f"环节:{waits}"]
    if file.awaited and file.awaited.late:
        tags.append("逾期")
    client.update_flow_run(run, name=f"{file.number} {file.village} {waits}", tags=tags)


def show_progress(client: SyncPrefectClient, resources: Resources, village_code: str, flow_run_id: UUID) -> None:
    """Write a village's progress table (D0-R5), as found on the page of that run."""
    rows = progress(resources, village_code)
    if not rows:
        return
    table = [
        {
            "村(居)": row.village,
            "美丽乡村等级": row.grade,
            "村民小组": row.groups,
            "目标数": row.target,
            "已建成小组": row.listed,
            "在办申请": row.running,
            "尚差": max(row.target - row.listed, 0),
        }
        for row in rows
    ]
    client.create_artifact(
        _table(f"progress-{key_of(village_code)}", table, f"{rows[0].village}客堂间建设进度", flow_run_id)
    )


def show_results(client: SyncPrefectClient, resources: Resources, number: str, flow_run_id: UUID) -> None:
    """Write the ranking of a year's evaluation: sites by rank, then villages (D0-R14)."""
    rows = ranking(resources, number)
    if rows:
        client.create_artifact(_table(f"evaluation-{key_of(number)}", rows, f"考核结果 {number}", flow_run_id))


def _table(key: str, rows: Sequence[Mapping[str, Any]], description: str, flow_run_id: UUID) -> ArtifactCreate:
    # As Prefect's own table artifacts: the rows are JSON text.
    data = json.dumps(rows, ensure_ascii=False)
    return ArtifactCreate(type="table", key=key, description=description, data=data, flow_run_id=flow_run_id)


def key_of(text: str) -> str:
    """Return `text` in the letters that an artifact's key may have."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
