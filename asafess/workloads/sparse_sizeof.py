"""The size of SciPy's sparse *arrays*, which Dask does not know.

Dask 2026.8 registers `scipy.sparse.spmatrix` only: a `csr_array` of any size counts as 56 bytes, so the scheduler
believes that moving it costs nothing and a worker never spills it. A comparison with such panels would not be fair.
"""

from __future__ import annotations

import sys
from typing import Any

from dask.sizeof import sizeof


def register() -> None:
    """Tell Dask the size of sparse arrays, without importing SciPy where it is not loaded yet.

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> register()
    >>> sizeof(scipy.sparse.csr_array(np.eye(1000))) > 12_000
    True
    """
    # Dask keeps one lazy registration for each package; this one takes the place of Dask's own and does its work too.
    sizeof.register_lazy("scipy", _register_now)
    if "scipy.sparse" in sys.modules:
        _register_now()


def _register_now() -> None:
    from scipy import sparse

    # csr_array by name as well: Dask may have looked it up before, and remembers what it found
    for kind in (sparse.spmatrix, sparse.sparray, sparse.csr_array):
        sizeof.register(kind, _size)


def _size(s: Any) -> int:
    """Add up the arrays that a sparse array consists of, as Dask does for matrices."""
    return sum(sizeof(part) for part in vars(s).values())
