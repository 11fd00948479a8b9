"""Asking the Prefect server's API before Prefect is imported."""

import base64
import json
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from typing import Any

BUSY_PAUSES_SECONDS = (0.5, 1, 2, 4, 8, 16, None)


class Unanswered(OSError):
    """The Prefect server does not answer, or what answers is not Prefect's API."""


SERVER_FAILED = (Unanswered, urllib.error.HTTPError)
"""What a question may come to; the failure of a local disk is none of these."""


def ask(api_url: str, secret: str, method: str, path: str, body: object) -> Any:
    """
    Return the API's answer, None for "not found".

    Args:
        api_url: where the API is.
        secret: ``user:password``, or empty.
        method: of HTTP.
        path: below `api_url`.
        body: becomes JSON; None: there is none.

    Raises:
        Unanswered: as told.
        urllib.error.HTTPError: it refuses.
    """
    request = urllib.request.Request(api_url + path, method=method)  # noqa: S310 - our own server, http
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if secret:
        request.add_header("Authorization", "Basic " + base64.b64encode(secret.encode()).decode())
    # A proxy of the office has no business between processes of one machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for pause in BUSY_PAUSES_SECONDS:
        try:
            with opener.open(request, timeout=30) as answer:
                return json.loads(answer.read() or "true")
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                return None
            # Prefect on SQLite answers so while another write is under way.
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE or pause is None:
                raise
            time.sleep(pause)
        except (OSError, ValueError, HTTPException) as error:
            raise Unanswered(f"{request.full_url}: {error}") from error
    raise AssertionError("the last pause is None")
