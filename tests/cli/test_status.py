"""What ``asafess status`` tells people."""

import json

import numpy as np
from distributed.utils_test import gen_cluster
from helpers import installed, moving_phase

import asafess
from asafess.cli.status import status_lines
from asafess.optimizations.null import Null


class Hungry(Null):
    name = "hungry"
    demands = {"on": {"watts": 80}}  # noqa: RUF012


class Told(Null):
    name = "told"

    def thresholds(self, rates):
        return {"alpha": 0.5, "beta": float("inf")}


@gen_cluster(client=True)
async def test_a_status_says_who_wants_what_and_what_holds_it_back(c, s, a, b):
    await installed(c, s, ["null", Hungry(), Told()], budgets={"watts": 50})
    nothing = "  policy wants: nothing yet, no task with a type has been seen"
    assert nothing in list(status_lines(await asafess.status(c)))
    await asafess.shadow(c, "told")
    await moving_phase(c, s)
    status = await asafess.status(c)
    told = "\n".join(status_lines(status))
    for line in (
        "workers that take states: 2 of 2; policy: work_function",
        "fault: none (0 counted)",
        "null: on (auto)",
        "hungry: off (auto)\n  policy wants: on\n  predicted gain of time: not known\n"
        "  held back by: budget watts: 80 of 50 wanted",
        "told: off (in shadow: it would be in on)",
        "  a switch costs: 0.05 s",
        "flop 1 Gflop/s, memory 1 GB/s, link 100 MB/s",
        "  thresholds: alpha 0.5, beta infinite",
        "trace: none",
    ):
        assert line in told, told
    assert f"switches: {status['counters']['switches']} (and " in told
    assert "null off -> on: " in told


class Odd(Null):
    """Says of its thresholds what users' code may say."""

    def __init__(self, name, found):
        super().__init__()
        self.name, self._found = name, found

    def thresholds(self, rates):
        return self._found


@gen_cluster(client=True)
async def test_thresholds_that_are_no_numbers_are_an_error_of_their_own(c, s, a, b):
    odd = {
        "scalar": {"alpha": np.float32(0.5), 3: np.int64(2)},
        "set": {"alpha": {1}},
        "list": [1, 2],
        "huge": {"alpha": 10**400},
        "text": {"alpha": "half"},
        "none": None,
    }
    await installed(c, s, [Odd(name, found) for name, found in odd.items()])
    status = await asafess.status(c)
    found = dict(status["thresholds"])
    assert json.loads(json.dumps(found.pop("scalar"))) == {"alpha": 0.5, "3": 2.0}
    assert len(found) == 5
    for name, one in found.items():
        assert set(one) == {"error"}, name
        assert f"  thresholds: error {one['error']}" in list(status_lines(status))


@gen_cluster(client=True)
async def test_a_status_shows_the_fault(c, s, a, b):
    plugin = await installed(c, s)
    plugin._fail("tick", "broken")
    assert next(line for line in status_lines(await asafess.status(c)) if "fault" in line) == (
        "fault: tick: broken (1 counted)"
    )
