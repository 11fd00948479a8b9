"""Amounts: figures, banker's capitals, and what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.errors import Refused
from rules.money import fen_of, in_capitals, in_yuan


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "0.00元"),
        (5, "0.05元"),
        (100, "1.00元"),
        (1_000_000, "10,000.00元"),
        (123_456_789, "1,234,567.89元"),
        (-5, "-0.05元"),
        (-1_000_000, "-10,000.00元"),
    ],
)
def test_in_figures(fen: int, text: str) -> None:
    assert in_yuan(fen) == text


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        # examples of the rule itself (正确填写票据和结算凭证的基本规定)
        (140_950, "人民币壹仟肆佰零玖元伍角"),
        (600_714, "人民币陆仟零柒元壹角肆分"),
        (168_032, "人民币壹仟陆佰捌拾元叁角贰分"),
        (10_700_053, "人民币壹拾万零柒仟元伍角叁分"),
        (1_640_902, "人民币壹万陆仟肆佰零玖元零贰分"),
        (32_504, "人民币叁佰贰拾伍元零肆分"),
        # the subsidy
        (1_000_000, "人民币壹万元整"),
        (3_000_000, "人民币叁万元整"),
        # edges
        (0, "人民币零元整"),
        (1, "人民币壹分"),
        (10, "人民币壹角"),
        (15, "人民币壹角伍分"),
        (100, "人民币壹元整"),
        (101, "人民币壹元零壹分"),
        (110, "人民币壹元壹角"),
        (1_000, "人民币壹拾元整"),
        (1_001, "人民币壹拾元零壹分"),
        (10_100, "人民币壹佰零壹元整"),
        (100_100, "人民币壹仟零壹元整"),
        (1_000_100, "人民币壹万零壹元整"),
        (1_001_000, "人民币壹万零壹拾元整"),
        (10_001_000, "人民币壹拾万零壹拾元整"),
        (100_000_000, "人民币壹佰万元整"),
        (100_010_000, "人民币壹佰万零壹佰元整"),
        (1_000_000_000, "人民币壹仟万元整"),
        (10_000_000_000, "人民币壹亿元整"),
        (10_000_000_100, "人民币壹亿零壹元整"),
        (10_001_000_000, "人民币壹亿零壹万元整"),
        (123_456_789_012, "人民币壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"),
        (10**14 - 1, "人民币玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)
def test_in_capitals(fen: int, text: str) -> None:
    assert in_capitals(fen) == text


@pytest.mark.parametrize("fen", [-1, 10**14])
def test_no_capitals_beyond_what_a_voucher_carries(fen: int) -> None:
    with pytest.raises(ValueError, match=str(fen)):
        in_capitals(fen)


@given(st.integers(0, 10**14 - 1))
def test_capitals_tell_every_amount_apart(fen: int) -> None:
    assert _read(in_capitals(fen)) == fen


@given(st.integers(0, 10**15))
def test_what_is_written_in_figures_is_read_back(fen: int) -> None:
    assert fen_of(in_yuan(fen)) == fen


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1234.50", 123_450),
        ("1234.5", 123_450),
        ("1234", 123_400),
        ("0.05", 5),
        (" 10,000.00 元 ", 1_000_000),
        ("¥1,234.50", 123_450),
        ("￥1，234．50", 123_450),
        ("１００元", 10_000),
        ("人民币 88", 8_800),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, fen: int) -> None:
    assert fen_of(text) == fen


@pytest.mark.parametrize(
    "text", ["", " ", "一万", "1万元", "1.234", "1,00", "10,00.00", "-1", "1e3", "1.", ".5", "12 34", "NaN", "1.5.5"]
)
def test_what_is_no_amount_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(Refused) as caught:
        fen_of(text)
    assert f"“{text}”不是金额" in caught.value.reason


def _read(words: str) -> int:
    """Read capitals by their own grammar: the independent half of the round trip."""
    total = section = digit = 0
    for sign in words.removeprefix("人民币").removesuffix("整").replace("零", ""):
        match sign:
            case "拾" | "佰" | "仟":
                section += digit * {"拾": 10, "佰": 100, "仟": 1000}[sign]
                digit = 0
            case "万":
                total += (section + digit) * 10**6
                section = digit = 0
            case "亿":
                total += (section + digit) * 10**10
                section = digit = 0
            case "元":
                total += (section + digit) * 100
                section = digit = 0
            case "角":
                total += digit * 10
                digit = 0
            case "分":
                total += digit
            case _:
                digit = "零壹贰叁肆伍陆柒捌玖".index(sign)
    return total
