"""What it costs to turn tiles sparse, beside reading them once.

One call of `race` measures one panel of dense tiles, all of one density: `np.sum` of each tile, one after the other,
then `recode`, then `np.sum` again, interleaved. All of them visit the same panel again and again, so all find it
equally near: 16 MiB lie in the cache that the cores share, not in those of a core.

Two questions: what a *candidate* costs, a tile whose sparse form is written; and what it costs to *pass over* a tile
that is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from asafess import TiledMatrix

from .harness import Arm, Outcome, measure
from .kernel_product import Settings, per_call, repeated

READ, WHOLE, RECODE = "np.sum", "np.sum of the panel", "recode"
CANDIDATES = "candidates", "full", (0.0, 0.0001, 0.001, 0.01)
PASSED_OVER = (("passed over", "light", (0.02, 0.1, 0.5, 1.0)), ("passed over", "full", (0.9, 0.95, 1.0)))


@dataclass(frozen=True)
class Job:
    """A panel to be measured."""

    #: "candidates" or "passed over": what becomes of its tiles
    fate: str
    form: str
    dtype: str
    tile: int
    #: probability of each word to be non-zero
    density: float


def jobs(tiles: tuple[int, ...], dtypes: tuple[str, ...]) -> Iterator[Job]:
    """Yield the panels of both questions."""
    for fate, form, densities in (CANDIDATES, *PASSED_OVER):
        for dtype in dtypes:
            for tile in tiles:
                for density in densities:
                    yield Job(fate, form, dtype, tile, density)


def panel(job: Job, panel_bytes: int, seed: int) -> TiledMatrix:
    """Return a row of dense tiles of so many bytes, or one tile if that is larger."""
    dtype = np.dtype(job.dtype)
    across = max(1, panel_bytes // (job.tile**2 * dtype.itemsize))
    rng = np.random.default_rng(seed)
    words = rng.random((job.tile, across * job.tile), np.float32)
    # 1 − words is in (0, 1]: no value is 0
    return TiledMatrix.from_dense(np.where(words < job.density, 1 - words, 0).astype(dtype), tile=job.tile)


def race(job: Job, settings: Settings, panel_bytes: int) -> list[dict[str, Any]]:
    """Measure one panel; return rows of the harness with `call_seconds`, the fields of the job and `nnz`."""
    a = panel(job, panel_bytes, settings.seed)
    recoded = a.recode(job.form)
    wrong = _wrong(a, recoded, job.fate)
    tiles = [a.dense[start : start + count] for start, count in zip(a.offsets, a.counts, strict=True)]

    def read() -> None:
        for words in tiles:
            np.sum(words)

    def verify(outcome: Outcome) -> str | None:
        take, last = outcome.value
        made = take(last)
        if made is None or wrong:
            return wrong
        return None if made.marks.tobytes() == recoded.marks.tobytes() else "two recodings of one panel differ"

    arms: list[Arm] = [
        repeated(READ, read, settings),
        repeated(WHOLE, lambda: np.sum(a.dense), settings),
        repeated(RECODE, lambda: a.recode(job.form), settings, lambda made: made),
    ]
    result = measure(arms, settings.rounds, settings.seed, verify, against_itself=READ, up_to=settings.up_to)
    return per_call(result.rows, **vars(job), nnz=a.nnz, panel_bytes=a.dense.nbytes)


def _wrong(a: TiledMatrix, recoded: TiledMatrix, fate: str) -> str | None:
    """Say what is wrong with a recoded panel: its marks, or its bits."""
    sparse = fate == "candidates"
    if (recoded.marks != sparse).any():
        return f"{np.count_nonzero(recoded.marks != sparse)} of {a.marks.size} tiles came out in the other form"
    if sparse and recoded.recode("dense").dense.tobytes() != a.dense.tobytes():
        return "recoding changed bits"
    return None
