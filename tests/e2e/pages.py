"""Prefect's classic UI as a person uses it: a form made from a schema, and the page of a run."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


class Form:
    """A form that stands open on a page: its fields by their titles."""

    def __init__(self, page: "Page") -> None:
        self.page = page

    def titles(self) -> list[str]:
        """Return the titles of all fields, without the UI's own "(Optional)"."""
        shown = self.page.locator(".schema-form-property__label").all_inner_texts()
        return [text.removesuffix("(Optional)").strip() for text in shown]

    def field(self, title: str) -> "Locator":
        label = self.page.locator(
            ".schema-form-property__label", has_text=re.compile(rf"^\s*{title}( \(Optional\))?\s*$")
        )
        return label.locator("xpath=ancestor::div[contains(@class, 'p-label schema-form-property')][1]")

    def told(self, title: str) -> "Locator":
        """What stands between a field's title and the field."""
        return self.field(title).locator(".schema-form-property__description")

    def write(self, title: str, text: object) -> None:
        self.field(title).locator("textarea, input").first.fill(str(text))

    def switch(self, title: str) -> None:
        self.field(title).locator(".p-toggle__control").click()

    def choose(self, title: str, *options: str) -> None:
        """Choose from a list."""
        self._open(title)
        for option in options:
            self.page.locator(".p-select-option").get_by_text(option, exact=True).click()
        self._close()

    def options(self, title: str) -> list[str]:
        """Return what a list offers."""
        self._open(title)
        offered = self.page.locator(".p-select-option").all_inner_texts()
        self._close()
        return [each.strip() for each in offered]

    def _open(self, title: str) -> None:
        # The arrow, because a click beside it opens the list and closes it at once (Prefect 3.8.8).
        self.field(title).locator(".p-select-button__icon").click()
        self.page.locator(".p-select-option").first.wait_for()

    def _close(self) -> None:
        """Close a list that is still open: one of which several may be chosen."""
        if self.page.locator(".p-select-option").count():
            self.page.get_by_placeholder("Search").press("Escape")
        self.page.locator(".p-select-option").first.wait_for(state="hidden")

    def submit(self) -> None:
        self.page.get_by_role("button", name="Submit").click()


class RunPage:
    """The page of a run."""

    def __init__(self, page: "Page", ui: str, run_id: str) -> None:
        self.page = page
        page.goto(f"{ui}/runs/flow-run/{run_id}")

    def resume(self) -> Form:
        """Press Resume."""
        self.page.get_by_role("button", name="Resume").click()
        self.page.get_by_role("button", name="Submit").wait_for()
        return Form(self.page)


def hidden(text: "Locator") -> list[str]:
    """Return the lines of a text of which a person sees nothing without scrolling."""
    found: list[str] = text.evaluate(
        """text => {
          const lines = [], walk = document.createTreeWalker(text, NodeFilter.SHOW_TEXT)
          for (let node; (node = walk.nextNode());) {
            const range = document.createRange()
            range.selectNodeContents(node)
            for (const box of range.getClientRects()) {
              const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
              if (box.height < 10 || !text.contains(top)) lines.push(node.textContent)
            }
          }
          return text.innerText.trim() ? lines : ['(nothing)']
        }"""
    )
    return found


def cut_off(page: "Page", within: str) -> list[Any]:
    """Return the texts that do not fit the width of their box, and so can not be read whole."""
    found: list[Any] = page.eval_on_selector_all(
        f"{within} *",
        "all => all.filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && e.innerText)"
        ".map(e => e.className + ': ' + e.innerText.slice(0, 80))",
    )
    return found
