from datetime import date, datetime, time

import pytest

from policies.vocabulary import Role, UnitKind
from tasks.registry_cells import (
    Cell,
    Unreadable,
    code_of,
    date_of,
    email_of,
    id_number_of,
    name_of,
    normalised,
    phone_of,
    text_of,
    word_of,
    yes_or_no,
)
from tests.registry.books import id_number

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (1001.0, "1001"),
        (1001, "1001"),
        ("1001.0", "1001"),
        (13800000001.0, "13800000001"),
        ("1.3800000001E+10", "13800000001"),
        (" ZD01　", "ZD01"),
        ("ＺＤ０１", "ZD01"),
        ("Z\u200bD01\ufeff", "ZD01"),
        ('="00123"', "00123"),
        ("一组\n2号", "一组 2号"),
    ],
)
def test_what_excel_made_of_a_text_is_undone(value: Cell, meant: str) -> None:
    assert text_of(value) == meant


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("1.38E+10", "科学计数法"),
        (3.1011519600229e17, "科学计数法"),
        (10**16 + 1, "科学计数法"),
        (1.5, "小数"),
        (-3, "负数"),
        (datetime(2026, 1, 2), "日期"),  # noqa: DTZ001 -- Excel's dates know no zone
        (time(8, 30), "日期或时间"),
        (True, "逻辑值"),
        ("=A1&B1", "公式"),
    ],
)
def test_a_text_that_excel_has_spoilt_is_refused(value: Cell, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        text_of(value)


def test_codes_are_upper_case_letters_digits_and_dashes() -> None:
    assert code_of("zd01-003", longest=30) == "ZD01-003"
    assert code_of(7.0, longest=30) == "7"
    for bad in ("周荡1", "ZD 01", "-ZD", "ZD--1", "ZD/1"):
        with pytest.raises(Unreadable, match="字母、数字"):
            code_of(bad, longest=30)
    assert code_of("A" * 20, longest=20) == "A" * 20
    with pytest.raises(Unreadable, match="最长 20"):
        code_of("A" * 21, longest=20)


def test_blanks_that_fill_up_a_name_are_dropped_and_others_stay() -> None:
    assert name_of("张　三") == "张三"
    assert name_of("Li Si") == "Li Si"
    assert name_of("\ue863文") == "\ue863文", "a rare sign of an older system stays"


@pytest.mark.parametrize("value", ["张三13800000001", "一组1号 021-59240000", id_number()])
def test_a_personal_number_in_a_name_address_or_code_is_refused(value: str) -> None:
    with pytest.raises(Unreadable, match="电话号码或身份证号"):
        name_of(value)
    if value.isascii():
        with pytest.raises(Unreadable, match="电话号码或身份证号"):
            code_of(value, longest=30)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("138 0000 0001", "13800000001"),
        ("138-0000-0001", "13800000001"),
        ("+86 13800000001", "13800000001"),
        ("１３８０００００００１", "13800000001"),
        (13800000001, "13800000001"),
        ("021-59240000", "021-59240000"),
        ("(0571)86790000", "0571-86790000"),
        ("02159240000", "021-59240000"),
    ],
)
def test_telephone_numbers_as_people_write_them_are_read(value: Cell, meant: str) -> None:
    assert phone_of(value) == meant


@pytest.mark.parametrize(
    "value", ["1380000000", "138000000011", "12800000001", "59240000", "13800000001/13800000002", "138****0001", "无"]
)
def test_what_is_no_telephone_number_is_refused(value: str) -> None:
    with pytest.raises(Unreadable):
        phone_of(value)


def test_an_identity_number_of_the_standard_is_read() -> None:
    # The example that GB 11643-1999 prints itself.
    assert id_number_of("11010519491231002x", today=TODAY) == "11010519491231002X"
    assert id_number_of("999999 19600229 001" + id_number()[-1], today=TODAY) == id_number()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("110105194912310021", "校验位"),
        ("110105491231002", "18 位"),
        (id_number("99999919610229001"), "出生日期"),
        (id_number("99999920260303001"), "晚于今天"),
        (110105194912310021, "存成了数字"),
        ("1101**********002X", "打了码"),
    ],
)
def test_what_is_no_identity_number_is_refused(value: Cell, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        id_number_of(value, today=TODAY)


def test_any_single_wrong_digit_of_an_identity_number_is_found() -> None:
    right = id_number()
    for place in range(17):
        for digit in "0123456789":
            if digit != right[place]:
                with pytest.raises(Unreadable):
                    id_number_of(right[:place] + digit + right[place + 1 :], today=TODAY)


def test_mail_addresses_are_read_and_their_domain_made_small() -> None:
    assert email_of(" Wen.Lin+a@Example.COM ") == "Wen.Lin+a@example.com"
    assert email_of("ａ＠example.com") == "a@example.com"


@pytest.mark.parametrize(
    "value",
    ["a", "a@b", "a@@example.com", "a b@example.com", ".a@example.com", "a@-x.com", "a@x.com,b@x.com", "张@example.com",
     "a***@example.com", "x" * 65 + "@example.com"],
)  # fmt: skip
def test_what_is_no_mail_address_is_refused(value: str) -> None:
    with pytest.raises(Unreadable):
        email_of(value)


@pytest.mark.parametrize(
    "value",
    ["2026-01-05", "2026/1/5", "2026.1.5", "2026年1月5日", "20260105", 20260105, date(2026, 1, 5), "2026-1-5 0:00",
     "２０２６－０１－０５", datetime(2026, 1, 5)],  # noqa: DTZ001 -- Excel's dates know no zone
)  # fmt: skip
def test_dates_as_people_write_them_are_read(value: Cell) -> None:
    assert date_of(value) == date(2026, 1, 5)


@pytest.mark.parametrize(
    "value",
    ["2026-02-30", "2026-13-01", "1900-01-01", "5/1/2026", "46027", 46027, "今天", "2026-1/5",
     datetime(2026, 1, 5, 8)],  # noqa: DTZ001 -- Excel's dates know no zone
)  # fmt: skip
def test_what_is_no_date_is_refused(value: Cell) -> None:
    with pytest.raises(Unreadable):
        date_of(value)


def test_words_are_read_by_label_also_full_width_and_by_value() -> None:
    assert word_of("镇（街道）", words=UnitKind) is UnitKind.TOWN
    assert word_of("liaison", words=Role) is Role.LIAISON
    with pytest.raises(Unreadable, match="社区办负责人、社区办审核员"):
        word_of("主任", words=Role)


def test_yes_and_no_are_read_and_nothing_else() -> None:
    assert yes_or_no("是 ") is True
    assert yes_or_no(False) is False
    with pytest.raises(Unreadable):
        yes_or_no("1")


def test_normalising_twice_changes_nothing_more() -> None:
    for text in (" Ａ\u3000b\t\u200c c ", "㎡ ①", "ﬁ\u00a0x"):
        assert normalised(normalised(text)) == normalised(text)
