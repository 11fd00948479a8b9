"""``ketang change`` and ``ketang site show``: a change is applied for and looked at from the command line."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prefect.utilities.callables import parameter_schema
from prefect.utilities.schema_tools.validation import validate
from typer.testing import CliRunner, Result

from cli import change, site
from flows.change_office import apply_for_change
from policies.vocabulary import Gate, SiteStatus, Verdict
from runtime.clock import machine_now
from tests.changes import leader_code
from tests.parlours import add_site, site_of
from tests.township import RESPONSIBLE, REVIEWER, SHANGHAI, Township, township


@pytest.fixture
def town(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Township]:
    """The example town today: the command line has no other clock."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    # Prefect does not run here; that a case is woken afterwards is shown by the live tests.
    monkeypatch.setattr(change, "carry_on", lambda resources, number: None)
    now = f"{machine_now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    with township(sqlite_url, tmp_path, edition="example-2026", now=now) as there:
        yield there


def ketang_change(*words: str) -> Result:
    return CliRunner().invoke(change.app, list(words))


def test_a_rest_is_applied_for_listed_and_shown(town: Township) -> None:
    number = add_site(town)
    today = town.now().astimezone(SHANGHAI).date()
    words = ["apply", number, "--kind", "申请暂停运行", "--by", leader_code(town, number), "--reason", "修缮屋顶"]
    words += ["--rests-from", str(today), "--rests-until", str(today + timedelta(days=20))]
    told = ketang_change(*words, "--key", "once")
    assert told.exit_code == 0, told.output
    town.number = told.stdout.split("案件编号 ")[1].strip()
    refused = ketang_change(*words)
    assert refused.exit_code == 1
    assert "已有在办的“申请暂停运行”" in refused.output

    town.rehearsal.carry(town.number)
    listed = ketang_change("list").stdout
    assert f"{town.number}  " in listed
    assert "等待村(居)委会意见" in listed
    shown = ketang_change("show", town.number).stdout
    assert "修缮屋顶" in shown
    assert "暂停运行，共21日" in shown
    assert town.gate() is Gate.CHANGE_OPINION
    town.decide(Verdict.SUPPORTED, by=RESPONSIBLE)
    town.decide(Verdict.APPROVED, by=REVIEWER)
    assert site_of(town, number).status is SiteStatus.SUSPENDED
    page = CliRunner().invoke(site.app, ["show", number]).stdout
    assert f"| 状态 | 暂停运行(自{today}) |" in page


def test_a_new_leader_and_a_move_are_applied_for_with_what_belongs_to_them(town: Township) -> None:
    number = add_site(town)
    known = ["apply", number, "--by", RESPONSIBLE, "--reason", "负责人病故"]
    leader = ["--kind", "更换负责人", "--leader", "P099", "--leader-source", "党员骨干", "--recommended-by", "党支部"]
    assert "须本人愿意" in ketang_change(*known, *leader).output
    assert ketang_change(*known, *leader, "--leader-agrees").exit_code == 0
    move = ["--kind", "迁址", "--household", "ZD01-001", "--household-agrees", "--volunteers", "12", "--area", "25"]
    move += [word for each in ("客厅", "卫生间") for word in ("--facility", each)]
    told = ketang_change(*known, *move)
    assert told.exit_code == 0, told.output
    moving = told.stdout.split("案件编号 ")[1].strip()
    assert "迁入周荡村第一组户主1户（户号ZD01-001）" in ketang_change("show", moving).stdout


def test_a_wrong_word_or_case_is_refused_with_what_to_do(town: Township) -> None:
    number = add_site(town)
    told = ketang_change("apply", number, "--kind", "搬家", "--by", RESPONSIBLE, "--reason", "x")
    assert told.exit_code == 1
    assert "更换负责人、迁址、申请暂停运行、注销" in told.output
    shown = ketang_change("show", number.removesuffix("-S"))
    assert "不是客堂间变更" in shown.output


def test_the_defaults_of_the_form_pass_its_own_schema() -> None:
    schema = parameter_schema(apply_for_change.fn).model_dump()
    fields = schema["definitions"]["ApplyForChange"]["properties"]
    filled = {name: field["default"] for name, field in fields.items() if "default" in field}
    filled |= {"site": "KT-2026-0001-S", "by": "P030", "kind": "注销", "reason": "房屋出售"}
    assert validate({"change": filled}, schema, raise_on_error=False) == []
