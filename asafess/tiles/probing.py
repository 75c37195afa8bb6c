"""What each form costs, also those that are not active: timed on some tiles of what passes the door, thrown away.

A probe takes three samples of a panel, no two with a tile in common if there are enough. One is put into the form
*light* and one into *full*, as the door would; then these and the third, as it is, are multiplied with a vector.
Nothing is sent, kept or switched. For a moment it takes the memory of two samples.

What is timed should cost per byte what a whole panel costs:

- no sample is read before its turn, and *light* and *full* take turns in being first;
- calls cost some 20 µs and fresh memory comes in pages of 2 MiB, so samples are large: 1 MiB took up to twice the time
  per byte of a panel of 32 MiB, 8 MiB mostly 1.0 to 1.25 times, and 1.8 where little of it stays dense and the
  allocator keeps no memory;
- the clock is that of the thread: each call waits up to 5 ms for the interpreter where other threads are busy, which
  made samples of 1 MiB 10 to 28 times as dear as panels.
"""

from __future__ import annotations

import logging
import math
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from asafess.tiles.layout import DENSE, SPARSE

if TYPE_CHECKING:
    from asafess.tiles.counters import Counters
    from asafess.tiles.panel import TiledMatrix

logger = logging.getLogger(__name__)

#: Share of the time that probing may take: what it is if nobody says otherwise, and the most that may be said.
BUDGET, MOST_BUDGET = 0.005, 0.1
#: Seconds whose share may be saved up: after a pause there are a few probes in a row, not hundreds.
SAVED = 1.0
#: Bytes of one of the three samples, at most, and the runs of neighbouring tiles that it is made of: neighbours are
#: read faster than single tiles, but they are alike.
SAMPLE, RUNS = 1 << 23, 4
#: A panel with fewer bytes of dense tiles is not probed: mostly calls would be timed. Nor are tiles above `SAMPLE`.
LEAST = 1 << 17

_GOLDEN = (math.sqrt(5) - 1) / 2
#: Numbers of columns up to here take two bytes.
_NARROW = 1 << 16

#: Puts a matrix of so many bytes into a form, as the door does: (matrix, bytes, form, threshold) → matrix.
Recode = Callable[["TiledMatrix", int, str, int | None], "TiledMatrix"]


class Allowance:
    """A share of the time, spent in pieces whose cost is known afterwards.

    Over any span since the start, what is spent is at most the share and the last piece. The next piece is taken to
    cost what the last one did, and that has to be saved first.

    Parameters
    ----------
    share : float
        0 to 0.1; at 0 it is never time.
    now : float
        Seconds.

    Raises
    ------
    ValueError
        For another share.

    Examples
    --------
    >>> allowance = Allowance(0.005, now=100.0)
    >>> allowance.due  # the first piece may be taken at once
    100.0
    >>> allowance.spend(now=100.0, seconds=0.001)
    >>> round(allowance.due, 3)  # 0.2 s to pay for it, 0.2 s to save for the next
    100.4
    """

    def __init__(self, share: float, now: float) -> None:
        if not 0 <= share <= MOST_BUDGET:
            raise ValueError(
                f"the probe budget is {share!r}; allowed are 0 (no probing) to {MOST_BUDGET}, a share of the time, "
                f"such as {BUDGET}"
            )
        self.share = float(share)
        #: The time from which on a piece may be taken.
        self.due = now if share else math.inf
        #: The time whose share is spent; ahead of the clock while overdrawn.
        self._spent_until = now

    def spend(self, now: float, seconds: float) -> None:
        """Note what a piece has cost that began at a time, not before `due`."""
        self._spent_until = max(self._spent_until, now - SAVED) + seconds / self.share
        # No more can be saved than that, and a piece that was dear by accident must not be the last one.
        self.due = self._spent_until + min(seconds / self.share, SAVED)

    def stop(self) -> None:
        """Let it never be time again."""
        self.due = math.inf


