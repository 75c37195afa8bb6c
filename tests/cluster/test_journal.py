"""Traces of real clusters. What single lines say is tested beside `asafess.core.trace`."""

import asyncio
import logging

import pytest
from distributed.utils_test import captured_logger, gen_cluster
from helpers import Broken, blocks, compute, installed, move, moving_phase, until

import asafess
from asafess.core.replay import replay
from asafess.core.trace_reader import read
from asafess.optimizations.base import Optimization


class Codec(Optimization):
    """Knows what it costs, and acts on nothing."""

    name = "codec"

    def domain(self, rates):
        from asafess.core.domain import Domain, band

        return Domain(self.states, [band(0.5, 1.0)])

    def costs(self, sample):
        load = {"compute": 0.0, "communication": 0.0}
        for one in sample.scheduled:
            for axis in load:
                load[axis] += one.load.get(axis, 0.0)
        seconds, moving = load["compute"] / 1e9, load["communication"] / 1e8
        return {"off": seconds + moving, "on": 2 * seconds + 0.2 * moving}


def trace_in(path):
    trace = read(path.read_text(encoding="utf-8").splitlines())
    assert trace.damaged == 0
    return trace


async def phases(c, s):
    """Move, compute, move."""
    made, second = await blocks(c, s)
    for function in (move, compute, move):
        await c.gather(c.map(function, made, workers=[second], pure=False))
        await asyncio.sleep(0.15)  # the dwell


@gen_cluster(client=True)
async def test_a_program_is_traced_and_decided_the_same_again(c, s, a, b, tmp_path):
    path = tmp_path / "trace"
    plugin = await installed(c, s, ["null", Codec()], policy="alpha_beta")
    await asafess.trace(c, str(path))
    await phases(c, s)
    status = await asafess.status(c)
    assert status["trace"]["path"] == str(path)
    assert status["trace"]["dropped"] == 0
    await asafess.trace(c, None)
    assert (await asafess.status(c))["trace"] is None
    trace = trace_in(path)
    assert trace.settings["policy"] == "alpha_beta"
    assert [one.name for one in trace.declarations] == ["null", "codec"]
    assert [one.time for one in trace.moments] == [one["time"] for one in plugin.journal.story]
    assert [one.cause for one in trace.switches] == [one["cause"] for one in plugin.journal.switches]
    assert {one.optimization for one in trace.switches} == {"null", "codec"}
    assert {entry.kind for entry in trace.entries if entry not in trace.moments} == {"control", "state", "empty"}
    again = replay(trace)
    assert all(one.same for one in again.decided)
    assert [(one.time, one.after) for one in again.switches] == [(one.time, one.after) for one in trace.switches]
    # ended is ended
    await moving_phase(c, s)
    assert len(trace_in(path).moments) == len(trace.moments)


@gen_cluster(client=True)
async def test_what_a_person_does_is_traced_and_done_again(c, s, a, b, tmp_path):
    path = tmp_path / "trace"
    await installed(c, s, ["null", Codec()], trace=str(path), switches_per_minute=20, control={"codec": "shadow"})
    await phases(c, s)
    await asafess.pin(c, "null", "off")
    await phases(c, s)
    await asafess.auto(c, "codec")
    await asafess.reset(c)
    await phases(c, s)
    await asafess.auto(c, "null")
    await phases(c, s)
    await asafess.uninstall(c)
    trace = trace_in(path)
    assert len(trace.moments) >= 12
    controls = [dict(entry.of) for entry in trace.entries if getattr(entry, "kind", "") == "control"]
    assert controls == [{"null": "auto", "codec": "shadow"}, {"null": "off"}, {"codec": "auto"}, {"null": "auto"}]
    again = replay(trace)
    assert all(one.same for one in again.decided)


