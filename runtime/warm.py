"""
A warm process: it has imported everything a flow run needs, and forks one child for each.

Importing costs a run several seconds of processor, a fork some milliseconds. The warm process has one thread and opens
nothing, so that a child starts from what a new interpreter would have read, and no lock, connection or event loop of
somebody else's comes along. Knows nothing of Prefect: what a child does is given to it.

A run has a pipe of its own, its *line*. On it come, as lines of text: from the child its pid as soon as it lives and,
before it leaves by itself, its exit status; from the warm process how it really ended, or that it refuses. The pipe's
end is the end of the run, also when the warm process has died meanwhile.
"""

import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn, Self

from runtime import leash
from runtime.fitness import unfit

HEADER = struct.Struct("!I")
BORN, LEFT, ENDED, REFUSED, READY = b"born", b"left", b"ended", b"refused", b"ready\n"
CHANGED = "the code has changed"
BUFFER_BYTES = 1 << 20
"""A job has to fit in as a whole; macOS would take 8 KB."""


class Gone(Exception):
    """The warm process can not take the run: it has ended, or does not listen."""


@dataclass(frozen=True)
class Job:
    """
    What a child is to do.

    Args:
        environment: the child's whole environment.
        folder: its working folder.
        output: whether it may write to what the warm process writes to; else its output is dropped.
    """

    environment: Mapping[str, str]
    folder: str
    output: bool


# -- the warm process -------------------------------------------------------------------------------------------------


def serve(
    control: socket.socket, *, act: Callable[[Job], int], current: Callable[[], bool], allowed: Collection[int] = ()
) -> None:
    """
    Take jobs from `control` and fork a child for each, until the other end is closed and the last child has ended.

    Returns in the warm process only; a child leaves the interpreter when `act` has returned.

    Args:
        control: each job comes with the writing end of its line.
        act: what a child does; its answer is the exit status.
        current: whether what was imported is still what the files say; if not, nothing is forked any more.
        allowed: descriptors that may be open, as `runtime.fitness.unfit` has it.
    """
    _Server(control, act, current, allowed).serve()


