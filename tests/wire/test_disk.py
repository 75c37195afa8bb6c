"""The rate of a disk, measured in a directory and nothing left there."""

import math

import pytest

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
