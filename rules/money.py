"""
Amounts of money as people read and write them.

Amounts are integers in fen (0.01 yuan, CNY) everywhere else; never a float, also not on the way.
"""

import re
import unicodedata

from policies.errors import Refused

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_SECTIONS = ("", "万", "亿")
_AMOUNT = re.compile(r"(?:[¥￥]|人民币)?\s*([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]{1,2}))?\s*元?")


def in_yuan(fen: int) -> str:
    """Return the amount in figures, e.g. ``10,000.00元``."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}元"


def in_capitals(fen: int) -> str:
    """
    Return the amount in banker's capitals, e.g. ``人民币壹万元整``.

    Source: 正确填写票据和结算凭证的基本规定 (支付结算办法 附一), 一 to 三: 整 after yuan, none after fen; after jiao
    it may be left out and is.

    Args:
        fen: 0 ≤ `fen` < 10**14, i.e. below a million million yuan.
    """
    if not 0 <= fen < 10**14:
        raise ValueError(f"no capitals for {fen} fen")
    yuan, cents = divmod(fen, 100)
    jiao, single = divmod(cents, 10)
    words = f"{_whole(yuan)}元" if yuan or not cents else ""
    if not cents:
        return f"人民币{words}整"
    if jiao:
        words += f"{_DIGITS[jiao]}角"
    elif yuan:
        words += "零"
    if single:
        words += f"{_DIGITS[single]}分"
    return f"人民币{words}"


def fen_of(text: str) -> int:
    """
    Read an amount as people write it: ``1234.50``, ``1,234.50``, ``¥1,234.50``, ``1234.5元``, full-width too.

    Returns:
        The amount in fen, >= 0.

    Raises:
        Refused: not an amount, or finer than fen.
    """
    found = _AMOUNT.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise Refused("default", f"“{text}”不是金额,请写作 1234.50(以元计,至多两位小数)")
    whole, cents = found.groups()
    return int(whole.replace(",", "")) * 100 + int((cents or "").ljust(2, "0"))


def _whole(number: int) -> str:
    if number == 0:
        return _DIGITS[0]
    words = ""
    gap = False
    for power in range(len(str(number)) - 1, -1, -1):
        digit = number // 10**power % 10
        if digit:
            words += (_DIGITS[0] if gap and words else "") + _DIGITS[digit] + _PLACES[power % 4]
            gap = False
        else:
            gap = True
        if power % 4 == 0 and number // 10**power % 10**4:
            words += _SECTIONS[power // 4]
    return words
