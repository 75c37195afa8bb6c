"""The rate of a disk, measured in a directory and nothing left there."""

import math
import threading

import pytest
from distributed.utils_test import gen_cluster

from asafess.wire import disk


def test_the_rate_is_one_of_a_disk_and_nothing_is_left_behind(tmp_path):
    assert 1e5 < disk.rate(str(tmp_path)) < math.inf
    assert list(tmp_path.iterdir()) == []


def test_all_bytes_are_written_and_read_back(tmp_path, monkeypatch):
    moved = {"written": 0, "read": 0}
    make = disk.tempfile.TemporaryFile

    class Counted:
        def __init__(self, **given):
            self.file = make(**given)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, data):
            moved["written"] += (count := self.file.write(data[: 5 << 20]))  # as a system may: not all at once
            return count

        def read(self, count):
            moved["read"] += len(data := self.file.read(count))
            return data

        def fileno(self):
            return self.file.fileno()

        def seek(self, where):
            return self.file.seek(where)

    monkeypatch.setattr(disk.tempfile, "TemporaryFile", Counted)
    disk.rate(str(tmp_path))
    assert moved == {"written": disk.RUNS * disk.SIZE, "read": disk.RUNS * disk.SIZE}


def test_a_directory_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        disk.rate(str(tmp_path / "nowhere"))


def counted(monkeypatch, rates):
    """Let directories have these rates; return those that were measured."""
    measured = []

    def rate(directory):
        measured.append(directory)
        return rates[directory]

    monkeypatch.setattr(disk, "rate", rate)
    monkeypatch.setattr(disk, "_known", {})
    return measured


def test_a_disk_is_measured_once_and_the_slowest_counts(monkeypatch):
    measured = counted(monkeypatch, {"a": 4.0, "b": 2.0, "c": 3.0})
    found = {"a", "b"}
    monkeypatch.setattr(disk, "directories", lambda: found)
    assert disk.of_workers() == disk.of_workers() == 2.0
    found = {"a", "c"}
    assert disk.of_workers() == 3.0
    assert sorted(measured) == ["a", "b", "c"]


def test_where_nothing_is_spilled_nothing_is_measured(monkeypatch):
    measured = counted(monkeypatch, {})
    monkeypatch.setattr(disk, "directories", set)
    assert disk.of_workers() is None
    assert not measured


def test_threads_that_measure_at_the_same_time_say_the_same(monkeypatch):
    both = threading.Barrier(2, timeout=10)
    rates = iter([2.0, 3.0])

    def rate(directory):
        both.wait()
        return next(rates)

    monkeypatch.setattr(disk, "rate", rate)
    monkeypatch.setattr(disk, "_known", {})
    monkeypatch.setattr(disk, "directories", lambda: {"a"})
    said = []
    threads = [threading.Thread(target=lambda: said.append(disk.of_workers())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 2
    assert said[0] == said[1]


@gen_cluster(nthreads=[("127.0.0.1", 1)] * 2, worker_kwargs={"memory_limit": "1GB"})
async def test_directories_are_those_of_workers_that_spill_and_are_there(s, a, b):
    assert {a.local_directory, b.local_directory} <= disk.directories()
    await a.close()
    assert a.local_directory not in disk.directories()
    assert b.local_directory in disk.directories()


@gen_cluster(nthreads=[("127.0.0.1", 1)], worker_kwargs={"memory_limit": 0})
async def test_a_worker_without_a_limit_has_no_disk(s, a):
    assert a.local_directory not in disk.directories()


def moved(nbytes, seconds):
    return {f"spill_{name}": one for name, one in zip(NAMES, (nbytes, seconds, nbytes, seconds / 9), strict=True)}


NAMES = ("written_bytes", "write_seconds", "read_bytes", "read_seconds")


def test_the_pace_of_a_disk_is_that_of_what_was_moved_lately():
    pace = disk.Pace(1e8)
    assert pace.rate(moved(disk.EVIDENCE - 1, 9.0)) is None
    assert pace.rate(moved(1e8, 0.9)) == pytest.approx(1e8)
    assert pace.rate(moved(1e8 + 1, 5.0)) is None
    # since then it has become slower: what was before does not count
    assert pace.rate(moved(2e8, 9.9)) == pytest.approx(1e7)


def test_a_way_that_is_not_known_is_as_it_was_measured_alone():
    pace = disk.Pace(5e7)
    found = pace.rate(moved(0.0, 0.0) | {"spill_written_bytes": 1e8, "spill_write_seconds": 1.0})
    assert found == pytest.approx(1 / (1e-8 + 1e-8))