class _Server:
    def __init__(
        self,
        control: socket.socket,
        act: Callable[[Job], int],
        current: Callable[[], bool],
        allowed: Collection[int],
    ) -> None:
        self.control = control
        self.act = act
        self.current = current
        self.allowed = allowed
        self.lines: dict[int, int] = {}
        """Per living child the writing end of its line."""

    def serve(self) -> None:
        # Whoever asks us to end asks the worker too, and we end with it.
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        awake, wake = os.pipe()
        os.set_blocking(awake, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        # What is still to be written would be written by every child once more.
        sys.stdout.flush()
        sys.stderr.flush()
        self.control.sendall(READY)
        open_ = True
        while open_ or self.lines:
            ready, _, _ = select.select([self.control.fileno(), awake] if open_ else [awake], [], [])
            if awake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(awake, 4096)
                self._reap()
            if self.control.fileno() in ready:
                open_ = self._take([awake, wake])

    def _take(self, own: Sequence[int]) -> bool:
        """Take one job; return whether there may be more."""
        try:
            header, lines, _, _ = socket.recv_fds(self.control, HEADER.size, 1)
        except OSError:
            return False
        if not header or not lines:
            return False
        line = lines[0]
        os.set_inheritable(line, False)
        job = Job(**json.loads(self._exactly(HEADER.unpack(header)[0])))
        if not self.current():
            os.write(line, REFUSED + b" " + CHANGED.encode() + b"\n")
        elif reason := unfit(allowed=[*self.allowed, self.control.fileno(), *own, *self.lines.values(), line]):
            os.write(line, REFUSED + b" " + reason.encode() + b"\n")
        else:
            pid = os.fork()
            if pid == 0:
                self._be_born(job, line, own)
            self.lines[pid] = line
            return True
        os.close(line)
        return True

    def _exactly(self, size: int) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            part = self.control.recv(size - len(parts))
            if not part:
                raise EOFError("half a job")
            parts += part
        return bytes(parts)

    def _be_born(self, job: Job, line: int, own: Sequence[int]) -> NoReturn:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self.control.close()
            for each in [*own, *self.lines.values()]:
                os.close(each)
            os.write(line, BORN + b" %d\n" % os.getpid())
            status = self.act(job)
        except BaseException:  # noqa: BLE001 - nobody else is there to tell
            traceback.print_exc()
        finally:
            # The interpreter is not taken down: that would touch, and so copy, all that was imported.
            with contextlib.suppress(OSError):
                os.write(line, LEFT + b" %d\n" % status)
            os._exit(status)

    def _reap(self) -> None:
        while self.lines:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if (line := self.lines.pop(pid, None)) is not None:
                with contextlib.suppress(OSError):
                    os.write(line, ENDED + b" %d\n" % os.waitstatus_to_exitcode(status))
                os.close(line)


def end_with_parent(parent: int) -> None:
    """Let the system end this process when its parent, whose pid is `parent`, ends; leave at once when it has."""
    if not leash.bind(parent, signal.SIGKILL):
        os._exit(0)


def connection() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a new connection between a worker and its warm process."""
    ends = socket.socketpair()
    for each in ends:
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):  # the system's limit is lower: then it is what it is
                each.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
    return ends


# -- the worker's end -------------------------------------------------------------------------------------------------


class Warm:
    """
    The worker's hold on a warm process.

    Args:
        pid: of the warm process, a child of this one.
        control: our end of the connection.
    """

    def __init__(self, pid: int, control: socket.socket) -> None:
        self.pid = pid
        self.control = control
        control.setblocking(False)
        self.ready = False

    @classmethod
    def forked(cls, serve: Callable[[socket.socket], None], *, allowed: Collection[int] = ()) -> Self:
        """
        Fork the warm process off this one, which has imported everything: they share the memory of it.

        Raises:
            Gone: this process is not fit to be forked.
        """
        if reason := unfit(allowed=allowed):
            raise Gone(reason)
        ours, theirs = connection()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            theirs.close()
            return cls(pid, ours)
        status = 1
        try:
            ours.close()
            end_with_parent(parent)
            serve(theirs)
            status = 0
        except BaseException:  # noqa: BLE001 - it ends here; nobody else is there to tell
            traceback.print_exc()
        finally:
            os._exit(status)

    @classmethod
    def started(cls, module: str, *, folder: Path) -> Self:
        """
        Start a warm process from nothing, ``python -m <module> <descriptor> <parent>``; it is ready later.

        Raises:
            Gone: the system does not let it start now.
        """
        try:
            ours, theirs = connection()
        except OSError as error:
            raise Gone(f"it can not be started: {error}") from error
        try:
            with theirs:
                process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                    [sys.executable, "-m", module, str(theirs.fileno()), str(os.getpid())],
                    pass_fds=[theirs.fileno()],
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                )
        except OSError as error:
            ours.close()
            raise Gone(f"it can not be started: {error}") from error
        # We wait for it ourselves, by its pid.
        process.returncode = 0
        return cls(process.pid, ours)

    def check(self) -> None:
        """
        Note what has come: that it is ready, or that it has ended.

        Raises:
            Gone: it has ended; it is waited for.
        """
        try:
            said = self.control.recv(64)
        except BlockingIOError:
            return
        except OSError as error:
            self.end()
            raise Gone(str(error)) from error
        if not said:
            self.end()
            raise Gone("it has ended")
        self.ready = True

    def ask(self, job: Job) -> int:
        """
        Hand over a job; return the reading end of its line.

        Raises:
            Gone: the job was not handed over and will never be done.
        """
        message = json.dumps(asdict(job)).encode()
        message = HEADER.pack(len(message)) + message
        try:
            line, theirs = os.pipe()
        except OSError as error:
            self.end()
            raise Gone(str(error)) from error
        try:
            sent = socket.send_fds(self.control, [message], [theirs])
        except OSError as error:
            os.close(line)
            self.end()
            raise Gone(str(error)) from error
        finally:
            os.close(theirs)
        if sent != len(message):
            # It takes nothing any more; half a job is none.
            os.close(line)
            self.end()
            raise Gone(f"it took {sent} of {len(message)} bytes")
        return line

    def retire(self) -> bool:
        """Give it no more jobs, and let it end after its last child; return whether it has. Safe to repeat."""
        self.control.close()
        if self.pid:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                    return False
            self.pid = 0
        return True

    def end(self) -> None:
        """End it at once, and wait for it. Its children live on. Safe to repeat."""
        self.control.close()
        if self.pid:
            pid, self.pid = self.pid, 0
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


@dataclass
class Line:
    """What has come on the line of a run."""

    pid: int | None = None
    status: int | None = None
    """As of `subprocess`: negative for a signal."""
    refused: str = ""
    ended: bool = False
    _rest: bytes = b""

    def take(self, data: bytes) -> None:
        """Take what was read; nothing read is the end of the line."""
        if not data:
            self.ended = True
            if self.status is None:
                # The warm process is not there to say how it ended, and the child has not left by itself.
                self.status = -signal.SIGKILL
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            word, _, value = line.partition(b" ")
            match word:
                case b"born":
                    self.pid = int(value)
                case b"left":
                    self.status = int(value)
                case b"ended":
                    self.status, self.ended = int(value), True
                case _:
                    self.refused = value.decode("utf-8", "replace")
