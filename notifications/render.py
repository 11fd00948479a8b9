"""
Letters as people read them: jinja2 templates, each compiled when a process first writes such a letter.

Called by `tasks.outbox`. It decides nothing: a template says everything its letter says.
"""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from notifications.letters import CONTEXTS
from notifications.mime import Rendered
from policies.vocabulary import Letter
from rules.money import in_capitals, in_yuan

WEEKDAYS = "一二三四五六日"
_BLANK_LINES = re.compile(r"\n{3,}")
PARTS = ("subject.txt", "body.txt", "body.html")


@lru_cache(maxsize=8)
def _environment(templates: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates, encoding="utf-8"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    environment.filters.update(day=day, weekday=weekday, money=money, titled=titled)
    return environment


class Renderer:
    """
    The templates of every letter; one that is asked for is compiled once a process.

    Args:
        templates: folder that holds ``letters/<letter>/…``.
    """

    def __init__(self, templates: Path) -> None:
        self._environment = _environment(templates)

    def compile(self) -> None:
        """Compile every letter's templates now, for processes that are forked off this one."""
        for letter in Letter:
            self._templates(letter)

    def render(
        self, letter: Letter, context: Mapping[str, Any], *, to_name: str, link: str, written_on: date
    ) -> Rendered:
        """
        Write one letter.

        Args:
            letter: which.
            context: its facts, as the outbox keeps them.
            to_name: the recipient.
            link: where the recipient can act; empty: nowhere.
            written_on: date below the signature.

        Raises:
            pydantic.ValidationError: the facts are not those of this letter.
            jinja2.TemplateError: a template is missing, is not valid, or asks for something it was not given.
        """
        facts = CONTEXTS[letter].model_validate(context)
        subject, text, html = (
            template.render(dict(facts), recipient=to_name, link=link, written_on=written_on)
            for template in self._templates(letter)
        )
        return Rendered(
            subject=" ".join(subject.split()),
            text=_BLANK_LINES.sub("\n\n", text).strip() + "\n",
            html=html.strip() + "\n",
        )

    def _templates(self, letter: Letter) -> tuple[Template, ...]:
        return tuple(self._environment.get_template(f"letters/{letter}/{part}") for part in PARTS)


def day(value: date) -> str:
    """Return a date as official papers write it: ``2026年3月4日``."""
    return f"{value.year}年{value.month}月{value.day}日"


def weekday(value: date) -> str:
    """Return a date with its day of the week: ``2026年3月4日（星期三）``."""
    return f"{day(value)}（星期{WEEKDAYS[value.weekday()]}）"


def money(fen: int) -> str:
    """Return an amount of fen in figures and in capitals, as official papers write it."""
    return f"{in_yuan(fen)}（{in_capitals(fen)}）"


def titled(title: str) -> str:
    """Return a document's title in 《》, unless it stands in them already."""
    return title if title.startswith("《") else f"《{title}》"
