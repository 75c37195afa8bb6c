"""Disks of a limited rate, one for each worker: an ext4 file system in a file, a loop device, the block layer's limit.

The limit is the kernel's (``blkio.throttle``), of reads and of writes. It holds for what a process itself hands to the
device, not for what the page cache writes later on; so the file system is mounted with ``sync``: a write returns when
the device has it. What was written lately is still read from the page cache, as on any machine with memory to spare.

Who may: root, where cgroups are of version 1 (in version 2 the limit has another interface, which is not built here).
`allowed()` tries it for real and gives the reason when it fails.

What must hold: nothing stays behind. Each worker mounts its disk in a mount namespace of its own, which the kernel
takes apart with the process, however it dies; the file has lost its name by then. The control groups of programs that
no longer live are removed by the next one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dask.utils import parse_bytes

from .processes import own_folder

_TOOLS = ("unshare", "losetup", "mount", "mkfs.ext4")
_GROUPS = Path("/sys/fs/cgroup/blkio")
_PREFIX = "asafess-disk-"
#: bytes of a disk; of them only those that are written take room
SIZE = 4 << 30

#: $1: folder of the file, $2: where to mount, $3: control group, $4: bytes per second; then the command
_MOUNTED = f"""
file=$(mktemp "$1/disk-XXXXXX")
truncate --size={SIZE} "$file"
mkfs.ext4 -q -F -O ^has_journal "$file"
device=$(losetup --find --show "$file")
rm "$file"
mount -o sync "$device" "$2"
losetup --detach "$device"  # once it is no longer mounted
number=$(cat "/sys/block/${{device##*/}}/dev")
for way in read write; do echo "$number $4" > "$3/blkio.throttle.${{way}}_bps_device"; done
echo $$ > "$3/cgroup.procs"
shift 4
exec "$@"
"""


@dataclass(frozen=True)
class Disks:
    """Disks that are there once somebody runs a command by the prefix."""

    #: where each process that is run by the prefix sees a disk of its own
    folder: Path
    #: command that runs the rest of its line with a disk
    prefix: list[str]


@contextmanager
def limited_disks(rate: str) -> Iterator[Disks]:
    """Provide disks that read and write so many bytes per second, such as "100MB"; one for each command."""
    nbytes = parse_bytes(rate)
    if nbytes < 1:
        raise ValueError(f"rate={rate!r}: give a positive number of bytes per second, such as '100MB'")
    _sweep_abandoned()
    group = _GROUPS / f"{_PREFIX}{os.getpid()}"
    with own_folder() as folder:
        where = folder / "disk"
        where.mkdir()
        group.mkdir(exist_ok=True)
        arguments = [str(folder), str(where), str(group), str(nbytes)]
        try:
            yield Disks(where, ["unshare", "--mount", "sh", "-ec", _MOUNTED, "sh", *arguments])
        finally:
            # somebody else of this process may still use it
            with suppress(OSError):
                group.rmdir()


def _sweep_abandoned() -> None:
    """Remove the control groups of processes that no longer live."""
    for group in _GROUPS.glob(f"{_PREFIX}*"):
        if not Path("/proc", group.name.removeprefix(_PREFIX)).exists():
            with suppress(OSError):
                group.rmdir()


@lru_cache(maxsize=1)
def allowed() -> tuple[bool, str]:
    """Say whether disks can be limited on this machine, and if not, why (one line)."""
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return False, f"{', '.join(missing)} not found: install util-linux and e2fsprogs"
    if not _GROUPS.is_dir():
        return False, f"{_GROUPS} is not there: limits are set through cgroups of version 1"
    try:
        with limited_disks("1GB") as disks:
            done = subprocess.run([*disks.prefix, "true"], capture_output=True, text=True)
    except OSError as error:
        return False, str(error)
    return done.returncode == 0, " ".join(done.stderr.split())
