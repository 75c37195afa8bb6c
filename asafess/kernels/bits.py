"""The bit operations that Python has no word for: single machine instructions, or a handful of vector ones."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: Words that `nonzero_bits` looks at: one bit of its result for each.
GROUP = 64


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


@intrinsic
def nonzero_bits(_context: Any, words: Any, start: Any) -> Any:
    """Return a uint64 whose bit k says whether ``words[start + k]`` has any bit set.

    Reads 64 words, all of which must exist. Written as one comparison of a vector, which LLVM lowers to what the
    processor has (masks in AVX-512, `movmsk` before): from 8-byte words it takes as long as a plain loop that sets
    bit after bit, from 1-byte words a third.
    """
    vector = ir.VectorType(ir.IntType(words.dtype.bitwidth), GROUP)

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = target.make_array(signature.args[0])(target, builder, arguments[0])
        place = builder.gep(array.data, [arguments[1]])
        loaded = builder.load(builder.bitcast(place, vector.as_pointer()))
        loaded.align = 1  # panels from the network are aligned to nothing
        return builder.bitcast(builder.icmp_unsigned("!=", loaded, vector([0] * GROUP)), ir.IntType(GROUP))

    return types.uint64(words, types.intp), generate
