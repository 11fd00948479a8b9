"""What the code of a process was when it was read: two fingerprints differ when anything of it has changed since."""

import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from runtime.settings import PROJECT

CODE = ("cli", "flows", "migrations", "models", "notifications", "policies", "rules", "runtime", "tasks", "templates")
"""Folders of the project whose files a run may read or import."""
TOP = frozenset({".py", ".yaml", ".toml", ".lock"})
"""Endings of the files beside those folders that count."""


def fingerprint(folder: Path) -> str:
    """
    Return the fingerprint of the product's code, of the code in `folder`, and of what is installed.

    Goes by names, sizes, times and inodes, and opens no file: a few milliseconds.

    Args:
        folder: that of the ``prefect.yaml`` in use; usually the project's own.
    """
    digest = hashlib.sha256()
    for root in dict.fromkeys([PROJECT, folder.resolve()]):
        for line in _seen(root):
            digest.update(line.encode("utf-8", "surrogateescape"))
    # Every package that is installed, upgraded or removed adds a name to this folder or takes one away.
    for path in (sysconfig.get_paths()["purelib"], sys.executable):
        digest.update(_line(path, Path(path).stat()).encode())
    return digest.hexdigest()


def _seen(root: Path) -> Iterator[str]:
    with os.scandir(root) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.is_dir():
                if entry.name in CODE:
                    yield from _below(entry.path)
            elif Path(entry.name).suffix in TOP:
                yield _line(entry.path, entry.stat())


def _below(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if entry.name == "__pycache__":
                continue
            if entry.is_dir():
                yield from _below(entry.path)
            else:
                yield _line(entry.path, entry.stat())


def _line(path: str, stat: os.stat_result) -> str:
    return f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}\n"
