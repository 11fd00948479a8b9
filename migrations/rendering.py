"""How the models are compared with a database and written down as a migration."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from sqlalchemy import TypeDecorator

from migrations.sealing import SealOperation
from models import Base
from models.base import Instant, Json


def render_item(kind: str, item: object, _context: AutogenContext) -> str | Literal[False]:
    """
    Return how a column type of ours is written in a migration, or False for Alembic's own way.

    A migration must do next year what it does today, so it names SQLAlchemy's types, never ours.
    """
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    if isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Json):
        return "sa.Text()"
    raise NotImplementedError(f"say in migrations/rendering.py how {type(item).__name__} is written")


def seal_last(_context: object, _revision: object, scripts: list[MigrationScript]) -> None:
    """Put the seals behind the tables they stand on, and in the way back before them."""
    for script in scripts:
        steps, back = script.upgrade_ops, script.downgrade_ops
        if steps is None or back is None:
            continue
        steps.ops.sort(key=lambda step: isinstance(step, SealOperation))
        back.ops[:] = steps.reverse().ops


COMPARISON: dict[str, Any] = {
    "target_metadata": Base.metadata,
    "compare_type": True,
    "compare_server_default": True,
    "render_item": render_item,
    "render_as_batch": True,
    "process_revision_directives": seal_last,
}
"""What `migrations.env`, the author's tool and the drift check all pass to Alembic."""
