"""Rules of operations that do the same to every element: ufuncs, operators, `where`, `clip`, casts.

They read their operands once and write their result once: memory = bytes of both. An operand of unknown
shape counts by its bytes.
"""

from __future__ import annotations

from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import broadcast
from asafess.compiler.abstract.values import (
    ITEMSIZE,
    UNKNOWN,
    ArrayOf,
    FrameOf,
    Unknown,
    abstracted,
    array_of,
    as_array,
    sized,
)
from asafess.compiler.operation_counts import arithmetic, in_loops, kind_of, per_element
from asafess.compiler.rules.table import method, rule

#: Python's operators → ufuncs
OPERATORS = {
    "operator.add": "add",
    "operator.iadd": "add",
    "operator.sub": "subtract",
    "operator.mul": "multiply",
    "operator.imul": "multiply",
    "operator.truediv": "divide",
    "operator.floordiv": "floor_divide",
    "operator.mod": "remainder",
    "operator.pow": "power",
    "operator.neg": "negative",
    "operator.pos": "positive",
    "operator.abs": "absolute",
    "builtins.abs": "absolute",
    "operator.invert": "invert",
    "operator.inv": "invert",
    "operator.and_": "bitwise_and",
    "operator.or_": "bitwise_or",
    "operator.xor": "bitwise_xor",
    "operator.lshift": "left_shift",
    "operator.rshift": "right_shift",
    "operator.lt": "less",
    "operator.le": "less_equal",
    "operator.gt": "greater",
    "operator.ge": "greater_equal",
    "operator.eq": "equal",
    "operator.ne": "not_equal",
    "dask.array.numpy_compat.divide": "divide",
    "dask.array.reductions.divide": "divide",
    "dask.array.reductions._cumsum_merge": "add",
    "dask.array.reductions._cumprod_merge": "multiply",
    "dask.array.reductions.safe_sqrt": "sqrt",
    "dask.array.reductions._sqrt": "sqrt",
}
#: powers that NumPy takes in one operation when an operator asks for them
POWERS = {2: "square", 0.5: "sqrt", -1: "reciprocal", 1: "positive"}
NUMBER = bool | int | float | complex


def result_of(operands: tuple[Any, ...], dtype: Any, shape: tuple[int, ...] | None = None) -> ArrayOf:
    """Return the array that operands make together: of their broadcast shape, or of the size of the largest."""
    arrays = [operand for operand in operands if isinstance(operand, ArrayOf)]
    if shape is None and all(array.shape is not None for array in arrays):
        shape = broadcast(*(array.known_shape for array in arrays)) if arrays else ()
    if shape is not None:
        return array_of(shape, dtype)
    return sized(max(array.size for array in arrays), dtype)


def elementwise(on: Any, name: str, /, operands: tuple[Any, ...], dtypes_: tuple[Any, ...], per: float) -> Any:
    """Record an operation on every element of its result; return the result, or a tuple of them."""
    results = tuple(result_of(operands, dtype) for dtype in dtypes_)
    arrays = [operand for operand in operands if isinstance(operand, ArrayOf)]
    if any(array.itemsize is None for array in (*arrays, *results)):
        on.hedge(0.8, f"elements of unknown type taken as {ITEMSIZE} bytes")
    moved = sum(array.touched for array in (*arrays, *results))
    on.part(name, "elementwise", per * results[0].size, moved, loops=in_loops(per) * results[0].size)
    return results if len(results) > 1 else results[0]


def operand_of(value: Any) -> Any:
    """Return an operand as an array, or a Python number as it is; raises `Unknown`."""
    value = abstracted(value)
    return value if isinstance(value, NUMBER) else as_array(value)


def ufunc(on: Any, function: Any, *args: Any, dtype: Any = None, out: Any = None, where: Any = True, **_: Any) -> Any:
    """Interpret any NumPy ufunc that the table of operation counts knows."""
    name = function.__name__
    if any(isinstance(arg, FrameOf) for arg in args):
        from asafess.compiler.rules.frame import elementwise as of_frames

        return of_frames(on, f"numpy.{name}", per_element(name, "f"), *args)
    inputs = tuple(operand_of(arg) for arg in args[: function.nin])
    asked = tuple(type(one) if isinstance(one, NUMBER) else one.dtype for one in inputs)
    found = dtypes.of_ufunc(function, asked, dtype)
    per = per_element(name, *(kind_of(one) for one in (*asked, *found)))
    if per is None:
        raise Unknown(f"no operation count for the ufunc {name}")
    operands = inputs if where is True else (*inputs, as_array(where))
    return elementwise(on, f"numpy.{name}", operands, found, per)


