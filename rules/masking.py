"""
Keeping telephone and identity numbers out of letters, logs, artifacts and Prefect parameters.

Used wherever text that people typed leaves the database. A number counts also when written full-width or with blanks
and dashes inside; case numbers, dates and amounts do not count. Not meant for hashes or other machine text.
"""

import re
import unicodedata
from collections.abc import Iterator

_D = "[0-9０-９]"
_GAPS = " \\t\\u00a0\\u2000-\\u200d\\u2060\\u3000\\ufeff\\-‐‑‒–—―－·"  # blanks seen and unseen, dashes, the middle dot
_GAP = f"[{_GAPS}]{{1,3}}"
_MAY = f"[{_GAPS}]{{0,3}}"
_END = "(?![0-9０-９])"
_FREE = "(?:^|[^0-9０-９])"  # not inside a longer row of digits; no look-behind, some browsers lack it
_ALONE = f"(?:^|[^0-9０-９{_GAPS}])[{_GAPS}]*"  # nor the continuation of one: what follows a date is no telephone


def _one_of(digits: str) -> str:
    """Return a class of ASCII digits, e.g. ``3-9``, with their full-width forms."""
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isdigit() else sign for sign in digits)
    return f"[{digits}{wide}]"


def _row(*signs: str, between: str = "") -> str:
    return between.join(signs)


_COUNTRY = f"(?:(?:[+＋]|{_one_of('0')}{{2}})?{_one_of('8')}{_one_of('6')}{_MAY})?"
_MOBILE_HEAD = (_one_of("1"), _one_of("3-9"), _D)
_YEAR = f"(?:{_one_of('1')}{_one_of('9')}|{_one_of('2')}{_one_of('0')}){_D}{{2}}"

_MOBILE = f"{_COUNTRY}{_row(*_MOBILE_HEAD)}(?:{_D}{{8}}|{_GAP}{_D}{{4}}{_GAP}{_D}{{4}}){_END}"
_MOBILE_LOOSE = (
    f"(?!{_YEAR}{_GAP})(?!{_D}{{2}}{_GAP}{_YEAR}){_COUNTRY}{_row(*_MOBILE_HEAD, *[_D] * 8, between=_MAY)}{_END}"
)
_AREA = f"{_one_of('0')}(?:{_one_of('1')}{_one_of('0')}|{_one_of('2')}{_D}|{_one_of('3-9')}{_D}{{2}})"
_LANDLINE = f"{_AREA}[\\-－–—]?{_D}{{7,8}}{_END}"
_ABROAD = f"[+＋]{_one_of('8')}{_one_of('6')}{_MAY}(?:{_one_of('1')}{_one_of('0')}|{_one_of('2-9')}{_D}{{1,2}})"
_LANDLINE_LOOSE = (
    f"(?:[\\(（]{_MAY}{_AREA}{_MAY}[\\)）]{_MAY}{_D}|(?:{_AREA}|{_ABROAD}){_GAP}{_D}|(?:{_AREA}|{_ABROAD}){_one_of('2-9')})"
    f"{_D}{{2,3}}{_MAY}{_D}{{4}}{_END}"
)
_MONTH = ((_one_of("0"), _one_of("1-9")), (_one_of("1"), _one_of("0-2")))
_DAY = ((_one_of("0"), _one_of("1-9")), (_one_of("12"), _D), (_one_of("3"), _one_of("01")))


def _choice(pairs: tuple[tuple[str, str], ...], between: str) -> str:
    return f"(?:{'|'.join(_row(*pair, between=between) for pair in pairs)})"


_CENTURY = ((_one_of("1"), _one_of("89")), (_one_of("2"), _one_of("0")))
_ID_18 = _row(
    _one_of("1-9"),
    *[_D] * 5,
    _choice(_CENTURY, _MAY),
    *[_D] * 2,
    _choice(_MONTH, _MAY),
    _choice(_DAY, _MAY),
    *[_D] * 3,
    "[0-9０-９XxＸｘ]",
    between=_MAY,
)
_ID_15 = _row(
    f"{_one_of('1-9')}{_D}{{5}}", f"{_D}{{2}}{_choice(_MONTH, '')}{_choice(_DAY, '')}", f"{_D}{{3}}", between=_MAY
)
_ID_ANY = (
    f"{_one_of('1-9')}{_D}{{16}}[0-9０-９XxＸｘ]"  # in one piece no date is asked for: a mistyped one is personal too
)
_ID = f"(?:{_ID_ANY}|{_ID_18}|{_ID_15}){_END}"

