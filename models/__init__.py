"""The business database: tables, constraints, named queries, the engine. Importing it completes the metadata."""

from models import case, history, ledger, outbox, registry, sweep, work_item
from models.base import Base

history.seal_append_only()

__all__ = ["Base", "case", "history", "ledger", "outbox", "registry", "sweep", "work_item"]
