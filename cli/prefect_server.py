"""
Prefect's server as the stack starts it on SQLite: ``python -m cli.prefect_server server start``.

Prefect opens its write transactions as readers (``BEGIN DEFERRED``). Two of them that then want to write can not both
go on: one gets "database is locked" at once, whatever the timeout, and its client has to come again. Opened as writers
(``BEGIN IMMEDIATE``) they wait for each other. Prefect can do that, but asks for it in few places; here it does in all.
See ``docs/decisions/0001-prefect-database.md``.
"""

from contextlib import AbstractAsyncContextManager
from typing import Any

from prefect.cli import app
from prefect.server.database.configurations import AioSqliteConfiguration


def open_as_writers() -> None:
    """Make every write transaction on SQLite take the write lock first; reads stay as they are."""
    stock = AioSqliteConfiguration.begin_transaction

    def begin_transaction(
        self: AioSqliteConfiguration, session: Any, with_for_update: bool = False
    ) -> AbstractAsyncContextManager[Any]:
        return stock(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_transaction  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    open_as_writers()
    app()
