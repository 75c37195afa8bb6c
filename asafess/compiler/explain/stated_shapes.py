"""Shapes of chunks as Dask's own arrays state them, for results of functions that no rule knows.

The scheduler learns of their sizes when the first ones are there. A user who calls `map_blocks` tells Dask what shape
comes out, or that it is the shape that went in. Dask keeps it beside the graph until the graph is written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from asafess.compiler.abstract.values import UNKNOWN, array_of

#: name of an array → its chunks along each axis, and its data type
Stated = Mapping[str, tuple[tuple[tuple[float, ...], ...], Any]]


def stated_shapes(collections: Iterable[Any], expression: Any = None) -> dict[str, Any]:
    """Return what is stated of all arrays that collections were made from. Never raises.

    Parameters
    ----------
    collections : iterable of Dask collections
    expression : dask._expr.Expr, optional
        What they were optimized to.

    Examples
    --------
    >>> import dask.array as da
    >>> x = da.ones((5, 4), chunks=(3, 4))
    >>> stated_shapes([x])[x.name]
    (((3, 2), (4,)), dtype('float64'))
    """
    found: dict[str, Any] = {}
    for source in (*collections, expression):
        try:
            for name, chunks, dtype in _of(source):
                found.setdefault(name, (chunks, dtype))
        except Exception:  # it may be anything; then nothing is stated
            continue
    return found


def _of(source: Any) -> Iterator[tuple[str, Any, Any]]:
    from dask._expr import Expr
    from dask.highlevelgraph import HighLevelGraph

    expression = source if isinstance(source, Expr) else getattr(source, "expr", None)
    if isinstance(expression, Expr):
        for one in expression.walk():
            chunks = getattr(one, "chunks", None)
            if isinstance(chunks, tuple):
                yield one._name, chunks, getattr(one, "dtype", None)
        return
    graph = getattr(source, "dask", None)
    if isinstance(graph, HighLevelGraph):
        for name, layer in graph.layers.items():
            stated = layer.collection_annotations or {}
            if isinstance(stated.get("chunks"), tuple):
                yield name, stated["chunks"], stated.get("dtype")


def chunk(key: Any, stated: Stated) -> Any:
    """Return the chunk that a key names as an abstract value, `UNKNOWN` where its shape is not stated.

    Examples
    --------
    >>> chunk(("x", 1, 0), {"x": (((3, 2), (4,)), None)}).shape
    (2, 4)
    >>> chunk("y", {})
    UNKNOWN
    """
    if not isinstance(key, tuple) or not key or key[0] not in stated:
        return UNKNOWN
    chunks, dtype = stated[key[0]]
    try:
        return array_of([sizes[place] for sizes, place in zip(chunks, key[1:], strict=True)], dtype)
    except (ValueError, TypeError, IndexError):  # another key of that name, or sizes that Dask does not know: NaN
        return UNKNOWN
