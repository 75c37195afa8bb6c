"""Shaped links on one machine: network namespaces, veth pairs, one bridge, ``tc tbf``.

Each namespace has an address of its own. A veth pair joins it to a bridge; both ends are shaped, so the rate holds
for what a namespace sends and for what it receives, as a full-duplex cable does. The calling program stays where it
is, at the bridge's own address, and is not limited itself. Not covered here: clusters (`links.py`) and what a link
really carries (``python -m bench.link_speed``).

Who may: root; or anybody where unprivileged user namespaces are on, by `enter()`, which starts the program again
inside one. `allowed()` tries it for real and gives the reason when it fails.

What must hold: nothing stays behind. Names and addresses belong to a *slot*, held by an abstract socket that the
kernel frees when the process dies, however it dies. Whoever builds links first removes what carries the names of slots
that nobody holds.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

_TOOLS = ("ip", "tc", "unshare", "nsenter")
_UNITS = {"kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_ENTERED = "ASAFESS_BENCH_INSIDE_NAMESPACE"
#: queueing delay at which a shaped end drops packets, milliseconds
LATENCY_MS = 50
_SLOTS = range(200)


def bits_per_second(rate: str) -> float:
    """Return a rate as `tc` writes it in bit/s.

    >>> bits_per_second("1gbit"), bits_per_second("2.5mbit")
    (1000000000.0, 2500000.0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(kbit|mbit|gbit)", rate.strip().lower())
    if match is None or float(match[1]) == 0:
        raise ValueError(f"rate={rate!r}: give a positive number and a unit of {', '.join(_UNITS)}, such as '1gbit'")
    return float(match[1]) * _UNITS[match[2]]


def burst_bytes(rate: str) -> int:
    """Return the bucket of `tbf` for a rate: two milliseconds of it, at least two of the largest packets.

    Smaller buckets starve between two ticks of the clock and cut the 64 KiB packets that veth carries; much larger
    ones let whole messages pass unshaped.

    >>> burst_bytes("1gbit"), burst_bytes("100mbit")
    (250000, 131072)
    """
    return max(131072, int(bits_per_second(rate) * 0.002 / 8))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"`{' '.join(command)}` failed: {(done.stderr or done.stdout).strip() or done.returncode}")


def _try_links() -> str:
    """Return "" if this process may build links where it is, else the reason."""
    name = f"asafess-try-{os.getpid()}"
    try:
        _run("ip", "netns", "add", name)
        _run("ip", "-n", name, "link", "add", "try0", "type", "veth", "peer", "name", "try1")
        _run("tc", "-n", name, "qdisc", "add", "dev", "try0", "root", *tbf("1gbit"))
        _run("ip", "link", "add", f"asft{os.getpid()}", "type", "bridge")
    except OSError as error:
        return str(error)
    finally:
        for left in (("netns", "del", name), ("link", "del", f"asft{os.getpid()}")):
            subprocess.run(["ip", *left], capture_output=True)
    return ""


_INSIDE = ("unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-ec")
# /run is covered because `ip netns` keeps its names there and only root may write to it
_PREPARE = "mount -t tmpfs none /run; ip link set lo up; "


