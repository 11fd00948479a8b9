"""Commands that run until they are stopped: how they end, and what they say."""

import os
import signal

import pytest
import typer

from cli.up import until_stopped
from policies.errors import Refused
from runtime.refusals import StackFailed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_the_orderly_end(capsys: pytest.CaptureFixture[str], number: signal.Signals) -> None:
    # Also under nohup.
    found, before, ended = signal.getsignal(number), signal.default_int_handler, list[bool]()
    signal.signal(number, before)
    with until_stopped("客堂已停止。"):
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            os.kill(os.getpid(), number)  # somebody who is impatient: the orderly stop goes on
            ended.append(True)
    assert ended == [True]
    assert capsys.readouterr() == ("客堂已停止。\n", "")
    assert signal.getsignal(number) is before
    signal.signal(number, found)


def test_a_hangup_that_was_to_be_ignored_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """As when it was started by ``nohup``, and its person logs out."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with until_stopped("客堂已停止。"):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert capsys.readouterr() == ("", "")


def test_what_does_not_start_and_what_is_refused_is_told_with_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    for failure in (StackFailed("端口 4200 已被别的程序占用。"), Refused("default", "政策已被改动")):
        with pytest.raises(typer.Exit) as ended, until_stopped("客堂已停止。"):
            raise failure
        assert ended.value.exit_code == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert str(failure) in said.err
