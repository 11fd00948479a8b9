"""One stack per home: a lock held as long as the stack lives, and a note for other commands of where it answers."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

FILE = "stack.json"


@dataclass(frozen=True)
class Running:
    """Where the stack of a home answers."""

    pid: int
    api_url: str
    ui_url: str


class HomeTaken(Exception):
    """
    Another stack runs on this home.

    Args:
        running: the other one, as far as it has told.
    """

    def __init__(self, running: Running | None) -> None:
        super().__init__(running)
        self.running = running


class HomeLock:
    """
    The lock of a home; the system frees it when its holder dies, however it dies.

    Args:
        home: the folder.
        file: in it, by which the lock is known; another one for what may run beside the stack.
    """

    def __init__(self, home: Path, *, file: str = FILE) -> None:
        self._path = home / file
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock; HomeTaken when another process has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                raise HomeTaken(_read(file)) from None
        file.truncate(0)
        self._file = file

    def tell(self, *, api_url: str, ui_url: str) -> None:
        """Write where the stack answers; for `find_running`."""
        assert self._file is not None  # noqa: S101 - only the holder tells
        self._file.truncate(0)
        self._file.write(json.dumps(asdict(Running(os.getpid(), api_url, ui_url))))
        self._file.flush()

    def free(self) -> None:
        """Give the lock back; safe to repeat."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def find_running(home: Path) -> Running | None:
    """Return the stack that runs on `home` now, None when there is none (or it has not told its address yet)."""
    try:
        file = (home / FILE).open("r", encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file)
    return None


def _read(file: IO[str]) -> Running | None:
    file.seek(0)
    text = file.read()
    return Running(**json.loads(text)) if text else None
