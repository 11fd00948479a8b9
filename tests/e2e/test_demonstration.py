"""``ketang demo site`` against a running stack, and what it leaves in Prefect, in the post and in the books."""

import json
from collections import Counter

import pytest

from policies.vocabulary import LetterStatus
from tests.e2e.live import Office, Played
from tests.notifications.mailserver import MailServer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_the_run_is_completed_and_found_by_case_village_and_gate(office: Office, played: Played) -> None:
    (run,) = office.runs(tags={"all_": [f"案件:{played.number}"]}, state={"type": {"any_": ["COMPLETED"]}})
    village = office.file(played.number).village
    assert run.message == f"{played.number} 办结:已建成挂牌"
    assert run.name == f"{played.number} {village} 已建成挂牌"
    assert set(run.tags) == {f"案件:{played.number}", f"村居:{village}", "环节:已建成挂牌"}
    for tag in run.tags:
        assert run in office.runs(tags={"all_": [tag]})
    assert run not in office.runs(tags={"all_": ["环节:等待社区办审核"]})


def test_the_case_file_stands_in_an_artifact_and_on_the_command_line(office: Office, played: Played) -> None:
    shown = office.ketang("case", "show", played.number)
    assert shown.returncode == 0
    assert office.artifact(f"case-{played.number.lower()}").strip() == shown.stdout.strip()
    assert shown.stdout.startswith(f"# {played.number} 客堂间·")
    for words in ("**已办结:已建成挂牌**", "退回补正,理由:志愿者不足10人", "(第2轮):批准", "10,000.00元"):
        assert words in shown.stdout
        assert words in played.said


def test_the_village_has_its_progress_in_an_artifact(office: Office, played: Played) -> None:
    rows = json.loads(office.artifact(f"progress-{office.file(played.number).village_code.lower()}"))
    assert {row["村(居)"] for row in rows} == {office.file(played.number).village}
    assert sum(row["已建成小组"] for row in rows) == 1
    assert all(row["尚差"] == max(row["目标数"] - row["已建成小组"], 0) for row in rows)
    assert sum(row["目标数"] for row in rows) > 1


def test_every_letter_reached_the_mail_server_once(office: Office, played: Played, mail: MailServer) -> None:
    letters = office.letters(played.number)
    assert {entry.status for entry in letters} == {LetterStatus.SENT}
    assert played.received == Counter(f"<{entry.message_id}>" for entry in letters)
    assert set(played.received.values()) == {1}
    ours = [message for message in mail.received if message["Message-ID"] in played.received]
    assert all(played.number in message["Subject"] for message in ours), [message["Subject"] for message in ours]


def test_a_finished_run_that_is_retried_finishes_again_and_changes_nothing(office: Office, played: Played) -> None:
    run_id = office.file(played.number).flow_run_id
    assert run_id is not None
    before = office.books(played.number)
    assert office.set_state(run_id, "SCHEDULED") == "ACCEPT"
    assert office.ended(run_id).message == f"{played.number} 办结:已建成挂牌"
    assert office.books(played.number) == before
