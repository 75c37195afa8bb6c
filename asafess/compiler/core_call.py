"""A call of what `numba.vectorize` or `guvectorize` has made: one call of its core, and how many there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asafess.compiler.abstract.shapes import broadcast
from asafess.compiler.abstract.values import ArrayOf, Unknown, array_of, as_array


@dataclass(frozen=True)
class CoreCall:
    """One call of the function that a person wrote.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import guvectorize
    >>> @guvectorize(["void(f8[:], f8, f8[:])"], "(n),()->(n)")
    ... def scaled(a, x, out):
    ...     for i in range(a.size):
    ...         out[i] = a[i] * x
    >>> one = core_call(scaled, (array_of((5, 100), "f8"), 2.0))
    >>> [given.shape for given in one.args], one.times, [made.shape for made in one.made]
    ([(100,), (), (100,)], 5, [(5, 100)])
    """

    function: Any
    #: what it is given
    args: tuple[Any, ...]
    #: how often it is called
    times: int
    #: over which axes
    loop: tuple[int, ...]
    #: bytes of different elements of all inputs
    read: float
    #: what all calls together make; none where that follows from what one call returns
    made: tuple[ArrayOf, ...] = ()


def core_call(function: Any, args: Sequence[Any]) -> CoreCall:
    """Return one call of the core of a vectorized function.

    Parameters
    ----------
    function : numba.np.ufunc.dufunc.DUFunc or numba.np.ufunc.gufunc.GUFunc
        Looked at without importing Numba.
    args : sequence
        Abstract values.

    Raises
    ------
    Unknown
        Where shapes are not known, or the types that a `guvectorize` without any will have.
    """
    if len(args) != function.nin:
        raise Unknown(f"{len(args)} arguments, where {function.nin} are inputs")
    arrays = [as_array(arg) for arg in args]
    read = sum(array.touched for array in arrays)
    if function.signature is None:
        loop = tuple(broadcast(*(array.known_shape for array in arrays)))
        at = _loop(function, arrays)
        dtypes = [array.dtype for array in arrays] if at is None else _dtypes(function, at)
        scalars = tuple(
            arg if isinstance(arg, bool | int | float) else array_of((), dtype)
            for arg, dtype in zip(args, dtypes, strict=False)
        )
        made = () if at is None else tuple(array_of(loop, dtype) for dtype in dtypes[function.nin :])
        return CoreCall(function._dispatcher.py_func, scalars, math.prod(loop), loop, read, made)
    builder = function.gufunc_builder
    sizes: dict[str, int] = {}
    loops = []
    for array, names in zip(arrays, builder.sin, strict=True):
        shape = array.known_shape
        loops.append(shape[: len(shape) - len(names)])
        sizes |= dict(zip(names, shape[len(shape) - len(names) :], strict=True))
    loop = tuple(broadcast(*loops))
    at = _loop(function, arrays)
    if at is None:
        raise Unknown("the types of its results are known only when it is compiled")
    kinds, dtypes = builder._sigs[at].args, _dtypes(function, at)
    given = []
    for kind, dtype, names in zip(kinds, dtypes, [*builder.sin, *builder.sout], strict=True):
        core = tuple(sizes[name] for name in names)
        one_element = () if not hasattr(kind, "ndim") else (1,)  # how a function sees what has no axes
        given.append(array_of(core or one_element, dtype))
    made = tuple(
        array_of((*loop, *(sizes[name] for name in names)), dtype)
        for names, dtype in zip(builder.sout, dtypes[function.nin :], strict=True)
    )
    return CoreCall(builder.py_func, tuple(given), math.prod(loop), loop, read, made)


def _loop(function: Any, arrays: list[ArrayOf]) -> int | None:
    """Return which of the loops that are compiled takes these arrays, None if none does."""
    import numpy

    for at in range(len(function.types)):
        operands = zip(arrays, _dtypes(function, at), strict=False)
        if all(array.dtype is not None and numpy.can_cast(array.dtype, dtype) for array, dtype in operands):
            return at
    return None


def _dtypes(function: Any, at: int) -> list[Any]:
    """Return the data types of a loop's inputs and outputs."""
    import numpy

    return [numpy.dtype(letter) for letter in function.types[at].replace("->", "")]
