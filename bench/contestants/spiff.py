"""
SpiffWorkflow: the process in BPMN, its state as JSON beside rows of signatures, history and letters in SQLAlchemy.

Does not: chain its history, remind or escalate (a timer inside the JSON would have to be looked for in every case),
check who may decide, keep the policy of a case beside the process definition that its JSON carries.
"""

import io
import time
from datetime import datetime, timedelta
from itertools import pairwise

from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState
from sqlalchemy import Text, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.contestant import Place
from bench.contestants import SIGNATURES
from bench.contestants.orm_rows import now, prepared
from bench.letter import GATES, letters
from bench.storage import bytes_of

PERIOD = timedelta(days=10)


def bpmn() -> bytes:
    """Return the process: a start, five user tasks, an end."""
    nodes = ["start", *GATES, "end"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="to_{to}" sourceRef="{source}" targetRef="{to}"/>' for source, to in pairwise(nodes)
    )
    tasks = "".join(
        f'<bpmn:userTask id="{gate}" name="{gate}"><bpmn:incoming>to_{gate}</bpmn:incoming>'
        f"<bpmn:outgoing>to_{after}</bpmn:outgoing></bpmn:userTask>"
        for gate, after in zip(GATES, (*GATES[1:], "end"), strict=True)
    )
    return (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="http://b">'
        '<bpmn:process id="site" isExecutable="true">'
        f'<bpmn:startEvent id="start"><bpmn:outgoing>to_{GATES[0]}</bpmn:outgoing></bpmn:startEvent>{tasks}'
        f'<bpmn:endEvent id="end"><bpmn:incoming>to_end</bpmn:incoming></bpmn:endEvent>{flows}'
        "</bpmn:process></bpmn:definitions>"
    ).encode()


class Base(DeclarativeBase):
    """The tables."""


class Instance(Base):
    """A case: its number, where it stands, and the engine's state."""

    __tablename__ = "instances"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    serialized: Mapped[str] = mapped_column(Text)


class Signature(Base):
    """A household agrees."""

    __tablename__ = "signatures"
    case_id: Mapped[int] = mapped_column(primary_key=True)
    household: Mapped[str] = mapped_column(primary_key=True)
    signed_at: Mapped[datetime]


class History(Base):
    """What happened."""

    __tablename__ = "history"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    what: Mapped[str] = mapped_column(Text)


class Letter(Base):
    """A letter that waits for the post."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int]
    address: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime | None]


class Spiff:
    """SpiffWorkflow."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.engine = create_engine(place.url)
        if place.postgres is None:
            event.listen(self.engine, "connect", prepared)
            event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        Base.metadata.create_all(self.engine)
        parser = BpmnParser()
        parser.add_bpmn_xml(etree.parse(io.BytesIO(bpmn())).getroot())
        self.spec = parser.get_spec("site")
        self.serializer = BpmnWorkflowSerializer()
        self.cases = 0

    def prepare(self, units: int) -> None:
        """Nothing: it knows no registry."""

    def run(self, units: int) -> list[float]:
        """Carry the cases, one after the other."""
        return [wait for _ in range(units) for wait in self._case()]

    def _case(self) -> list[float]:
        waits = []
        case_id = self._apply()
        for n in range(1, SIGNATURES + 1):
            begun = time.perf_counter()
            self._sign(case_id, f"G{case_id}-{n:03d}")
        waits.append(time.perf_counter() - begun)
        for gate, verdict in zip(GATES[1:], ("forwarded", "approved", "completed", "completed"), strict=True):
            begun = time.perf_counter()
            self._decide(case_id, gate, verdict)
            waits.append(time.perf_counter() - begun)
        return waits

    def _apply(self) -> int:
        self.cases += 1
        number = f"KT-2026-{self.cases:06d}"
        with Session(self.engine) as session, session.begin():
            workflow = BpmnWorkflow(self.spec)
            workflow.data.update(
                number=number,
                household=f"{number}-001",
                leader="陆负责",
                leader_source="党员",
                recommended_by="周荡村党支部",
                volunteers=12,
                area="25",
                facilities=["客厅", "卫生间"],
                confirmations=["安全"],
                speciality="编织",
                agrees=True,
            )
            workflow.do_engine_steps()
            instance = Instance(number=number, state="", serialized="")
            session.add(instance)
            session.flush()
            session.add(History(case_id=instance.id, at=now(), actor="陆负责", what="提出申请"))
            self._keep(session, instance, workflow)
            return instance.id

    def _sign(self, case_id: int, household: str) -> None:
        with Session(self.engine) as session, session.begin():
            instance = session.get_one(Instance, case_id, with_for_update=self.place.postgres is not None)
            assert instance.state == GATES[0]
            session.add(Signature(case_id=case_id, household=household, signed_at=now()))
            what = f"登记农户答复:{household}同意"
            session.add(History(case_id=case_id, at=now(), actor="顾组长", what=what))
            session.flush()
            signed = session.scalar(select(func.count()).where(Signature.case_id == case_id))
            if signed == SIGNATURES:
                self._complete(session, instance, "carried")

    def _decide(self, case_id: int, gate: str, verdict: str) -> None:
        with Session(self.engine) as session, session.begin():
            instance = session.get_one(Instance, case_id, with_for_update=self.place.postgres is not None)
            assert instance.state == gate
            session.add(History(case_id=case_id, at=now(), actor="沈审核", what=f"{gate}:{verdict}"))
            self._complete(session, instance, verdict)

    def _complete(self, session: Session, instance: Instance, verdict: str) -> None:
        workflow = self.serializer.deserialize_json(instance.serialized)
        task = workflow.get_next_task(state=TaskState.READY, manual=True)
        task.data[f"{instance.state}_verdict"] = verdict
        task.run()
        workflow.do_engine_steps()
        self._keep(session, instance, workflow)

    def _keep(self, session: Session, instance: Instance, workflow: BpmnWorkflow) -> None:
        instance.serialized = self.serializer.serialize_json(workflow)
        task = workflow.get_next_task(state=TaskState.READY, manual=True)
        instance.state = task.task_spec.bpmn_id if task else "listed"
        instance.due_at = now() + PERIOD if task else None
        if task and instance.due_at:
            session.add_all(
                Letter(case_id=instance.id, address=to, subject=subject, body=text, html=html)
                for to, subject, text, html in letters(instance.number, instance.state, instance.due_at.date())
            )

    def check(self) -> None:
        """See that every case was listed and everything written."""
        with Session(self.engine) as session:
            counts = [
                session.scalar(statement)
                for statement in (
                    select(func.count()).where(Instance.state == "listed"),
                    select(func.count(History.id)),
                    select(func.count(Letter.id)),
                )
            ]
        assert counts == [self.cases * each for each in (1, 25, 10)], counts

    def stored(self) -> int:
        """Return the database's bytes."""
        return bytes_of(self.place)
