"""The sweep's waking: what Prefect refuses of one case keeps no other waiting; a Prefect that is away ends it."""

from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from flows import waking
from flows.waking import DEPLOYMENTS, Woken
from policies.errors import Temporary
from policies.vocabulary import CaseKind
from tests.desks import OpenTown
from tests.tasks.test_broken_cases import Engine
from tests.township import Township

SERVER = "http://127.0.0.1:4200/api"


def answered(code: int) -> PrefectHTTPStatusError:
    """What Prefect's client raises upon an answer."""
    request = httpx.Request("POST", f"{SERVER}/deployments/create_flow_run")
    error = httpx.HTTPStatusError(str(code), request=request, response=httpx.Response(code, request=request))
    return PrefectHTTPStatusError.from_httpx_error(error)


def not_found() -> ObjectNotFound:
    """What it raises when what was asked for is not there."""
    return ObjectNotFound(answered(404))


@pytest.fixture
def two(open_sqlite: OpenTown) -> tuple[Township, list[str]]:
    town = open_sqlite("example-2026", "2026-03-02 10:00")
    town.add_group("ZD02")
    return town, [town.apply(household="ZD01-001"), town.apply(household="ZD02-001")]


def woken(town: Township, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[Woken, int], list[str]]:
    failures: list[str] = []
    monkeypatch.setattr(waking, "get_client", lambda **_: nullcontext(engine))
    return waking.wake_all(town.resources, at=town.now(), failures=failures), failures


@pytest.mark.parametrize("refusal", [answered(500), answered(409), answered(422), not_found()], ids=repr)
def test_a_case_that_prefect_refuses_stops_no_other(
    two: tuple[Township, list[str]], monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    town, (refused, other) = two
    engine = Engine()

    def create(deployment: Any, *, name: str, **rest: Any) -> Any:
        if name == refused:
            raise refusal
        return Engine.create_flow_run_from_deployment(engine, deployment, name=name, **rest)

    monkeypatch.setattr(engine, "create_flow_run_from_deployment", create)
    counts, failures = woken(town, engine, monkeypatch)
    assert (engine.started, counts[Woken.STARTED]) == ([other], 1)
    (failure,) = failures
    assert failure.startswith(f"{refused}:")


def test_a_kind_whose_deployment_is_gone_is_told_once(
    two: tuple[Township, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, _ = two
    engine = Engine()

    def gone(_: str) -> Any:
        raise not_found()

    monkeypatch.setattr(engine, "read_deployment_by_name", gone)
    _, failures = woken(town, engine, monkeypatch)
    assert failures == [f"流程尚未部署,请先运行 ketang deploy(或 make up):缺少“{DEPLOYMENTS[CaseKind.SITE]}”"]


@pytest.mark.parametrize("away", [httpx.ConnectError("away"), httpx.ReadTimeout("late"), answered(503)], ids=repr)
def test_a_server_that_is_away_or_busy_is_asked_for_no_other(
    two: tuple[Township, list[str]], monkeypatch: pytest.MonkeyPatch, away: Exception
) -> None:
    town, _ = two
    engine, asked = Engine(), list[str]()

    def create(_: Any, *, name: str, **__: Any) -> Any:
        asked.append(name)
        raise away

    monkeypatch.setattr(engine, "create_flow_run_from_deployment", create)
    with pytest.raises(Temporary, match="流程引擎暂时连不上"):
        woken(town, engine, monkeypatch)
    assert len(asked) == 1
