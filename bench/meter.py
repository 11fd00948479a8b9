"""What work costs: CPU seconds by the kernel's own books, memory at its peak. Wall time stands beside it only."""

import os
import resource
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def cpu_of_this() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def peak_of_this() -> int:
    """Return the most memory that this process has had resident, in bytes."""
    # Not `ru_maxrss`: that one begins with what the process that started this one had.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) * 1024


def cpu_of_tree(pid: int) -> float:
    """
    Return the CPU seconds of a process, of its living descendants, and of those it has waited for.

    To the kernel's tick (10 ms): for a database server, whose books are asked before and after a round.
    """
    return sum(_ticks(each) for each in family_of(pid)) / TICK


def family_of(pid: int) -> set[int]:
    """Return a process and its living descendants."""
    parents = _parents()
    family, found = [pid], {pid}
    while family:
        above = family.pop()
        children = {each for each, parent in parents.items() if parent == above} - found
        found |= children
        family += children
    return found


def _parents() -> dict[int, int]:
    return {
        int(folder.name): int(fields[1])
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and (fields := _fields(int(folder.name)))
    }


def _ticks(pid: int) -> int:
    fields = _fields(pid)
    return sum(int(each) for each in fields[11:15]) if fields else 0


def _fields(pid: int) -> list[str]:
    """Return what ``/proc/<pid>/stat`` says behind the name: state, parent, …; nothing when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
