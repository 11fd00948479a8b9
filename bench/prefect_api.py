"""Prefect's API as a browser speaks to it: tried again by hand, with each answer "busy" counted."""

import json
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.contestant import Place
from bench.storage import bytes_of, sqlite_bytes

PATIENCE_SECONDS = 180
AGAIN_SECONDS = 0.2
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}


class Api:
    """
    A server's API.

    Args:
        url: its base.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.busy = 0
        """How often the server had no time: 503, which Prefect answers when its database is locked."""
        self.slowest = 0.0
        """How many seconds the slowest answer took, all the tries together."""
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return the answer; press again while the server is busy, as a person would."""
        request = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        begun = time.monotonic()
        while True:
            try:
                with self._opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                    told = answer.read()
                self.slowest = max(self.slowest, time.monotonic() - begun)
                return json.loads(told or "null")
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() - begun > PATIENCE_SECONDS:
                    raise
                self.busy += 1
                time.sleep(AGAIN_SECONDS)

    def healthy(self) -> bool:
        """Return whether the server answers."""
        try:
            return self.ask("GET", "/health") is True
        except OSError:
            return False

    def deployment(self, flow: str, name: str) -> str:
        """Return a deployment's id."""
        return str(self.ask("GET", f"/deployments/name/{quote(flow)}/{quote(name)}")["id"])

    def has_deployment(self, flow: str, name: str) -> bool:
        """Return whether there is such a deployment."""
        try:
            return bool(self.deployment(flow, name))
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.NOT_FOUND:
                raise
            return False

    def start(self, deployment: str, parameters: dict[str, Any], **more: Any) -> str:
        """Run a deployment, as the UI does; return the run's id."""
        body = {"parameters": parameters, **more}
        return str(self.ask("POST", f"/deployments/{deployment}/create_flow_run", body)["id"])

    def form(self, run: str) -> str:
        """Return the key of the form that a run waits with; empty when it does not wait; RuntimeError when it broke."""
        state = self.ask("GET", f"/flow_runs/{run}")["state"]
        if state["type"] in FINAL and state["type"] != "COMPLETED":
            raise RuntimeError(f"run {run} {state['name']}: {state['message']}")
        return str(state["state_details"]["pause_key"] or "") if state["type"] == "PAUSED" else ""

    def ended(self, run: str) -> bool:
        """Return whether a run has come to its end."""
        return self.ask("GET", f"/flow_runs/{run}")["state"]["type"] in FINAL

    def resume(self, run: str, fields: dict[str, Any]) -> None:
        """Fill in the form of a run, as the UI does; RuntimeError when it is not taken."""
        answer = self.ask("POST", f"/flow_runs/{run}/resume", {"run_input": fields})
        if answer["status"] != "ACCEPT":
            raise RuntimeError(f"run {run}: {answer['status']} {answer['details'].get('reason')}")


def async_url(postgres: dict[str, str]) -> str:
    """Return a PostgreSQL database's address as Prefect wants it."""
    return "postgresql+asyncpg://{user}@/{dbname}?host={host}".format(**postgres)


def bytes_of_prefect(place: Place, home: Path) -> int:
    """Return the bytes of the database behind a running server, whatever of it is free."""
    if (postgres := place.options.get("prefect")) is not None:
        return bytes_of(Place(place.folder, postgres=postgres))
    return sqlite_bytes(home / "prefect.db")
