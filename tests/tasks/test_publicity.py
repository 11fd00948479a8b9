"""D0-R16: what was published about sites is recorded by the channels of the edition, and told in each site's case."""

from datetime import date
from pathlib import Path

import pytest

from models.site_life import PublicityItem
from policies.errors import Refused
from policies.vocabulary import Door
from tasks.life_commands import PublicityEntry, RecordPublicity, VoidPublicity
from tasks.life_sheets import read_publicity
from tasks.publicity import RecordedItem, publicity_between, record_publicity, void_publicity
from tests.desks import OpenTown
from tests.duties import faults
from tests.parlours import add_site, case_number
from tests.township import LIAISON, REVIEWER, STRANGER, Township

EXAMPLE = "example-2026"


def entry(*sites: str, channel: str = "镇级网站", on: str = "2026-03-01", title: str = "灯谜闹元宵") -> PublicityEntry:
    fields = {"channel": channel, "published_on": on, "title": title, "reference": "第3版", "sites": list(sites)}
    return PublicityEntry.model_validate(fields)


def record(town: Township, *items: PublicityEntry, key: str = "run:1", by: str = REVIEWER) -> list[RecordedItem]:
    command = RecordPublicity(by=by, items=list(items))
    return record_publicity(town.resources, command, door=Door.CLI, key=key, at=town.now())


def published(town: Township, *, voided: bool = False) -> list[PublicityItem]:
    with town.resources.database.read() as session:
        return publicity_between(session, first=date(2026, 1, 1), last=date(2026, 12, 31), voided=voided)


def test_an_item_about_two_sites_is_told_in_both_cases_and_once_by_its_key(open_town: OpenTown) -> None:
    town = open_town(EXAMPLE, "2026-03-02 09:00")
    first, second = add_site(town), add_site(town)
    (done,) = record(town, entry(second, first, first))
    assert str(done) == f"“灯谜闹元宵”登记号{done.id},涉及{first}、{second}"
    assert [each.known for each in record(town, entry(second, first, first))] == [True]
    (kept,) = published(town)
    assert (kept.channel, kept.published_on, kept.reference) == ("town_website", date(2026, 3, 1), "第3版")
    for number in (first, second):
        assert town.history(case_number(number))[-1].summary == "登记宣传报道:2026-03-01镇级网站“灯谜闹元宵”"
    assert faults(town) == []


def test_what_the_rules_refuse_is_told_item_by_item(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    number = add_site(town)
    with pytest.raises(Refused) as wrong:
        record(
            town,
            entry(number),
            entry(number, channel="晚报", title="甲"),
            entry(number, on="2026-03-03", title="乙"),
            entry("KT-1999-0001-S", title="丙"),
            entry(number),
        )
    told = wrong.value.reason
    assert "有4处有误,宣传报道均未登记" in told
    assert "第2项“宣传渠道”:“晚报”不是本方案的宣传渠道,请从中选择:镇级网站、村务公开栏" in told
    assert "第3项“刊发日期”:刊发日期2026-03-03还没有到(今天是2026-03-02)" in told
    assert "第4项“客堂间”:名册中没有客堂间“KT-1999-0001-S”" in told
    assert "第5项“标题”:2026-03-01刊于镇级网站的“灯谜闹元宵”已经登记" in told
    with pytest.raises(Refused, match="无权为客堂间"):
        record(town, entry(number), by=STRANGER)
    assert published(town) == []


def test_a_sheet_names_several_sites_in_one_cell(open_sqlite: OpenTown, tmp_path: Path) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    first, second = add_site(town), add_site(town)
    sheet = tmp_path / "报道.csv"
    sheet.write_text(
        f"宣传渠道,刊发日期,标题,客堂间\n镇级网站,2026/3/1,灯谜闹元宵,{first}、{second}\n村务公开栏,2026-03-02,春耕,{first}\n",
        encoding="utf-8",
    )
    found = read_publicity(tmp_path, sheet.name)
    done = record_publicity(
        town.resources,
        RecordPublicity(by=LIAISON, items=[each for _, each in found]),
        door=Door.SHEET,
        key="sheet:1",
        at=town.now(),
        rows=[row for row, _ in found],
    )
    assert [each.sites for each in done] == [(first, second), (first,)]
    sheet.write_text("宣传渠道,刊发日期,标题,客堂间\n镇级网站,2026/3/1,灯谜,\n", encoding="utf-8")
    with pytest.raises(Refused, match="第2行:“客堂间”"):
        read_publicity(tmp_path, sheet.name)


def test_a_voided_item_counts_no_more_and_stays_on_record(open_sqlite: OpenTown) -> None:
    town = open_sqlite(EXAMPLE, "2026-03-02 09:00")
    first, second = add_site(town), add_site(town)
    (done,) = record(town, entry(first, second))

    def void(number: int, *, by: str = REVIEWER) -> str:
        command = VoidPublicity(by=by, item=number, reason="转载")
        return void_publicity(town.resources, command, door=Door.CLI, at=town.now())

    with pytest.raises(Refused, match="没有登记号为99的宣传报道"):
        void(99)
    with pytest.raises(Refused, match="无权为客堂间"):
        void(done.id, by=STRANGER)
    assert void(done.id) == f"2026-03-01“灯谜闹元宵”(登记号{done.id})"
    with pytest.raises(Refused, match="已于2026-03-02作废,理由:转载"):
        void(done.id)
    assert (published(town), len(published(town, voided=True))) == ([], 1)
    assert record(town, entry(first), key="run:2")[0].known is False
    assert faults(town) == []
