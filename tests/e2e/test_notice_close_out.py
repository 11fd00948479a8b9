"""A notice closes at its legal end on a stack that runs; also when the stack was down over that moment."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from flows.waking import Woken, wake
from models.case import Case
from models.notice import Notice
from models.outbox import OutboxEntry
from models.registry import Person, RoleHolding
from models.work_item import Decision, WorkItem
from policies.vocabulary import CaseStatus, Door, Gate, Outcome, Role, Verdict
from rules.periods import SHANGHAI, end_of
from runtime.clock import TrainingClock, machine_now
from runtime.settings import Settings
from runtime.stack import Stack
from tasks import notices
from tasks.notice_commands import PublishNotice
from tests.e2e.live import Office, at_the_api, office_at, see

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

CLOSE_OUT = "close-out/到期结办"
A_MINUTE = timedelta(seconds=60)


@pytest.fixture(scope="module")
def own_office(prepared: Callable[[Stack], Stack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A stack of its own, whose clock can be moved: letters go into its folder."""
    stack = prepared(Stack(Settings(_env_file=None, home=tmp_path_factory.mktemp("home"), port=0, training=True)))
    with stack, office_at(stack) as office:
        yield office


@pytest.fixture
def office(own_office: Office) -> Iterator[Office]:
    own_office.stack.start_worker()
    with at_the_api(own_office.stack):
        yield own_office


def clock_of(office: Office) -> TrainingClock:
    clock = office.resources.clock
    assert isinstance(clock, TrainingClock)
    return clock


def publish(office: Office, key: str) -> tuple[str, datetime]:
    """Publish a notice as of now, which nothing carries yet; return its number and its legal end."""
    with office.resources.database.read() as session:
        by = session.scalars(
            select(Person.code).join(RoleHolding).where(RoleHolding.role == Role.OFFICE_REVIEWER)
        ).first()
    command = PublishNotice(
        unit="示例镇",
        edition="example-micro-2026",
        by=by or "",
        title=f"老街路灯改造方案({key})",
        text="拟在老街安装路灯二十盏。",
        contact="镇社区办",
        place="镇政务公开栏",
    )
    number = notices.publish_notice(office.resources, command, door=Door.CLI, key=key, at=office.now())
    with office.resources.database.read() as session:
        notice = session.scalars(select(Notice).join(Case).where(Case.number == number)).one()
        return number, end_of(notice.ends_on)


def closed(office: Office, number: str) -> Case | None:
    with office.resources.database.read() as session:
        case = session.scalars(select(Case).where(Case.number == number)).one()
        return case if case.status is CaseStatus.CLOSED else None


def endings(office: Office, number: str) -> list[Decision]:
    with office.resources.database.read() as session:
        query = select(Decision).join(WorkItem, WorkItem.id == Decision.work_item_id).join(Case)
        return list(session.scalars(query.where(Case.number == number, WorkItem.gate == Gate.NOTICE_PERIOD)))


def result_letters(office: Office, number: str) -> list[OutboxEntry]:
    return [entry for entry in office.letters(number) if entry.letter.value == "notice_closed"]


def waiting_before(office: Office, number: str, ends: datetime, *, seconds: int) -> None:
    """Bring the clock close to the legal end and let the notice's run wait at its gate."""
    clock_of(office).move_to(ends - timedelta(seconds=seconds))
    assert wake(office.resources, number, at=office.now()) is Woken.STARTED
    office.waiting(number, Gate.NOTICE_PERIOD)


def test_a_notice_is_closed_within_a_minute_of_its_legal_end_and_once(office: Office) -> None:
    number, ends = publish(office, "on-time")
    other, _ = publish(office, "at the same time")
    waiting_before(office, number, ends, seconds=45)
    scheduled = office.runs(name={"any_": [f"到期结办 {ends.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"]})
    assert len(scheduled) == 1
    # Prefect goes by the machine's time: there the end is as far away as it is by our clock.
    starts = datetime.fromisoformat(office.ask("GET", f"/flow_runs/{scheduled[0].id}")["expected_start_time"])
    assert abs((starts - machine_now()) - (ends - office.now())) <= timedelta(seconds=2)

    case = see(lambda: closed(office, number), f"{number} closed")
    assert case.outcome is Outcome.CLEARED
    assert case.closed_at is not None
    assert timedelta() <= case.closed_at - ends < A_MINUTE
    (ended,) = endings(office, number)
    assert (ended.verdict, ended.door, ended.effective_at) == (Verdict.ENDED, Door.LAPSE, ends)
    run = see(lambda: run if (run := office.carrier(number)) and run.type == "COMPLETED" else None, "the end is shown")
    assert run.message.startswith(f"{number} 办结:公示通过")
    # The other one has the same instant: the same run has closed it.
    assert see(lambda: closed(office, other), f"{other} closed").outcome is Outcome.CLEARED
    (again,) = office.runs(name={"any_": [scheduled[0].name]})
    done = office.ended(again.id)
    assert done.type == "COMPLETED"
    assert re.search(r"期满2件", done.message), done.message
    assert office.ketang("sweep").returncode == 0
    assert len(endings(office, number)) == 1
    assert len({entry.dedup_key for entry in result_letters(office, number)}) == len(result_letters(office, number))
    page = office.resources.settings.notices_folder / f"{number.lower()}.html"
    assert "公示通过" in page.read_text(encoding="utf-8")
    assert "补记" not in page.read_text(encoding="utf-8")
    assert office.faults(number) == []


@pytest.mark.endurance
def test_after_a_downtime_over_its_end_it_closes_at_once_with_the_true_date_told_as_late(office: Office) -> None:
    number, ends = publish(office, "down")
    waiting_before(office, number, ends, seconds=60)
    office.stack.stop()
    clock_of(office).move_to(ends + timedelta(hours=3))
    office.stack.start()
    started = office.now()
    case = see(lambda: closed(office, number), f"{number} closed")
    assert case.closed_at is not None
    assert case.closed_at - started < A_MINUTE
    (ended,) = endings(office, number)
    assert ended.effective_at == ends
    assert "系统于3小时后补记" in ended.reason
    page = office.resources.settings.notices_folder / f"{number.lower()}.html"
    see(lambda: "补记,效力自期满之时起算" in page.read_text(encoding="utf-8") or None, "told on the page")
    letters = result_letters(office, number)
    assert letters
    assert all("补记,效力自期满之时起算" in str(entry.context["late_note"]) for entry in letters)
    assert len({entry.dedup_key for entry in letters}) == len(letters)
    assert office.ketang("sweep").returncode == 0
    assert len(endings(office, number)) == 1
    assert office.faults(number) == []
