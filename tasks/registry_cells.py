"""
Reading one cell of an office's sheet: what a person, Excel or an export may have made of a value, and what is meant.

Called by `tasks.registry_check` for every cell. Knows no other cell, no database and no clock. A value that can not be
understood raises `Unreadable` with one Chinese sentence: what is wrong and what to do. The sentence never repeats the
value; who shows the value masks it.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

from policies.vocabulary import Word
from rules.masking import has_personal_number

Cell = str | int | float | bool | datetime | date | time | timedelta | None
"""A cell as openpyxl or the csv module hands it out."""

AnyWord = TypeVar("AnyWord", bound=Word)

# Excel keeps 15 digits of a number and turns the rest into zeros.
_EXACT_DIGITS = 15
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_BLANK_BETWEEN_HAN = re.compile(f"(?<=[{_HAN}·]) +(?=[{_HAN}·])")
_CODE = re.compile(r"[A-Z0-9]+(?:[-_][A-Z0-9]+)*")
_MOBILE = re.compile(r"(?:(?:\+|00)?86)?(1[3-9][0-9]{9})")
_LANDLINE = re.compile(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))([0-9]{7,8})")
_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])"
)
_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))"
    r"(?: 0{1,2}:00(?::00)?)?"
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
_EARLIEST = date(1949, 10, 1)
_LATEST = date(2199, 12, 31)


class Unreadable(ValueError):
    """A cell's value is not what its column asks for; the message says what to do."""


def normalised(text: str) -> str:
    """Return `text` in NFKC, without invisible signs, blanks trimmed and runs of blanks made one."""
    visible = (" " if sign in "\t\r\n\x0b\x0c" else sign for sign in unicodedata.normalize("NFKC", text))
    # Private-use signs stay: older systems write rare signs of names with them.
    kept = "".join(sign for sign in visible if unicodedata.category(sign) not in ("Cc", "Cf", "Cs"))
    return " ".join(kept.split())


def is_blank(value: Cell) -> bool:
    """Return whether a cell holds nothing that can be seen."""
    return value is None or (isinstance(value, str) and not normalised(value))


