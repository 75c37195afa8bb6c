"""Rules of grouping rows: a hash, a probe and an update for each element; how many groups there are depends on data."""

from __future__ import annotations

from functools import partial
from typing import Any

from dask.utils import methodcaller

from asafess.compiler.abstract.values import Unknown, leaves
from asafess.compiler.rules.frame_record import record
from asafess.compiler.rules.frame_tables import GROUPED, PROBED
from asafess.compiler.rules.frame_values import as_frame
from asafess.compiler.rules.table import name_of, rule

#: packages whose functions do what their names say
KNOWN_PACKAGES = frozenset({"dask", "pandas", "numpy", "operator", "_operator", "builtins"})
#: words in the names of steps that reduce groups
STEPS = ("chunk", "combine", "aggregate", "apply_funcs", "finalize")
GROUPBY = "dask.dataframe.dask_expr._groupby."


def grouped(on: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Interpret a step of an aggregation of groups; raises `Unknown` where they are handed to somebody's function."""
    last = name.rpartition(".")[2]
    if not any(word in last for word in STEPS):
        raise Unknown(f"no rule for {name}")
    for one in leaves([*args, *kwargs.values()]):
        if callable(one) and not is_known(one):
            raise Unknown(f"groups are handed to {name_of(one)}")
    return record(on, name, GROUPED, args)


def is_known(called: Any) -> bool:
    """Say whether a function, and those that it is to call, come with the libraries.

    Examples
    --------
    >>> is_known(len), is_known(partial(map, lambda x: x))
    (True, False)
    """
    if isinstance(called, partial):
        inner = [one for one in leaves([*called.args, *called.keywords.values()]) if callable(one)]
        return is_known(called.func) and all(map(is_known, inner))
    if isinstance(called, methodcaller):
        return True
    return str(getattr(called, "__module__", "")).partition(".")[0] in KNOWN_PACKAGES


@rule(f"{GROUPBY}GroupByUDFBlockwise.operation")
def by_function(on: Any, name: str, /, frame: Any, *by: Any, dask_func: Any = None, **_: Any) -> Any:
    """Interpret what is done to each group as a whole, after a shuffle has brought it together."""
    given = as_frame(frame)
    how = name_of(dask_func.func if isinstance(dask_func, partial) else dask_func).rpartition(".")[2]
    inner = getattr(dask_func, "keywords", {}).get("func")
    if how == "_median_groupby_aggregate":
        return record(on, f"{name} {how}", ("frame", 80.0, "groups"), (given,))
    if how.endswith("slice_shift") or (how.endswith("slice_transform") and _is_simple(inner)):
        return record(on, f"{name} {how}", PROBED, (given,))
    raise Unknown("groups are handed to a function")


def _is_simple(inner: Any) -> bool:
    return isinstance(inner, str) or (isinstance(inner, partial) and inner.func.__module__.startswith("dask."))


@rule("dask.dataframe.groupby._cum_agg_aligned")
def aligned(on: Any, name: str, /, part: Any, last: Any, *_: Any) -> Any:
    """Look up what the groups have reached before, and add it."""
    return record(on, name, PROBED, (part,))
