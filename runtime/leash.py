"""
Started as a script before every child of the stack: it becomes the child's command, and ends when its parent does.

Without it a stack that is killed outright would leave its server and worker behind, and the port taken.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Bind this process to its parent, whose pid is the first argument, and become the command that follows."""
    parent, command = int(arguments[0]), arguments[1:]
    if not bind(parent, signal.SIGTERM):
        return
    # A shell starts what it sends to the background deaf to SIGINT, children inherit that, and a Prefect worker that
    # is deaf to SIGINT does not end on SIGTERM either.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - the stack's own command, no shell


def bind(parent: int, number: int) -> bool:
    """Let Linux send this process the signal `number` when its parent's thread ends; return whether it lives yet."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
        return os.getppid() == parent
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
