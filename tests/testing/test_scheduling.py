"""Halves in the scheduler that break the contract, each in one way."""

import flawed
import pytest

from asafess.testing.scheduling import check_scheduler


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (flawed.KeepsSaturation(), r"the scheduler's WORKER_SATURATION was 1\.1 and is 5\.0"),
        (flawed.KeepsMethod(), "the scheduler's method check_idle_saturated was"),
        (flawed.KeepsHandler(), "the scheduler's stream handler mine was not there"),
        (
            flawed.KeepsCallback(),
            "the scheduler's periodic callback worker-ttl was every .* running and is .* stopped",
        ),
        (flawed.SchedulerLoad({"waiting": -1.0}), "must not be negative"),
        (flawed.SchedulerLoad({"waiting": float("nan")}), "must map axes to finite numbers"),
        (flawed.SchedulerLoad({}, changes=True), "must change nothing, but the scheduler's WORKER_SATURATION"),
        (flawed.LateLoad(), r"in_scheduler\.scheduler_load\(\) must not raise"),
    ],
)
def test_the_half_in_the_scheduler(client, broken, says):
    with pytest.raises(AssertionError, match=says):
        check_scheduler(client, broken)
