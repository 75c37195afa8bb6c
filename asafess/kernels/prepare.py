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

from asafess.kernels.dtypes import checked_dtype, index_type, word_type
from asafess.kernels.plan import PLAN
from asafess.kernels.product import PRODUCT
from asafess.kernels.recode import RECODE

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_begun: set[tuple[np.dtype, np.dtype]] = set()


def prepare(dtypes: Iterable[Any], tile: int = 128) -> None:
    """Compile all kernels for the data types given; returns when that is done.

    Parameters
    ----------
    dtypes : iterable of numpy dtypes
        Of `dtypes.SUPPORTED`.
    tile : int
        Edge of the tiles; it decides the type of the stored indices.

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
    index = index_type(tile)
    for dtype in map(checked_dtype, dtypes):
        word = word_type(dtype)
        PLAN.compile(word)
        RECODE.compile(word, index)
        PRODUCT.compile(dtype, index)


def ready(dtype: Any, tile: int = 128) -> bool:
    """Say whether all kernels for a data type are compiled.

    Parameters
    ----------
    dtype : numpy dtype
    tile : int

    Returns
    -------
    bool
    """
    word, index = word_type(dtype), index_type(tile)
    return PLAN.ready(word) and RECODE.ready(word, index) and PRODUCT.ready(dtype, index)


def prepare_later(dtype: Any, tile: int = 128) -> None:
    """Compile all kernels for a data type in a background thread; once per data type, however often it is asked for.

    Any thread may call it; it returns at once. A fault is logged, and the data type stays uncompiled.

    Parameters
    ----------
    dtype : numpy dtype
    tile : int
    """
    key = (np.dtype(dtype), index_type(tile))
    with _lock:
        if key in _begun:
            return
        _begun.add(key)
    threading.Thread(target=_prepare, args=(dtype, tile), name=f"asafess-prepare-{key[0]}", daemon=True).start()


def _prepare(dtype: Any, tile: int) -> None:
    try:
        prepare([dtype], tile)
    except Exception:
        logger.warning("asafess.kernels.prepare failed dtype=%s; it stays uncompressed", dtype, exc_info=True)
