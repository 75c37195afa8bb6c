"""Multiply and add for eight vectors at a time, as vector instructions.

Blocks of vectors lie row by row, `LANES` to a row, so that one row is one vector of the processor. LLVM does not find
this by itself: it can't know that a row of y is none of x.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

#: Vectors that are multiplied together.
LANES = 8


@intrinsic
def add_products(_context: Any, y: Any, i: Any, a: Any, x: Any, j: Any) -> Any:
    """Do ``y[i + r] += a[r][0] · x[j]``, then ``y[i + r] += a[r][1] · x[j + 1]`` and so on; a row has `LANES` elements.

    Two rows of y together need each row of x once, not twice. Each lane is rounded after each multiplication and each
    addition. For booleans, as in NumPy's product, they are `and` and `or`.

    Parameters
    ----------
    y : (·, LANES)
    i : unsigned
    a : tuple of tuples of scalars
        One tuple for each row of y.
    x : (·, LANES)
    j : unsigned
    """
    dtype = y.dtype

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        model = target.data_model_manager[dtype]
        vector = ir.VectorType(model.get_data_type(), LANES)
        if isinstance(dtype, types.Float):
            multiply, add = builder.fmul, builder.fadd
        elif isinstance(dtype, types.Boolean):
            multiply, add = builder.and_, builder.or_
        else:
            multiply, add = builder.mul, builder.add

        def row(argument: int, number: Any, further: int) -> Any:
            array = target.make_array(signature.args[argument])(target, builder, arguments[argument])
            start = builder.mul(builder.add(number, number.type(further)), number.type(LANES))
            return builder.bitcast(builder.gep(array.data, [start]), vector.as_pointer())

        def load(place: Any) -> Any:
            loaded = builder.load(place)
            loaded.align = 1  # a user's x is aligned to nothing
            return loaded

        def spread(factor: Any) -> Any:
            nothing, lane = ir.Constant(vector, ir.Undefined), ir.IntType(32)
            one = builder.insert_element(nothing, model.as_data(builder, factor), lane(0))
            return builder.shuffle_vector(one, nothing, ir.VectorType(lane, LANES)([0] * LANES))

        rows = [cgutils.unpack_tuple(builder, each) for each in cgutils.unpack_tuple(builder, arguments[2])]
        places = [row(0, arguments[1], r) for r in range(len(rows))]
        totals = [load(place) for place in places]
        for k in range(len(rows[0])):
            others = load(row(3, arguments[4], k))
            totals = [add(t, multiply(spread(a[k]), others)) for t, a in zip(totals, rows, strict=True)]
        for total, place in zip(totals, places, strict=True):
            builder.store(total, place).align = 1
        return target.get_dummy_value()

    return types.void(y, types.uint64, a, x, types.uint64), generate
