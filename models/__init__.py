"""The business database: tables, constraints, named queries, the engine. Importing it completes the metadata."""

from models import (
    archive,
    case,
    evaluation,
    history,
    inspection,
    ledger,
    meeting,
    notice,
    outbox,
    project,
    registry,
    service,
    site_change,
    site_life,
    sweep,
    work_item,
)
from models.base import Base

history.seal_append_only()

__all__ = [
    "Base",
    "archive",
    "case",
    "evaluation",
    "history",
    "inspection",
    "ledger",
    "meeting",
    "notice",
    "outbox",
    "project",
    "registry",
    "service",
    "site_change",
    "site_life",
    "sweep",
    "work_item",
]
