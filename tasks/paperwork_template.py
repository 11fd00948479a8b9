"""
The Word templates: the office's own file before the shipped one, its tags checked, filled in.

A template with a tag that nothing fills is refused with its file and its tag; nothing half filled is ever printed.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from docx.opc.exceptions import OpcError
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from policies.errors import Refused
from runtime.settings import PROJECT, Settings
from tasks.paperwork_columns import fit_columns
from tasks.paperwork_fields import Fields, Rows

SHIPPED = PROJECT / "templates" / "documents"
"""The templates that come with the product."""

Facts = Mapping[str, Any]
"""What a document is filled with: texts, and lists of such mappings."""

_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=True)
_OFFERED = frozenset({"loop", "range"})
"""Names that a template may use without being told: Jinja's own."""


def template_file(settings: Settings, name: str) -> Path:
    """
    Return the template of that name: the office's own if there is one, else the shipped one.

    Raises:
        Refused: the office's folder is set and is not there.
    """
    own = settings.templates
    if own is not None:
        if not own.is_dir():
            raise Refused(
                "default", f"设置 KETANG_TEMPLATES 指向的模板文件夹“{own}”不存在;请建立该文件夹,或取消这项设置"
            )
        if (own / name).is_file():
            return own / name
    return SHIPPED / name


def check_template(path: Path, fields: Fields) -> None:
    """
    Refuse a template that Word's format, the tags' grammar or the list of `fields` does not allow.

    Raises:
        Refused: names the file and every tag that is not known.
    """
    _checked(path, fields)


def fill_in(path: Path, *, fields: Fields, facts: Facts) -> bytes:
    """
    Return the document that the template makes of `facts`, as the bytes of a .docx file.

    Args:
        path: the template.
        fields: every tag that may stand in it.
        facts: exactly these fields, filled.

    Raises:
        Refused: as `check_template`; or a tag asks for something that can not be computed.
    """
    _refuse_other_shapes(facts, fields, "")
    template = _checked(path, fields)
    try:
        template.render(_printable(facts), _ENVIRONMENT, autoescape=True)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise Refused("default", f"模板 {path.name} 中的标签算不出来:{error};请核对其中的标签") from error
    fit_columns(template.docx)
    whole = io.BytesIO()
    template.save(whole)
    return whole.getvalue()


def _checked(path: Path, fields: Fields) -> DocxTemplate:
    template = _opened(path)
    unknown = dict.fromkeys(name for source in _sources(template) for name in _unknown(_parsed(source, path), fields))
    if unknown:
        named = "、".join(f"“{{{{ {name} }}}}”" for name in unknown)
        raise Refused(
            "default",
            f"模板 {path.name}({path})中有不认识的标签:{named};请改正后再打印,"
            f"可用的标签见 ketang document tags {path.stem}",
        )
    return template


def _opened(path: Path) -> DocxTemplate:
    template = DocxTemplate(path)
    try:
        template.init_docx()
    except (OpcError, BadZipFile, KeyError, ValueError, OSError) as error:
        raise Refused(
            "default",
            f"模板 {path.name}({path})打不开:不是 Word 的 .docx 文件;请在 WPS 中“另存为”Microsoft Word 文件(*.docx)",
        ) from error
    return template


def _sources(template: DocxTemplate) -> Iterator[str]:
    """Yield the XML of body, headers and footers as the tags' grammar reads it."""
    yield template.patch_xml(template.get_xml())
    for uri in (template.HEADER_URI, template.FOOTER_URI):
        for _, part in template.get_headers_footers(uri):
            yield template.patch_xml(template.get_part_xml(part))


def _parsed(source: str, path: Path) -> nodes.Template:
    try:
        tree = _ENVIRONMENT.parse(source)
        _ENVIRONMENT.compile(tree)
    except TemplateSyntaxError as error:
        raise Refused(
            "default",
            f"模板 {path.name}({path})的标签写法有误:{error.message};请核对成对的大括号、for 与 endfor、if 与 endif",
        ) from error
    return tree


def _unknown(tree: nodes.Template, fields: Fields) -> Iterator[str]:
    """Yield every tag that is not among the fields, e.g. ``户.电话``."""
    yield from _in_block(tree.body, dict(fields))


Known = dict[str, Any]
"""Name to what it stands for: a text's note, rows, the fields of one row, or None for what can not be told."""


def _in_block(body: list[nodes.Node], known: Known) -> Iterator[str]:
    for node in body:
        yield from _in_node(node, known)


def _in_node(node: nodes.Node, known: Known) -> Iterator[str]:
    match node:
        case nodes.For():
            yield from _in_node(node.iter, known)
            listed = _meaning(node.iter, known)
            one = listed.fields if isinstance(listed, Rows) else None
            inner = known | {name.name: one for name in node.target.find_all(nodes.Name)}
            if isinstance(node.target, nodes.Name):
                inner[node.target.name] = one
            if node.test is not None:
                yield from _in_node(node.test, inner)
            yield from _in_block(node.body, inner)
            yield from _in_block(node.else_, known)
        case nodes.Assign(target=nodes.Name(name=name)):
            yield from _in_node(node.node, known)
            known[name] = _meaning(node.node, known)
        case nodes.Name():
            if node.name not in known and node.name not in _OFFERED:
                yield node.name
        case nodes.Getattr() | nodes.Getitem(arg=nodes.Const()):
            yield from _in_node(node.node, known)
            above = _meaning(node.node, known)
            name = node.attr if isinstance(node, nodes.Getattr) else str(node.arg.as_const())
            if isinstance(above, Mapping | str) and name not in (above if isinstance(above, Mapping) else {}):
                yield f"{_spelled(node.node)}.{name}"
        case _:
            for child in node.iter_child_nodes():
                yield from _in_node(child, known)


def _meaning(node: nodes.Node, known: Known) -> Any:
    match node:
        case nodes.Name():
            return known.get(node.name)
        case nodes.Getattr():
            above = _meaning(node.node, known)
            return above.get(node.attr) if isinstance(above, Mapping) else None
        case _:
            return None


def _spelled(node: nodes.Node) -> str:
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_spelled(node.node)}.{node.attr}"
        case _:
            return "…"


def _refuse_other_shapes(facts: Facts, fields: Fields, where: str) -> None:
    """Raise LookupError unless the facts have exactly these fields: a list of tags that lies helps nobody."""
    if set(facts) != set(fields):
        raise LookupError(f"{where or 'document'}: {sorted(set(facts) ^ set(fields))}")
    for name, field in fields.items():
        if isinstance(field, Rows):
            for row in facts[name]:
                _refuse_other_shapes(row, field.fields, f"{where}{name}.")


def _printable(value: Any) -> Any:
    """Return the facts without the signs that a Word file can not hold."""
    match value:
        case str():
            return "".join(sign for sign in value.replace("\r\n", "\n") if sign >= " " or sign in "\n\t")
        case Mapping():
            return {name: _printable(each) for name, each in value.items()}
        case list() | tuple():
            return [_printable(each) for each in value]
        case _:
            return value
