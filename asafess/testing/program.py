"""The program that is run where the author gives none: many small tasks, some large ones, and data of several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import asafess

if TYPE_CHECKING:
    from distributed import Client

#: words of a block
WORDS = 1 << 15
#: tasks of a swarm
SWARM = 60


def make(kind: str, seed: int) -> Any:
    """Make a block, on the worker that keeps it."""
    import numpy as np

    random = np.random.default_rng(seed)
    dense = random.standard_normal(WORDS)
    if kind == "sparse":
        return np.where(random.random(WORDS) < 0.02, dense, 0.0).reshape(-1, 128)
    if kind == "strided":
        return dense.astype("float32").reshape(-1, 64)[::3, 1:]
    if kind == "integers":
        return random.integers(-5, 5, WORDS)
    if kind == "text":
        return {"words": [f"word {number % 7}" for number in range(500)], "bytes": b"\0\1\2" * 1000, "empty": dense[:0]}
    return dense


@asafess.task(intensity=0.25, name="exchange")
def fold(*blocks: Any) -> list[Any]:
    """Fold blocks that come from other workers: the same operations in the same order wherever it runs."""
    import numpy as np

    folded: list[Any] = []
    for block in blocks:
        if isinstance(block, np.ndarray):
            folded.append((block.shape, str(block.dtype), np.sort(block.ravel())[:8], np.cumsum(block)[-1]))
        else:
            folded.append(block)
    return folded


@asafess.task(loads={"compute": 1e6}, name="swarm")
def tiny(number: int, total: int) -> float:
    """Do nearly nothing."""
    return number / (1 + total % 7)


def program(client: Client) -> Any:
    """Run the program on a cluster; return what it computes.

    Parameters
    ----------
    client : distributed.Client
        Not asynchronous.
    """
    workers = sorted(client.nthreads())
    kinds = ("dense", "sparse", "strided", "integers", "text")
    made = [
        client.submit(make, kind, seed, workers=[workers[seed % len(workers)]], pure=False)
        for seed, kind in enumerate(kinds)
    ]
    folds = [client.submit(fold, *made, workers=[worker], pure=False) for worker in workers[:4]]
    swarm = client.map(tiny, range(SWARM), [len(workers[:4])] * SWARM, pure=False)
    return client.gather([*folds[:1], *swarm])
