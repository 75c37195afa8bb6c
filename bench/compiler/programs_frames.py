"""Dask programs of dataframes, without annotations; they need pandas and pyarrow."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import Program

PARTITIONS = 16
NEEDS = ("pandas", "pyarrow")


def _partition(number: int, rows: int) -> Any:
    import pandas as pd

    draw = np.random.default_rng(number)
    key = draw.integers(0, 100, rows)
    return pd.DataFrame({"key": key, "x": draw.random(rows), "y": draw.random(rows), "id": draw.permutation(rows)})


def _frame(n: int) -> tuple[Any, ...]:
    """Return partitions of n² rows and four columns."""
    import dask.dataframe as dd

    return (dd.from_map(_partition, range(PARTITIONS), rows=n * n),)


def _merged(frame: Any) -> Any:
    other = frame[["id", "y"]].rename(columns={"y": "z"})
    return frame.merge(other.partitions[:1], on="id", how="inner")


PROGRAMS = tuple(
    Program(name, _frame, build, large, small, needs=NEEDS)
    for name, build, large, small in (
        ("frame-arithmetic", lambda f: f.assign(z=2.0 * f.x + f.y), 700, 120),
        ("frame-sum", lambda f: (f.x + f.y).sum(), 700, 120),
        ("frame-filter", lambda f: f[f.x > 0.5], 700, 120),
        ("frame-groupby", lambda f: f.groupby("key").x.mean(), 500, 120),
        ("frame-shuffle", lambda f: f.shuffle("key", npartitions=PARTITIONS, shuffle_method="tasks"), 400, 120),
        ("frame-merge", _merged, 400, 120),
    )
)
