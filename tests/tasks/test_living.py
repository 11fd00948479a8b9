"""Listed parlours: found by what people call them, sealed by the history, changed with their spells."""

from datetime import date

import pytest
from sqlalchemy import select, text

from models.site_life import SiteSpell
from policies.errors import Refused
from policies.vocabulary import SiteStatus
from tasks.act import acting
from tasks.history import verify
from tasks.living import change_status, check_active, lock_site, site_named
from tests.desks import OpenTown
from tests.parlours import add_site, case_number, site_of
from tests.township import Township, at


def faults(town: Township) -> list[str]:
    with town.resources.database.read() as session:
        return [str(each) for each in verify(session)]


def rest(town: Township, number: str, *, on: date) -> None:
    with acting(town.resources, at=town.now()) as act:
        site = site_named(act.session, number)
        lock_site(act.session, site)
        change_status(act, site, SiteStatus.SUSPENDED, on=on, because="修缮", actor="丁主任(P003)", by_case=None)


def test_a_site_is_found_by_its_number_its_case_and_its_household(open_town: OpenTown) -> None:
    there = open_town("example-2026", "2026-03-02 09:00")
    number = add_site(there)
    with there.resources.database.read() as session:
        household = site_of(there, number)
        assert {
            site_named(session, each).id for each in (number, case_number(number), household.number, f" {number} 某户")
        } == {household.id}
        with pytest.raises(Refused, match="名册中没有客堂间“KT-1999-0001-S”"):
            site_named(session, "KT-1999-0001-S")


def test_a_change_of_status_ends_one_spell_and_begins_the_next(open_town: OpenTown) -> None:
    there = open_town("example-2026", "2026-03-02 09:00")
    number = add_site(there)
    there.clock.move_to(at("2026-04-01 09:00"))
    rest(there, number, on=date(2026, 4, 1))
    with there.resources.database.read() as session:
        spells = session.scalars(select(SiteSpell).order_by(SiteSpell.since)).all()
        assert [(each.status, each.since, each.until) for each in spells] == [
            (SiteStatus.ACTIVE, date(2026, 3, 2), date(2026, 4, 1)),
            (SiteStatus.SUSPENDED, date(2026, 4, 1), None),
        ]
        site = site_named(session, number)
        check_active(session, site, on=date(2026, 3, 31), deed="登记活动")
        with pytest.raises(Refused, match="自2026-04-01起暂停运行,2026-04-01不能登记活动"):
            check_active(session, site, on=date(2026, 4, 1), deed="登记活动")
        with pytest.raises(Refused, match="在2026-03-01尚未列入名册"):
            check_active(session, site, on=date(2026, 3, 1), deed="登记活动")
    assert faults(there) == []


def test_a_spell_of_the_same_day_is_replaced(open_town: OpenTown) -> None:
    there = open_town("example-2026", "2026-03-02 09:00")
    number = add_site(there)
    rest(there, number, on=date(2026, 3, 2))
    with there.resources.database.read() as session:
        spell = session.scalars(select(SiteSpell)).one()
        assert (spell.status, spell.since, spell.until) == (SiteStatus.SUSPENDED, date(2026, 3, 2), None)
    assert faults(there) == []


def test_a_rest_broken_off_on_its_first_day_leaves_one_unbroken_spell(open_town: OpenTown) -> None:
    there = open_town("example-2026", "2026-03-02 09:00")
    number = add_site(there)
    there.clock.move_to(at("2026-04-08 09:00"))
    rest(there, number, on=date(2026, 4, 8))
    with acting(there.resources, at=there.now()) as act:
        site = site_named(act.session, number)
        lock_site(act.session, site)
        change_status(act, site, SiteStatus.ACTIVE, on=date(2026, 4, 8), because="取消", actor="丁主任", by_case=None)
    with there.resources.database.read() as session:
        spell = session.scalars(select(SiteSpell)).one()
        assert (spell.status, spell.since, spell.until) == (SiteStatus.ACTIVE, date(2026, 3, 2), None)
    assert faults(there) == []
    # What was taken back on record may not come back behind it; nor is a number used again confused with it.
    rest(there, number, on=date(2026, 4, 9))
    assert faults(there) == []
    with there.resources.database.write() as session:
        session.execute(text("DELETE FROM site_spells WHERE status = 'suspended'"))
    assert len(faults(there)) == 1


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE site_spells SET since = '2020-01-01'", "表 site_spells 第 1 行:与办理记录不符,已被改动:since"),
        ("UPDATE sites SET speciality = '书画'", "表 sites 第 1 行:与办理记录不符,已被改动:speciality"),
        ("DELETE FROM site_spells", "表 site_spells 第 1 行:办理记录中有此行,现已被删除"),
        (
            "INSERT INTO site_spells (site_id, status, since, because) VALUES (1, 'closed', '2030-01-01', '')",
            "表 site_spells 第 2 行:办理记录中没有此行,系另行添加",
        ),
    ],
)
def test_a_row_changed_behind_the_products_back_is_found(open_town: OpenTown, statement: str, fault: str) -> None:
    there = open_town("example-2026", "2026-03-02 09:00")
    add_site(there)
    assert faults(there) == []
    with there.resources.database.write() as session:
        session.execute(text(statement))
    assert [each.partition(":")[2] for each in faults(there)] == [fault]
