"""Whether this process may be forked: its copy must not inherit what belongs to another thread or to somebody else."""

import contextlib
import threading
from collections.abc import Collection
from pathlib import Path

HARMLESS = ("/dev/", "pipe:")
"""How the targets of descriptors begin that a copy may share."""


def unfit(*, allowed: Collection[int] = ()) -> str:
    """
    Return why this process must not be forked, empty when it may be.

    A second thread may hold a lock that its copy never lets go; a connection or an open database would be shared.

    Args:
        allowed: descriptors that may be open beside the standard ones.
    """
    if threading.active_count() != 1:
        return f"threads: {', '.join(each.name for each in threading.enumerate())}"
    proc = Path("/proc/self")
    if not (proc / "task").is_dir():
        return ""  # macOS: the interpreter's own threads are all we can see
    if len(list((proc / "task").iterdir())) != 1:
        return "threads that Python does not know"
    for each in (proc / "fd").iterdir():
        if int(each.name) > 2 and int(each.name) not in allowed:
            with contextlib.suppress(FileNotFoundError):
                target = str(each.readlink())
                if not target.startswith(HARMLESS):
                    return f"open: {target}"
    return ""


def open_descriptors() -> frozenset[int]:
    """Return the descriptors that are open; at a program's start those are what it was given."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return frozenset()
    # What the folder itself was read by is listed too, and closed by now.
    return frozenset(int(each.name) for each in list(folder.iterdir()) if each.exists() or each.is_symlink())
