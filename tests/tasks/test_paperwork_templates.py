"""The templates: the shipped ones are what their author writes, and an office's own are checked before they print."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import pytest
from docx import Document

from policies.errors import Refused
from tasks.paperwork import FORMS, DocumentKind, check_templates, copy_templates, make_document
from tasks.paperwork_fields import CONSENT, Fields, Rows
from tasks.paperwork_template import SHIPPED, check_template, fill_in
from templates.author import TEMPLATES
from tests.papers import Paper
from tests.township import Township

Edit = Callable[[str], Path]


def parts(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as whole:
        return {name: whole.read(name) for name in whole.namelist()}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """An office's folder of templates, still empty."""
    folder = tmp_path / "模板"
    folder.mkdir()
    return folder


@pytest.fixture
def edited(own: Path) -> Edit:
    """A function that writes an own consent sheet with one more paragraph."""

    def edit(text: str) -> Path:
        document = Document(str(SHIPPED / "consent.docx"))
        document.add_paragraph(text)
        path = own / "consent.docx"
        document.save(str(path))
        return path

    return edit


def with_templates(town: Township, folder: Path) -> Township:
    settings = town.resources.settings.model_copy(update={"templates": folder})
    town.resources = replace(town.resources, settings=settings)
    return town


def printed(town: Township, kind: DocumentKind = DocumentKind.CONSENT) -> Paper:
    return Paper(make_document(town.resources, kind, town.number, at=town.now()))


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_a_shipped_template_is_what_its_author_writes(name: str, tmp_path: Path) -> None:
    path = tmp_path / "anew.docx"
    path.write_bytes(TEMPLATES[name]().written())
    assert parts(path) == parts(SHIPPED / f"{name}.docx"), "run make documents"


def test_every_shipped_template_belongs_to_a_document_and_knows_all_its_tags(town: Township) -> None:
    used = {form.template for form in FORMS.values()}
    assert used == {path.name for path in SHIPPED.glob("*.docx")} == {f"{name}.docx" for name in TEMPLATES}
    assert [fault for _, fault in check_templates(town.resources.settings)] == [""] * len(used)


def test_without_own_templates_an_office_prints_with_the_shipped_ones(town: Township, own: Path) -> None:
    town.apply()
    shipped = printed(town).text
    assert town.resources.settings.templates is None
    assert printed(with_templates(town, own)).text == shipped, "an empty folder replaces nothing"


def test_an_office_replaces_one_template_and_keeps_the_others(town: Township, own: Path, edited: Edit) -> None:
    edited("本表一式两份,由{{ 社区办 }}存档。{% for 户 in 农户 %}{{ 户.户主 }};{% endfor %}")
    town.apply()
    with_templates(town, own)
    assert printed(town).paragraphs[-1] == "本表一式两份,由朱家角镇社区办存档。户主1;户主2;户主3;户主4;"
    assert "创建申请表" in printed(town, DocumentKind.APPLICATION).text


UNKNOWN = [
    ("{{ 户主手机 }}", "“{{ 户主手机 }}”"),
    ("{% for 户 in 农户 %}{{ 户.手机 }}{% endfor %}", "“{{ 户.手机 }}”"),
    ("{% for 户 in 农户 %}{{ 户['手机'] }}{% endfor %}", "“{{ 户.手机 }}”"),
    ("{% if 已盖章 %}章{% endif %}", "“{{ 已盖章 }}”"),
    ("{% for 人 in 名单 %}{{ 人.姓名 }}{% endfor %}", "“{{ 名单 }}”"),
    ("{{ 村居.名称 }}", "“{{ 村居.名称 }}”"),
    ("{{ 户 }}", "“{{ 户 }}”"),
    ("{{ 甲 }}{{ 乙 }}", "“{{ 甲 }}”、“{{ 乙 }}”"),
]


@pytest.mark.parametrize(("tag", "told"), UNKNOWN)
def test_an_unknown_tag_is_refused_by_file_and_name(
    town: Township, own: Path, edited: Edit, tag: str, told: str
) -> None:
    path = edited(tag)
    town.apply()
    with pytest.raises(Refused) as refused:
        printed(with_templates(town, own))
    assert f"模板 consent.docx({path})中有不认识的标签:{told};请改正" in str(refused.value)
    assert "ketang document tags consent" in str(refused.value)
    assert not town.resources.settings.documents_folder.exists(), "nothing half filled is written"


