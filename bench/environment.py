"""Where a measurement was taken: machine, versions, links, date. One JSON-able dict, written into every file."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("asafess", "dask", "distributed", "numpy", "numba", "scipy")


def _field(path: str, name: str) -> str | None:
    """Return the first value of ``name : value`` in a file of /proc, None where there is none."""
    try:
        text = Path(path).read_text()
    except OSError:
        return None
    found = (line.partition(":")[2].strip() for line in text.splitlines() if line.partition(":")[0].strip() == name)
    return next(found, None)


def _memory_gib() -> float | None:
    total = _field("/proc/meminfo", "MemTotal")
    return None if total is None else round(int(total.split()[0]) / 2**20, 1)


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Return the versions of packages; None where one is not installed."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def commit() -> str | None:
    """Return the commit this package lies in, with "+" where its files differ from it; None outside a checkout."""
    here = Path(__file__).resolve().parent
    if not (here.parent / ".git").exists():  # installed below some other repository is not a checkout of ours
        return None

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", here.parent, *words], capture_output=True, text=True, check=True).stdout

    try:
        return git("rev-parse", "--short=12", "HEAD").strip() + ("+" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def environment(links: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the surroundings of a measurement.

    Parameters
    ----------
    links
        What joined the workers: ``cluster.describe()``, or a dict of several by name. None: no cluster took part.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": _memory_gib(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": versions(PACKAGES),
        "commit": commit(),
        # of the C library, which settings of Dask's nanny override in its workers
        "malloc": {name: value for name, value in sorted(os.environ.items()) if name.startswith("MALLOC_")},
        "links": None if links is None else dict(links),
    }


def one_line(where: Mapping[str, Any]) -> str:
    """Return the sentence that stands under a table or a plot.

    >>> one_line({"cpu": "X", "cores": 2, "memory_gib": 8.0, "python": "3.12.1", "versions": {"dask": "2026.8.0"},
    ...           "links": {"links": "loopback", "rate": None, "workers": 4, "threads_per_worker": 1}})
    'X, 2 cores, 8.0 GiB; Python 3.12.1, dask 2026.8.0; 4 workers × 1 thread, loopback'
    """
    versions = [f"{name} {number}" for name, number in where.get("versions", {}).items() if number]
    parts = [
        f"{where.get('cpu')}, {where.get('cores')} cores, {where.get('memory_gib')} GiB",
        ", ".join([f"Python {where.get('python')}", *versions]),
    ]
    parts += [f"{name}={value}" for name, value in where.get("malloc", {}).items()]
    links = where.get("links") or {}
    if "workers" in links:
        threads = links.get("threads_per_worker", 1)
        rate = f", {links['rate']} each way" if links.get("rate") else ""
        plural = "" if threads == 1 else "s"
        parts.append(f"{links['workers']} workers × {threads} thread{plural}, {links.get('links')}{rate}")
    return "; ".join(parts)
