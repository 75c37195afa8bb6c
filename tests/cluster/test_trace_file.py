import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from asafess.cluster import trace_file
from asafess.cluster.trace_file import TraceFile

HEADER = {"kind": "trace", "name": "ü"}


def content(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def close(trace):
    """Close, and wait for a disk however slow it is."""
    trace.close()
    ended(trace)


def ended(trace):
    """Wait until nothing is written any more."""
    trace._thread.join(10)
    assert not trace._thread.is_alive()


def test_closing_writes_everything_in_order(tmp_path):
    trace = TraceFile(tmp_path / "t", HEADER, 1e7)
    lines = [{"kind": "moment", "number": number, "name": "ü\udcff"} for number in range(5000)]
    for line in lines:
        trace.write(line)
    close(trace)
    assert content(tmp_path / "t") == [HEADER, *lines]
    assert (trace.written, trace.dropped) == (5000, 0)
    assert not (tmp_path / "t.1").exists()


def test_what_was_there_is_replaced_with_its_earlier_half(tmp_path):
    for name in ("t", "t.1"):
        (tmp_path / name).write_text("of another run\n")
    close(TraceFile(tmp_path / "t", HEADER, 1e7))
    assert content(tmp_path / "t") == [HEADER]
    assert not (tmp_path / "t.1").exists()


@pytest.mark.parametrize("limit", [1000, 2500, 10_000])
def test_a_rotated_trace_stays_within_its_limit_and_ends_with_the_last_lines(tmp_path, limit):
    path, earlier = tmp_path / "t", tmp_path / "t.1"
    trace = TraceFile(path, HEADER, limit)
    for number in range(1000):
        trace.write({"number": number, "filled": "x" * (number % 50)})
    close(trace)
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
    close(trace)
    for name in ("t", "t.1"):
        assert content(tmp_path / name)[1] == {**control, "time": 2.0, "of": {"a": "shadow", "b": "on"}}


def test_a_line_that_does_not_fit_the_limit_is_dropped(tmp_path):
    trace = TraceFile(tmp_path / "t", HEADER, 1000)
    lines = [{"number": 1}, {"long": "x" * 600}, {"number": 2}]
    for line in lines:
        trace.write(line)
    close(trace)
    assert content(tmp_path / "t") == [HEADER, lines[0], lines[2]]
    assert (trace.written, trace.dropped) == (2, 1)


def test_numbers_of_numpy_are_numbers(tmp_path):
    trace = TraceFile(tmp_path / "t", {"budget": np.float32(0.5)}, 1e6)
    trace.write({"cost": np.float64(0.25), "count": np.int64(3)})
    close(trace)
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


def _fill_the_disk(trace):
    """Let what a trace writes from now on go to a disk that is full."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, trace._file.fileno())
    os.close(full)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is full is a device of Linux")
def test_a_full_disk_ends_the_trace_with_one_warning(tmp_path, caplog):
    trace = TraceFile(tmp_path / "t", HEADER, 1e6)
    _fill_the_disk(trace)
    _fails_with_one_warning(trace, caplog)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a disk that is full is a device of Linux")
def test_a_disk_that_is_full_only_when_the_trace_is_closed_is_said_too(tmp_path, caplog):
    trace = TraceFile(tmp_path / "t", HEADER, 1e6)
    _fill_the_disk(trace)
    close(trace)
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
    close(trace)
    assert trace.written + trace.dropped == 100
    assert 10 <= trace.written <= 11  # one may have been on its way to the disk
    assert len(content(tmp_path / "t")) == 1 + trace.written


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a FIFO is a file of POSIX")
@pytest.mark.parametrize("name", ["t", "t.1"])
@pytest.mark.parametrize("kind", ["fifo", "folder", "device"])
def test_what_is_no_regular_file_is_refused_before_anything_is_changed(tmp_path, name, kind):
    other = tmp_path / ({"t", "t.1"} - {name}).pop()
    other.write_text("of another run")
    reader = None
    if kind == "folder":
        (tmp_path / name).mkdir()
    elif kind == "device":
        (tmp_path / name).symlink_to(os.devnull)
    else:
        os.mkfifo(tmp_path / name)
        reader = os.open(tmp_path / name, os.O_RDONLY | os.O_NONBLOCK)  # so that nobody waits in vain for one
    try:
        with pytest.raises(OSError, match=rf"{name} is (a directory|no regular file); name a path that is free"):
            TraceFile(tmp_path / "t", HEADER, 1e6)
    finally:
        if reader is not None:
            os.close(reader)
    assert other.read_text() == "of another run"
    assert not (tmp_path / name).is_file()


class Stuck(TraceFile):
    """On a disk that does not answer until it is told to."""

    answers = threading.Event()

    def _append(self, line):
        self.answers.wait(30)
        super()._append(line)


def test_closing_does_not_wait_for_a_disk_that_hangs_and_all_is_written_when_it_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(Stuck, "answers", threading.Event())
    trace = Stuck(tmp_path / "t", HEADER, 1e6)
    lines = [{"number": number} for number in range(100)]
    for line in lines:
        trace.write(line)
    before = time.monotonic()
    trace.close()
    assert time.monotonic() - before < 10  # the disk takes 30 s
    assert content(tmp_path / "t") == []
    with pytest.raises(OSError, match="is still being written; wait, or name another path"):
        TraceFile(tmp_path / "t", HEADER, 1e6)
    trace.answers.set()
    ended(trace)
    assert content(tmp_path / "t") == [HEADER, *lines]
    close(TraceFile(tmp_path / "t", HEADER, 1e6))
    assert content(tmp_path / "t") == [HEADER]


def test_the_end_of_the_process_waits_for_the_last_lines(tmp_path):
    code = """if True:
        import sys, time
        from asafess.cluster.trace_file import TraceFile
        class Slow(TraceFile):
            def _append(self, line):
                time.sleep(0.5)
                super()._append(line)
        trace = Slow(sys.argv[1], {}, 1e6)
        trace.write({"number": 1})
        trace.close()
        print(trace.written)
    """
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t")], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "0\n"
    assert content(tmp_path / "t") == [{}, {"number": 1}]
