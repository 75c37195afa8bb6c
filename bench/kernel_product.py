"""The product of a tiled matrix side by side with its peers, and with the speed at which the machine reads memory.

One call of `race` measures one matrix: ours twice, each peer, and plain reading, in one interleaved run. A sample is a
number of products in a row, fixed in advance, after as many that are not timed: each arm finds its matrix as near as it
comes. Every sample's last product is compared with SciPy's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from asafess import TiledMatrix
from asafess.workloads import graph500

from .harness import Arm, Outcome, measure
from .peers import Peer

OURS = "asafess"
ONE_THREAD = "asafess, 1 thread"
#: two ways to read memory; the faster one is the machine's rate
READS = ("read: np.sum", "read: np.dot")
FORMS = ("dense", "light", "full", "sparse")
#: matrices up to this scale are multiplied in every form, to compare bits
COMPARED_SCALE = 12
RTOL = 1e-10


@dataclass(frozen=True)
class Settings:
    """What is the same for all matrices of a run."""

    threads: int = 1
    rounds: int = 15
    #: rounds may be added up to this number while A against A is too wide
    up_to: int = 30
    #: a sample lasts about so long, unless one product takes longer, s
    sample: float = 10e-3
    #: with several threads: pause before a sample, in which those of the last arm stop to spin for more work, s
    pause: float = 0.05
    #: what is read to learn the machine's rate
    read_bytes: int = 256 << 20
    #: no peer may make an array larger than this
    peer_bytes: int = 4 << 30
    tile: int = 128
    seed: int = 1


def whole(scale: int, percent: float, tile: int) -> csr_array:
    """Return the Graph500 matrix with a share of dense tiles, in per cent, with int32 indices."""
    parts = graph500.matrix(scale, dense_share=percent / 100, tile=tile)
    csr = vstack([parts.panel_csr(p) for p in range(parts.panels)], format="csr")
    narrow = csr.indices.astype(np.int32, copy=False), csr.indptr.astype(np.int32, copy=False)
    return csr_array((csr.data, *narrow), shape=csr.shape)


def same_bits(csr: csr_array, x: np.ndarray, tile: int, threads: int) -> bool:
    """Say whether all forms of a matrix give the same bits, on one thread and on several."""
    found = set()
    for form in FORMS:
        a = TiledMatrix.from_scipy(csr, tile=tile, form=form)
        found |= {a.dot(x, threads=n).tobytes() for n in {1, threads}}
    return len(found) == 1


def calls_per_sample(call: Callable[[], object], sample: float) -> int:
    """Return how many calls take as long as a sample should; at least one."""
    seconds = []
    for _ in range(4):  # the first warms up
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return max(1, math.ceil(sample / min(seconds[1:])))


def repeated(
    name: str,
    call: Callable[[], Any],
    settings: Settings,
    take: Callable[[Any], Any] = lambda _: None,
    figures: Mapping[str, Any] | None = None,
) -> Arm:
    """Return an arm whose sample is a fixed number of calls; `take` makes an array of the last one's result."""
    calls = calls_per_sample(call, settings.sample)
    noted = {"calls": calls, **(figures or {})}

    def prepare() -> None:
        if settings.threads > 1:
            time.sleep(settings.pause)
        for _ in repeat(None, calls):
            call()

    def run() -> Outcome:
        last = None
        for _ in repeat(None, calls):
            last = call()
        return Outcome((take, last), noted)

    return Arm(name, run, prepare)


def per_call(rows: list[dict[str, Any]], **tags: Any) -> list[dict[str, Any]]:
    """Return the rows with the seconds of one call, and with what they belong to."""
    one = ({"call_seconds": r["seconds"] / r["calls"]} if r["ok"] else {} for r in rows)
    return [{**tags, **r, **more} for r, more in zip(rows, one, strict=True)]


@contextmanager
def _reads(settings: Settings) -> Iterator[list[Arm]]:
    """Make the arms that only read, each thread its own part of one array."""
    data = np.ones(settings.read_bytes // 8)
    parts = np.array_split(data, settings.threads)
    with ThreadPoolExecutor(settings.threads) as pool:

        def reader(read: Callable[[np.ndarray], Any]) -> Callable[[], object]:
            if settings.threads == 1:
                return lambda: read(data)
            return lambda: list(pool.map(read, parts))

        ways = (np.sum, lambda part: np.dot(part, part))
        figures = {"read_bytes": data.nbytes}
        yield [repeated(name, reader(read), settings, figures=figures) for name, read in zip(READS, ways, strict=True)]


def race(
    scale: int,
    percent: float,
    peers: Mapping[str, Peer],
    settings: Settings,
    columns: int | None = None,
    say: Callable[[str], object] = print,
) -> list[dict[str, Any]]:
    """Measure one matrix against its peers.

    Parameters
    ----------
    scale, percent
        Of the Graph500 matrix: 2**scale rows; share of dense tiles in per cent.
    peers
        As `peers.usable` returns them. One that would need too much memory is skipped, and says so.
    settings
    columns
        Multiply with a block of so many vectors. None: with one vector.
    say
        Takes lines for the reader.

    Returns
    -------
    list of dicts
        Rows of the harness with `call_seconds`, `scale`, `percent`, `threads` and `columns`.
    """
    csr = whole(scale, percent, settings.tile)
    n = csr.shape[1]
    x = np.random.default_rng(settings.seed).random(n if columns is None else (n, columns))
    expected = csr @ x
    tags: dict[str, Any] = {"scale": scale, "percent": percent, "threads": settings.threads, "columns": columns}
    if scale <= COMPARED_SCALE:
        tags["same_bits"] = same_bits(csr, x, settings.tile, settings.threads)
    a = TiledMatrix.from_scipy(csr, tile=settings.tile, form="full")
    ours = {"read_bytes": a.nbytes + x.nbytes + expected.nbytes}
    threads = settings.threads
    arms = [repeated(OURS, lambda: a.dot(x, threads=threads), settings, np.asarray, ours)]
    if threads > 1:
        arms.append(repeated(ONE_THREAD, lambda: a.dot(x, threads=1), settings, np.asarray, ours))
    for peer in peers.values():
        size = peer.nbytes(csr, settings.tile)
        if size > settings.peer_bytes:
            gib, limit = size / 2**30, settings.peer_bytes / 2**30
            say(f"{peer.name}: skipped at scale {scale}, {percent:g} % dense: takes {gib:.1f} GiB of {limit:.1f}")
            continue
        arms.append(_peer_arm(peer, csr, x, settings))

    def verify(outcome: Outcome) -> str | None:
        take, last = outcome.value
        y = take(last)
        if y is None or np.allclose(y, expected, rtol=RTOL, atol=0):
            return None
        return f"differs from SciPy's product by up to {np.max(np.abs(y - expected)):.1e} of {np.max(expected):.1e}"

    with _reads(settings) as reads:
        result = measure(
            [*arms, *reads], settings.rounds, settings.seed, verify, against_itself=OURS, up_to=settings.up_to
        )
    return per_call(result.rows, **tags)


def _peer_arm(peer: Peer, csr: csr_array, x: np.ndarray, settings: Settings) -> Arm:
    product = peer.make(csr, settings.tile, settings.threads)
    brought = product.bring(x)
    note = {"note": product.note} if product.note else {}
    return repeated(peer.name, lambda: product.multiply(brought), settings, product.take, note)