class Probe:
    """Times the forms on panels that pass, when it may, and adds the results to the counters.

    Any thread may use it; one at a time probes. A fault is counted and warned of, and ends probing until `reset`.

    Parameters
    ----------
    counters : Counters
    recode : callable
        How the door puts a matrix into a form: (matrix, bytes of the matrix, form, threshold) → matrix.
    budget : float
        Share of the time that probing may take, 0 (no probing) to 0.1.
    clock, timer : callable
        Return seconds; one says when to probe and what that has cost, the other times the forms.

    Examples
    --------
    >>> from asafess import TiledMatrix
    >>> from asafess.kernels import prepare
    >>> from asafess.tiles.counters import Counters
    >>> prepare.prepare(["float64"])
    >>> counters = Counters()
    >>> probe = Probe(counters, lambda matrix, nbytes, form, threshold: matrix.recode(form, threshold))
    >>> probe.look(TiledMatrix.from_dense(np.zeros((256, 256))), None)
    >>> counters.read()["probed_bytes"]
    524288.0
    """

    def __init__(
        self,
        counters: Counters,
        recode: Recode,
        budget: float = BUDGET,
        clock: Callable[[], float] = time.perf_counter,
        timer: Callable[[], float] = time.thread_time,
    ) -> None:
        self._counters, self._recode, self._clock, self._timer = counters, recode, clock, timer
        self._lock = threading.Lock()
        self._probes = 0
        self._allowance = Allowance(budget, clock())

    @property
    def budget(self) -> float:
        """Share of the time that probing may take."""
        return self._allowance.share

    def reset(self, budget: float | None = None) -> None:
        """Start anew, with nothing saved and nothing spent: the next panel that can be probed is.

        Parameters
        ----------
        budget : float, optional
            Share of the time from now on; left out, it stays.

        Raises
        ------
        ValueError
            For another budget; all stays as it is.
        """
        with self._lock:
            self._allowance = Allowance(self.budget if budget is None else budget, self._clock())

    def look(self, panel: TiledMatrix, threshold: int | None) -> None:
        """Probe a panel if it is time to and the panel is fit for it; never raises.

        Parameters
        ----------
        panel : TiledMatrix
        threshold : int, optional
            Of the form *light*.
        """
        # Nearly every panel ends here, so this is all that it costs. The lock is for those that don't.
        if self._clock() < self._allowance.due or panel.dense.nbytes < LEAST or not self._lock.acquire(blocking=False):
            return
        try:
            allowance, start = self._allowance, self._clock()
            if start < allowance.due:  # another thread has probed just now
                return
            try:
                figures = self._times(panel, threshold)
            except Exception:
                allowance.stop()
                self._counters.add(faults=1)
                logger.warning("asafess.probing.fault no more probes in this process", exc_info=True)
                return
            seconds = self._clock() - start
            allowance.spend(start, seconds)
            self._counters.add(probe_seconds=seconds, **figures)
        finally:
            self._lock.release()

    def _times(self, panel: TiledMatrix, threshold: int | None) -> dict[str, float]:
        """Return what is to be added to the counters; nothing if the panel is not fit."""
        samples = _samples(panel, self._probes)
        if not samples:
            return {}
        forms = dict(zip(("off", "light", "full"), samples, strict=True))
        nbytes = int(forms["off"].counts.sum()) * panel.dtype.itemsize
        figures: dict[str, float] = {"probed_bytes": nbytes}
        for form in ("light", "full") if self._probes % 2 else ("full", "light"):
            start = self._timer()
            forms[form] = self._recode(forms[form], nbytes, form, threshold)
            figures[f"probed_encode_{form}_seconds"] = self._timer() - start
        x = np.ones(forms["off"].shape[1], panel.dtype)
        for form, sample in forms.items():
            start = self._timer()
            sample.dot(x, threads=1)
            figures[f"probed_product_{form}_seconds"] = self._timer() - start
        self._probes += 1
        return figures


def _samples(panel: TiledMatrix, turn: int) -> list[TiledMatrix]:
    """Return three samples of the whole dense tiles of a panel, as views; none if it is not fit to be probed.

    They are good for recoding and products only, which look up where each tile starts: these do not follow each other.

    Each turn takes other tiles.
    """
    # Numba is imported by those who compress, not because of a probe.
    prepare = sys.modules.get("asafess.kernels.prepare")
    if prepare is None:
        return []
    tile, words = panel.tile, panel.tile * panel.tile
    tile_bytes = words * panel.dtype.itemsize
    tiles = np.flatnonzero((panel.marks == DENSE) & (panel.counts == words))
    count = min(SAMPLE // tile_bytes, _NARROW // tile, tiles.size)
    # Numbers of columns take as many bytes as in the panel; where that is four, by tiles without entries at the end.
    wide = count if panel.shape[1] <= _NARROW else _NARROW // tile + 1
    shape = tile, wide * tile
    if count * tile_bytes < LEAST or not prepare.ready(panel.dtype, *shape):
        return []
    # The runs of the samples take turns, evenly spread from a place that is in step with nothing.
    runs = min(RUNS, count)
    count -= count % runs
    starts = np.arange(3 * runs) * tiles.size // (3 * runs) + int(turn * _GOLDEN % 1 * tiles.size)
    chosen = tiles[(starts[:, None] + np.arange(count // runs)) % tiles.size]
    samples = []
    for k in range(3):
        marks = np.full(wide, SPARSE, np.uint8)
        offsets, counts = np.zeros(wide, np.int64), np.zeros(wide, np.int64)
        marks[:count], offsets[:count], counts[:count] = DENSE, panel.offsets[chosen[k::3].ravel()], words
        none = panel.rows[:0], panel.cols[:0], panel.values[:0]
        samples.append(type(panel)(shape, tile, marks, offsets, counts, panel.dense, *none))
    return samples
