"""A stack of its own behind a password: stopped, started, robbed of its deployment and of Prefect's database."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from policies.vocabulary import Gate
from runtime.settings import Settings
from runtime.stack import Stack
from tests.e2e.live import CARRYING, Office, at_the_api, office_at

pytestmark = [pytest.mark.e2e, pytest.mark.endurance, pytest.mark.timeout(900)]

SECRET = "office:correct horse"


@pytest.fixture(scope="module")
def own_office(prepared: Callable[[Stack], Stack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("home")
    stack = prepared(Stack(Settings(_env_file=None, home=home, port=0, prefect_auth=SecretStr(SECRET))))
    with stack, office_at(stack) as office:
        yield office


@pytest.fixture
def office(own_office: Office) -> Iterator[Office]:
    own_office.stack.start_worker()
    with at_the_api(own_office.stack):
        yield own_office


def test_everything_works_behind_a_password(office: Office) -> None:
    settings = office.stack.settings
    stranger = Stack(Settings(_env_file=None, home=settings.home, port=settings.port))
    status, _ = Office(stranger, office.resources).refused("GET", "/admin/version", None)
    assert status == 401

    run = office.ended(
        office.start("site-application/客堂间申请", {"application": office.application(next(office.households))})
    )
    assert run.type == "COMPLETED"
    number = run.message.partition(":")[0]
    assert office.waiting(number, Gate.HOUSEHOLD_CONSENT).state == "Suspended"
    done = office.ketang("case", "wake", number)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_second_start_finds_everything_as_it_was(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    before = office.waiting(number, Gate.VILLAGE_FORWARD)
    office.stack.stop()
    office.stack.start()
    assert office.waiting(number, Gate.VILLAGE_FORWARD) == before
    assert "唤醒0件,新启动0件" in office.sweep(stuck_after=5)
    assert office.fill_in(before.id, {"by": cast.responsible, "verdict": "同意上报"}) == ("ACCEPT", "")
    assert office.waiting(number, Gate.OFFICE_REVIEW).id == before.id


def test_a_deployment_that_was_deleted_and_made_again_carries_the_cases_on(office: Office) -> None:
    number, cast = office.open_case(Gate.VILLAGE_FORWARD)
    answered, cast_of_answered = office.open_case(Gate.VILLAGE_FORWARD)
    orphan, other = office.waiting(number, Gate.VILLAGE_FORWARD), office.waiting(answered, Gate.VILLAGE_FORWARD)
    assert orphan.deployment is not None
    office.ask("DELETE", f"/deployments/{orphan.deployment}")
    # Prefect takes the answer, but no worker will ever look for this run.
    assert office.fill_in(other.id, {"by": cast_of_answered.responsible, "verdict": "同意上报"}) == ("ACCEPT", "")
    without = office.ketang("sweep")
    assert without.returncode == 1
    assert "流程尚未部署,请先运行 ketang deploy" in without.stderr

    deployed = office.ketang("deploy")
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    assert office.deployment(CARRYING)["id"] != orphan.deployment
    office.sweep()
    fresh = office.waiting(number, Gate.VILLAGE_FORWARD, but=orphan.key)
    assert fresh.id != orphan.id
    assert office.run(orphan.id).type == "CANCELLED"
    assert office.fill_in(fresh.id, {"by": cast.responsible, "verdict": "同意上报"}) == ("ACCEPT", "")
    office.waiting(number, Gate.OFFICE_REVIEW)
    office.waiting(answered, Gate.OFFICE_REVIEW)


def test_cases_survive_the_loss_of_prefects_database(office: Office, prepared: Callable[[Stack], Stack]) -> None:
    number, cast = office.open_case(Gate.OFFICE_REVIEW)
    lost, before = office.waiting(number, Gate.OFFICE_REVIEW), office.books(number)
    office.stack.stop()
    shutil.rmtree(office.stack.settings.home / "prefect")
    prepared(office.stack).start()
    assert office.carrier(number) is None
    office.sweep()
    fresh = office.waiting(number, Gate.OFFICE_REVIEW)
    assert fresh.id != lost.id
    assert office.books(number) == before
    answer = {"by": cast.reviewer, "verdict": "批准", "acknowledged": ["志愿者人数"]}
    assert office.fill_in(fresh.id, answer) == ("ACCEPT", "")
    office.waiting(number, Gate.PLAQUE)
    assert office.faults(number) == []
