"""Telephone and identity numbers are found however they are written; other numbers are left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.masking import (
    USUAL_NUMBERS_FORBIDDEN,
    has_personal_number,
    mask_id,
    mask_phone,
    mask_text,
)

PERSONAL = [
    ("13812345678", "138****5678"),
    ("请打13812345678找我", "请打138****5678找我"),
    ("tel13812345678", "tel138****5678"),
    ("138-1234-5678", "138****5678"),
    ("138 1234 5678", "138****5678"),
    ("138 12345678", "138****5678"),
    ("1381234 5678", "138****5678"),
    ("１３８１２３４５６７８", "138****5678"),
    ("１３８－１２３４－５６７８", "138****5678"),
    ("138　1234　5678", "138****5678"),
    ("138\u200b1234\u200b5678", "138****5678"),
    ("1 3 8 1 2 3 4 5 6 7 8", "138****5678"),
    ("电话:1381 234 5678", "电话:138****5678"),
    ("+86 138 1234 5678", "138****5678"),
    ("8613812345678", "138****5678"),
    ("008613812345678", "138****5678"),
    ("13812345678、13998765432", "138****5678、139****5432"),
    ("138 1234 5678 139 9876 5432", "138****5678 139****5432"),
    ("13812345678 139 98765432", "138****5678 139****5432"),
    ("2026-01-04 13812345678", "2026-01-04 138****5678"),
    ("KT-2026-0001 138-1234-5678", "KT-2026-0001 138****5678"),
    ("021-59240000", "021-****0000"),
    ("02159240000", "021-****0000"),
    ("(021)59240000", "021-****0000"),
    ("（021） 5924 0000", "021-****0000"),
    ("(021-59240000)", "(021-****0000)"),
    ("0571-8888000", "0571-***8000"),
    ("０２１－５９２４００００", "021-****0000"),
    ("0215924 0000", "021-****0000"),
    ("+86-21-59240000", "*********0000"),
    ("330106199001011234", "3301**********1234"),
    ("33010619900101123X", "3301**********123X"),
    ("33010619900101123ｘ", "3301**********123X"),
    ("330106199013991234", "3301**********1234"),  # mistyped, personal all the same
    ("330106 19900101 1234", "3301**********1234"),
    ("330106-1990-0101-123x", "3301**********123X"),
    ("３３０１０６１９９００１０１１２３４", "3301**********1234"),
    ("330106900101123", "3301*******1123"),
    ("张三,13812345678,身份证330106199001011234。", "张三,138****5678,身份证3301**********1234。"),
]

HARMLESS = [
    "KT-2026-0001",
    "ZJJ-2018-0310 2018-11-30",
    "KT-2026-1382 2018-9-30",
    "2018-09-30 2018-11-30",
    "2018-09-30至2018-11-30 10:00",
    "1990-01-04 123元",
    "1998-2018 123人",
    "10-13 2018-11-30 5人",
    "20180930",
    "20180930101500",
    "2018年9月1日",
    "2026-01-04T09:00:00+08:00",
    "10,000.00元",
    "123456789.00元",
    "1,381,234,567.80元",
    "¥13812345678901",
    "青朱府〔2018〕52号",
    "QF0313000-2018-002",
    "国办发明电〔2025〕7号",
    "9,261人次",
    "http://127.0.0.1:4200/runs/flow-run/3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "",
]


@pytest.mark.parametrize(("text", "masked"), PERSONAL)
def test_a_personal_number_is_found_and_masked(text: str, masked: str) -> None:
    assert has_personal_number(text)
    assert mask_text(text) == masked
    assert not has_personal_number(masked)


@pytest.mark.parametrize("text", HARMLESS)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not has_personal_number(text)
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "13812345678",
        "请打13812345678找我",
        "tel 138-1234-5678",
        "138 1234 5678",
        "138 12345678",
        "１３８１２３４５６７８",
        "+8613812345678"[3:],
        "0571-89182321",
        "02159240000",
        "11010519491231002X",
        "110105 19491231 0021",
        "身份证110105194912310021。",
    ],
)
def test_a_form_refuses_numbers_as_people_usually_write_them(text: str) -> None:
    for filled in (text, f"第一行\n{text}\n", f"{text},谢谢"):
        assert has_personal_number(filled)
        assert not re.search(USUAL_NUMBERS_FORBIDDEN, filled)


@pytest.mark.parametrize("text", [*HARMLESS, "mmexport1763800000000.jpg", "IMG_20260314_101112.jpg", "第3组共138户"])
def test_a_form_takes_other_numbers(text: str) -> None:
    assert re.search(USUAL_NUMBERS_FORBIDDEN, text)
    assert not has_personal_number(text)


@pytest.mark.parametrize(("text", "masked"), PERSONAL)
def test_a_form_never_refuses_what_the_command_would_take(text: str, masked: str) -> None:
    assert has_personal_number(text) or re.search(USUAL_NUMBERS_FORBIDDEN, text)
    assert re.search(USUAL_NUMBERS_FORBIDDEN, masked)


def test_the_forms_pattern_uses_nothing_that_ecmascript_lacks() -> None:
    assert set(re.findall(r"\(\?(.)", USUAL_NUMBERS_FORBIDDEN)) == {":", "!"}, "groups and negative look-ahead only"
    assert not re.search(r"\\[AZbwz]", USUAL_NUMBERS_FORBIDDEN), "these mean something else there"


mobiles = st.from_regex(r"\A1[3-9][0-9]{9}\Z")
gaps = st.sampled_from(["", " ", "-", "　", "－", " - "])
words = st.sampled_from(["", "电话", "请致电:", "王阿姨,", "tel "])


@st.composite
def typed(draw: st.DrawFn) -> str:
    """Return a mobile number as somebody types it."""
    number = draw(mobiles)
    gap = draw(gaps)
    number = gap.join((number[:3], number[3:7], number[7:]))
    if draw(st.booleans()):
        number = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in number)
    return draw(words) + number + draw(st.sampled_from(["", "。", " 找我", ",谢谢"]))


@given(typed())
def test_a_mobile_number_never_gets_through_however_it_is_typed(text: str) -> None:
    assert has_personal_number(text)
    assert not has_personal_number(mask_text(text))


@given(st.text(alphabet="0123456789０９ -－+()Xx年月,.\n", max_size=60))
def test_masking_leaves_nothing_to_mask(text: str) -> None:
    masked = mask_text(text)
    assert (masked == text) is not has_personal_number(text)
    assert mask_text(masked) == masked


@given(st.dates(), st.dates(), st.integers(0, 10**12), st.integers(1, 9999))
def test_dates_amounts_and_case_numbers_are_never_taken_for_people(
    first: object, second: object, fen: int, number: int
) -> None:
    for text in (f"{first}至{second}", f"{fen // 100:,}.{fen % 100:02d}元", f"KT-2026-{number:04d}"):
        assert not has_personal_number(text)


@pytest.mark.parametrize("text", ["1" * 50_000, "- " * 25_000, "0 " * 25_000, "138 " * 12_000, "330106 " * 7_000])
@pytest.mark.timeout(10)
def test_long_rubbish_is_read_in_linear_time(text: str) -> None:
    assert mask_text(text) == text
    assert not has_personal_number(text)


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812345678", "138****5678"),
        ("+86 138-1234-5678", "138****5678"),
        ("０２１－５９２４００００", "021-****0000"),
        ("0571-8888000", "0571-***8000"),
        ("59240000", "****0000"),
        ("110", "***"),
        ("", ""),
    ],
)
def test_a_phone_shows_its_head_and_its_last_four(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("330106199001011234", "3301**********1234"),
        ("330106 19900101 123x", "3301**********123X"),
        ("330106900101123", "3301*******1123"),
        ("3301061990010112", "************0112"),
        ("12345678", "********"),
        ("", ""),
    ],
)
def test_an_identity_number_shows_its_first_and_last_four(number: str, masked: str) -> None:
    assert mask_id(number) == masked
