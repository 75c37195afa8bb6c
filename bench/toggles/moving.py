"""Blocks that move between workers, with data of several kinds in them.

A share of non-zero words lies anywhere in a block, the others are zero; *text* is words of a language with the
frequencies of one (Zipf), which a mask of zeros can't compress and lz4 and zstd can.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from dask._task_spec import TaskRef

from .graph import Graph, Part

#: bytes of a word
WORD = 8
#: kinds of data: the share of non-zero words, None for text
KINDS: dict[str, float | None] = {"1 %": 0.01, "10 %": 0.1, "30 %": 0.3, "100 %": 1.0, "text": None}
#: words of the language, and how the frequency of the n-th falls: n to the power of minus this
VOCABULARY, ZIPF = 4000, 1.3


def text(rng: np.random.Generator, nbytes: int) -> np.ndarray:
    """Return text as bytes.

    >>> bytes(text(np.random.default_rng(0), 4000)[:3]).isalpha()
    True
    """
    lengths = rng.integers(3, 10, VOCABULARY)
    letters = rng.integers(ord("a"), ord("z") + 1, int(lengths.sum()), dtype=np.uint8).tobytes()
    ends = np.cumsum(lengths)
    vocabulary = [letters[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    # a word and its space have four bytes or more
    picks = rng.zipf(ZIPF, nbytes // 4 + 1) % VOCABULARY
    return np.frombuffer(b" ".join([vocabulary[pick] for pick in picks])[:nbytes], dtype=np.uint8)


def block(before: object, k: int, words: int, kind: str) -> np.ndarray:
    """Make block k of a kind of data: one row of `words` words.

    >>> made = block(None, 3, 10_000, "10 %")
    >>> made.shape, bool(900 < np.count_nonzero(made) < 1100)
    ((1, 10000), True)
    >>> block(None, 3, 1000, "text").shape
    (1, 8000)
    """
    rng, share = np.random.default_rng(k), KINDS[kind]
    if share is None:
        return text(rng, words * WORD)[None]
    made = rng.normal(size=words)
    if share < 1:
        made[rng.random(words) >= share] = 0.0
    return made[None]


def digest(moved: np.ndarray) -> float:
    """Return a number that depends on the bits of a block and not on the order in which they are added up.

    >>> digest(np.zeros(4)), digest(np.ones(4)) != digest(-np.ones(4))
    (0.0, True)
    """
    words = np.ascontiguousarray(moved).reshape(-1).view(np.uint64)
    # modulo 2^64, where an even number of changed signs would be none; what is left fits into a float, and so do sums
    return float((words ^ (words >> 29)).sum() >> 24)


def exchange_part(blocks: int, words: int, kind: str) -> Part:
    """Return a phase in which each block is made on one worker and needed on the next."""

    def part(graph: Graph, suffix: str) -> Sequence[TaskRef]:
        workers = len(graph.workers)
        made = [
            graph.add((f"block-{suffix}", k), block, graph.last, k, words, kind, at=k % workers) for k in range(blocks)
        ]
        return [graph.add((f"digest-{suffix}", k), digest, one, at=(k + 1) % workers) for k, one in enumerate(made)]

    return part