def plain(value: Cell) -> str:
    """Return a cell's value as a person would type it; for showing, and for texts that are compared only."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**_EXACT_DIGITS:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return normalised("" if value is None else str(value))


def text_of(value: Cell) -> str:
    """
    Return a cell's text, also where Excel made a number of it (``1001.0`` → ``1001``).

    Raises:
        Unreadable: digits are lost, or Excel made a date, a time or a truth value of it.
    """
    if isinstance(value, bool):
        raise Unreadable("本列应为文字,Excel 把它当成了逻辑值;请把该列设为“文本”格式后重填")
    if isinstance(value, datetime | date | time | timedelta):
        raise Unreadable("本列应为文字,Excel 把它当成了日期或时间;请把该列设为“文本”格式后重填")
    if isinstance(value, int | float):
        return _digits_of(Decimal(repr(value)))
    text = normalised(value or "")
    if quoted := re.fullmatch(r'="(.*)"', text):
        text = normalised(quoted[1])
    if text.startswith("="):
        raise Unreadable("这是公式,不是值;请复制后“选择性粘贴—数值”")
    if re.fullmatch(r"[+-]?\d+(?:\.0+|(?:\.\d+)?[Ee]\+?\d{1,3})", text):
        return _digits_of(Decimal(text))
    return text


def _digits_of(number: Decimal) -> str:
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or sign or number != number.to_integral_value():
        raise Unreadable("本列应为编号或文字,不应有小数或负数;请把该列设为“文本”格式后重填")
    whole = len(digits) + exponent
    if exponent > 0 or (whole > _EXACT_DIGITS and not number.is_zero()):
        raise Unreadable("Excel 把长数字改成了科学计数法,末尾数字已丢失;请把该列设为“文本”格式,按原件重填")
    return str(int(number))


def code_of(value: Cell, *, longest: int) -> str:
    """Return a code of the office: ASCII letters (made upper case) and digits, parts joined by ``-`` or ``_``."""
    text = text_of(value).upper()
    if not _CODE.fullmatch(text):
        raise Unreadable("编号只能用字母、数字,中间可用 - 或 _ 连接;请改正")
    if len(text) > longest:
        raise Unreadable(f"编号最长 {longest} 个字符;请改短")
    return _without_numbers(text, "编号")


def name_of(value: Cell, *, longest: int = 100) -> str:
    """Return a name or an address; the blanks that fill up a two-sign name (``张 三``) are dropped."""
    text = _BLANK_BETWEEN_HAN.sub("", text_of(value))
    if len(text) > longest:
        raise Unreadable(f"最长 {longest} 个字;请改短")
    return _without_numbers(text, "名称和地址")


def _without_numbers(text: str, what: str) -> str:
    # These stand in letters and lists, where no personal number may appear.
    if has_personal_number(text):
        raise Unreadable(f"{what}中不能有电话号码或身份证号;请移到相应的列,或另编一个号")
    return text


def edition_of_town(value: Cell) -> str:
    """Return the id of a policy edition: small letters, digits and dashes, e.g. ``example-2026``."""
    text = text_of(value)
    if not re.fullmatch(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*", text) or len(text) > 60:
        raise Unreadable("适用政策应填政策编号(小写字母、数字和 -,如 example-2026);请改正")
    return text


def phone_of(value: Cell) -> str:
    """Return a telephone number: 11 digits of a mobile, or ``area-number`` of a landline."""
    text = text_of(value)
    if "*" in text:
        raise Unreadable("这是打了码的号码;请填完整号码,或从含个人信息的登记簿复制")
    compact = re.sub(r"[\s()./-]", "", re.sub("[‐‑‒–—―－·]", "-", text))
    if mobile := _MOBILE.fullmatch(compact):
        return mobile[1]
    if landline := _LANDLINE.fullmatch(compact):
        return f"{landline[1]}-{landline[2]}"
    raise Unreadable("应为 11 位手机号,或带区号的固定电话(如 021-59240000),一格一个号码;请改正")


def id_number_of(value: Cell, *, today: date) -> str:
    """
    Return an 18-digit citizen identity number whose birthday and check digit hold.

    Source: GB 11643-1999. The region is not looked up: regions are renamed, the number stays.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise Unreadable("身份证号被 Excel 存成了数字,末尾数字已丢失;请把该列设为“文本”格式,按证件重填")
    text = re.sub(r"[\s-]", "", text_of(value)).upper()
    if "*" in text:
        raise Unreadable("这是打了码的号码;请填完整号码,或从含个人信息的登记簿复制")
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", text, re.ASCII):
        raise Unreadable("身份证号应为 18 位(17 位数字,末位为数字或 X);请按证件改正")
    born = _day(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    if born is None or not date(1900, 1, 1) <= born <= today:
        raise Unreadable("身份证号中的出生日期不存在或晚于今天;请按证件改正")
    if _ID_CHECK[sum(int(digit) * weight for digit, weight in zip(text, _ID_WEIGHTS, strict=False)) % 11] != text[-1]:
        raise Unreadable("身份证号的校验位不符,有一位填错了;请按证件改正")
    return text


def id_check_sign(first_17: str) -> str:
    """Return the check sign of an identity number from its first 17 digits (GB 11643-1999)."""
    return _ID_CHECK[sum(int(digit) * weight for digit, weight in zip(first_17, _ID_WEIGHTS, strict=True)) % 11]


def email_of(value: Cell) -> str:
    """Return one e-mail address, ASCII only, its domain in small letters."""
    text = text_of(value)
    if "*" in text:
        raise Unreadable("这是打了码的邮箱;请填完整地址,或从含个人信息的登记簿复制")
    local, _, domain = text.rpartition("@")
    if not _EMAIL.fullmatch(text) or len(local) > 64 or len(text) > 254:
        raise Unreadable("不是有效的电子邮箱(形如 name@example.com,一格一个);请改正,没有就留空")
    return f"{local}@{domain.lower()}"


def date_of(value: Cell) -> date:
    """Return a day: a date cell, or ``2026-01-05``, ``2026/1/5``, ``2026.1.5``, ``2026年1月5日``, ``20260105``."""
    if isinstance(value, datetime):
        if value.time() != time():
            raise Unreadable("日期后面不要写时刻;请只填年月日,如 2026-01-05")
        found: date | None = value.date()
    elif isinstance(value, date):
        found = value
    else:
        parts = _DATE.fullmatch(plain(value))
        if parts is None:
            raise Unreadable("不是有效的日期;请填成 2026-01-05 的样子")
        found = _day(*(int(part) for part in parts.groups() if part is not None))
    if found is None or not _EARLIEST <= found <= _LATEST:
        raise Unreadable("没有这一天,或年份不对;请填成 2026-01-05 的样子")
    return found


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def yes_or_no(value: Cell) -> bool:
    """Return whether 是 or 否 was chosen."""
    if isinstance(value, bool):
        return value
    text = plain(value)
    if text not in ("是", "否"):
        raise Unreadable("请填“是”或“否”")
    return text == "是"


def word_of(value: Cell, *, words: type[AnyWord]) -> AnyWord:
    """Return the member of a closed list whose Chinese label (or stored value) stands in the cell."""
    text = plain(value)
    for word in words:
        if text in (normalised(word.label), word.value):
            return word
    raise Unreadable(f"只能填:{'、'.join(word.label for word in words)};请从下拉列表选")
