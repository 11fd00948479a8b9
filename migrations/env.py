"""Run by Alembic only. The connection comes from `migrations.run`: nothing is read from the environment here."""

from alembic import context

from migrations.rendering import COMPARISON

context.configure(
    connection=context.config.attributes["connection"],
    # One transaction around all steps, opened by the caller: SQLite can roll back DDL too, once BEGIN is ours.
    transactional_ddl=True,
    **COMPARISON,
)
with context.begin_transaction():
    context.run_migrations()
