"""More Dask programs of dataframes, without annotations: those that common scripts consist of.

`programs_frames` has the plain ones; these reduce, group, sort and join in other ways.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import Program
from .programs_frames import NEEDS, PARTITIONS


def _partition(number: int, rows: int) -> Any:
    import pandas as pd

    draw = np.random.default_rng(number)
    key = draw.integers(0, 1000, rows)
    unique = number * rows + draw.permutation(rows)
    return pd.DataFrame({"key": key, "x": draw.random(rows), "y": draw.random(rows), "id": unique})


def _frame(n: int) -> tuple[Any, ...]:
    """Return partitions of n² rows: a key of 1000 values, two numbers, and one that is there once."""
    import dask.dataframe as dd

    meta = _partition(0, 1).iloc[:0]
    return (dd.from_map(_partition, range(PARTITIONS), rows=n * n, meta=meta),)


def _two(n: int) -> tuple[Any, ...]:
    return (*_frame(n), *_frame(n))


def _joined(left: Any, right: Any) -> Any:
    """Join on a number that is there once on each side: every row has to go to where its other half is."""
    return left.merge(right[["id", "y"]].rename(columns={"y": "z"}), on="id", shuffle_method="tasks")


def _features(frame: Any) -> Any:
    return frame.assign(z=frame.x.where(frame.x > 0.5, 0.0) * frame.y, w=frame.x.clip(0.2, 0.8)).fillna(0.0)


def _logs(frame: Any) -> Any:
    return np.log(frame.x + 1.0) * np.exp(frame.y)


PROGRAMS = tuple(
    Program(name, inputs, build, large, small, needs=NEEDS)
    for name, inputs, build, large, small in (
        # rows stay where they are
        ("frame-features", _frame, _features, 700, 100),
        ("frame-logs", _frame, _logs, 700, 100),
        ("frame-std", _frame, lambda f: f[["x", "y"]].std(), 700, 100),
        ("frame-correlations", _frame, lambda f: f[["x", "y"]].corr(), 700, 100),
        ("frame-largest", _frame, lambda f: f.nlargest(100, "x"), 700, 100),
        ("frame-value-counts", _frame, lambda f: f.key.value_counts(), 500, 100),
        ("frame-aggregate", _frame, lambda f: f.groupby("key").agg({"x": ["mean", "std"], "y": "max"}), 500, 100),
        # rows go to where others are
        ("frame-set-index", _frame, lambda f: f.set_index("key", divisions=list(range(0, 1001, 100))), 300, 100),
        ("frame-groupby-many", _frame, lambda f: f.groupby("id").x.sum(split_out=PARTITIONS), 300, 100),
        ("frame-join", _two, _joined, 300, 100),
        ("frame-repartition", _frame, lambda f: f.repartition(npartitions=4), 500, 100),
    )
)
