"""``ketang service``: the catalogue, an order to its end, the figures, from the command line."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import service
from policies.vocabulary import Gate, Outcome
from runtime.clock import machine_now
from tests.services import CONTACT, ROWS, ServiceTown
from tests.township import REVIEWER, SHANGHAI, township


@pytest.fixture
def there(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServiceTown]:
    """The example's town today: the command line has no other clock."""
    monkeypatch.setenv("KETANG_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("KETANG_HOME", str(tmp_path))
    # Prefect does not run here; that a case is woken afterwards is shown by the live tests.
    monkeypatch.setattr(service, "carry_on", lambda resources, number: None)
    now = f"{machine_now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    with township(sqlite_url, tmp_path, edition="example-2026", now=now) as town:
        yield ServiceTown(town)


def ketang(*words: object) -> Result:
    return CliRunner().invoke(service.app, [str(word) for word in words])


def done(*words: object) -> str:
    told = ketang(*words)
    assert told.exit_code == 0, told.output
    return told.stdout


def test_an_order_goes_from_the_catalogue_to_its_rating(there: ServiceTown, tmp_path: Path) -> None:
    sheet = there.resources.settings.documents_folder / there.sheet(ROWS)
    assert "新增3项" in done("catalogue-import", sheet, "--by", REVIEWER)
    assert "YL01  健康讲座  便民服务  卫生服务中心(YL)  联系人卫联系(F001)  每年2次(今年还可点2次)" in done("catalogue")
    assert "共3项" in done("catalogue", "--out", tmp_path / "目录.xlsx")

    today = machine_now().astimezone(SHANGHAI).date()
    order = ("order", "--by", there.led_by, "--site", there.site, "--item", "YL01", "--people", 20)
    refused = ketang(*order, "--on", today)
    assert refused.exit_code == 1
    assert "须至少提前7日点单" in refused.stderr
    told = done(*order, "--on", today + timedelta(days=8), "--note", "上午")
    found = re.search(r"KTPS-\d{4}-\d{4}", told)
    assert found is not None
    there.number = found[0]
    there.carry()
    assert "等待接单" in done("list")

    told = done("answer", there.number, "--by", CONTACT, "--on", today + timedelta(days=9))
    assert f"已接单,承诺{today + timedelta(days=9)}送达" in told
    there.carry()
    assert "等待客堂间确认" in done("deliver", there.number, "--by", CONTACT, "--served", 18)
    there.carry()
    assert "重新送达" in done("confirm", there.number, "--by", there.led_by, "--dispute", "--reason", "人没来齐")
    there.carry()
    done("deliver", there.number, "--by", REVIEWER, "--served", 19)
    there.carry()
    assert there.town.gate(there.number) is Gate.SERVICE_CONFIRMATION
    told = done("confirm", there.number, "--by", there.led_by, "--served", 19, "--rating", 5, "--comment", "好")
    assert "服务19人,评价5分(满分5分):好" in told
    there.carry()
    assert there.town.case(there.number).outcome is Outcome.DELIVERED
    assert "已送达确认" in done("list", "--all", "--site", there.site)
    assert "评价 | 5分" in done("show", there.number)
    told = done("shares", "--town", "Z")
    assert "平均评价5.0" in told
    assert "平均每处送达1.0次,每处都得到过服务" in told


def test_an_order_that_is_declined_or_can_not_be_delivered_says_why(there: ServiceTown) -> None:
    there.bring()
    there.place()
    refused = ketang("answer", there.number, "--by", CONTACT, "--decline")
    assert refused.exit_code == 1
    assert "须写明理由" in refused.stderr
    assert "不予接单" in done("answer", there.number, "--by", CONTACT, "--decline", "--reason", "排满")
    there.carry()
    assert there.town.case(there.number).outcome is Outcome.DECLINED
    there.place()
    there.take()
    done("deliver", there.number, "--by", CONTACT, "--failed", "--reason", "车坏了")
    there.carry()
    assert there.town.case(there.number).outcome is Outcome.ABANDONED
