import json
import logging
import os
import shutil
import sys
import threading

import numpy as np
import pytest

from asafess.cluster import trace_file
from asafess.cluster.trace_file import TraceFile

HEADER = {"kind": "trace", "name": "ü"}


def content(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ended(trace):
    """Wait until nothing is written any more."""
    trace._thread.join(10)
    assert not trace._thread.is_alive()


def test_closing_writes_everything_in_order(tmp_path):
    trace = TraceFile(tmp_path / "t", HEADER, 1e7)
    lines = [{"kind": "moment", "number": number, "name": "ü\udcff"} for number in range(5000)]
    for line in lines:
        trace.write(line)
    trace.close()
    assert content(tmp_path / "t") == [HEADER, *lines]
    assert (trace.written, trace.dropped) == (5000, 0)
    assert not (tmp_path / "t.1").exists()


def test_what_was_there_is_replaced_with_its_earlier_half(tmp_path):
    for name in ("t", "t.1"):
        (tmp_path / name).write_text("of another run\n")
    TraceFile(tmp_path / "t", HEADER, 1e7).close()
    assert content(tmp_path / "t") == [HEADER]
    assert not (tmp_path / "t.1").exists()


@pytest.mark.parametrize("limit", [1000, 2500, 10_000])
def test_a_rotated_trace_stays_within_its_limit_and_ends_with_the_last_lines(tmp_path, limit):
    path, earlier = tmp_path / "t", tmp_path / "t.1"
    trace = TraceFile(path, HEADER, limit)
    for number in range(1000):
        trace.write({"number": number, "filled": "x" * (number % 50)})
    trace.close()
    assert path.stat().st_size + earlier.stat().st_size <= limit
    first, second = content(earlier), content(path)
    assert first[0] == second[0] == HEADER
    numbers = [line["number"] for line in first[1:] + second[1:]]
    assert numbers == list(range(numbers[0], 1000))
    assert earlier.stat().st_size > limit / 2 - 200  # no emptier than it must be


def test_each_file_begins_with_who_is_in_charge(tmp_path):
    trace = TraceFile(tmp_path / "t", HEADER, 2000)
    control = {"kind": "event", "event": "control", "time": 1.0, "of": {"a": "auto", "b": "on"}}
    trace.write(control)
    trace.write({**control, "time": 2.0, "of": {"a": "shadow"}})
    for number in range(1000):
        trace.write({"number": number})
    trace.close()
    for name in ("t", "t.1"):
        assert content(tmp_path / name)[1] == {**control, "time": 2.0, "of": {"a": "shadow", "b": "on"}}


def test_a_line_that_does_not_fit_the_limit_is_dropped(tmp_path):
    trace = TraceFile(tmp_path / "t", HEADER, 1000)
    lines = [{"number": 1}, {"long": "x" * 600}, {"number": 2}]
    for line in lines:
        trace.write(line)
    trace.close()
    assert content(tmp_path / "t") == [HEADER, lines[0], lines[2]]
    assert (trace.written, trace.dropped) == (2, 1)


def test_numbers_of_numpy_are_numbers(tmp_path):
    trace = TraceFile(tmp_path / "t", {"budget": np.float32(0.5)}, 1e6)
    trace.write({"cost": np.float64(0.25), "count": np.int64(3)})
    trace.close()
    assert content(tmp_path / "t") == [{"budget": 0.5}, {"cost": 0.25, "count": 3}]


@pytest.mark.parametrize("path", ["missing/t", ".", "a\0b", "~nobody_of_this_name/t"])
def test_a_path_that_can_not_be_opened_is_an_error_at_once(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    before = threading.active_count()
    with pytest.raises(OSError, match=r"missing|directory|no path"):
        TraceFile(path, HEADER, 1e6)
    assert threading.active_count() == before


def _fails_with_one_warning(trace, caplog, lines=50):
    for number in range(lines):
        trace.write({"number": number})
    ended(trace)
    trace.write({"number": lines})
    trace.close()
    [record] = [record for record in caplog.records if record.name == "asafess.scheduler"]
    assert record.levelno == logging.WARNING
    assert f"the trace {trace.path} ends here" in record.getMessage()
    assert trace.dropped >= 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is full is a device of Linux")
def test_a_full_disk_ends_the_trace_with_one_warning(tmp_path, caplog):
    (tmp_path / "t").symlink_to("/dev/full")
    _fails_with_one_warning(TraceFile(tmp_path / "t", HEADER, 1e6), caplog)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is full is a device of Linux")
def test_a_disk_that_is_full_only_when_the_trace_is_closed_is_said_too(tmp_path, caplog):
    (tmp_path / "t").symlink_to("/dev/full")
    trace = TraceFile(tmp_path / "t", HEADER, 1e6)
    trace.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@pytest.mark.skipif(sys.platform == "win32", reason="an open file can't be removed there")
def test_a_folder_that_is_gone_ends_the_trace_with_one_warning(tmp_path, caplog):
    folder = tmp_path / "folder"
    folder.mkdir()
    trace = TraceFile(folder / "t", HEADER, 1000)
    shutil.rmtree(folder)
    _fails_with_one_warning(trace, caplog, lines=200)


def test_a_line_that_can_not_be_written_ends_the_trace_with_one_warning(tmp_path, caplog):
    trace = TraceFile(tmp_path / "t", HEADER, 1e6)
    trace.write({"number": 1})
    trace.write({"what": object()})
    _fails_with_one_warning(trace, caplog)
    assert content(tmp_path / "t") == [HEADER, {"number": 1}]


def test_lines_that_the_disk_does_not_keep_up_with_are_dropped_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(trace_file, "LONGEST_QUEUE", 10)
    slow = threading.Event()

    class Slow(TraceFile):
        def _append(self, line):
            slow.wait(10)
            super()._append(line)

    trace = Slow(tmp_path / "t", HEADER, 1e6)
    for number in range(100):
        trace.write({"number": number})
    slow.set()
    trace.close()
    assert trace.written + trace.dropped == 100
    assert 10 <= trace.written <= 11  # one may have been on its way to the disk
    assert len(content(tmp_path / "t")) == 1 + trace.written
