"""
Prefect's worker as the stack starts it: ``python -m cli.prefect_worker worker start --pool …``, options as Prefect's.

Imports everything that flow runs need, forks the warm process off (`runtime.warm`) and goes on as the worker; the two
share the memory of what was imported. See ``docs/decisions/0003-warm-worker.md``.
"""

from functools import partial
from pathlib import Path

from runtime.fitness import open_descriptors
from runtime.warm import Gone, Warm


def main() -> None:
    allowed, folder = open_descriptors(), Path.cwd()
    # Imported only now: what is read from here on is compared with the files before each run.
    from cli.warm_flow import Code, preload, serve_runs

    code, warm = Code(folder), None
    from prefect.cli import app
    from yaml import YAMLError

    from cli.forks import Forks
    from cli.warm_worker import WarmWorker

    try:
        preload(folder)
        warm = Warm.forked(partial(serve_runs, code=code, allowed=allowed), allowed=allowed)
    except Gone as reason:
        print(f"No warm process, because this one can not be forked: {reason}", flush=True)  # noqa: T201
    except (OSError, ValueError, KeyError, AttributeError, YAMLError) as error:
        print(f"No warm process, because the deployments can not be read: {error!r}", flush=True)  # noqa: T201
    WarmWorker.forks = Forks(warm, folder)
    app()


if __name__ == "__main__":
    main()
