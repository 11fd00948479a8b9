"""``ketang meeting``: from the call to the last decision by the command line, without Prefect at hand."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import meeting
from policies.vocabulary import CaseStatus, Outcome
from runtime.clock import machine_now
from tests.meetings import EXAMPLE, faults, resolutions, settle
from tests.township import HEAD_OF_OFFICE, RESPONSIBLE, REVIEWER, SHANGHAI, Township, township


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Township]:
    """A town whose meetings are worked by the command line; the clock is the machine's."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    now = f"{machine_now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    with township(sqlite_url, tmp_path, edition=EXAMPLE, now=now) as there:
        monkeypatch.setattr(meeting, "carry_on", lambda resources, number: there.rehearsal.carry(number))
        yield settle(there)


def in_days(days: int) -> str:
    return f"{machine_now().astimezone(SHANGHAI) + timedelta(days=days):%Y-%m-%d}"


def ketang_meeting(*words: str) -> Result:
    return CliRunner().invoke(meeting.app, list(words))


def done(*words: str) -> str:
    result = ketang_meeting(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*words: str) -> str:
    result = ketang_meeting(*words)
    assert result.exit_code == 1, result.output
    return result.stderr


def called(on: str, *more: str) -> Result:
    arranged = ("--place", "三楼会议室", "--chair", "丁主任", "--point", "通报情况", "--point", "研究工作")
    return ketang_meeting("call", "--by", REVIEWER, "--unit", "Z", "--on", on, *arranged, *more)


def test_a_meeting_goes_its_way_by_the_command_line(town: Township) -> None:
    assert "没有在办的联席会议" in done("list")
    assert "最早可定在" in called(in_days(2)).stderr
    assert "“开会时刻”“25点”不是时刻" in called(in_days(10), "--time", "25点").stderr
    number = called(in_days(10), "--key", "春").stdout.split()[-1]
    assert called(in_days(10), "--key", "春").stdout.split()[-1] == number

    by = (number, "--by", REVIEWER)
    assert "没有填写与现在不同的" in refused("change", *by)
    assert done("change", *by, "--place", "四楼会议室") == "地点改为四楼会议室,已通知参会人员\n"
    assert "请分开办理" in refused("change", *by, "--on", in_days(20), "--place", "五楼")
    assert "理由" in refused("change", *by, "--on", in_days(20))
    assert done("change", *by, "--on", in_days(20), "--reason", "防汛") == f"会议延期至{in_days(20)}\n"

    assert "尚缺:6人的签到" in done("sign", *by, "--attended", REVIEWER, "--on", in_days(0))
    assert "尚缺:会议纪要" in done("sign", *by, "--leave", RESPONSIBLE, "--rest-absent", "--guests", "金老师")
    assert "已经齐全" in done("minutes", *by, "--text", "会议听取了汇报。")
    assert "不是议定事项,请写作 事项=承办人=期限" in refused("hold", *by, "--decided", "更换音响")
    assert "还缺:议定事项" in refused("hold", *by)
    due = in_days(9)
    entries = (f"更换音响={RESPONSIBLE}={due}", f"整理书架={REVIEWER}={due}")
    held = done("hold", *by, "--decided", entries[0], "--decided", entries[1])
    assert held == "会议已办结,纪要已印发,议定事项2项\n"

    first, second = (each.case.number for each in resolutions(town, number))
    assert first in done("list")
    assert "三者取一" in refused("resolve", first, "--by", RESPONSIBLE)
    later = ("resolve", first, "--by", HEAD_OF_OFFICE, "--until", in_days(19), "--reason", "缺货")
    assert done(*later) == f"完成期限延至{in_days(19)}\n"
    reported = ("resolve", first, "--by", RESPONSIBLE, "--on", in_days(0), "--result", "已更换")
    assert done(*reported) == "已登记落实结果\n"
    assert done("resolve", second, "--by", HEAD_OF_OFFICE, "--abandon", "--reason", "已无必要") == "议定事项已终止\n"
    assert town.case(number).status is CaseStatus.CLOSED
    assert "已更换" in done("show", first)
    assert number in done("list", "--all")
    assert faults(town) == []


def test_a_meeting_is_called_off_by_the_command_line(town: Township) -> None:
    number = called(in_days(10)).stdout.split()[-1]
    assert done("change", number, "--by", REVIEWER, "--off", "--reason", "人员不齐") == "会议不再召开,已通知参会人员\n"
    assert town.case(number).outcome is Outcome.CALLED_OFF
