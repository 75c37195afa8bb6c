"""Break-even densities: up to which share of non-zero words a tile is better off sparse.

*light* (compute): the product with the sparse form takes as long as with the dense one. It depends on the machine.
*full* (bytes): both forms take as many bytes. It is arithmetic, bytes of a word ÷ bytes of an entry, and is measured
only as a check of that.

Which ones a process uses is in `densities`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from asafess.kernels import prepare
from asafess.kernels.dtypes import checked_dtype
from asafess.tiles import serialize
from asafess.tiles.rates import best as quickest
from asafess.tiles.rates import panel

#: Densities at which the product with the sparse form is measured first. The crossing is added to them.
MEASURED_AT = (0.0, 1 / 64, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)


def light(rates: Mapping[str, float], itemsize: int) -> float:
    """Return the density at which both products take as long, from rates.

    A tile of w words with density d takes w · itemsize ÷ *dense_product* or d · w ÷ *sparse_product* seconds.

    Parameters
    ----------
    rates : mapping
        *dense_product* in bytes/s and *sparse_product* in entries/s, as from `asafess.tiles.rates.rates`.
    itemsize : int
        Bytes of a word.

    Examples
    --------
    >>> light({"dense_product": 16e9, "sparse_product": 0.5e9}, itemsize=8)
    0.25
    """
    return min(1.0, rates["sparse_product"] * itemsize / rates["dense_product"])


def pays(
    rates: Mapping[str, float],
    products: float,
    removed: float,
    entries: float = 0.0,
    scanned: float = 0.0,
    copied: float = 0.0,
) -> bool:
    """Say whether recoding a panel that stays where it is pays: saving per product × products > cost.

    Parameters
    ----------
    rates : mapping
        As from `asafess.tiles.rates.rates`.
    products : float
        How many products with the panel are expected.
    removed : float
        Bytes of the dense tiles that become sparse.
    entries : float
        Their non-zeros.
    scanned : float
        Bytes that are yet to be looked at.
    copied : float
        Bytes of dense tiles that stay dense and have to be gathered.

    Examples
    --------
    16 MB of empty tiles take 1 ms per product, and looking at them 2 ms:

    >>> rates = {"dense_product": 16e9, "sparse_product": 0.5e9, "scan": 8e9, "copy": 8e9}
    >>> pays(rates, 1, removed=16e6, scanned=16e6), pays(rates, 10, removed=16e6, scanned=16e6)
    (False, True)
    """
    saving = removed / rates["dense_product"] - entries / rates["sparse_product"]
    return saving * products > scanned / rates["scan"] + copied / rates["copy"]


def crossing(densities: Sequence[float], seconds: Sequence[float], level: float) -> float:
    """Return the density at which the seconds rise above a level, by straight lines between what was measured.

    Parameters
    ----------
    densities : sequence of float
        Ascending.
    seconds : sequence of float
        Of the sparse form, at these densities.
    level : float
        Seconds of the dense form.

    Returns
    -------
    float
        The first density if even that takes longer; the last one if none does.

    Examples
    --------
    >>> crossing([0.0, 0.5, 1.0], [1.0, 2.0, 6.0], 3.0)
    0.625
    >>> crossing([0.0, 1.0], [1.0, 2.0], 0.5), crossing([0.0, 1.0], [1.0, 2.0], 9.0)
    (0.0, 1.0)
    """
    above = [k for k, took in enumerate(seconds) if took > level]
    if not above:
        return densities[-1]
    k = above[0]
    if k == 0:
        return densities[0]
    part = (level - seconds[k - 1]) / (seconds[k] - seconds[k - 1])
    return densities[k - 1] + part * (densities[k] - densities[k - 1])


@dataclass(frozen=True)
class Measured:
    """What `measure` found."""

    dtype: np.dtype
    #: Edge of a tile.
    tile: int
    #: Densities at which the forms break even.
    light: float
    full: float
    #: Seconds of the dense product, and of the sparse one by density.
    dense_seconds: float
    sparse_seconds: Mapping[float, float]
    #: Bytes of a dense word and of a sparse entry, of encoded panels.
    word_bytes: float
    entry_bytes: float


def measure(dtype: Any = np.float64, tile: int = 128, seconds: float = 3.0) -> Measured:
    """Measure the break-even densities of this machine, with one thread. Changes nothing; see `densities.learn`.

    Panels of 32 MiB, larger than a core's caches, are multiplied in the dense form and, at several densities with
    non-zeros uniformly spread, in the sparse one: in turns, the best of each. The crossing found is measured too.
    Needs about 200 MiB of memory, for tiles above 1024 up to 1 GiB; kernels are compiled first, outside the clock.

    Parameters
    ----------
    dtype : numpy dtype
    tile : int
        Edge of a tile.
    seconds : float
        About how long to multiply; each product runs at least three times.

    Returns
    -------
    Measured

    Raises
    ------
    TypeError
        For a data type that tiles can't hold.
    ValueError
        For an edge that is none.

    Examples
    --------
    >>> found = measure("float64", seconds=0.01)
    >>> 0 <= found.light <= 1, round(found.full, 4)
    (True, 0.7273)
    """
    dtype = checked_dtype(dtype)
    prepare.prepare([dtype], tile)
    dense, sparse = panel(dtype, tile, 1.0), {d: panel(dtype, tile, d, "sparse") for d in MEASURED_AT}
    x = np.ones(dense.shape[1], dtype)

    def best(share: float) -> tuple[float, dict[float, float]]:
        took = quickest([partial(a.dot, x, threads=1) for a in (dense, *sparse.values())], seconds * share)
        return took[0], dict(zip(sparse, took[1:], strict=True))

    level, by_density = best(0.3)
    light = crossing(list(by_density), list(by_density.values()), level)
    if light not in sparse:
        # Once more, close to the crossing: the line between two densities need not be straight. Only what was measured
        # in the same turns is compared.
        near = {0.0, 0.7 * light, light, min(1.0, 1.4 * light), 1.0}
        sparse = {d: panel(dtype, tile, d, "sparse") for d in sorted(near)}
        level, by_density = best(0.7)
        light = crossing(list(by_density), list(by_density.values()), level)
    word, entry = (
        sum(frame.nbytes for frame in serialize.encode(a)[1]) / max(a.nnz, 1)
        for a in (dense, panel(dtype, tile, 1.0, "sparse"))
    )
    return Measured(
        *(dtype, tile, light, min(1.0, word / entry)),
        *(level, by_density, word, entry),
    )
