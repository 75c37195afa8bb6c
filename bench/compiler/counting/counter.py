"""The instrumented reference: arrays that count what is done with them.

A counted array is a NumPy array. Whatever NumPy does with it goes through `__getitem__`, `__setitem__`,
`__array_ufunc__` or `__array_function__`, which do it and add up what it was, from the shapes and data types that are
really there. Nothing here knows of the compiler's rules. What a program's own loops do between the arrays is counted in
`loops.py`, what compiled functions of NumPy do in `calls.py`.

What counts as one floating-point operation is a definition and not a measurement, the same as the compiler's
(`asafess.compiler.operation_counts`): `+ − × ÷`, minimum, maximum and square root are one. Complex arithmetic is what
it consists of. Comparing, negating, rounding and converting, and all that is done to integers, are none; they are kept
apart as *other* operations on elements. How many operations an elementary function takes depends on the library; the
numbers here are an estimate like the compiler's, so beside them only how often it is called is checked.

Bytes are those of the elements that each operation reads and writes, however often; a view costs nothing. *Footprint*
is the bytes of different elements, of watched arrays.

What it can't see: a function that turns the array into a plain one and works with that. So a result that is no counted
array although an input was is noted, with the names of calls that are not known (`Counter.unseen`).
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: ufuncs that do no floating-point arithmetic
FREE = frozenset(
    {
        *("negative", "positive", "absolute", "fabs", "sign", "signbit", "copysign", "conjugate"),
        *("floor", "ceil", "trunc", "rint", "isnan", "isinf", "isfinite", "isnat", "invert"),
        *("heaviside", "nextafter", "spacing", "frexp", "bitwise_count"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        *("logical_and", "logical_or", "logical_xor", "logical_not"),
        *("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"),
    }
)
#: operations that are more than one, for arguments of moderate size: an estimate
ELEMENTARY = {
    **dict.fromkeys(["exp", "exp2", "expm1"], 24),
    **dict.fromkeys(["log", "log2", "log10", "log1p"], 28),
    **dict.fromkeys(["sin", "cos", "arctan", "arcsin", "arccos", "atan", "asin", "acos"], 26),
    **dict.fromkeys(["tan", "sinh", "cosh", "tanh", "arctan2", "atan2"], 32),
    **dict.fromkeys(["power", "pow", "float_power"], 70),
    **dict.fromkeys(["hypot", "floor_divide", "remainder", "fmod"], 4),
}
#: real operations of one complex operation
COMPLEX = {"add": 2, "subtract": 2, "multiply": 6, "divide": 11, "absolute": 4, "square": 6, "reciprocal": 5}


@dataclass
class Counter:
    """What was done so far."""

    #: floating-point operations
    flop: int = 0
    #: operations on elements that are none: comparisons, roundings, conversions, integers
    other: int = 0
    #: bytes of elements read and written, however often
    read: int = 0
    written: int = 0
    #: calls of functions that are more than one operation, by name; their operations are in `flop`
    elementary: Tally[str] = field(default_factory=Tally)
    #: what could not be counted, by name
    unseen: Tally[str] = field(default_factory=Tally)
    #: marks of the elements that were touched, of the arrays that are watched, with the bytes of an element
    marks: list[tuple[np.ndarray, int]] = field(default_factory=list)

    @property
    def footprint(self) -> int:
        """Bytes of the different elements that were touched."""
        return sum(int(np.count_nonzero(marks)) * itemsize for marks, itemsize in self.marks)

    def array(self, array: np.ndarray, watch: bool = False) -> Any:
        """Return a view of an array that counts here.

        Parameters
        ----------
        array : ndarray
        watch : bool
            Whether its elements count for the footprint.
        """
        from .array import CountedArray

        counted = array.view(CountedArray)
        counted.counter = self
        if watch:
            counted.marks = np.zeros(array.shape, dtype=bool)
            self.marks.append((counted.marks, array.dtype.itemsize))
        return counted

    def wrap(self, thing: Any) -> Any:
        """Return the same with each array in it counted, through tuples, lists and dictionaries."""
        if type(thing) is np.ndarray:
            return self.array(thing)
        if isinstance(thing, tuple | list):
            return _like(thing, [self.wrap(each) for each in thing])
        if type(thing) is dict:
            return {key: self.wrap(each) for key, each in thing.items()}
        return thing

    def elementwise(self, name: str, count: int, kind: str) -> None:
        """Count an operation on so many elements of a kind (`dtype.kind`)."""
        if kind == "c" and name in COMPLEX:
            self.flop += count * COMPLEX[name]
        elif kind in "fc" and name not in FREE:
            if name in ELEMENTARY:
                self.elementary[name] += count
            self.flop += count * ELEMENTARY.get(name, 1) * (4 if kind == "c" else 1)
        else:
            self.other += count

    def weighed(self, weight: Callable[[str], float]) -> float:
        """Return the floating-point operations with other weights for the functions that are more than one."""
        return self.flop + sum(count * (weight(name) - ELEMENTARY[name]) for name, count in self.elementary.items())

    def moved(self, inputs: Any, outputs: Any) -> None:
        """Count the arrays in these as read and written once; what repeats an element (stride 0) holds it once."""
        self.read += sum(stored(array) for array in arrays_in(inputs))
        self.written += sum(stored(array) for array in arrays_in(outputs))


def arrays_in(thing: Any) -> list[np.ndarray]:
    """Return the arrays in tuples, lists and dictionaries, those without a dimension left out."""
    if isinstance(thing, np.ndarray):
        return [thing] if thing.ndim else []
    if isinstance(thing, Mapping):
        thing = list(thing.values())
    if isinstance(thing, tuple | list):
        return [array for each in thing for array in arrays_in(each)]
    return []


def stored(array: np.ndarray) -> int:
    """Return the bytes of the different elements of a view: a broadcast one repeats them.

    >>> stored(np.broadcast_to(np.ones(4), (1000, 4)))
    32
    """
    count = 1
    for length, stride in zip(array.shape, array.strides, strict=True):
        count *= min(length, 1) if stride == 0 else length
    return count * array.dtype.itemsize


def _like(sequence: Any, items: list[Any]) -> Any:
    """Return a tuple, named or not, or a list with other items."""
    make = getattr(type(sequence), "_make", type(sequence))
    return make(items)


def plain(thing: Any) -> Any:
    """Return the same with each counted array as a plain one."""
    if isinstance(thing, np.ndarray):
        return thing.view(np.ndarray)
    if isinstance(thing, tuple | list):
        return _like(thing, [plain(each) for each in thing])
    if type(thing) is dict:
        return {key: plain(each) for key, each in thing.items()}
    return thing


def mark(thing: Any) -> None:
    """Mark all elements of the watched arrays in it as touched."""
    for array in arrays_in(thing):
        marks = getattr(array, "marks", None)
        if marks is not None:
            marks[...] = True
