"""Letters: every one says what it must, in every shape, and lets no personal number through."""

import os
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from pydantic import ValidationError

from notifications.context import LetterContext
from notifications.letters import CONTEXTS, ForwardWaiting, Returned
from notifications.mime import Rendered
from notifications.render import Renderer, money, weekday
from policies.vocabulary import Letter
from tests.notifications.examples import CASE, DUE, EXAMPLES

TEMPLATES = Path(__file__).parents[2] / "templates"
SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = "UPDATE_SNAPSHOTS"
LINK = "http://127.0.0.1:4200/runs/flow-run/0b3e"
PHONE, ID_NUMBER = "13812345678", "310118196503070218"


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(TEMPLATES)


def written(renderer: Renderer, context: LetterContext, *, link: str = LINK) -> Rendered:
    return renderer.render(
        context.letter_kind,
        context.model_dump(mode="json"),
        to_name="李四",
        link=link,
        written_on=date(2026, 2, 3),
    )


def test_the_vocabulary_the_templates_and_the_contexts_name_the_same_letters() -> None:
    folders = {folder.name for folder in (TEMPLATES / "letters").iterdir() if not folder.name.startswith("_")}
    assert folders == {letter.value for letter in Letter}
    assert set(CONTEXTS) == set(Letter)
    assert {letter.value for letter in Letter} == {name.partition(".")[0] for name in EXAMPLES}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_letter_reads_as_in_its_snapshot(name: str, renderer: Renderer) -> None:
    letter = written(renderer, EXAMPLES[name])
    for suffix, now in ((".txt", f"{letter.subject}\n\n{letter.text}"), (".html", letter.html)):
        snapshot = SNAPSHOTS / f"{name}{suffix}"
        if os.environ.get(UPDATE):
            snapshot.write_text(now, encoding="utf-8", newline="\n")
        assert now == snapshot.read_text(encoding="utf-8"), f"look at it, then set {UPDATE}=1"


def test_there_is_no_snapshot_without_an_example() -> None:
    assert {path.name.removesuffix(path.suffix) for path in SNAPSHOTS.iterdir()} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_text_and_html_say_the_same_facts(name: str, renderer: Renderer) -> None:
    context = EXAMPLES[name]
    letter = written(renderer, context)
    assert "\n" not in letter.subject
    for field, value in context.model_dump().items():
        for fact in value if isinstance(value, tuple) else [value]:
            if isinstance(fact, str) and field not in ("township", "short"):  # the HTML has the subject in its title
                assert (fact in letter.text) == (fact in letter.html), field
    for body in (letter.text, letter.html):
        assert CASE["office"] in body
        assert getattr(context, "case_number", CASE["office"]) in body
        assert "2026年2月3日" in body


def test_without_a_link_no_letter_speaks_of_an_entrance(renderer: Renderer) -> None:
    for context in EXAMPLES.values():
        letter = written(renderer, context, link="")
        assert "入口" not in letter.text
        own_page = f'href="{getattr(context, "page", "")}"'  # of a notice, which everybody may read
        assert "href" not in letter.html.replace(own_page, "")


def test_a_template_that_asks_for_an_unknown_fact_fails(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    body = tmp_path / "templates" / "letters" / "rejected" / "body.html"
    body.write_text(body.read_text(encoding="utf-8").replace("{{ by }}", "{{ bye }}"), encoding="utf-8")
    with pytest.raises(UndefinedError, match="bye"):
        written(Renderer(tmp_path / "templates"), EXAMPLES["rejected"])


def test_facts_of_another_letter_are_refused(renderer: Renderer) -> None:
    with pytest.raises(ValidationError):
        renderer.render(
            Letter.REJECTED,
            EXAMPLES["returned"].model_dump(mode="json"),
            to_name="李四",
            link="",
            written_on=date(2026, 2, 3),
        )


def test_what_people_typed_is_escaped_in_html_only(renderer: Renderer) -> None:
    letter = written(renderer, Returned(**CASE, by="沈审核", reason="<b>请补</b> & 再报", due_on=DUE))
    assert "<b>请补</b> & 再报" in letter.text
    assert "&lt;b&gt;请补&lt;/b&gt; &amp; 再报" in letter.html
    assert "<b>请补" not in letter.html


def test_a_line_break_in_a_name_never_reaches_the_subject(renderer: Renderer) -> None:
    context = ForwardWaiting(**(CASE | {"household_head": "王\r\nBcc: x@example.com\u2028"}), due_on=DUE, due_note="")
    assert written(renderer, context).subject.splitlines() == [written(renderer, context).subject]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("number", [PHONE, ID_NUMBER, "１３８１２３４５６７８"])
def test_no_personal_number_gets_through_any_field(name: str, number: str, renderer: Renderer) -> None:
    def poisoned(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(poisoned(item) for item in value)
        return f"{value}，电话{number}。" if isinstance(value, str) else value

    example = EXAMPLES[name]
    context = type(example)(**{field: poisoned(value) for field, value in example.model_dump().items()})
    letter = written(renderer, context)
    assert number not in context.model_dump_json()
    for part in (letter.subject, letter.text, letter.html):
        assert number not in part
    assert "****" in letter.text


def test_a_nul_never_reaches_the_database() -> None:
    assert Returned(**CASE, by="沈\x00审核", reason="第一行\n第二行\x07", due_on=DUE).reason == "第一行\n第二行"
    with pytest.raises(ValidationError):
        Returned(**CASE, by="\x00", reason="有", due_on=DUE)


@given(day=st.dates())
def test_a_date_survives_its_way_through_the_outbox(day: date) -> None:
    context = ForwardWaiting(**CASE, due_on=day, due_note="")
    assert ForwardWaiting.model_validate(context.model_dump(mode="json")) == context
    assert context.due_on == day


def test_days_are_written_without_leading_zeros_and_with_their_weekday() -> None:
    week = [weekday(date(2026, 3, 2) + timedelta(days=days)) for days in range(7)]
    assert week[0] == "2026年3月2日（星期一）"
    assert [day[-2] for day in week] == list("一二三四五六日")


def test_money_is_written_in_figures_and_capitals() -> None:
    assert money(1_000_000) == "10,000.00元（人民币壹万元整）"
