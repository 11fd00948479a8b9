"""Append-only triggers as migration steps, seen and written by Alembic's autogenerate like a table."""

from alembic import op
from alembic.autogenerate import comparators, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations
from alembic.operations.ops import UpgradeOps
from sqlalchemy import Connection, text

from models.history import APPEND_ONLY, append_only_ddl

VERBS = ("update", "delete")
IMPORT = "from migrations.sealing import seal, unseal"


def seal(table: str) -> None:
    """Create the append-only triggers of `table`; for use in a migration."""
    op.invoke(SealOperation(table))


def unseal(table: str) -> None:
    """Drop the append-only triggers of `table`; for use in a migration."""
    op.invoke(UnsealOperation(table))


class SealOperation(MigrateOperation):
    """Make the database refuse to change or delete rows of a table."""

    def __init__(self, table: str) -> None:
        self.table = table

    def reverse(self) -> MigrateOperation:
        """Return the operation that undoes this one."""
        return UnsealOperation(self.table)


class UnsealOperation(MigrateOperation):
    """Take a table's append-only triggers away."""

    def __init__(self, table: str) -> None:
        self.table = table

    def reverse(self) -> MigrateOperation:
        """Return the operation that undoes this one."""
        return SealOperation(self.table)


@Operations.implementation_for(SealOperation)
def _seal(operations: Operations, operation: SealOperation) -> None:
    dialect = operations.get_bind().dialect.name
    for name, statement in append_only_ddl(operation.table):
        if name == dialect:
            operations.execute(statement)


@Operations.implementation_for(UnsealOperation)
def _unseal(operations: Operations, operation: UnsealOperation) -> None:
    dialect = operations.get_bind().dialect.name
    for verb in VERBS:
        name = f"{operation.table}_no_{verb}"
        if dialect == "postgresql":
            operations.execute(f"DROP TRIGGER {name} ON {operation.table}")
            operations.execute(f"DROP FUNCTION {name}()")
        else:
            operations.execute(f"DROP TRIGGER {name}")


@renderers.dispatch_for(SealOperation)
def _render_seal(context: AutogenContext, operation: SealOperation) -> str:
    context.imports.add(IMPORT)
    return f"seal({operation.table!r})"


@renderers.dispatch_for(UnsealOperation)
def _render_unseal(context: AutogenContext, operation: UnsealOperation) -> str:
    context.imports.add(IMPORT)
    return f"unseal({operation.table!r})"


@comparators.dispatch_for("schema")
def _compare(context: AutogenContext, upgrade_ops: UpgradeOps, _schemas: object) -> None:
    connection = context.connection
    assert connection is not None  # noqa: S101 - autogenerate never runs offline
    sealed = sealed_tables(connection)
    upgrade_ops.ops.extend(SealOperation(table) for table in APPEND_ONLY if table not in sealed)
    upgrade_ops.ops[:0] = [UnsealOperation(table) for table in sorted(sealed - set(APPEND_ONLY))]


def sealed_tables(connection: Connection) -> set[str]:
    """Return the tables whose two append-only triggers are both in the database."""
    if connection.dialect.name == "postgresql":
        listed = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    else:
        listed = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    triggers = set(connection.scalars(text(listed)))
    tables = {name.removesuffix("_no_update") for name in triggers if name.endswith("_no_update")}
    return {table for table in tables if all(f"{table}_no_{verb}" in triggers for verb in VERBS)}
