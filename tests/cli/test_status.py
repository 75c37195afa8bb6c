"""What ``asafess status`` tells people."""

import json

import numpy as np
from distributed.utils_test import gen_cluster
from helpers import installed, moving_phase, new_gates, until, waiting

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
    plugin = await installed(c, s, ["null", Hungry(), Told()], budgets={"watts": 50})
    nothing = "  its policy wants: nothing yet, no task with a type has been seen"
    assert nothing in list(status_lines(await asafess.status(c)))
    await asafess.shadow(c, "told")
    await moving_phase(c, s)
    await until(lambda: plugin.controller.idle)
    status = await asafess.status(c)
    told = "\n".join(status_lines(status))
    for line in (
        "workers that take states: 2 of 2; policy: work_function",
        "fault: none (0 counted)",
        "null: on (auto)",
        "hungry: off (auto)\n  for the last tasks its policy wanted: on\n"
        "  predicted time, compared with the first state: not known\n"
        "  then held back by: budget watts: 80 of 50 wanted",
        "now: nothing of a known type is scheduled; every state stays as it is until tasks come",
        "mode of the last tasks: ratio ",
        "  alpha, beta: of the ratio: efficient below alpha and not above beta",
        "told: off (in shadow: it would be in on)",
        "  a switch costs: 0.05 s",
        "rates: flop 1 Gflop/s, memory 1 GB/s (of a thread), link 100 MB/s (of a worker)",
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


def section(status, name):
    """The lines of one optimization."""
    lines = list(status_lines(status))
    begin = next(place for place, line in enumerate(lines) if line.startswith(f"{name}: "))
    return lines[begin : lines.index("", begin)]


@gen_cluster(client=True)
async def test_an_idle_cluster_keeps_what_was_pinned_and_says_so(c, s, a, b):
    plugin = await installed(c, s, ["null"], infer=[])  # of the program only what moves has a type
    await moving_phase(c, s)
    await until(lambda: plugin.controller.idle)
    assert section(await asafess.status(c), "null")[:2] == [
        "null: on (auto)",
        "  for the last tasks its policy wanted: on",
    ]
    await asafess.pin(c, "null", "off")
    assert section(await asafess.status(c), "null")[0] == "null: off (pinned)"
    await asafess.auto(c, "null")
    status = await asafess.status(c)
    assert (status["idle"], status["handed_over"]) == (True, {"null": "off"})
    assert section(status, "null")[:3] == [
        "null: off (auto)",
        "  nothing scheduled: stays as pinned until tasks come",
        "  for the last tasks its policy wanted: on",
    ]
    await asafess.shadow(c, "null")
    assert section(await asafess.status(c), "null")[:2] == [
        "null: off (in shadow: it would be in off)",
        "  nothing scheduled: what it would do shows when tasks come",
    ]
    await asafess.auto(c, "null")
    assert "  nothing scheduled: stays as in shadow until tasks come" in section(await asafess.status(c), "null")
    await moving_phase(c, s)
    assert (await asafess.status(c))["handed_over"] == {}  # its policy has decided


@gen_cluster(client=True)
async def test_while_tasks_run_it_is_said_what_the_policy_wants_now(c, s, a, b):
    plugin = await installed(c, s, ["null"])
    begun, may_end = new_gates()
    data = await c.scatter(b"x" * 1000, workers=[a.address])
    running = c.submit(waiting, data, workers=[b.address])
    await begun.wait()
    await until(lambda: not plugin.controller.idle)
    lines = list(status_lines(await asafess.status(c)))
    assert "now: tasks are scheduled, and decided on" in lines
    assert any(line.startswith("  its policy wants: ") for line in lines)
    may_end.set()
    await running


@gen_cluster(client=True)
async def test_after_a_reset_nothing_is_told_of_before(c, s, a, b):
    await installed(c, s, ["null"])
    await moving_phase(c, s)
    await asafess.reset(c)
    assert (await asafess.status(c))["decisions"] == {}