@gen_cluster(client=True)
async def test_a_trace_of_the_settings_begins_with_the_cluster_and_ends_with_the_installation(c, s, a, b, tmp_path):
    path = tmp_path / "trace"
    plugin = await installed(c, s, trace=str(path))
    assert plugin.journal.trace["path"] == str(path)
    await moving_phase(c, s)
    file = plugin.journal._trace
    await asafess.uninstall(c)
    assert plugin.journal.trace is None
    assert file._file.closed
    trace = trace_in(path)
    assert trace.moments[0].before == {"null": "off"}
    assert trace.switches[-1].cause == "uninstalled"
    # installed again it is another trace, in place of the first
    await installed(c, s, trace=str(path))
    await asafess.uninstall(c)
    assert trace_in(path).moments == []


@gen_cluster(client=True)
async def test_one_trace_at_a_time(c, s, a, b, tmp_path):
    plugin = await installed(c, s)
    await asafess.trace(c, str(tmp_path / "first"))
    first = plugin.journal._trace
    await asafess.trace(c, str(tmp_path / "second"))
    assert first._file.closed
    await moving_phase(c, s)
    await asafess.trace(c, None)
    assert trace_in(tmp_path / "first").moments == []
    assert len(trace_in(tmp_path / "second").moments) >= 1
    await asafess.trace(c, None)  # there is none: nothing happens


@gen_cluster(client=True)
async def test_a_path_that_can_not_be_written_is_a_mistake_of_the_caller_only(c, s, a, b, tmp_path):
    plugin = await installed(c, s)
    for path in (str(tmp_path / "missing" / "trace"), str(tmp_path), "a\0b", "~nobody_of_this_name/t"):
        with pytest.raises(ValueError, match="no trace can be written"):
            await asafess.trace(c, path)
        assert plugin.journal.trace is None
    for path in (5, True, b"x", "", ["a"]):
        with pytest.raises(ValueError, match="path of a trace must be text such as"):
            await asafess.trace(c, path)
    assert await moving_phase(c, s) == [1.0] * 4
    await asafess.trace(c, str(tmp_path / "t"))
    with pytest.raises(ValueError, match="no trace can be written"):
        await asafess.trace(c, str(tmp_path))
    assert plugin.journal.trace["path"] == str(tmp_path / "t")  # that goes on
    await asafess.trace(c, str(tmp_path / "t"))  # anew
    await moving_phase(c, s)
    await asafess.trace(c, None)
    assert len(trace_in(tmp_path / "t").moments) >= 1
    assert plugin.fault is None


@gen_cluster(client=True)
async def test_a_setting_that_can_not_be_written_is_said_and_stops_nothing(c, s, a, b, tmp_path):
    with captured_logger("asafess.scheduler", level=logging.WARNING) as log:
        plugin = await installed(c, s, trace=str(tmp_path / "missing" / "trace"))
        assert await moving_phase(c, s) == [1.0] * 4
    assert "writes no trace" in log.getvalue()
    assert plugin.fault is None
    assert plugin.controller.state.states == {"null": "on"}


@gen_cluster(client=True)
async def test_a_disk_that_fails_ends_the_trace_and_nothing_else(c, s, a, b, tmp_path):
    path = tmp_path / "folder" / "trace"
    path.parent.mkdir()
    plugin = await installed(c, s, trace=str(path), trace_size="10kB")
    path.unlink()
    path.parent.rmdir()
    with captured_logger("asafess.scheduler", level=logging.WARNING) as log:
        for _ in range(100):
            await moving_phase(c, s)
            if plugin.journal._trace._failed:
                break
        await moving_phase(c, s)
    assert log.getvalue().count("\n") == 1
    assert f"the trace {path} ends here" in log.getvalue()
    assert plugin.journal.trace["dropped"] >= 1
    assert plugin.fault is None
    await asafess.uninstall(c)


@gen_cluster(client=True)
async def test_a_fault_leaves_a_readable_trace(c, s, a, b, tmp_path):
    path = tmp_path / "trace"
    plugin = await installed(c, s, ["null", Broken("counters")], trace=str(path))
    await until(lambda: plugin.fault)
    assert await moving_phase(c, s) == [1.0] * 4
    await asafess.uninstall(c)
    trace = trace_in(path)
    assert trace.moments == []
    assert all(switch.after == "off" for switch in trace.switches)
