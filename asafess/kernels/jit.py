"""How kernels are compiled: one place owns the flags, and nothing is compiled at import.

Covers compilation on demand with explicit signatures. Does not cover *which* kernels a data type needs: that is
`prepare`.

The flags are part of the promise that every form of a tile gives the same bits: no fastmath, so additions are
neither reordered nor contracted. `parallel` is off because with Numba's built-in threading layer two Dask threads in
a parallel function abort the process. There is no on-disk cache: its files outlive the sources they came from.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba import types

FLAGS: dict[str, Any] = {
    "nogil": True,
    "fastmath": False,
    "parallel": False,
    "cache": False,
    "boundscheck": False,
    "error_model": "numpy",
}

#: Numba's type of a size: the shape of a matrix, the edge of a tile.
SIZE = types.int64


def inner(function: Callable[..., Any]) -> Any:
    """Mark a function that only other kernels call; compiled with its caller, never on its own.

    Parameters
    ----------
    function : callable
        Plain loops over arrays.

    Returns
    -------
    numba dispatcher
    """
    return numba.njit(**FLAGS)(function)


def incoming(dtype: np.dtype | type, ndim: int = 1) -> types.Array:
    """Return the type of an array that a kernel reads.

    Arrays received from the network are views into frames: read-only, and aligned to nothing. A kernel typed so takes
    them, and takes writable and aligned ones too, without a second specialization.

    Parameters
    ----------
    dtype : numpy dtype
    ndim : int

    Returns
    -------
    numba.types.Array

    Examples
    --------
    >>> incoming(np.float64).mutable
    False
    """
    return types.Array(numba.from_dtype(np.dtype(dtype)), ndim, "C", readonly=True, aligned=False)


def outgoing(dtype: np.dtype | type, ndim: int = 1) -> types.Array:
    """Return the type of a freshly made array that a kernel writes.

    Parameters
    ----------
    dtype : numpy dtype
    ndim : int

    Returns
    -------
    numba.types.Array

    Examples
    --------
    >>> outgoing(np.float64).mutable
    True
    """
    return types.Array(numba.from_dtype(np.dtype(dtype)), ndim, "C")


class Kernel:
    """A function of plain loops, compiled once per combination of data types, when first asked for.

    Thread rules: any thread may ask for or compile any combination; `_lock` makes the others wait, and is held
    while compiling (about a second, most of it with the GIL). Looking up a compiled one takes no lock.

    Parameters
    ----------
    function : callable
        Plain loops over arrays; returns None.
    signature : callable
        Takes the data types of one combination, returns the Numba types of the arguments.
    nogil : bool
        Whether other threads may run Python meanwhile. Not for what takes microseconds: to get the lock back from busy
        threads takes milliseconds.

    Examples
    --------
    >>> def double(a, out):
    ...     for i in range(a.size):
    ...         out[i] = a[i] + a[i]
    >>> DOUBLE = Kernel(double, lambda dtype: (incoming(dtype), outgoing(dtype)))
    >>> DOUBLE.ready(np.float32)
    False
    >>> out = np.empty(3, np.float32)
    >>> DOUBLE[np.float32](np.arange(3, dtype=np.float32), out)
    >>> out
    array([0., 2., 4.], dtype=float32)
    >>> DOUBLE.ready(np.float32)
    True
    """

    __slots__ = ("_compiled", "_flags", "_lock", "function", "signature")

    def __init__(
        self, function: Callable[..., None], signature: Callable[..., tuple[types.Type, ...]], nogil: bool = True
    ) -> None:
        #: The Python function, for tests and for reading.
        self.function = function
        #: Data types → Numba types of the arguments.
        self.signature = signature
        self._flags = {**FLAGS, "nogil": nogil}
        self._lock = threading.Lock()
        #: by the data types, and by the one if it is one
        self._compiled: dict[tuple[np.dtype, ...] | np.dtype, Any] = {}

    def __getitem__(self, dtypes: Any) -> Callable[..., None]:
        try:  # mostly it is a key already, and making one takes a microsecond
            return self._compiled[dtypes]
        except (KeyError, TypeError):
            return self.compile(*_key(dtypes))

    def ready(self, *dtypes: Any) -> bool:
        """Say whether a combination is compiled.

        Parameters
        ----------
        *dtypes : numpy dtypes

        Returns
        -------
        bool
        """
        return _key(dtypes) in self._compiled

    def compile(self, *dtypes: Any) -> Any:
        """Compile a combination, unless it is compiled already.

        Parameters
        ----------
        *dtypes : numpy dtypes

        Returns
        -------
        numba dispatcher
            With exactly one specialization; arguments of other types raise TypeError.
        """
        key = _key(dtypes)
        with self._lock:
            if key not in self._compiled:
                compiled = numba.njit(types.void(*self.signature(*key)), **self._flags)(self.function)
                self._compiled.update(dict.fromkeys((key, *key) if len(key) == 1 else (key,), compiled))
            return self._compiled[key]


def _key(dtypes: Any) -> tuple[np.dtype, ...]:
    if not isinstance(dtypes, tuple):
        dtypes = (dtypes,)
    return tuple(np.dtype(dtype) for dtype in dtypes)
