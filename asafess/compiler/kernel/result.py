"""What a kernel returns: shapes as expressions over its arguments' sizes, and data types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from numba.core import ir, types
from numba.np.numpy_support import as_dtype

from asafess.compiler.kernel.numbers import number
from asafess.compiler.kernel.values import Array, NotCountedError

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame


@dataclass(frozen=True)
class Result:
    """An array, or a number, which has no axes."""

    #: None where they are not known
    dims: tuple[Any, ...] | None
    dtype: np.dtype

    def replaced(self, values: Mapping[Any, Any]) -> Result:
        """Return the same with symbols replaced."""
        dims = self.dims
        return Result(None if dims is None else tuple(dim.xreplace(values) for dim in dims), self.dtype)

    def at(self, numbers: Mapping[str, Any]) -> Result:
        """Return the same with numbers for its sizes; without any where what is given does not tell them all."""
        known = set().union(*(dim.free_symbols for dim in self.dims or ()))
        if self.dims is None or any(symbol.name not in numbers for symbol in known):
            return Result(None, self.dtype)
        values = {symbol: sympy.nsimplify(numbers[symbol.name]) for symbol in known}
        return Result(tuple(round(number(dim.xreplace(values))) for dim in self.dims), self.dtype)


#: of tuples one for each item; None: nothing is known
Results = Result | tuple[Any, ...] | None


def result(frame: Frame) -> Results:
    """Return what a kernel returns, as far as it is known."""
    values = []
    for label, block in frame.typed.blocks.items():
        if isinstance(block.terminator, ir.Return) and label not in frame.flow.raising:
            try:
                values.append(frame.use(block.terminator.value, label))
            except NotCountedError:
                values.append(None)
    return _result(types.unliteral(frame.typed.return_type), values)


def _result(kind: Any, values: list[Any]) -> Results:
    if isinstance(kind, types.BaseTuple):
        kinds: list[Any] = list(iter(kind))  # type: ignore[call-overload]
        items = [value if isinstance(value, tuple) else (None,) * len(kinds) for value in values]
        return tuple(_result(types.unliteral(one), [item[at] for item in items]) for at, one in enumerate(kinds))
    if isinstance(kind, types.Array):
        shapes = {value.dims if isinstance(value, Array) else None for value in values}
        return Result(shapes.pop() if len(shapes) == 1 else None, as_dtype(kind.dtype))
    return Result((), as_dtype(kind)) if isinstance(kind, types.Number | types.Boolean) else None


def each(found: Results, change: Any) -> Results:
    """Return the same with each `Result` changed."""
    if isinstance(found, tuple):
        return tuple(each(item, change) for item in found)
    return None if found is None else change(found)