@lru_cache(maxsize=1)
def _place() -> tuple[str, str]:
    """Return where links can be built, "here", "inside" (a user namespace) or "nowhere", and why not here."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return "nowhere", f"{', '.join(missing)} not found: install iproute2 and util-linux"
    if not (here := _try_links()):
        return "here", ""
    probe = (
        _PREPARE + "ip netns add t; ip -n t link add try0 type veth peer name try1; tc -n t qdisc add dev try0 root "
    )
    done = subprocess.run([*_INSIDE, probe + " ".join(tbf("1gbit"))], capture_output=True, text=True)
    if done.returncode == 0:
        return "inside", here
    return "nowhere", f"{here}; in a user namespace: {done.stderr.strip() or done.returncode}"


def allowed() -> tuple[bool, str]:
    """Say whether shaped links can be had on this machine, and if not, why (one line).

    Where they need a user namespace, `enter()` must have been called first; the reason then says so.
    """
    place, reason = _place()
    if place == "inside":
        return False, f"call bench.links.enter() first, as an unprivileged user ({reason})"
    return place == "here", " ".join(reason.split())


def enter() -> None:
    """Start this program again inside a user namespace if that is what shaped links need here; else do nothing.

    Call it first thing in a program: what it did before is lost, as the process is replaced. Inside, the outside
    network can't be reached.
    """
    if _place()[0] == "inside" and _ENTERED not in os.environ:
        _reexec(sys.orig_argv[1:])


def _reexec(arguments: Sequence[str]) -> NoReturn:
    os.environ[_ENTERED] = "1"
    os.execvp(_INSIDE[0], [*_INSIDE, _PREPARE + 'exec "$@"', "sh", sys.executable, *arguments])


def tbf(rate: str) -> tuple[str, ...]:
    bits = f"{bits_per_second(rate):.0f}bit"
    return ("tbf", "rate", bits, "burst", str(burst_bytes(rate)), "latency", f"{LATENCY_MS}ms")


@dataclass(frozen=True)
class Links:
    """Namespaces joined by a bridge."""

    #: the bridge's address, where scheduler and client are
    root: str
    #: address of each namespace
    hosts: list[str]
    #: command that runs the rest of its line inside each namespace
    prefixes: list[list[str]]


def _hold(slot: int) -> socket.socket | None:
    """Return the lock of a slot, None while another process has it."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        lock.bind(f"\0asafess-links-{slot}")
    except OSError:
        lock.close()
        return None
    return lock


def _slot() -> tuple[int, socket.socket]:
    for number in _SLOTS:
        if lock := _hold(number):
            return number, lock
    raise OSError(f"all {len(_SLOTS)} slots for shaped clusters are taken on this machine: stop some of them")


def _sweep_abandoned() -> None:
    """Remove what processes that no longer live have left behind."""
    names = [*_listed("netns", "list"), *(device.name for device in Path("/sys/class/net").iterdir())]
    for slot in {int(match[1]) for name in names if (match := re.match(r"(?:asafess|asf)(\d+)(?:w\d+)?$", name))}:
        if lock := _hold(slot):
            with lock:
                _sweep(slot)


def _listed(*command: str) -> list[str]:
    listed = subprocess.run(["ip", *command], capture_output=True, text=True).stdout
    return [line.split()[0] for line in listed.splitlines()]


def _sweep(slot: int) -> None:
    """Remove everything that carries the names of a slot, processes included."""
    for name in _listed("netns", "list"):
        if name.startswith(f"asafess{slot}w"):
            for pid in _listed("netns", "pids", name):
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
    # the root ends of the pairs vanish with the other ends, but only when the last process inside has gone
    for device in Path("/sys/class/net").glob(f"asf{slot}w*"):
        subprocess.run(["ip", "link", "del", device.name], capture_output=True)
    subprocess.run(["ip", "link", "del", f"asafess{slot}"], capture_output=True)


@contextmanager
def bridged(n: int, rate: str | None) -> Iterator[Links]:
    """Build `n` namespaces behind one bridge; shape both ends of each pair to `rate` (None leaves them as they are)."""
    if not 1 <= n <= 200:
        raise ValueError(f"n={n!r}: a bridge joins 1 to 200 namespaces")
    shaping = None if rate is None else tbf(rate)
    _sweep_abandoned()
    slot, lock = _slot()
    bridge, net = f"asafess{slot}", f"10.78.{slot}"
    made = Links(f"{net}.1", [], [])
    with ExitStack() as stack:
        stack.callback(lock.close)
        stack.callback(_sweep, slot)
        _run("ip", "link", "add", bridge, "type", "bridge")
        _run("ip", "addr", "add", f"{net}.1/24", "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        for i in range(n):
            name, outer, host = f"asafess{slot}w{i}", f"asf{slot}w{i}", f"{net}.{i + 2}"
            _run("ip", "netns", "add", name)
            _run("ip", "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", name)
            _run("ip", "link", "set", outer, "master", bridge, "up")
            _run("ip", "-n", name, "addr", "add", f"{host}/24", "dev", "eth0")
            _run("ip", "-n", name, "link", "set", "eth0", "up")
            _run("ip", "-n", name, "link", "set", "lo", "up")
            if shaping:
                _run("tc", "qdisc", "add", "dev", outer, "root", *shaping)
                _run("tc", "-n", name, "qdisc", "add", "dev", "eth0", "root", *shaping)
            made.hosts.append(host)
            made.prefixes.append(["nsenter", f"--net=/run/netns/{name}"])
        yield made
