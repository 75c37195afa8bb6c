"""Programs of dataframes that nobody has annotated: name → function of a dataframe that makes the collection."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.dataframe.dask_expr import new_collection
from dask.dataframe.dask_expr._quantiles import RepartitionQuantiles

ROWS, PARTITIONS = 4000, 4


def partition():
    """Return rows with a key, two random columns, a text, a time and a number that is there once."""
    draw = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "key": draw.integers(0, 100, ROWS),
            "x": draw.random(ROWS),
            "y": draw.random(ROWS),
            "text": draw.choice(["a", "bb", "ccc"], ROWS),
            "time": pd.date_range("2020-01-01", periods=ROWS, freq="1min"),
            "id": draw.permutation(ROWS),
        }
    )


PANDAS = partition()


def frame():
    return dd.from_pandas(PANDAS, npartitions=PARTITIONS)


def right(d):
    """Return another frame to join with."""
    return d[["id", "y"]].rename(columns={"y": "z"})


#: rows stay what they are
ROWWISE = {
    "arithmetic": lambda d: d.x * 2 + d.y,
    "assign": lambda d: d.assign(z=d.x + d.y),
    "constant": lambda d: d.assign(z=1),
    "columns": lambda d: d[["x", "y"]],
    "rename": lambda d: d.rename(columns={"x": "z"}),
    "prefix": lambda d: d.add_prefix("my_"),
    "drop": lambda d: d.drop(columns=["key", "time"]),
    "astype": lambda d: d.x.astype("f4"),
    "fillna": lambda d: d.fillna({"x": 0.0}),
    "where": lambda d: d.x.where(d.x > 0.5, 0.0),
    "clip": lambda d: d.x.clip(0.2, 0.8),
    "log": lambda d: np.log(d.x + 1),
    "comparison": lambda d: (d.x > 0.5) & (d.key == 3),
    "isin": lambda d: d.key.isin([1, 2, 3]),
    "lookup": lambda d: d.key.map({0: 1, 1: 2}, meta=("key", "f8")),
    "shift": lambda d: d.x.shift(1),
    "rolling": lambda d: d.x.rolling(5).mean(),
    "cumsum": lambda d: d.x.cumsum(),
    "of a row": lambda d: d[["x", "y"]].sum(axis=1),
    "hour": lambda d: d.time.dt.hour,
    "length of text": lambda d: d.text.str.len(),
    "map_partitions": lambda d: d.x.map_partitions(np.exp),
    "beside": lambda d: dd.concat([d[["x"]], d[["y"]]], axis=1),
    "repartition": lambda d: d.repartition(npartitions=2),
    "concat": lambda d: dd.concat([d, d]),
    "from array": lambda d: dd.from_dask_array(d[["x", "y"]].to_dask_array(lengths=True) + 1, columns=["x", "y"]),
}
#: few numbers come out
REDUCED = {
    "sum": lambda d: d.x.sum(),
    "mean": lambda d: d[["x", "y"]].mean(),
    "std": lambda d: d.x.std(),
    "variances": lambda d: d[["x", "y"]].var(),
    "count": lambda d: d.count(),
    "range": lambda d: d.x.max() - d.x.min(),
    "largest": lambda d: d.nlargest(5, "x"),
    "where largest": lambda d: d.x.idxmax(),
    "correlations": lambda d: d[["x", "y"]].corr(),
    "skew": lambda d: d.x.skew(),
    "median": lambda d: d.x.quantile(0.5),
    "where to cut": lambda d: new_collection(RepartitionQuantiles(d.id.expr, PARTITIONS)),
    "to array": lambda d: d[["x", "y"]].to_dask_array(lengths=True).sum(axis=0),
    "about how many": lambda d: d.key.nunique_approx(),
}
#: how much comes out depends on data
DEPENDING = {
    "filter": lambda d: d[d.x > 0.5],
    "filter and sum": lambda d: d[(d.x > 0.5) & (d.key == 3)].y.sum(),
    "query": lambda d: d.query("x > 0.5"),
    "contains": lambda d: d[d.text.str.contains("b")],
    "dropna": lambda d: d.dropna(),
    "rows by index": lambda d: d.loc[100:900],
    "sample": lambda d: d.sample(frac=0.5),
    "unique": lambda d: d.key.unique(),
    "nunique": lambda d: d.key.nunique(),
    "value_counts": lambda d: d.key.value_counts(),
    "drop_duplicates": lambda d: d.drop_duplicates(subset=["key"]),
    "mode": lambda d: d.key.mode(),
    "groupby sum": lambda d: d.groupby("key").x.sum(),
    "groupby mean": lambda d: d.groupby("key").x.mean(),
    "groupby std": lambda d: d.groupby("key").x.std(),
    "groupby size": lambda d: d.groupby("key").size(),
    "groupby aggregate": lambda d: d.groupby("key").agg({"x": ["mean", "std"], "y": "max"}),
    "groupby two": lambda d: d.groupby(["key", "text"]).x.sum(),
    "groupby shuffled": lambda d: d.groupby("id").x.sum(split_out=4),
    "groupby nunique": lambda d: d.groupby("key").text.nunique(),
    "groupby median": lambda d: d.groupby("key").x.median(),
    "groupby transform": lambda d: d.groupby("key").x.transform("mean", meta=("x", "f8")),
    "groupby cumsum": lambda d: d.groupby("key").x.cumsum(),
    "merge": lambda d: d.merge(right(d), on="id"),
    "merge left": lambda d: d.merge(right(d), on="id", how="left"),
    "merge with little": lambda d: d.merge(PANDAS[["key", "text"]].drop_duplicates("key"), on="key"),
    "broadcast": lambda d: d.merge(right(d).partitions[:1], on="id", broadcast=True),
    "join": lambda d: d.join(d[["y"]].rename(columns={"y": "z"})),
    "set_index": lambda d: d.set_index("id"),
    "sort_values": lambda d: d.sort_values("x"),
    "shuffle": lambda d: d.shuffle("key"),
    "resample": lambda d: d.set_index("time", sorted=True).x.resample("1h").mean(),
    "several": lambda d: (
        d[d.x > 0.1].assign(z=lambda e: e.x * e.y).groupby("text").agg({"z": "sum"}).reset_index().sort_values("z")
    ),
}
#: Dask's scheduler is not told what these move
PEER_TO_PEER = {
    "shuffle": lambda d: d.shuffle("key", shuffle_method="p2p"),
    "merge": lambda d: d.merge(right(d), on="id", shuffle_method="p2p"),
    "set_index": lambda d: d.set_index("id", shuffle_method="p2p"),
}
#: somebody's own function is in these, and what is made of its result
UNTYPED = {
    "apply": lambda d: d.apply(lambda row: row.x, axis=1, meta=("x", "f8")),
    "map": lambda d: d.x.map(lambda x: x + 1, meta=("x", "f8")),
    "map_partitions": lambda d: d.map_partitions(lambda part: part),
    "map_overlap": lambda d: d.x.map_overlap(lambda part: part, 1, 1, meta=("x", "f8")),
    "groupby apply": lambda d: d.groupby("key").apply(lambda part: part.x.sum(), meta=("x", "f8")),
    "reduction": lambda d: d.x.reduction(lambda part: part.sum(), aggregate=lambda parts: parts.sum()),
}
