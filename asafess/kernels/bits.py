"""The two bit operations that Python has no word for, as single machine instructions."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.extending import intrinsic


@intrinsic
def count_ones(_context: Any, word: Any) -> Any:
    """Return the number of set bits of an unsigned word."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return word(word), generate


@intrinsic
def lowest_one(_context: Any, word: Any) -> Any:
    """Return the place of the lowest set bit of an unsigned word; its width if there is none."""

    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return word(word), generate
