"""Work 1: the same site case for everybody, on both databases."""

from collections.abc import Callable

from bench.contest import Entry, compete
from bench.postgres import Postgres
from bench.table import Report, target

OURS, BULK = "Ketang, case by case", "Ketang, bulk"
LIMIT, VIEWFLOW, SPIFF = "raw, by hand", "django-viewflow", "SpiffWorkflow"
CONTESTANTS = (
    (LIMIT, "raw:Raw", 1.0),
    ("SQLAlchemy + transitions", "orm:Orm", 1.0),
    (VIEWFLOW, "viewflow_:Viewflow", 1.0),
    (SPIFF, "spiff:Spiff", 1.0),
    ("DBOS", "dbos_:Dbos", 0.1),
    (OURS, "ours:Rehearsal", 0.5),
    (BULK, "ours:Bulk", 0.5),
)


def contest(report: Report, postgres: Postgres, *, cases: int, rounds: int, say: Callable[[str], None]) -> None:
    """Let all carry cases; compare CPU with the two workflow engines."""
    for kind, server in (("SQLite", None), ("PostgreSQL", postgres)):
        entries = [
            Entry(
                name,
                f"bench.contestants.{maker}",
                postgres=server.database() if server else None,
                server=server.pid if server else None,
                share=share,
            )
            for name, maker, share in CONTESTANTS
        ]
        scores = compete(entries, units=cases, rounds=rounds, work=f"site case, {kind}", say=say)
        report.add(f"site case, {kind}", "case", scores, limit=LIMIT, memory=True)
        for other in (VIEWFLOW, SPIFF):
            for ours in (OURS, BULK):
                ratio = scores[ours].against(scores[other], lambda each: each.cpu)[0]
                report.targets.append(target(f"{ours}: CPU per case against {other}, {kind}", ratio, "<=", 1.0))
