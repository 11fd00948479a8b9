"""
Turning what the schema finds wrong into sentences that an office can act on.

Called by `policies.load`. One fault becomes one `BadPolicy`; several become one `BadPolicies`.
"""

from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from policies.errors import BadPolicy


class BadPolicies(BadPolicy):
    """
    Several faults at once; as a `BadPolicy` it carries the first of them.

    Args:
        faults: every fault, in reading order; at least one.
    """

    def __init__(self, faults: tuple[BadPolicy, ...]) -> None:
        first = faults[0]
        super().__init__(first.file, first.path, first.value, first.reason)
        self.args = (faults,)
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def faults_of(error: BadPolicy) -> tuple[BadPolicy, ...]:
    """Return every fault that `error` carries, one or more."""
    return error.faults if isinstance(error, BadPolicies) else (error,)


def refuse(faults: Sequence[BadPolicy]) -> None:
    """
    Raise what `faults` amount to; do nothing when there are none.

    Raises:
        BadPolicy: one fault.
        BadPolicies: several.
    """
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise BadPolicies(tuple(faults))


def faults_in(error: ValidationError, *, file: str, document: object) -> tuple[BadPolicy, ...]:
    """
    Translate the schema's findings.

    Args:
        error: what pydantic raised.
        file: the policy file.
        document: what was validated; tells keys of the file from pydantic's own path parts.
    """
    return tuple(
        BadPolicy(
            file,
            _path(found["loc"], document),
            None if found["type"] == "missing" else found["input"],
            reason_of(found),
        )
        for found in error.errors(include_url=False)
        if not _echo(found)
    )


def _echo(found: ErrorDetails) -> bool:
    # pydantic calls a list too short when all its entries are faulty, which it already said entry by entry
    given = found["input"]
    return found["type"] == "too_short" and isinstance(given, Sequence) and len(given) >= found["ctx"]["min_length"]


def _path(loc: tuple[int | str, ...], document: object) -> str:
    path = ""
    here = document
    for part in loc:
        if part == "[key]" or (isinstance(here, Mapping) and part not in here and part == here.get("kind")):
            continue  # pydantic's own: “the key itself”, and the chosen member of a union
        if isinstance(part, int):
            path += f"[{part}]"
            here = here[part] if isinstance(here, Sequence) and part < len(here) else None
        else:
            path += f".{part}" if path else part
            here = here.get(part) if isinstance(here, Mapping) else None
    return path


def reason_of(found: ErrorDetails) -> str:
    """Return what one finding of pydantic means, in Chinese."""
    words = _WORDS.get(found["type"])
    return words(found.get("ctx", {})) if words else f"不符合要求:{found['msg']}"


def _choices(ctx: Mapping[str, object]) -> str:
    return str(ctx.get("expected", "")).replace("'", "").replace(" or ", "、").replace(", ", "、")


def _pattern(ctx: Mapping[str, object]) -> str:
    match ctx.get("pattern"):
        case r"\S":
            return "不得只有空白"
        case r"^[A-Z]{2,5}$":
            return "须为2至5个大写字母,例如 KT"
        case r"^[a-z][a-z0-9_]*$":
            return "代码须以小写字母开头,只含小写字母、数字与下划线"
        case r"^[a-z][a-z0-9-]*$":
            return "标识须以小写字母开头,只含小写字母、数字与连字符"
        case other:
            return f"写法须符合 {other}"


_WORDS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "missing": lambda _: "缺少此项,必须写明",
    "extra_forbidden": lambda _: "未知的键,请检查拼写或删去",
    "value_error": lambda ctx: str(ctx["error"]),
    "int_type": lambda _: "须为整数,不加引号、不写小数",
    "int_parsing": lambda _: "须为整数",
    "int_from_float": lambda _: "须为整数,不写小数",
    "date_from_datetime_parsing": lambda _: "须为日期,写作 2026-03-04",
    "date_parsing": lambda _: "须为日期,写作 2026-03-04",
    "list_type": lambda _: "须为列表",
    "decimal_max_places": lambda ctx: f"最多写{ctx['decimal_places']}位小数",
    "string_unicode": lambda _: "含有无法保存的字符,请删去后重新填写",
    "string_type": lambda _: "须为文字;数字与日期作文字用时请加引号",
    "bool_parsing": lambda _: "须为 true 或 false",
    "bool_type": lambda _: "须为 true 或 false",
    "date_type": lambda _: "须为日期,写作 2018-09-30,不加引号",
    "model_type": lambda _: "须为一组键值",
    "model_attributes_type": lambda _: "须为一组键值",
    "dict_type": lambda _: "须为一组键值",
    "tuple_type": lambda _: "须为列表",
    "enum": lambda ctx: f"不在可选值之内,可选:{_choices(ctx)}",
    "literal_error": lambda ctx: f"不在可选值之内,可选:{_choices(ctx)}",
    "union_tag_not_found": lambda _: "缺少 kind(标准的种类):volunteers、area、facility、confirmation 之一",
    "union_tag_invalid": lambda ctx: f"未知的种类,可选:{_choices({'expected': ctx.get('expected_tags', '')})}",
    "greater_than": lambda ctx: f"须大于{ctx['gt']}",
    "greater_than_equal": lambda ctx: f"不得小于{ctx['ge']}",
    "less_than_equal": lambda ctx: f"不得大于{ctx['le']}",
    "too_short": lambda ctx: f"至少写{ctx['min_length']}项,现有{ctx['actual_length']}项",
    "string_too_short": lambda _: "不得为空",
    "string_too_long": lambda ctx: f"不得超过{ctx['max_length']}字",
    "string_pattern_mismatch": _pattern,
}
