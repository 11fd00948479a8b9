"""
Reading one YAML text strictly, so that what a person sees in the file is what the rules get.

Called by `policies.load`; knows nothing of editions. YAML's surprises are refused or removed: a key written twice,
anchors, tags, ``yes`` for true, ``010`` for 8, ``12:30`` for 750. Faults are collected, not raised one by one.
"""

import re
from dataclasses import dataclass
from datetime import date

import yaml

from policies.errors import BadPolicy

_TAGS = {
    "null": "tag:yaml.org,2002:null",
    "bool": "tag:yaml.org,2002:bool",
    "int": "tag:yaml.org,2002:int",
    "float": "tag:yaml.org,2002:float",
    "date": "tag:yaml.org,2002:timestamp",
    "share": "!share",
    "text": "tag:yaml.org,2002:str",
}


@dataclass(frozen=True)
class UnquotedShare:
    """A share written without quotes: kept apart from text, so that the schema refuses it where it stands."""

    text: str

    def __repr__(self) -> str:
        return self.text


class _Loader(yaml.SafeLoader):
    """Composes nodes under YAML 1.2's core rules; nothing is constructed by it."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - yaml's own shape


for _kind, _pattern, _first in (
    ("null", r"^(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"^(?:true|false)$", list("tf")),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$", list("-0123456789")),
    ("date", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", list("0123456789")),
    ("share", r"^[0-9]+/[0-9]+$", list("0123456789")),
):
    _Loader.add_implicit_resolver(_TAGS[_kind], re.compile(_pattern), _first)


def read_document(text: bytes, *, file: str) -> tuple[object, tuple[BadPolicy, ...]]:
    """
    Read `text` as one YAML document of mappings, sequences and plain values.

    Args:
        text: the file's bytes; UTF-8, with or without a byte order mark.
        file: name for the faults.

    Returns:
        The document and the faults found in its form; with a fault the document may be incomplete or None.
    """
    try:
        written = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        reason = f"第{line}行不是 UTF-8 编码,请用“另存为 UTF-8”重新保存"
        return None, (BadPolicy(file, "", text[error.start : error.start + 8], reason),)
    try:
        node = yaml.compose(written, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        shown = (written.splitlines() or [""])[min(line, len(written.splitlines())) - 1]
        reason = f"YAML 语法有误:第{line}行第{column}列附近,请检查缩进、冒号与引号;一个文件只能有一份文档"
        return None, (BadPolicy(file, "", shown, reason),)
    except yaml.reader.ReaderError as error:
        line = written.count("\n", 0, error.position) + 1
        reason = f"第{line}行含有不可见的控制字符,请删去"
        return None, (BadPolicy(file, "", f"U+{ord(written[error.position]):04X}", reason),)
    if node is None:
        return None, (BadPolicy(file, "", None, "文件是空的"),)
    walk = _Walk(file=file, faults=[], seen=set())
    document = walk.value(node, "")
    return document, tuple(walk.faults)


@dataclass
class _Walk:
    file: str
    faults: list[BadPolicy]
    seen: set[int]

    def value(self, node: yaml.Node, path: str) -> object:
        if id(node) in self.seen:
            self._fault(
                node, path, node.value if isinstance(node, yaml.ScalarNode) else "*", "不得使用锚点与别名,请写全"
            )
            return None
        self.seen.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == "tag:yaml.org,2002:map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == "tag:yaml.org,2002:seq":
            return [self.value(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._fault(node, path, node.tag, "不得使用 YAML 标签")
        return None

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != _TAGS["text"]:
                self._fault(key_node, path, key_node.value, "键须为文字")
                continue
            key = str(key_node.value)
            at = f"{path}.{key}" if path else key
            if key in found:
                self._fault(key_node, at, key, "键重复:同一处只能写一次,后写的会悄悄盖掉先写的")
                continue
            found[key] = self.value(value_node, at)
        return found

    def _scalar(self, node: yaml.ScalarNode, path: str) -> object:
        text = str(node.value)
        if node.tag == _TAGS["text"]:
            return text
        if node.tag == _TAGS["null"]:
            return None
        if node.tag == _TAGS["bool"]:
            return text == "true"
        if node.tag == _TAGS["int"]:
            return int(text)
        if node.tag == _TAGS["float"]:
            return float(text)
        if node.tag == _TAGS["share"]:
            return UnquotedShare(text)
        if node.tag == _TAGS["date"]:
            try:
                return date.fromisoformat(text)
            except ValueError:
                self._fault(node, path, text, "没有这一天")
                return None
        self._fault(node, path, node.tag, "不得使用 YAML 标签")
        return None

    def _fault(self, node: yaml.Node, path: str, value: object, reason: str) -> None:
        self.faults.append(BadPolicy(self.file, path, value, f"第{node.start_mark.line + 1}行:{reason}"))
