"""The business database: tables, constraints, named queries, the engine. Importing it completes the metadata."""

from models import case, history, ledger, notice, outbox, project, registry, sweep, work_item
from models.base import Base

history.seal_append_only()

__all__ = ["Base", "case", "history", "ledger", "notice", "outbox", "project", "registry", "sweep", "work_item"]
