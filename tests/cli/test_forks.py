"""What a worker makes of a warm process that says nothing; the process is stood in for."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from cli.forks import Fork, Forks
from runtime.warm import Job, Warm, connection

JOB = Job(environment={}, folder="/", output=False)


class Silent(Warm):
    """Takes two jobs and hangs: the first one not begun, the second one's child not heard of before the end."""

    def __init__(self, control: socket.socket) -> None:
        super().__init__(0, control)
        self.ready = True
        self.lines: list[int] = []
        self.ends = 0

    def ask(self, job: Job) -> int:
        line, theirs = os.pipe()
        self.lines.append(theirs)
        return line

    def end(self) -> None:
        super().end()
        self.ends += 1
        if self.ends == 1:
            asyncio.get_running_loop().call_later(0.1, self._tell)

    def _tell(self) -> None:
        first, second = self.lines
        os.close(first)
        os.write(second, b"born 4194305\nleft 0\n")
        os.close(second)


@pytest.mark.parametrize("retired", [False, True])
def test_no_job_is_given_back_before_it_is_known_that_nobody_has_begun_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, retired: bool
) -> None:
    """Both time out at once; only one of them finds the warm process still in use, or none if it was replaced."""
    monkeypatch.setattr("cli.forks.BIRTH_SECONDS", 0.2)
    monkeypatch.setattr("cli.forks.RESTART_SECONDS", (3600,))

    async def born() -> list[Fork | None]:
        ours, theirs = connection()
        with theirs:
            forks = Forks(Silent(ours), tmp_path)
            forks.attach()
            both = [asyncio.create_task(forks.born(JOB)) for _ in range(2)]
            if retired:
                asyncio.get_running_loop().call_soon(forks._retire)
            first, second = await asyncio.wait_for(asyncio.gather(*both), timeout=10)
            forks.detach()
            return [first, second]

    first, second = asyncio.run(born())
    assert first is None
    assert second is not None
    assert second.pid == 4194305
