"""Fixtures: see tests.desks."""

from tests.calls import call_town_on_sqlite, open_call_town  # noqa: F401 - as below
from tests.desks import (  # noqa: F401 - pytest finds fixtures by the names in this module
    both,
    desk,
    no_waiting_for_the_disk,
    open_sqlite,
    open_town,
    postgresql_desk,
    sqlite_desk,
    town,
)
