"""Which kernels a data type needs, and compiling them ahead of their first use.

Compiling takes about a second per data type and holds the GIL for most of it, so a worker does it in a thread before
it says that it is ready; what it did not foresee is compiled in the background (`prepare_later`) while the data
travels as it is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from asafess.kernels.dtypes import checked_dtype, column_type, row_type, word_type
from asafess.kernels.plan import PLAN
from asafess.kernels.product import PRODUCT
from asafess.kernels.recode import RECODE

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_begun: set[tuple[np.dtype, np.dtype, np.dtype]] = set()


def prepare(dtypes: Iterable[Any], tile: int = 128, n: int = 1) -> None:
    """Compile all kernels for the data types given; returns when that is done.

    Parameters
    ----------
    dtypes : iterable of numpy dtypes
        Of `dtypes.SUPPORTED`.
    tile : int
        Edge of the tiles; it decides the type of the stored rows.
    n : int
        Columns of the matrices; it decides the type of the stored columns, which is the same up to 65536.

    Raises
    ------
    TypeError
        For a data type that no kernel exists for.

    Examples
    --------
    >>> prepare(["uint8"])
    >>> ready("uint8")
    True
    """
    row, column = row_type(tile), column_type(n)
    for dtype in map(checked_dtype, dtypes):
        word = word_type(dtype)
        PLAN.compile(word)
        RECODE.compile(word, row, column)
        PRODUCT.compile(dtype, row, column)


def ready(dtype: Any, tile: int = 128, n: int = 1) -> bool:
    """Say whether all kernels for a data type are compiled.

    Parameters
    ----------
    dtype : numpy dtype
    tile, n : int
        As in `prepare`.

    Returns
    -------
    bool
    """
    word, row, column = word_type(dtype), row_type(tile), column_type(n)
    return PLAN.ready(word) and RECODE.ready(word, row, column) and PRODUCT.ready(dtype, row, column)


def prepare_later(dtype: Any, tile: int = 128, n: int = 1) -> None:
    """Compile all kernels for a data type in a background thread; once per data type, however often it is asked for.

    Any thread may call it; it returns at once. A fault is logged, and the data type stays uncompiled.

    Parameters
    ----------
    dtype : numpy dtype
    tile, n : int
        As in `prepare`.
    """
    key = (np.dtype(dtype), row_type(tile), column_type(n))
    with _lock:
        if key in _begun:
            return
        _begun.add(key)
    threading.Thread(target=_prepare, args=(dtype, tile, n), name=f"asafess-prepare-{key[0]}", daemon=True).start()


def _prepare(dtype: Any, tile: int, n: int) -> None:
    try:
        prepare([dtype], tile, n)
    except Exception:
        logger.warning("asafess.kernels.prepare failed dtype=%s; it stays uncompressed", dtype, exc_info=True)
