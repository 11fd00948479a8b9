"""What typer says in English of its own, in Chinese; called by `cli.main`, before anything is shown."""

import re
from dataclasses import dataclass

from rich import table
from rich.text import Text
from typer import rich_utils

HELP = "Show this message and exit."
SENTENCES = (
    (r"^Usage: ", "用法:"),
    (r"\[OPTIONS\]", "[选项]"),
    (r"COMMAND \[ARGS\]\.\.\.", "命令 [参数]..."),
    (r"^No such command '(.*?)'\.?", r"没有“\1”这个命令"),
    (r"^No such option: (\S+)", r"没有 \1 这个选项"),
    (r"Did you mean (.*)\?$", r",是不是 \1?"),
    (r"\(Possible options: (.*)\)$", r",是不是 \1?"),
    (r"^Missing command\.$", "没有写命令"),
    (r"^Missing argument '(.*)'\.", r"没有写“\1”"),
    (r"^Missing option '(.*)'\.", r"没有写选项 \1"),
    (r"^Got unexpected extra argument\(s\) \((.*)\)$", r"多写了:\1"),
    (r"^Option '(.*)' requires an argument\.$", r"选项 \1 后面没有写值"),
    (r"^Option '(.*)' does not take a value\.$", r"选项 \1 后面不写值"),
    (r"^Invalid value(?: for '(.*?)')?: ", lambda found: f"{found[1] or '所写的'} 有误:"),
    (r"Input should be a valid integer.*", "须为整数"),
    (r"Input should be a valid number.*", "须为数字"),
    (r"Input should be greater than or equal to (\S+)", r"不得小于 \1"),
    (r"Input should be less than or equal to (\S+)", r"不得大于 \1"),
    (r"(?:Value error, )?'(.*)' does not match the formats '%Y-%m-%d'\.", r"“\1”不是日期,请写作 2026-03-05"),
    (r"(?:Value error, )?'(.*)' is not one of (.*)\.", r"没有“\1”,可以写:\2"),
    (r"\w+ '(.*)' does not exist\.", r"没有“\1”"),
    (r"\w+ '(.*)' is a file\.", r"“\1”是文件,须为文件夹"),
    (r"\w+ '(.*)' is a directory\.", r"“\1”是文件夹,须为文件"),
    (r"\w+ '(.*)' is not readable\.", r"“\1”无法读取"),
    (r"\w+ '(.*)' is not writable\.", r"“\1”无法写入"),
)


def in_chinese(text: str) -> str:
    """Return one of typer's sentences in Chinese; any other text as it is."""
    for english, chinese in SENTENCES:
        text = re.sub(english, chinese, text)
    return text.replace(" ,是不是", ",是不是")


class ChineseHighlighter(rich_utils.OptionHighlighter):
    """What typer has coloured before it is shown: all of its sentences come by."""

    def __call__(self, text: str | Text) -> Text:
        """Colour a text, in Chinese."""
        if isinstance(text, str):
            text = in_chinese(text)
        elif text.plain == HELP:
            text = Text("显示这份帮助。", style=text.style)
        return super().__call__(text)


@dataclass
class FoldedColumn(table.Column):
    """A column whose text goes on in the next line where Rich would cut it off."""

    def __post_init__(self) -> None:
        self.overflow = "fold" if self.overflow == "ellipsis" else self.overflow


def speak_chinese() -> None:
    """Put typer's own words into Chinese."""
    rich_utils.ARGUMENTS_PANEL_TITLE = "参数"
    rich_utils.OPTIONS_PANEL_TITLE = "选项"
    rich_utils.COMMANDS_PANEL_TITLE = "命令"
    rich_utils.ERRORS_PANEL_TITLE = "有误"
    rich_utils.REQUIRED_LONG_STRING = "[必填]"
    rich_utils.DEFAULT_STRING = "[不写为:{}]"
    rich_utils.ABORTED_TEXT = "已中止。"
    rich_utils.RICH_HELP = "用法见:[blue]{command_path} {help_option}[/]"
    rich_utils.highlighter = ChineseHighlighter()
    # Chinese has no blanks to break a line at.
    table.Column = FoldedColumn  # type: ignore[misc]
