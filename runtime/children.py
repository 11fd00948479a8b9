"""Processes that the stack starts: each leads a group of its own, so that it can be ended with all it started."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from runtime import leash

LOG_LIMIT_BYTES = 20 * 1024 * 1024
LOOK_SECONDS = 0.1


class Child:
    """
    A running process and its log.

    Args:
        name: what people call it, Chinese.
        command: program and arguments; the program by its full path.
        log: file that collects its output; an overlong one is put aside as ``….old`` first.

    The thread that creates a child must live as long as the child: on Linux the child ends with it.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        self.name = name
        self.log = log
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.old"))
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the stack's own command, no shell
                [sys.executable, "-I", leash.__file__, str(os.getpid()), *command],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def status(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float) -> bool:
        """Wait for its end, at most `seconds`; return whether it ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 16_384))
                return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
        except OSError as error:
            return f"({error.strerror})"

    def offspring(self) -> list[int]:
        """Return the pids of the other living processes in its group."""
        return [pid for pid in living_in_group(self.pid) if pid != self.pid]

    def kill(self) -> None:
        """End the whole group at once and without a word."""
        self._signal_group(signal.SIGKILL)
        self._process.wait()
        until(lambda: not self.offspring(), seconds=5)

    def end(self, seconds: float) -> None:
        """Ask the process to end, and kill its group when `seconds` have passed."""
        if self.status is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.send_signal(signal.SIGCONT)
            self.wait(seconds)
        self.kill()

    def end_after_offspring(self, *, patience: float, seconds: float) -> None:
        """
        End the process like `end`, but let what it started come to its own end first.

        It is halted meanwhile, so that it starts nothing new.

        Args:
            patience: seconds granted to what it started.
            seconds: seconds granted to the process itself afterwards.
        """
        if self.status is None:
            self._process.send_signal(signal.SIGSTOP)
            until(lambda: not self.offspring(), seconds=patience)
        self.end(seconds)

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            # macOS answers so for a group of nothing but zombies.
            return


def until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Look again and again until `condition` holds, at most `seconds`; return whether it does."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
    return held


def living_in_group(group: int) -> list[int]:
    """Return the pids of the processes in a process group, without zombies."""
    proc = Path("/proc")
    if (proc / "self" / "stat").exists():
        listed = [_from_proc(entry) for entry in proc.iterdir() if entry.name.isdigit()]
    else:
        output = subprocess.run(["/bin/ps", "-A", "-o", "pid=,pgid=,stat="], check=True, capture_output=True, text=True)
        listed = [(int(pid), int(of), state) for pid, of, state, *_ in map(str.split, output.stdout.splitlines())]
    return [pid for pid, of, state in listed if of == group and not state.startswith(("Z", "X"))]


def _from_proc(entry: Path) -> tuple[int, int, str]:
    try:
        # "pid (name) state parent group …"; the name may hold anything, also blanks and brackets.
        state, _parent, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return int(entry.name), 0, "X"
    return int(entry.name), int(group), state
