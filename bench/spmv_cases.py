"""The configurations of `bench.spmv`: a base, and around it one factor varied at a time, never their product.

A configuration has a key such as ``stream/1gbit/recursive/20/11/128``: placement, link, order of the vertices, dense
share in per cent, scale, edge of a tile; and ``/random`` where values are not analytic (see `spmv_reference.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from asafess.workloads.graph500_edges import Order
from asafess.workloads.graph500_matrix import Values
from asafess.workloads.placement import Placement

from .demo import Job

#: slowest last; 10gbit only where the machine's own speed leaves room, see `bench.spmv`
LINKS = ("loopback", "10gbit", "1gbit", "100mbit")
ORDERS: tuple[Order, ...] = ("recursive", "scrambled", "random")
#: per cent
SHARES = (0, 2, 5, 10, 20, 50)
SCALES = (11, 12, 13, 14)
TILES = (128, 256, 512, 1024)
#: not on the slowest link: one dense sweep of this scale would take 43 s
TOO_LARGE = ("100mbit", 14)


@dataclass(frozen=True)
class Case:
    """One configuration. The defaults are the paper's: 2048 × 2048, tiles of 128 × 128."""

    placement: Placement = "stream"
    link: str = "1gbit"
    order: Order = "recursive"
    #: dense tiles, in per cent
    share: int = 20
    scale: int = 11
    tile: int = 128
    values: Values = "analytic"

    @property
    def key(self) -> str:
        """Return the name of the configuration.

        >>> Case().key
        'stream/1gbit/recursive/20/11/128'
        """
        parts = [self.placement, self.link, self.order, self.share, self.scale, self.tile]
        return "/".join(map(str, [*parts, *([] if self.values == "analytic" else [self.values])]))

    def is_like(self, base: Case) -> bool:
        """Say whether it is the base on some link, with any values: where stock Dask runs too."""
        return replace(self, link=base.link, values=base.values) == base

    def job(self, seed: int) -> Job:
        """Return it as `bench.demo` takes it."""
        return Job(self.scale, self.tile, self.share / 100, self.order, self.values, seed=seed)


def cases(base: Case, links: Sequence[str], quick: bool = False) -> list[Case]:
    """Return all configurations around a base, each once, by link and, on each link, by tile.

    Parameters
    ----------
    base : Case
    links : sequence of str
        Those that can be had here.
    quick : bool
        Fewer values of each factor.

    >>> len(cases(Case(), LINKS)), [case.key for case in cases(Case(), ["1gbit"])][:2]
    (22, ['stream/1gbit/recursive/20/11/128', 'stream/1gbit/recursive/20/11/128/random'])
    """
    larger = [scale for scale in SCALES if scale > base.scale]
    found = [replace(base, link=link) for link in links]
    found += [replace(base, values="random")] if quick else [replace(case, values="random") for case in found]
    found += [replace(base, link="loopback", placement="resident")] if "loopback" in links else []
    if quick:
        found += [replace(base, share=0), replace(base, scale=base.scale + 1)]
    else:
        found += [replace(base, order=order) for order in ORDERS]
        found += [replace(base, share=share) for share in SHARES]
        found += [replace(base, scale=scale) for scale in larger]
        found += [replace(base, tile=tile) for tile in TILES if tile <= 2**base.scale]
    allowed = [c for c in dict.fromkeys(found) if c.link in links and (c.link, c.scale) != TOO_LARGE]
    return sorted(allowed, key=lambda case: (links.index(case.link), case.tile))


def chosen(keys: Sequence[str], pattern: str | None) -> list[str]:
    """Return the keys that match a pattern as in a shell, all for None.

    >>> chosen(["stream/1gbit/recursive/20/11/128", "shared-memory"], "stream/*/20/*")
    ['stream/1gbit/recursive/20/11/128']
    """
    return [key for key in keys if pattern is None or fnmatchcase(key, pattern)]
