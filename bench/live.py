"""
Work 7: decisions through a real Prefect server and worker, by the form of a suspended run, one after the other.

A round is one decision of each contestant at the same gate of the same case: from the form to the next open gate, its
letters accepted by a mail server on loopback. Beside the desk on its stack: stock Prefect, which starts a process for
each resume and polls once a second.
"""

from collections.abc import Callable
from statistics import median
from typing import Any

from bench.contest import Entry, Score, compete
from bench.postgres import Postgres
from bench.table import Report, target

OURS, STOCK = "Ketang, live", "stock Prefect, serve"
PLAIN = "Ketang, live, Prefect's own worker"
WORKER = "CPU of the worker per decision"
FIGURES = {
    WORKER: "ms",
    "CPU of the server per decision": "ms",
    "decision to next form": "ms",
    "application to first form": "ms",
    "cases per minute, one after the other": "1/min",
    "bytes of Prefect's database per case": "B",
    "bytes of the business database per case": "B",
    "memory of server, worker and run, RSS": "MB",
    "memory of server, worker and run, PSS": "MB",
    "answers 503 per decision": "",
}


def contest(
    report: Report,
    postgres: Postgres,
    *,
    decisions: int,
    kinds: tuple[str, ...],
    plain: bool,
    say: Callable[[str], None],
) -> None:
    """
    Decide on each kind of database, Prefect's and the business's alike; a decision before the first warms up.

    Args:
        report: gets the results.
        postgres: the server for PostgreSQL.
        decisions: how many of each contestant count.
        kinds: of databases.
        plain: the desk takes part a second time, without its warm worker.
        say: tells how far it is.
    """
    contestants: list[tuple[str, str, dict[str, Any]]] = [
        (STOCK, "bench.contestants.serve:Serve", {}),
        (OURS, "bench.live_desk:Desk", {}),
    ]
    if plain:
        contestants.append((PLAIN, "bench.live_desk:Desk", {"settings": {"warm_worker": False}}))
    for kind in kinds:
        server = postgres if kind == "PostgreSQL" else None
        entries = [
            Entry(
                name,
                maker,
                postgres=server.database() if server else None,
                server=server.pid if server else None,
                options=options | ({"prefect": server.database()} if server else {}),
            )
            for name, maker, options in contestants
        ]
        scores = compete(entries, units=1, rounds=decisions, work=f"live, {kind}", say=say)
        work = f"live decision, {kind}"
        report.add(work, "decision", scores, limit=STOCK)
        report.add_figures(work, scores, FIGURES)
        wait = _ratio(scores, lambda score: [each.waits[0] for each in score.rounds])
        worker = _ratio(scores, lambda score: [each.figures[WORKER] for each in score.rounds])
        report.targets += [
            target(f"live, {kind}: p50 resume → next gate with letters, against stock", wait, "<=", 0.333),
            target(f"live, {kind}: worker-side CPU per decision, against stock", worker, "<=", 0.333),
        ]


def _ratio(scores: dict[str, Score], of: Callable[[Score], list[float]]) -> float:
    return median(of(scores[OURS])) / median(of(scores[STOCK]))
