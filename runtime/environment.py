"""The environment of the product's processes: Prefect's settings derived from ours, and ours made absolute."""

import os
import sys
from pathlib import Path

from pydantic import SecretStr

from runtime.settings import PROJECT, Settings, in_url

FOREIGN = ("PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_API_KEY", "PREFECT_CLOUD_API_URL")
"""A developer's own Prefect account, which has no place in an office's processes."""


def api_url(settings: Settings) -> str:
    """Return where processes of this machine reach the Prefect API."""
    if settings.prefect_api_url:
        # Prefect's server has it there; elsewhere its pages are, which answer anything.
        return settings.prefect_api_url.rstrip("/").removesuffix("/api") + "/api"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
    return f"http://{in_url(host)}:{settings.port}/api"


def prefect_environment(settings: Settings) -> dict[str, str]:
    """
    Return Prefect's settings as environment variables, for the server, the worker and every client.

    To be in place before Prefect is imported. Variables beyond these (``PREFECT_…``) pass to the children as they are,
    so an office that grows can tune its server.
    """
    variables = {
        "PREFECT_HOME": str(settings.home / "prefect"),
        "PREFECT_API_URL": api_url(settings),
        "PREFECT_SERVER_API_HOST": settings.host,
        "PREFECT_SERVER_API_PORT": str(settings.port),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # It loads every suspended run every five seconds, to find pause timeouts; we set none.
        "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
        # Its other services look every few seconds, and every look costs though there is nothing to see: together half
        # of an idle server. What they do may come a little later: a run shown as late, the slots of a crashed run given
        # back, what belongs to a canceled run canceled, a worker shown as offline, a time-based automation.
        "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "30",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "30",
        "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_LOOP_SECONDS": "60",
        "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "60",
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "60",
        "PREFECT_SERVER_SERVICES_FOREMAN_LOOP_SECONDS": "30",
        "PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY": "PT1M",
        # What has ended may go, with its logs and artifacts. A suspended run has not, however old it is.
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(settings.prefect_retention_days * 86_400),
        # The classic interface: there, Resume is a button; the new one hides it in a menu.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_API_URL": f"{settings.ui_url}/api",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # The warm worker is told of what falls due and looks for what it was not told of; Prefect's own only looks. It
        # looks ten seconds ahead, so a schedule's instant is met either way. Each look a second costs 0.03 core.
        "PREFECT_WORKER_QUERY_SECONDS": "5" if settings.warm_worker else "1",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_CLI_COLORS": "false",
        "PREFECT_LOGGING_COLORS": "false",
    }
    if settings.prefect_database_url:
        variables["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = settings.prefect_database_url
    if secret := settings.prefect_auth.get_secret_value():
        variables["PREFECT_SERVER_API_AUTH_STRING"] = secret
        variables["PREFECT_API_AUTH_STRING"] = secret
    return variables


def own_environment(settings: Settings) -> dict[str, str]:
    """Return our settings as ``KETANG_…`` variables that mean the same in any folder."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    values |= {"database_url": settings.database, "public_url": settings.ui_url}
    return {f"KETANG_{name.upper()}": _plain(value) for name, value in values.items() if value is not None}


def child_environment(settings: Settings, *, project: Path = PROJECT) -> dict[str, str]:
    """
    Return the whole environment of a child process.

    Beyond the settings: ``python`` is this interpreter's, the time zone is Asia/Shanghai, and ``KETANG_PROJECT`` is the
    folder with ``prefect.yaml``, for use in that file.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    path = os.pathsep.join([str(Path(sys.executable).parent), inherited.get("PATH", os.defpath)])
    return {
        **inherited,
        **prefect_environment(settings),
        **own_environment(settings),
        "PATH": path,
        "TZ": "Asia/Shanghai",
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        # glibc would keep a pool of memory for each of the server's threads, which take turns anyway: 9 MB.
        "MALLOC_ARENA_MAX": "1",
        "KETANG_PROJECT": str(project),
    }


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.resolve())
    return str(value)
