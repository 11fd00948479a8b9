"""
A site case as a plain Prefect flow, as one writes it from Prefect's manual: served, a suspension for each decision.

The flow starts from its top at each resume, so every step looks in the database whether it was done. Its rows are those
of "SQLAlchemy + transitions"; its letters leave at once, through smtplib.
"""

import os
import smtplib
from collections.abc import Sequence
from email.message import EmailMessage

from prefect import flow, suspend_flow_run  # noqa: TID251 - it is not the desk's
from prefect.input import RunInput
from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.contestants.orm_rows import Case, Letter, Signature, applied, connected, now, trigger
from bench.letter import GATES

SENDER = "ketang@office.example"
DATABASE, MAIL_PORT = "SERVE_DATABASE", "SERVE_MAIL_PORT"
DEPLOYMENT = "serve"


class Consent(RunInput):
    """What the head of the group fills in."""

    agreeing: list[str]
    note: str = ""


class Verdict(RunInput):
    """A decision."""

    by: str
    verdict: str


class Works(RunInput):
    """A list of things done."""

    by: str
    works: list[str]


@flow(name="site-case", flow_run_name="{number}")
def site_case(number: str) -> None:
    """Carry one case to its end."""
    apply(number)
    consent = suspend_flow_run(wait_for_input=Consent, key="household-consent")
    decide(number, GATES[0], "顾组长", "carried", signed=consent.agreeing)
    forward = suspend_flow_run(wait_for_input=Verdict, key="village-forward")
    decide(number, GATES[1], forward.by, forward.verdict)
    review = suspend_flow_run(wait_for_input=Verdict, key="office-review")
    decide(number, GATES[2], review.by, review.verdict)
    plaque = suspend_flow_run(wait_for_input=Works, key="plaque")
    decide(number, GATES[3], plaque.by, "completed", works=plaque.works)
    subsidy = suspend_flow_run(wait_for_input=Works, key="subsidy")
    decide(number, GATES[4], subsidy.by, "completed", works=subsidy.works)


def apply(number: str) -> None:
    """Open the case, unless it is open."""
    with Session(connected(os.environ[DATABASE])) as session, session.begin():
        if session.scalar(select(Case.id).where(Case.number == number)) is not None:
            return
        case = applied(number)
        session.add(case)
        case.tell(case.leader, "提出申请")
        case.open_step()
    post(number)


def decide(
    number: str, gate: str, by: str, verdict: str, *, signed: Sequence[str] = (), works: Sequence[str] = ()
) -> None:
    """Take the decision of a gate, unless it was taken."""
    with Session(connected(os.environ[DATABASE])) as session, session.begin():
        case = session.scalars(select(Case).where(Case.number == number).with_for_update()).one()
        if case.state != gate:
            return
        for household in signed:
            session.add(Signature(case_id=case.id, household=household, signed_at=now()))
            case.tell(by, f"登记农户答复:{household}同意")
        for work in works:
            case.tell(by, f"登记完成:{work}")
        case.tell(by, f"{gate}:{verdict}")
        trigger(case, by, verdict)
    post(number)


def post(number: str) -> None:
    """Send what the case has to send, and note what the mail server has taken."""
    with Session(connected(os.environ[DATABASE])) as session, session.begin():
        waiting = session.scalars(
            select(Letter).join(Case, Case.id == Letter.case_id).where(Case.number == number, Letter.sent_at.is_(None))
        ).all()
        if not waiting:
            return
        with smtplib.SMTP("127.0.0.1", int(os.environ[MAIL_PORT])) as client:
            for letter in waiting:
                message = EmailMessage()
                message["Subject"] = letter.subject
                message["From"] = SENDER
                message["To"] = letter.address
                message.set_content(letter.body)
                message.add_alternative(letter.html, subtype="html")
                client.send_message(message)
                letter.sent_at = now()


if __name__ == "__main__":
    site_case.serve(name=DEPLOYMENT, pause_on_shutdown=False)
