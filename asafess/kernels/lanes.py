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
    """Do ``y[i] += a[0] · x[j]``, then ``y[i] += a[1] · x[j + 1]`` and so on, for rows of `LANES` elements.

    Each lane is rounded after each multiplication and each addition. For booleans, as in NumPy's product, they are
    `and` and `or`.

    Parameters
    ----------
    y : (·, LANES)
    i : unsigned
    a : tuple of scalars
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

        def row(argument: int, number: Any) -> Any:
            array = target.make_array(signature.args[argument])(target, builder, arguments[argument])
            start = builder.mul(number, number.type(LANES))
            return builder.bitcast(builder.gep(array.data, [start]), vector.as_pointer())

        def load(place: Any) -> Any:
            loaded = builder.load(place)
            loaded.align = 1  # a user's x is aligned to nothing
            return loaded

        target_row = row(0, arguments[1])
        total = load(target_row)
        for k, factor in enumerate(cgutils.unpack_tuple(builder, arguments[2])):
            number = builder.add(arguments[4], arguments[4].type(k))
            one = builder.insert_element(
                ir.Constant(vector, ir.Undefined), model.as_data(builder, factor), ir.IntType(32)(0)
            )
            spread = builder.shuffle_vector(
                one, ir.Constant(vector, ir.Undefined), ir.VectorType(ir.IntType(32), LANES)([0] * LANES)
            )
            total = add(total, multiply(spread, load(row(3, number))))
        builder.store(total, target_row).align = 1
        return target.get_dummy_value()

    return types.void(y, types.uint64, a, x, types.uint64), generate
