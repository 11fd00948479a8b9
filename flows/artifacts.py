"""What the Prefect UI shows of cases: the run's name and tags, the case file, a village's progress."""

import re
from uuid import UUID

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client

from policies.vocabulary import CaseKind
from runtime.resources import Resources
from tasks.case_file import CaseFile, as_markdown, progress
from tasks.year_words import ranking


def show(resources: Resources, file: CaseFile, flow_run_id: str) -> None:
    """Bring everything that the UI shows of a case up to date."""
    create_markdown_artifact(
        key=f"case-{key_of(file.number)}", markdown=as_markdown(file), description=f"案卷 {file.number} {file.title}"
    )
    show_progress(resources, file.village_code)
    if file.kind is CaseKind.ANNUAL_EVALUATION:
        show_results(resources, file.number)
    waits = f"等待{file.awaited.gate.label}" if file.awaited else file.outcome or file.status
    tags = [f"案件:{file.number}", f"村居:{file.village}", f"环节:{waits}"]
    if file.awaited and file.awaited.late:
        tags.append("逾期")
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run_id), name=f"{file.number} {file.village} {waits}", tags=tags)


def show_progress(resources: Resources, village_code: str) -> None:
    """Write a village's progress table (D0-R5)."""
    rows = progress(resources, village_code)
    if not rows:
        return
    create_table_artifact(
        key=f"progress-{key_of(village_code)}",
        table=[
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
        ],
        description=f"{rows[0].village}客堂间建设进度",
    )


def show_results(resources: Resources, number: str) -> None:
    """Write the ranking of a year's evaluation: sites by rank, then villages (D0-R14)."""
    rows = ranking(resources, number)
    if rows:
        create_table_artifact(key=f"evaluation-{key_of(number)}", table=rows, description=f"考核结果 {number}")


def key_of(text: str) -> str:
    """Return `text` in the letters that an artifact's key may have."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
