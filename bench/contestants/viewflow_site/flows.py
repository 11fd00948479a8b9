"""The site case as a viewflow flow: a view at each gate, with a timer that reports what is late."""

from datetime import timedelta

from django.utils.timezone import now
from viewflow import this
from viewflow.workflow import flow
from viewflow.workflow.flow.views import UpdateProcessView

from bench.contestants.viewflow_site.models import History, Letter, SiteProcess
from bench.letter import letters

PERIOD = timedelta(days=10)


def gate() -> flow.View:
    """Return a gate that is due in ten days, asks by letter, and reports that it is late."""
    return (
        flow.View(UpdateProcessView.as_view(fields=["verdicts"]))
        .onCreate(this.ask)
        .OnTimeout(PERIOD, this.report, interrupting=False)
    )


class SiteFlow(flow.Flow):
    """The site case."""

    process_class = SiteProcess

    start = flow.StartHandle(this.opened).Next(this.household_consent)
    household_consent = gate().Next(this.village_forward)
    village_forward = gate().Next(this.office_review)
    office_review = gate().Next(this.plaque)
    plaque = gate().Next(this.subsidy)
    subsidy = gate().Next(this.end)
    end = flow.End()
    report = flow.Function(this.late).Next(this.reported)
    reported = flow.End()

    def opened(self, activation, **fields):  # type: ignore[no-untyped-def]
        """Take up the application."""
        for name, value in fields.items():
            setattr(activation.process, name, value)
        activation.process.save()
        History.objects.create(process=activation.process, at=now(), actor=fields["leader"], what="提出申请")
        return activation.process

    def ask(self, activation):  # type: ignore[no-untyped-def]
        """Queue the letters of a gate that opens."""
        due = (now() + PERIOD).date()
        process = activation.process
        Letter.objects.bulk_create(
            Letter(process=process, address=to, subject=subject, body=text, html=html)
            for to, subject, text, html in letters(process.number, activation.flow_task.name, due)
        )

    def late(self, activation):  # type: ignore[no-untyped-def]
        """Report a gate that is late."""
        History.objects.create(process=activation.process, at=now(), actor="系统", what="逾期")
