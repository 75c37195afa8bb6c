"""What the compiler says of a kernel for Numba, beside what its instrumented run counts.

Numbers that depend on data and that the arguments don't tell (how often a condition holds, turns of a while loop) are
averages measured on the smallest size, and used for the others: what the counts there were, solved for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from scipy.optimize import lsq_linear

from asafess.compiler.operation_counts import per_element

from .case import Kernel
from .counting.counter import Counter
from .counting.loops import count


@dataclass
class Compared:
    """A kernel's cost beside its counts, at several sizes."""

    #: one row per size: predicted and counted flop, read and written
    sizes: list[dict[str, Any]] = field(default_factory=list)
    #: numbers of the data that were measured on the smallest size
    averages: dict[str, float] = field(default_factory=dict)
    #: loads at the large size: flop, bytes that move between memory and caches, bytes touched
    flop: float = 0.0
    #: of them those in loops
    loops: float = 0.0
    traffic: float = 0.0
    touched: float = 0.0
    #: why the compiler says nothing
    why: str = ""

    @property
    def exact(self) -> bool:
        """Whether flop and bytes are the counted ones at all sizes, to the last."""
        return bool(self.sizes) and all(
            row[f"predicted_{what}"] == row[f"counted_{what}"]
            for row in self.sizes
            for what in ("flop", "read", "written")
        )


def compare(kernel: Kernel, large: int) -> Compared:
    """Return what the compiler says of a kernel and what is counted."""
    from asafess.compiler.cost import cost

    counted = {size: count(kernel.function, *kernel.make(size))[0] for size in kernel.sizes}
    found = Compared()
    for counter in counted.values():
        if counter.unseen:
            raise RuntimeError(f"{kernel.name}: not counted: {', '.join(counter.unseen)}")
    try:
        first = kernel.make(kernel.sizes[0])
        costs = cost(numba.njit(kernel.function), *map(numba.typeof, first))
        found.averages = _averages(costs, first, counted[kernel.sizes[0]])
        for size, counter in counted.items():
            said = costs.bind(*kernel.make(size), **found.averages)
            row = {"size": size, "footprint_predicted": said.footprint, "footprint_counted": counter.footprint}
            for what, known in (("flop", weighed(counter)), ("read", counter.read), ("written", counter.written)):
                row |= {f"predicted_{what}": getattr(said, what), f"counted_{what}": known}
            found.sizes.append(row)
        at_large = costs.bind(*kernel.make(large), **found.averages)
        found.flop, found.loops = at_large.flop, at_large.loops
        found.traffic, found.touched = at_large.traffic, at_large.bytes
    except Exception as error:
        found.why = f"{type(error).__name__}: {error}"
        found.sizes = [
            {"size": size, "counted_flop": weighed(one), "counted_read": one.read, "counted_written": one.written}
            | dict.fromkeys(("predicted_flop", "predicted_read", "predicted_written"))
            for size, one in counted.items()
        ]
    return found


def weighed(counter: Counter) -> float:
    """Return the counted flop, a call of an elementary function being as many as the compiler takes it to be.

    How many it is can't be counted in a run; that its weight is right is looked at in the array programs.
    """
    names = {"atan": "arctan", "asin": "arcsin", "acos": "arccos", "atan2": "arctan2", "pow": "power"}
    return counter.weighed(lambda name: per_element(names.get(name, name), "f") or 1.0)


def _averages(costs: Any, args: tuple[Any, ...], counted: Counter) -> dict[str, float]:
    """Return the numbers that the arguments don't tell, such that the cost is what was counted."""
    try:
        costs.bind(*args)
        return {}
    except ValueError:
        names = sorted(costs.estimated)

    def said(values: Mapping[str, float]) -> np.ndarray:
        at = costs.bind(*args, **values)
        return np.array([at.flop, at.read, at.written])

    zero = said(dict.fromkeys(names, 0.0))
    slopes = np.stack([said({**dict.fromkeys(names, 0.0), name: 1.0}) - zero for name in names], axis=1)
    counts = np.array([weighed(counted), counted.read, counted.written])
    # products of two such numbers are taken for one, with the others at 1
    if not slopes.any():
        ones = said(dict.fromkeys(names, 1.0))
        share = float(np.clip(np.max((counts - zero) / np.maximum(ones - zero, 1e-9)), 0, 1))
        return dict.fromkeys(names, share ** (1 / len(names)))
    return dict(zip(names, lsq_linear(slopes, counts - zero, bounds=(0, np.inf)).x.tolist(), strict=True))
