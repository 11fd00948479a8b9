"""
The four ways a step can fail on purpose; anything else is a bug and propagates.

Raised by every layer, shown to people by the doors (forms, CLI, import). Exceptions keep their data in `args`,
because Prefect pickles them.
"""

import reprlib
from pathlib import Path


class Refused(Exception):
    """
    A rule says no. Shown to the person in Chinese; nothing was changed; never retried.

    Args:
        clause: where the rule stands, e.g. ``"三、1 场地设置"`` or ``"default"``.
        reason: one Chinese sentence that names the offending value and what to do next.
    """

    def __init__(self, clause: str, reason: str) -> None:
        super().__init__(clause, reason)
        self.clause = clause
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason}(依据:{'系统默认规定' if self.clause == 'default' else self.clause})"


class BadPolicy(Exception):
    """
    A policy file can not be used: refuse to load or to publish it.

    Args:
        file: the policy file.
        path: where in it, dotted, e.g. ``"gates.office_review.due.length"``.
        value: the offending value, as read.
        reason: one Chinese sentence.
    """

    def __init__(self, file: str | Path, path: str, value: object, reason: str) -> None:
        super().__init__(str(file), path, value, reason)
        self.file = str(file)
        self.path = path
        self.value = value
        self.reason = reason

    def __str__(self) -> str:
        return f"政策文件 {self.file} 的 {self.path or '(全文)'} 有误:{self.reason}(现值:{reprlib.repr(self.value)})"


class Temporary(Exception):
    """Worth another try later: SMTP 4xx, a database that is away, a lock that is held."""


class Permanent(Exception):
    """Will never work as it stands: SMTP 5xx, an address that does not exist."""