def call_ufunc(on: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Interpret a ufunc by name: there is a NumPy where there are operands of it."""
    import numpy

    return ufunc(on, getattr(numpy, name), *args, **kwargs)


@rule(*OPERATORS)
def operators(on: Any, name: str, /, *args: Any, dtype: Any = None) -> Any:
    """Interpret Python's operators as the ufuncs that NumPy makes of them."""
    if all(isinstance(arg, int) for arg in args) and name in ("operator.add", "operator.sub", "operator.mul"):
        import operator

        return getattr(operator, name.partition(".")[2])(*args)
    short = OPERATORS[name]
    if short == "power" and not isinstance(abstracted(args[0]), NUMBER):
        short = POWERS.get(args[1], short) if isinstance(args[1], int | float) else short
    return call_ufunc(on, short, *(args if short not in POWERS.values() else args[:1]), dtype=dtype)


@rule("numpy.where")
def where(on: Any, name: str, /, condition: Any, *choices: Any) -> Any:
    """Choose for each element; with a condition only, how much is found depends on data."""
    if not choices:
        mask = as_array(condition)
        on.part(name, "sort", 0.0, mask.known_nbytes)
        return (UNKNOWN,) * mask.ndim
    operands = tuple(map(operand_of, (condition, *choices)))
    asked = [one if isinstance(one, NUMBER) else one.dtype for one in operands[1:]]
    return elementwise(on, name, operands, (dtypes.promoted(*asked),), 0.0)


@rule("numpy.clip")
def clip(on: Any, name: str, /, a: Any, a_min: Any = None, a_max: Any = None, *_: Any, **more: Any) -> Any:
    """Take a maximum and a minimum per element."""
    bounds = [bound for bound in (a_min, a_max, more.get("min"), more.get("max")) if bound is not None]
    operands = tuple(map(operand_of, (a, *bounds)))
    asked = [one if isinstance(one, NUMBER) else one.dtype for one in operands]
    found = dtypes.promoted(*asked)
    return elementwise(on, name, operands, (found,), len(bounds) * arithmetic(kind_of(found)))


@rule("numpy.isclose")
def isclose(on: Any, name: str, /, a: Any, b: Any, *_: Any, **__: Any) -> Any:
    """Take a difference, and a bound of two more; with comparisons and a look at infinities that is 8 passes."""
    arrays = as_array(a), as_array(b)
    result = result_of(arrays, bool)
    on.part(name, "elementwise", 3 * result.size, 8 * sum(array.known_nbytes for array in arrays))
    return result


@rule("numpy.round", "numpy.around")
def around(on: Any, name: str, /, a: Any, decimals: int = 0, out: Any = None) -> Any:
    """Round, and scale before and after where decimals are kept."""
    array = as_array(a)
    return elementwise(on, name, (array,), (array.dtype,), 2 * arithmetic(kind_of(array.dtype)) if decimals else 0.0)


@rule("numpy.angle")
def angle(on: Any, name: str, /, z: Any, deg: bool = False) -> Any:
    """Take an arctangent of two."""
    array = as_array(z)
    return elementwise(on, name, (array,), (dtypes.real(array.dtype),), per_element("arctan2") or 0.0)


@rule("numpy.real", "numpy.imag", "numpy.real_if_close")
def part_of_complex(on: Any, name: str, /, val: Any) -> Any:
    """Return a view."""
    array = as_array(val)
    return array_of(array.known_shape, dtypes.real(array.dtype) if array.dtype.kind == "c" else array.dtype)


@rule("numpy.nan_to_num")
def nan_to_num(on: Any, name: str, /, x: Any, *_: Any, **__: Any) -> Any:
    """Three looks at each element, after a copy."""
    array = as_array(x)
    return elementwise(on, name, (array,), (array.dtype,), 0.0)


@rule("numpy.isin", "numpy.fix", "numpy.iscomplex", "numpy.isreal", "numpy.isneginf", "numpy.isposinf", "numpy.sinc")
def others(on: Any, name: str, /, x: Any, *test: Any, **_: Any) -> Any:
    """Interpret what is made of two or three ufuncs; `isin` sorts."""
    array = as_array(x)
    if name == "numpy.isin":
        other = as_array(test[0])
        result = result_of((array,), bool)
        result = result_of((array,), bool)
        read = array.known_nbytes + other.known_nbytes
        if getattr(array.dtype, "kind", None) in ("i", "u", "b"):
            on.hedge(0.7, "by a table: the numbers are near each other")
            on.part(name, "sort", 0.0, 3 * read + 4 * result.known_nbytes)
        elif other.size < 10 * array.size**0.145:
            on.part(name, "sort", 0.0, other.size * (read + 4 * result.known_nbytes))
        else:
            on.part(name, "sort", 0.0, 4 * read + 4 * result.known_nbytes)
        return result
    same = name in ("numpy.fix", "numpy.sinc")
    found = array.dtype if same else dtypes.dtype_of(bool)
    # the sine of a product, divided by it
    per = 2.0 + (per_element("sin") or 0.0) if name == "numpy.sinc" else 0.0
    return elementwise(on, name, (array,), (found,), per)


@rule("dask.array.chunk.astype")
@method("astype")
def astype(on: Any, name: str, /, x: Any, dtype: Any = None, *_: Any, astype_dtype: Any = None, **more: Any) -> Any:
    """Convert: a copy, unless nothing changes and none is asked for."""
    array = as_array(x)
    wanted = dtypes.dtype_of(dtype if dtype is not None else astype_dtype)
    if wanted == array.dtype and more.get("copy") is False:
        return array
    return elementwise(on, name, (array,), (wanted,), 0.0)
