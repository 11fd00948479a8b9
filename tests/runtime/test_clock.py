"""The clock of a training system: moved by one process, seen by all, never backwards."""

from datetime import timedelta
from pathlib import Path

import pytest

from runtime.clock import SystemClock, TrainingClock
from runtime.resources import open_resources
from runtime.settings import Settings


def test_a_training_clock_that_is_moved_is_moved_for_everybody(tmp_path: Path) -> None:
    mine, theirs = (TrainingClock(file=tmp_path / "clock") for _ in range(2))
    before = theirs.now()
    assert abs(before - SystemClock().now()) < timedelta(seconds=5)
    mine.move_to(mine.now() + timedelta(days=10))
    assert timedelta(days=10) <= theirs.now() - before < timedelta(days=10, seconds=60)
    mine.move_to(mine.now() + timedelta(days=5))
    assert theirs.moved >= timedelta(days=15)


def test_a_training_clock_never_goes_back(tmp_path: Path) -> None:
    clock = TrainingClock(file=tmp_path / "clock")
    with pytest.raises(ValueError, match="back"):
        clock.move_to(clock.now() - timedelta(days=1))


def test_only_a_training_system_has_a_clock_that_can_be_moved(tmp_path: Path) -> None:
    for training, kind in ((False, SystemClock), (True, TrainingClock)):
        settings = Settings(_env_file=None, home=tmp_path, training=training)
        with open_resources(settings) as resources:
            assert type(resources.clock) is kind
