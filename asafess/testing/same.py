"""Whether two results are the same, to the bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def identical(one: Any, other: Any) -> bool:
    """Say whether two results are of the same types, shapes and values, to the last bit; NaN is the same as NaN.

    Parameters
    ----------
    one, other : object
        Arrays, pandas objects, mappings, sequences, sets, whatever compares with ``==``, nested in any way.

    Examples
    --------
    >>> import numpy as np
    >>> identical([np.ones(2), {"mean": float("nan")}], [np.ones(2), {"mean": float("nan")}])
    True
    >>> identical(np.zeros(2), -np.zeros(2)), identical(1, 1.0), identical((1, 2), [1, 2])
    (False, False, False)
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, Mapping):
        # their order may be that in which tasks ended
        return one.keys() == other.keys() and all(identical(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, float | complex):
        return repr(one) == repr(other)  # tells -0.0 from 0.0, and takes one NaN for another
    if hasattr(one, "dtype") and hasattr(one, "tobytes") and not one.dtype.hasobject:
        return bool(one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes())
    if hasattr(one, "equals"):  # pandas
        return bool(one.equals(other))
    if hasattr(one, "dtype") and hasattr(one, "tolist"):
        return bool(one.shape == other.shape) and identical(one.tolist(), other.tolist())
    return bool(one == other)