_PLAIN = f"{_ID}|{_MOBILE}|{_LANDLINE}"
_SPREAD = f"{_MOBILE_LOOSE}|{_LANDLINE_LOOSE}"

USUAL_NUMBERS_FORBIDDEN = (
    r"^(?![\s\S]*(?:^|\D)"
    r"(?:[1１][3-9３-９]\d[ -]?\d{4}[ -]?\d{4}|[1-9]\d{5}[ -]?\d{8}[ -]?\d{3}[\dXx]|0\d{2,3}-?\d{7,8})"
    r"(?!\d))"
)
"""
A JSON schema's pattern that refuses mobile, identity and landline numbers as people usually write them.

For forms: Prefect keeps what a form was filled with before anybody else sees it. It shows the pattern when it refuses,
so the pattern is short. What it lets through in an unusual spelling is refused by `has_personal_number` in the command.
ECMA and Python read it alike, but that Python's ``\\d`` includes full-width digits.
"""

_FIND = re.compile(f"{_FREE}(?P<plain>{_PLAIN})|{_ALONE}(?P<spread>{_SPREAD})")
_TEN_DIGITS = re.compile(f"(?:[^0-9０-９]*+{_D}){{10}}")
"""What every number has at least: an area code and seven digits. Most texts have fewer and need no second look."""
_NEXT_TO_ONE = re.compile(f"[{_GAPS}]*(?P<spread>{_SPREAD})")


def has_personal_number(text: str) -> bool:
    """Return whether `text` holds a telephone or identity number."""
    return _TEN_DIGITS.match(text) is not None and _FIND.search(text) is not None


def mask_text(text: str) -> str:
    """Replace every telephone and identity number in `text` by its masked form; the rest stays as it is."""
    if _TEN_DIGITS.match(text) is None:
        return text
    parts: list[str] = []
    done = 0
    for start, end in _spans(text):
        parts += [text[done:start], _masked(text[start:end])]
        done = end
    return "".join(parts) + text[done:]


def mask_phone(phone: str) -> str:
    """
    Return a telephone number of which at most the head and the last four digits show.

    A mobile number becomes ``138****5678``, a landline ``021-****0000``; anything else keeps its last four digits
    when it has at least seven, and nothing when it is shorter.
    """
    digits = _compact(phone)
    if mobile := re.fullmatch(r"(?:(?:\+|00)?86)?(1[3-9][0-9])[0-9]{4}([0-9]{4})", digits):
        return f"{mobile[1]}****{mobile[2]}"
    if landline := re.fullmatch(r"(0(?:10|2[0-9]|[3-9][0-9]{2}))([0-9]{3,4})([0-9]{4})", digits):
        return f"{landline[1]}-{'*' * len(landline[2])}{landline[3]}"
    return _tail(digits) if len(digits) >= 7 else "*" * len(digits)


def mask_id(number: str) -> str:
    """
    Return an identity number of which the first four and the last four signs show: ``3301**********1234``.

    A number of 15 digits is masked likewise; one of any other length keeps its last four signs at most.
    """
    signs = _compact(number)
    if len(signs) in (15, 18):
        return f"{signs[:4]}{'*' * (len(signs) - 8)}{signs[-4:]}"
    return _tail(signs) if len(signs) > 8 else "*" * len(signs)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    position = 0
    while found := (position and _NEXT_TO_ONE.match(text, position)) or _FIND.search(text, position):
        yield found.span(found.lastgroup or 0)
        position = found.end()


def _masked(number: str) -> str:
    signs = _compact(number)
    is_identity = signs[:1] not in ("0", "+") and len(signs) in (15, 18)
    return mask_id(number) if is_identity else mask_phone(number)


def _compact(number: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", number).upper() if sign in "0123456789X+")


def _tail(signs: str) -> str:
    return "*" * (len(signs) - 4) + signs[-4:]
