"""The break-even densities in use in this process, where no threshold says which tiles are to be sparse.

In this order: what an installation gave (`use`), or else this process's Dask configuration, read on the first use;
what was measured here (`learn`); and where nothing is known, `layout.limits` falls back on the paper's threshold, the
rows of a tile, and on the arithmetic of bytes. It decides which tiles are sparse, never what a product's bits are.

Thread rules: any thread may call anything; one tuple is replaced as a whole.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import dask.config
import numpy as np

from asafess.core.densities import KEY, Densities, checked
from asafess.kernels.dtypes import checked_dtype

_NOTHING = Densities()


class _Known(NamedTuple):
    #: None: the configuration has not been read yet.
    given: Mapping[np.dtype, Densities] | None
    #: *light*, by data type.
    measured: Mapping[np.dtype, float]


_known = _Known(None, {})
_writing = threading.Lock()


def use(break_even: Mapping[str, Any] | None) -> None:
    """Use these densities from now on.

    Parameters
    ----------
    break_even : mapping, optional
        Data type → mapping with `light`, `full` or both. None: what this process's configuration has under
        ``asafess.tile-compression.break-even``, read again on the next use.

    Raises
    ------
    ValueError
        For a density that is no number from 0 to 1; the ones in use stay.
    TypeError
        For a data type that tiles can't hold.

    Examples
    --------
    >>> use({"float64": {"light": 0.25}})
    >>> density("light", np.dtype("float64"))
    0.25
    >>> reset()
    """
    global _known
    given = None if break_even is None else {checked_dtype(name): one for name, one in checked(break_even).items()}
    with _writing:
        _known = _known._replace(given=given)


def learn(dtype: Any, light: float) -> None:
    """Remember a measured *light* density, for where none is configured.

    Examples
    --------
    >>> learn("float32", 0.125)
    >>> density("light", np.dtype("float32"))
    0.125
    >>> reset()
    """
    global _known
    with _writing:
        _known = _known._replace(measured={**_known.measured, np.dtype(dtype): light})


def reset() -> None:
    """Forget what was given and measured; the configuration is read again on the next use.

    Examples
    --------
    >>> reset()
    """
    global _known
    with _writing:
        _known = _Known(None, {})


def density(form: str, dtype: np.dtype) -> float | None:
    """Return the density in use for *light* or *full*; None where there is none.

    Raises
    ------
    ValueError, TypeError
        For a configuration that is not allowed.

    Examples
    --------
    >>> reset()
    >>> density("light", np.dtype("float64")) is None
    True
    """
    if _known.given is None:
        use(dask.config.get(KEY, None) or {})
    given, measured = _known
    own = (given or {}).get(dtype, _NOTHING)
    if form == "full":
        return own.full
    return measured.get(dtype) if own.light is None else own.light
