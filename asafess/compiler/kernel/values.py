"""What is known of a kernel's values without running it: sizes as expressions, arrays as shapes.

A scalar is a SymPy expression over sizes, scalar arguments and loop counters, or None where nothing is known of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Function, Integer, Symbol, ceiling, floor


class NotCountedError(ValueError):
    """A kernel, or a line of it, whose cost can't be counted; the message names line and construct."""


class Turn(Symbol):
    """The counter of a loop."""


def sizes_in(expr: Expr) -> set[Symbol]:
    """Return the symbols of an expression, without counters of loops; `free_symbols` rebuilds the sums in it."""
    return {symbol for symbol in expr.atoms(Symbol) if not isinstance(symbol, Turn)}


class Step(Function):
    """1 where its integer argument is ≥ 0, else 0."""

    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        """Decide it for numbers; ⌈p / q⌉ ≥ 0 where p + q > 0, ⌊p / q⌋ ≥ 0 where p ≥ 0."""
        if x.is_number:
            return Integer(1) if x >= 0 else Integer(0)
        if isinstance(x, ceiling | floor):
            over, under = sympy.fraction(sympy.together(x.args[0]))
            if under.is_Integer and under > 0:
                return Step(sympy.expand(over + under - 1 if isinstance(x, ceiling) else over))
        return None

    def _eval_power(self, other: Expr) -> Expr | None:
        return self if other.is_Integer and other > 0 else None


class Equal(Function):
    """1 where its integer argument is 0, else 0."""

    is_integer = True
    is_nonnegative = True

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        """Decide it for numbers."""
        if x.is_number:
            return Integer(1) if x == 0 else Integer(0)
        return None

    def _eval_power(self, other: Expr) -> Expr | None:
        return self if other.is_Integer and other > 0 else None


class Element(Function):
    """An element of an array of integers: the array's name, then the position."""

    is_integer = True


@dataclass(frozen=True)
class Root:
    """Memory that arrays are views of: an argument, a global, or what the kernel allocates."""

    name: str
    dims: tuple[Expr, ...]
    itemsize: int
    argument: bool = False


@dataclass(frozen=True)
class Axis:
    """How one axis of a root is addressed: offset + step × index along `dim` of the view (None: fixed)."""

    offset: Expr | None
    step: Expr = field(default_factory=lambda: Integer(1))
    dim: int | None = None


@dataclass(frozen=True)
class Array:
    """An array: its shape, its element type, and which part of which memory it shows.

    `axes` is None where the addresses are not followed (a reshaped view, say); then it may show all of `root`.
    """

    dims: tuple[Expr, ...]
    dtype: Any  # numba type
    root: Root
    axes: tuple[Axis, ...] | None = None

    @property
    def size(self) -> Expr:
        """Number of elements."""
        return sympy.prod(self.dims, start=Integer(1))

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.root.itemsize


@dataclass(frozen=True)
class Range:
    """start, start + step, … as `range` has it."""

    start: Expr | None
    stop: Expr | None
    step: Expr | None

    @property
    def trips(self) -> Expr | None:
        """How often a loop over it turns; negative where start is beyond stop."""
        if self.start is None or self.stop is None or self.step is None or self.step == 0:
            return None
        return ceiling(sympy.expand(self.stop - self.start) / self.step)


@dataclass(frozen=True)
class Sequence:
    """What a loop goes over: `trips` turns, each reading `read` bytes."""

    trips: Expr | None
    item: Any = None
    read: int = 0
    start: Expr | None = None


@dataclass(frozen=True)
class Known:
    """A Python object that the compiler knows: a function, a module, a dtype, a string."""

    value: Any


@dataclass(frozen=True)
class Method:
    """A method of a value, before it is called."""

    of: Any
    name: str


@dataclass(frozen=True)
class Slice:
    """start:stop:step; None where it is left out. `length` is given where the bounds are not known."""

    start: Expr | None = None
    stop: Expr | None = None
    step: Expr | None = None
    length: Expr | None = None


NEWAXIS = Known(None)


def fresh(name: str, dims: tuple[Expr, ...], dtype: Any, argument: bool = False) -> Array:
    """Return a whole new array."""
    root = Root(name, dims, item_bytes(dtype), argument)
    axes = tuple(Axis(Integer(0), Integer(1), dim) for dim in range(len(dims)))
    return Array(dims, dtype, root, axes)


def item_bytes(dtype: Any) -> int:
    """Return the bytes of one element of a Numba type."""
    width = getattr(dtype, "bitwidth", None)
    if width is not None:
        return max(1, width // 8)
    if str(dtype) in ("bool", "boolean"):
        return 1
    size = getattr(dtype, "size", None)  # records
    if isinstance(size, int):
        return size
    from numba.np.numpy_support import as_dtype

    try:
        return int(as_dtype(dtype).itemsize)
    except Exception:
        raise NotCountedError(f"elements of type {dtype} have no fixed size") from None
