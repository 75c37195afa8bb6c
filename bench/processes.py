"""Real Dask processes: one scheduler and some workers, each where a given command prefix puts it.

What must hold: a process that dies while the cluster starts is an error that shows the end of its log; leaving the
block ends every process and removes its files; if this program is killed outright, the kernel ends them, and the next
program removes the files.
Workers run without a nanny (`client.restart()` needs one and is not measured here), so what the nanny would put into
their environment, one BLAS thread above all, is put there by us.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: seconds that a cluster may take to start
START_DEADLINE = 60.0
#: seconds that its processes have to end by themselves
STOP_DEADLINE = 3.0
_PREFIX = "asafess-bench-"
_TAIL = 2000  # characters of a log that go into an error


@dataclass
class Cluster:
    """A running cluster, whatever joins its workers."""

    #: of the scheduler, such as ``tcp://10.78.0.1:40001``
    address: str
    #: addresses of the workers, in the order of their names 0, 1, …
    workers: list[str]
    #: number of threads of each worker
    threads: int
    #: where the logs are while the cluster runs
    folder: Path
    _about: dict[str, Any] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Return what a reader of a measurement must know of this cluster, for its JSON file."""
        return {"workers": len(self.workers), "threads_per_worker": self.threads, "nanny": False, **self._about}

    def log(self, name: str) -> str:
        """Return what a process has logged so far: "scheduler" or "worker-0" and so on."""
        return (self.folder / f"{name}.log").read_text(errors="replace")


def worker_environment(env: Mapping[str, str] | None) -> dict[str, str]:
    """Return this process's environment, what Dask's nanny sets before it starts a worker, then `env`."""
    import dask
    import distributed  # noqa: F401  (its import loads the defaults read below)

    set_before = dask.config.get("distributed.nanny.pre-spawn-environ")
    return {**os.environ, **{k: str(v) for k, v in set_before.items()}, **(env or {})}


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> Callable[[], None] | None:
    """Return a hook for the child that asks the kernel to end it when we end.

    Only from the main thread: the kernel watches the *thread* that forked, and another one may end long before us.
    """
    if threading.current_thread() is not threading.main_thread():
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    set_parent_death_signal = 1
    return lambda: prctl(set_parent_death_signal, signal.SIGKILL)


def _start(command: Sequence[str], log: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        # a session of its own: Ctrl-C goes to us alone, and we stop the children in order
        return subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=dict(env),
            start_new_session=True,
            preexec_fn=_die_with_parent(),
        )


def _stop(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """End the workers, then the scheduler: told together, each waits for the other to close the connection."""
    for wave in (list(processes)[1:], list(processes)[:1]):
        for name in wave:
            processes[name].terminate()
        deadline = time.monotonic() + STOP_DEADLINE
        for name in wave:
            with suppress(subprocess.TimeoutExpired):
                processes[name].wait(max(0.0, deadline - time.monotonic()))
            # the group too: a worker may have started processes of its own
            with suppress(ProcessLookupError):
                os.killpg(processes[name].pid, signal.SIGKILL)
            processes[name].wait()


def _wait(address: str, n_workers: int, processes: Mapping[str, subprocess.Popen[bytes]], folder: Path) -> list[str]:
    """Return the workers' addresses once all are there."""
    from distributed import Client

    deadline = time.monotonic() + START_DEADLINE

    def check() -> None:
        for name, process in processes.items():
            if process.poll() is not None:
                tail = (folder / f"{name}.log").read_text(errors="replace")[-_TAIL:]
                raise RuntimeError(f"{name} ended with status {process.returncode} while it started; its log:\n{tail}")
        if time.monotonic() > deadline:
            tails = "\n".join(f"{n}: {(folder / f'{n}.log').read_text(errors='replace')[-400:]}" for n in processes)
            raise TimeoutError(f"{n_workers} workers not there after {START_DEADLINE:.0f} s; their logs:\n{tails}")

    host, _, port = address.removeprefix("tcp://").rpartition(":")
    while True:  # a plain connect first: a Client that can't connect waits on, and would hide a scheduler that died
        check()
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            break
        time.sleep(0.02)
    with Client(address, set_as_default=False) as client:  # type: ignore[no-untyped-call]
        while True:
            check()
            with suppress(OSError):  # a connection may break on a busy machine; a scheduler that died is found above
                found = client.scheduler_info(n_workers=-1)["workers"]
                if len(found) >= n_workers:
                    return sorted(found, key=lambda a: int(found[a]["name"]))
            time.sleep(0.05)


@contextmanager
def own_folder() -> Iterator[Path]:
    """Yield a folder of our own, and remove those of programs that were killed.

    Whoever holds the lock in a folder lives: the kernel drops it when the process dies.
    """
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/lock"):
        with suppress(OSError), old.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old.parent, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=_PREFIX))
    # locked before it is called lock, so that nobody finds it free
    with (made / "new").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (made / "new").rename(made / "lock")
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


@contextmanager
def dask_processes(
    scheduler_host: str,
    worker_hosts: Sequence[str],
    prefixes: Sequence[Sequence[str]],
    threads: int,
    scheduler_args: Sequence[str] = (),
    worker_args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    about: Mapping[str, Any] | None = None,
) -> Iterator[Cluster]:
    """Start a scheduler on `scheduler_host` and one worker on each of `worker_hosts`, run by the prefix beside it."""
    if threads < 1 or not worker_hosts:
        raise ValueError(f"{len(worker_hosts)} workers × {threads} threads: at least one worker and one thread each")
    with own_folder() as folder:
        processes: dict[str, subprocess.Popen[bytes]] = {}
        environment = worker_environment(env)
        port = _free_port(scheduler_host)
        address = f"tcp://{scheduler_host}:{port}"
        python = [sys.executable, "-m"]
        try:
            where = ["--host", scheduler_host, "--port", str(port), "--no-dashboard"]
            command = [*python, "distributed.cli.dask_scheduler", *where, *scheduler_args]
            processes["scheduler"] = _start(command, folder / "scheduler.log", environment)
            for i, (host, prefix) in enumerate(zip(worker_hosts, prefixes, strict=True)):
                name = f"worker-{i}"
                options = ["--host", host, "--nthreads", str(threads), "--name", str(i), "--no-nanny", "--no-dashboard"]
                options += ["--local-directory", str(folder / name), "--death-timeout", f"{START_DEADLINE:.0f}"]
                command = [*prefix, *python, "distributed.cli.dask_worker", address, *options, *worker_args]
                processes[name] = _start(command, folder / f"{name}.log", environment)
            workers = _wait(address, len(worker_hosts), processes, folder)
            yield Cluster(address, workers, threads, folder, dict(about or {}))
        finally:
            _stop(processes)