def test_an_unknown_tag_in_a_footer_or_split_by_the_editor_is_found_too(own: Path, edited: Edit) -> None:
    path = edited("")
    document = Document(str(path))
    document.sections[0].footer.paragraphs[0].add_run("{{ 页脚 }}")
    paragraph = document.add_paragraph()
    for piece in ("{", "{ 电", "话 }", "}"):
        paragraph.add_run(piece)
    document.save(str(path))
    with pytest.raises(Refused, match=r"“\{\{ 电话 \}\}”、“\{\{ 页脚 \}\}”"):
        check_template(path, CONSENT)


def test_a_known_tag_split_by_the_editor_is_filled(town: Township, own: Path, edited: Edit) -> None:
    path = edited("")
    document = Document(str(path))
    paragraph = document.add_paragraph("组:")
    for piece in ("{", "{ 小", "组 }", "}"):
        paragraph.add_run(piece).bold = piece.startswith("话")
    document.save(str(path))
    town.apply()
    assert printed(with_templates(town, own)).paragraphs[-1] == "组:第一组"


@pytest.mark.parametrize(
    "text", ["{% for 户 in 农户 %}", "{% if 户数 %}", "{{ 户数 + }}", "{% endfor %}", "{{ 户数|没有 }}"]
)
def test_a_tag_written_wrong_is_refused(town: Township, own: Path, edited: Edit, text: str) -> None:
    path = edited(text)
    town.apply()
    with pytest.raises(Refused) as refused:
        printed(with_templates(town, own))
    assert f"模板 consent.docx({path})的标签写法有误" in str(refused.value)


@pytest.mark.parametrize("text", ["{{ 户数 + 1 }}", "{{ ''.__class__.__mro__ }}", "{{ 农户[99].户主 }}", "{{ 1 / 0 }}"])
def test_what_can_not_be_computed_is_refused(town: Township, own: Path, edited: Edit, text: str) -> None:
    edited(text)
    town.apply()
    with pytest.raises(Refused, match=r"模板 consent\.docx"):
        printed(with_templates(town, own))
    assert not town.resources.settings.documents_folder.exists()


@pytest.mark.parametrize("content", [b"", b"not a document", b"PK\x03\x04broken"])
def test_what_is_no_word_file_is_refused(town: Township, own: Path, content: bytes) -> None:
    (own / "consent.docx").write_bytes(content)
    town.apply()
    with pytest.raises(Refused, match=r"consent\.docx.*打不开:不是 Word 的 \.docx 文件;请在 WPS 中“另存为”"):
        printed(with_templates(town, own))


def test_a_folder_that_is_not_there_is_refused(town: Township, tmp_path: Path) -> None:
    town.apply()
    with pytest.raises(Refused, match=r"设置 KETANG_TEMPLATES 指向的模板文件夹“.*没有”不存在"):
        printed(with_templates(town, tmp_path / "没有"))


def test_every_fault_of_the_own_templates_is_told_at_once(town: Township, own: Path, edited: Edit) -> None:
    edited("{{ 户主手机 }}")
    (own / "vote.docx").write_bytes(b"")
    found = {path.name: fault for path, fault in check_templates(with_templates(town, own).resources.settings)}
    assert "不认识的标签" in found["consent.docx"]
    assert "打不开" in found["vote.docx"]
    assert found["application.docx"] == ""


def test_copies_to_edit_are_those_that_print(own: Path) -> None:
    folder = own / "新"
    paths = copy_templates(folder)
    assert {path.name: path.read_bytes() for path in paths} == {
        path.name: path.read_bytes() for path in SHIPPED.glob("*.docx")
    }
    (folder / "vote.docx").unlink()
    with pytest.raises(Refused, match=r"中已有application\.docx、consent\.docx"):
        copy_templates(folder)
    assert not (folder / "vote.docx").exists()


def test_a_document_must_have_exactly_the_tags_that_are_listed() -> None:
    fields: Fields = {"甲": "一", "乙": Rows("多", {"丙": "三"})}
    path = SHIPPED / "consent.docx"
    for facts in ({"甲": ""}, {"甲": "", "乙": [], "丁": ""}, {"甲": "", "乙": [{}]}):
        with pytest.raises(LookupError):
            fill_in(path, fields=fields, facts=facts)
