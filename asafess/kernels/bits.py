"""Operations that Python has no word for: single machine instructions, or a handful of vector ones."""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
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


@intrinsic
def four(_context: Any, indices: Any, start: Any) -> Any:
    """Return ``indices[start : start + 4]`` as four uint64; those of two bytes are loaded as one word."""
    word, bits = ir.IntType(64), indices.dtype.bitwidth

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = target.make_array(signature.args[0])(target, builder, arguments[0]).data
        place = builder.gep(data, [arguments[1]])
        if bits == 16 and sys.byteorder == "little":
            loaded = builder.load(builder.bitcast(place, word.as_pointer()))
            loaded.align = 1
            parts = [builder.and_(builder.lshr(loaded, word(k * bits)), word(0xFFFF)) for k in range(4)]
        else:
            parts = []
            for k in range(4):
                loaded = builder.load(builder.gep(place, [word(k)]))
                loaded.align = 1
                parts.append(loaded if bits == 64 else builder.zext(loaded, word))
        return target.make_tuple(builder, signature.return_type, parts)

    return types.UniTuple(types.uint64, 4)(indices, types.uint64), generate


@intrinsic
def prefetch(_context: Any, array: Any, start: Any) -> Any:
    """Ask for the cache line of an element that will be read soon, into the second cache; it need not exist."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        data = target.make_array(signature.args[0])(target, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        read, second_cache, not_code = number(0), number(2), number(1)
        builder.call(function, [place, read, second_cache, not_code])
        return target.get_dummy_value()

    return types.void(array, types.intp), generate
