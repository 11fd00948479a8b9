"""
django-viewflow: a task row, a link row and a timer row for each gate, a lock and a transaction for each call.

Does not: chain its history, remind before the day, check periods against a calendar, keep the policy of a case.
The calls go to the flow's activations, as its views do, without HTTP, forms and permissions.
"""

import time
from typing import Any

import django
from django.conf import settings

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.letter import GATES
from bench.storage import bytes_of


class Viewflow:
    """Viewflow."""

    def __init__(self, place: Place) -> None:
        self.place = place
        database: dict[str, Any] = {"CONN_MAX_AGE": None}
        if place.postgres is None:
            database |= {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": place.folder / "work.db",
                "OPTIONS": {
                    "transaction_mode": "IMMEDIATE",
                    "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL",
                },
            }
        else:
            database |= {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": place.postgres["dbname"],
                "USER": place.postgres["user"],
                "HOST": place.postgres["host"],
            }
        settings.configure(
            DATABASES={"default": database},
            INSTALLED_APPS=[
                "django.contrib.auth",
                "django.contrib.contenttypes",
                "viewflow",
                "viewflow.workflow",
                "bench.contestants.viewflow_site",
            ],
            # Tables straight from the models: a proxy of a migrated model would want migrations of its own.
            MIGRATION_MODULES=dict.fromkeys(("auth", "contenttypes", "viewflow_base", "viewflow")),
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            USE_TZ=True,
            SECRET_KEY="bench",
        )
        django.setup()
        from django.contrib.auth.models import User
        from django.core.management import call_command

        call_command("migrate", run_syncdb=True, verbosity=0)
        self.user = User.objects.create_user("reviewer")
        self.cases = 0

    def prepare(self, units: int) -> None:
        """Nothing: it knows no registry."""

    def run(self, units: int) -> list[float]:
        """Carry the cases, one after the other."""
        return [wait for _ in range(units) for wait in self._case()]

    def _case(self) -> list[float]:
        waits = []
        process = self._apply()
        for n in range(1, SIGNATURES + 1):
            begun = time.perf_counter()
            self._sign(process, f"G{process}-{n:03d}")
        waits.append(time.perf_counter() - begun)
        for gate, verdict in zip(GATES[1:], ("forwarded", "approved", "completed", "completed"), strict=True):
            begun = time.perf_counter()
            self._decide(process, gate, verdict)
            waits.append(time.perf_counter() - begun)
        return waits

    def _apply(self) -> int:
        from django.db import transaction

        from bench.contestants.viewflow_site.flows import SiteFlow

        self.cases += 1
        number = f"KT-2026-{self.cases:06d}"
        with transaction.atomic():
            process = SiteFlow.start.run(
                number=number,
                household=f"{number}-001",
                leader="陆负责",
                leader_source="党员",
                recommended_by="周荡村党支部",
                volunteers=12,
                area="25",
                facilities="客厅、卫生间",
                confirmations="安全",
                speciality="编织",
                agrees=True,
                verdicts="",
            )
        return int(process.pk)

    def _sign(self, process: int, household: str) -> None:
        from django.db import transaction
        from django.utils.timezone import now
        from viewflow.workflow.models import Task

        from bench.contestants.viewflow_site.models import History, Signature

        with transaction.atomic():
            task = Task.objects.select_for_update().get(
                process_id=process, flow_task_type="HUMAN", finished__isnull=True
            )
            Signature.objects.create(process_id=process, household=household, signed_at=now())
            History.objects.create(process_id=process, at=now(), actor="顾组长", what=f"登记农户答复:{household}同意")
            if Signature.objects.filter(process_id=process).count() == SIGNATURES:
                self._complete(task, "carried")

    def _decide(self, process: int, gate: str, verdict: str) -> None:
        from django.db import transaction
        from django.utils.timezone import now
        from viewflow.workflow.models import Task

        from bench.contestants.viewflow_site.models import History

        with transaction.atomic():
            task = Task.objects.get(process_id=process, flow_task_type="HUMAN", finished__isnull=True)
            assert task.flow_task.name == gate
            History.objects.create(process_id=process, at=now(), actor="沈审核", what=f"{gate}:{verdict}")
            self._complete(task, verdict)

    def _complete(self, task: Any, verdict: str) -> None:
        """Do what viewflow's own view does when its form is in order."""
        with task.activation() as activation:
            activation.assign(self.user)
            activation.start(None)
            activation.process.verdicts += f"{verdict} "
            activation.process.save()
            activation.execute()

    def check(self) -> None:
        """See that every case was listed and everything written."""
        from viewflow.workflow.models import Process

        from bench.contestants.viewflow_site.models import History, Letter

        counts = [
            Process.objects.filter(status="DONE").count(),
            History.objects.count(),
            Letter.objects.count(),
        ]
        assert counts == [self.cases * each for each in (1, 25, 10)], counts

    def stored(self) -> int:
        """Return the database's bytes."""
        return bytes_of(self.place)
