import subprocess
from pathlib import Path

import pytest

from bench import disks
from bench.disks import limited_disks

ok, reason = disks.allowed()
needed = pytest.mark.skipif(not ok, reason=f"no limited disks: {reason}")

#: bytes that are written and read, and their rate
SIZE, RATE = 10_000_000, "5MB"
WRITE = "dd if=/dev/zero of={folder}/file bs={size} count=1 status=none && df --output=target {folder} | tail -1"


def written(made):
    """Write a file by the prefix; return how long it took, and what the disk is mounted on."""
    command = WRITE.format(size=SIZE, folder=made.folder)
    # the time is that of the command alone: making the disk is not part of it
    start = f"start=$(date +%s.%N); out=$({command}); echo $(date +%s.%N) $start $out"
    done = subprocess.run([*made.prefix, "sh", "-ec", start], capture_output=True, text=True, check=True)
    end, began, target = done.stdout.split()
    return float(end) - float(began), target


@needed
def test_what_a_process_writes_takes_as_long_as_the_rate_says():
    with limited_disks(RATE) as made:
        seconds, target = written(made)
    # a disk of its own, and no quicker than its limit, less what may pass in the first moment
    assert target == str(made.folder)
    assert seconds > 0.7 * SIZE / 5e6


@needed
def test_each_command_has_a_disk_of_its_own_and_nothing_stays_behind():
    with limited_disks("1GB") as made:
        for _ in range(2):
            count = f"ls {made.folder} | grep -c file || true; touch {made.folder}/file"
            done = subprocess.run([*made.prefix, "sh", "-ec", count], capture_output=True, text=True, check=True)
            assert done.stdout == "0\n"
        assert list(made.folder.iterdir()) == []
        group = Path(made.prefix[-2])
        assert group.is_dir()
    assert not made.folder.parent.exists()
    assert not group.exists()


@needed
def test_a_group_whose_program_died_is_removed_by_the_next():
    dead = subprocess.Popen(["true"])
    dead.wait()
    group = Path(f"/sys/fs/cgroup/blkio/asafess-disk-{dead.pid}")
    group.mkdir()
    with limited_disks("1GB"):
        assert not group.exists()


def test_a_rate_of_nothing_is_refused():
    with pytest.raises(ValueError, match="rate='0MB'"), limited_disks("0MB"):
        pass


def test_where_a_tool_is_missing_it_is_named(monkeypatch):
    monkeypatch.setattr(disks, "_TOOLS", ("no-such-tool",))
    disks.allowed.cache_clear()
    assert disks.allowed() == (False, "no-such-tool not found: install util-linux and e2fsprogs")
    disks.allowed.cache_clear()
