"""
Write the example township's registry: ``python examples/generate.py [FILE]``.

Everybody in it is invented. Telephone numbers are all 1380000xxxx; identity numbers carry the region 999999, which
does not exist, and a valid check sign; e-mail addresses stand in domains reserved for examples (RFC 2606).
The same seed gives the same workbook, cell by cell; a test compares it with the one that is shipped.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from policies.vocabulary import BeautifulVillage, Role, UnitKind
from tasks.registry_book import write_workbook
from tasks.registry_cells import Cell, id_check_sign
from tasks.registry_form import HOLDINGS, HOUSEHOLDS, PEOPLE, UNITS

SEED = 20260101
WORKBOOK = Path(__file__).parent / "示例镇登记簿.xlsx"

CITY, DISTRICT, TOWN, NONE = (
    BeautifulVillage.CITY,
    BeautifulVillage.DISTRICT,
    BeautifulVillage.TOWN,
    BeautifulVillage.NONE,
)
# Each village with its groups: grade and number of households. The last group of each is small, for quick trials.
VILLAGES: Sequence[tuple[str, str, Sequence[tuple[BeautifulVillage, int]]]] = (
    ("ZD", "周荡村", ((CITY, 21), (CITY, 19), (DISTRICT, 18), (TOWN, 22), (NONE, 5))),
    ("LH", "柳河村", ((DISTRICT, 20), (DISTRICT, 17), (TOWN, 19), (NONE, 18), (TOWN, 6))),
    ("QD", "桥东居", ((CITY, 23), (TOWN, 20), (NONE, 18), (CITY, 4))),
)
REPRESENTATIVES = 6
"""Of each village: they propose micro-projects and vote on them."""
PANEL = 5
"""Teachers, doctors, retired cadres who score micro-projects; they hold no role."""
NUMERALS = "一二三四五"
SURNAMES = "沈陆顾徐金朱蔡吴钱褚卫蒋韩杨秦尤许何吕施孔曹严华魏陶姜戚谢邹喻柏窦章云苏潘葛范彭"
GIVEN = "文芳明秀国英建华志兰永珍德凤林福根水泉宝伟丽敏静强军洪良生云龙妹宗耀忠义仁安康宁"


@dataclass(frozen=True)
class Someone:
    """An invented person."""

    name: str
    phone: str
    id_number: str


class People:
    """Invents people, no two alike."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 -- invented names, no secret
        self.phones = self.chance.sample(range(10_000), 10_000)
        self.names: set[str] = set()

    def next(self) -> Someone:
        """Invent one more person, grown up at the start of 2026."""
        while True:
            given = "".join(self.chance.sample(GIVEN, self.chance.choice((1, 2, 2))))
            name = self.chance.choice(SURNAMES) + given
            if name not in self.names:
                break
        self.names.add(name)
        born = date(1942, 1, 1) + timedelta(days=self.chance.randrange(55 * 365))
        digits = f"999999{born:%Y%m%d}{self.chance.randrange(1, 1000):03}"
        return Someone(name, f"1380000{self.phones.pop():04}", digits + id_check_sign(digits))


class Office:
    """The people who hold roles, numbered as they are appointed."""

    def __init__(self) -> None:
        self.people: list[list[Cell]] = []
        self.holdings: list[list[Cell]] = []

    def enlist(self, who: Someone, *, in_office: bool = True) -> str:
        """Enter a person; return the code."""
        code = f"P{len(self.people) + 1:03}"
        there = "是" if in_office else "否"
        self.people.append([code, who.name, who.phone, who.id_number, f"{code.lower()}@shili.example", there])
        return code

    def appoint(self, who: Someone, role: Role, unit: str, since: date, until: date | None = None) -> None:
        """Enter a person with one role."""
        code = self.enlist(who, in_office=until is None)
        self.holdings.append([code, role.label, unit, since, until])


def rows(seed: int = SEED) -> dict[str, list[list[Cell]]]:
    """Return the example's rows by sheet, their cells in the order of the heads."""
    people, office = People(seed), Office()
    units: list[list[Cell]] = [
        ["SQ", "示例区", UnitKind.DISTRICT.label, None, None, None],
        ["SL", "示例镇", UnitKind.TOWN.label, "SQ", None, "example-2026"],
    ]
    households: list[list[Cell]] = []
    office.appoint(people.next(), Role.OFFICE_HEAD, "SL", date(2024, 3, 1))
    office.appoint(people.next(), Role.OFFICE_REVIEWER, "SL", date(2024, 3, 1))
    office.appoint(people.next(), Role.OFFICE_REVIEWER, "SL", date(2025, 7, 1))
    for village, village_name, groups in VILLAGES:
        units.append([village, village_name, UnitKind.VILLAGE.label, "SL", None, None])
        office.appoint(people.next(), Role.VILLAGE_RESPONSIBLE, village, date(2024, 5, 1))
        office.appoint(people.next(), Role.LIAISON, village, date(2025, 1, 1))
        if village == "ZD":
            office.appoint(people.next(), Role.LIAISON, village, date(2021, 5, 1), date(2025, 1, 1))
        for number, (grade, size) in enumerate(groups, 1):
            group = f"{village}{number:02}"
            group_name = f"{village_name}{NUMERALS[number - 1]}组"
            units.append([group, group_name, UnitKind.GROUP.label, village, grade.label, None])
            heads = [people.next() for _ in range(size)]
            households += [
                _household(people.chance, f"{group}-{place:03}", group, f"{group_name}{place}号", head)
                for place, head in enumerate(heads, 1)
            ]
            office.appoint(people.next(), Role.GROUP_HEAD, group, date(2024, 6, 1))
            # A leader opens the parlour of the own house, so leaders are heads of households.
            for leader in heads[: people.chance.choice((1, 2))]:
                office.appoint(leader, Role.SITE_LEADER, group, date(2025, 9, 1))
    # After all others, so that nobody's number or name changes by them.
    for village, _, _ in VILLAGES:
        for _ in range(REPRESENTATIVES):
            office.appoint(people.next(), Role.REPRESENTATIVE, village, date(2024, 6, 1))
    for _ in range(PANEL):
        office.enlist(people.next())
    return {UNITS: units, HOUSEHOLDS: households, PEOPLE: office.people, HOLDINGS: office.holdings}


def _household(chance: random.Random, number: str, group: str, address: str, head: Someone) -> list[Cell]:
    # Most villagers have a telephone, few read e-mail; some papers are not on file.
    phone = head.phone if chance.random() < 0.93 else None
    id_number = head.id_number if chance.random() < 0.9 else None
    email = f"{number.lower()}@example.com" if chance.random() < 0.2 else None
    in_register = "否" if number == "LH03-019" else "是"
    return [number, group, head.name, address, phone, id_number, email, in_register]


if __name__ == "__main__":
    write_workbook(Path(sys.argv[1]) if len(sys.argv) > 1 else WORKBOOK, rows())
