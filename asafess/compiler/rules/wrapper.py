"""Rules of functions that call functions, and of those that only hand values on."""

from __future__ import annotations

import builtins
import operator
from dataclasses import replace
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import axes_of
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown, abstracted, array_of, as_array
from asafess.compiler.rules.table import method, rule

#: items that are put together one by one
MOST_ITEMS = 256


@rule("dask.utils.apply", "dask.compatibility.apply")
def apply(on: Any, name: str, /, func: Any, args: Any = (), kwargs: Any = None) -> Any:
    """``func(*args, **kwargs)``."""
    return on.call(func, tuple(args), dict(kwargs or {}))


@rule("dask._task_spec.identity", "toolz.functoolz.identity", "cytoolz.functoolz.identity", "builtins.list")
@rule("builtins.tuple", "dask.delayed.finalize", "dask.core.identity")
def identity(on: Any, name: str, /, *args: Any) -> Any:
    """Hand a value on."""
    if name == "dask._task_spec.identity":
        return args
    value = args[0] if args else ()
    if name == "builtins.list":
        return list(value)
    return tuple(value) if name == "builtins.tuple" else value


@rule("dask._task_spec._identity_cast")
def identity_cast(on: Any, name: str, /, *args: Any, typ: Any) -> Any:
    """Put values into a container."""
    return typ(args)


@rule("dask._task_spec.NestedContainer.to_container")
def to_container(on: Any, name: str, /, *args: Any, constructor: Any) -> Any:
    """Put values into a container."""
    return constructor(args)


@rule("builtins.dict")
def make_dict(on: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Make a dictionary of pairs."""
    return dict(*args, **kwargs)


@rule("builtins.slice")
def make_slice(on: Any, name: str, /, *args: Any) -> Any:
    """Make a slice, of numbers only."""
    if not all(arg is None or isinstance(arg, int) for arg in args):
        raise Unknown("a slice that depends on data")
    return slice(*args)


@rule("builtins.getattr")
def attribute(on: Any, name: str, /, value: Any, attr: str) -> Any:
    """Return what the abstract value has of that name."""
    value = abstracted(value)
    if isinstance(value, ArrayOf) and attr in ("shape", "dtype", "nbytes", "size", "ndim"):
        return getattr(value, "known_shape" if attr == "shape" else attr)
    if isinstance(value, ArrayOf | FrameOf):
        return on.method(attr, (value,), {})
    raise Unknown(f"attribute {attr!r} of a {type(value).__name__}")


@rule("builtins.len")
def length(on: Any, name: str, /, value: Any) -> Any:
    """Return a length."""
    value = abstracted(value)
    if isinstance(value, ArrayOf):
        return value.known_shape[0]
    if isinstance(value, FrameOf):
        return UNKNOWN if value.rows is None else int(value.rows)
    if value is UNKNOWN:
        return UNKNOWN  # it costs nothing, whatever it is
    return len(value)


#: what makes a number → its data type
NUMBERS = {"bool": "?", "int": "i8", "float": "f8", "complex": "c16"}


@method("item")
@rule(*(f"builtins.{name}" for name in NUMBERS))
def number(on: Any, name: str, /, value: Any = 0, *index: Any) -> Any:
    """Make a number of another one, or of an array of one element; nothing is computed that would count."""
    kind = name.rpartition(".")[2]
    if isinstance(value, bool | int | float | complex | str) and kind in NUMBERS and not index:
        return getattr(builtins, kind)(value)
    value = abstracted(value)
    if not isinstance(value, ArrayOf):
        raise Unknown(f"{kind} of a {type(value).__name__}")
    if not index and value.shape is not None and value.size != 1:
        raise Unknown(f"{kind} of an array of shape {value.shape}")
    return array_of((), NUMBERS.get(kind, value.dtype))


#: NumPy's types of numbers
SCALARS = ("bool", *(f"{sign}int{8 << k}" for sign in ("", "u") for k in range(4)), "float16", "float32", "float64")


@rule(*(f"numpy.{name}" for name in (*SCALARS, "complex64", "complex128")))
def scalar(on: Any, name: str, /, value: Any = 0) -> Any:
    """Make a NumPy number of a number, or cast an array."""
    dtype = dtypes.dtype_of(name.rpartition(".")[2])
    value = abstracted(value)
    if isinstance(value, ArrayOf) and value.shape != ():
        return on.method("astype", (value, dtype), {})
    if not isinstance(value, ArrayOf | bool | int | float | complex | str):
        raise Unknown(f"{name} of a {type(value).__name__}")
    return array_of((), dtype)


@rule("builtins.sum", "builtins.max", "builtins.min")
def of_items(on: Any, name: str, /, *items: Any, **_: Any) -> Any:
    """Add items up, one after the other; they may be arrays. The extreme one is known of numbers only."""
    values = items[0] if isinstance(items[0], list | tuple) else items
    if len(values) > MOST_ITEMS:
        raise Unknown(f"{len(values)} items are more than {MOST_ITEMS}")
    if all(isinstance(value, int | float) for value in values):
        return sum(values) if name == "builtins.sum" else max(values) if name == "builtins.max" else min(values)
    if name != "builtins.sum":
        raise Unknown("the extreme one of items that are no numbers")
    if len(values) == 1 and not isinstance(items[0], list | tuple):  # the rows of an array
        return on.apply("numpy.sum", values[0], axis=0)
    start = items[1] if len(items) > 1 and isinstance(items[0], list | tuple) else 0  # which the first is added to
    return folded(on, "functools.reduce", operator.add, [start, *values])


@rule("dask.array.core._pass_extra_kwargs")
def pass_extra_kwargs(on: Any, name: str, /, func: Any, keys: Any, *args: Any, **kwargs: Any) -> Any:
    """``func(*args, **kwargs)`` with the first arguments by name."""
    named = dict(zip(keys, args, strict=False))
    return on.call(func, args[len(keys) :], {**named, **kwargs})


@rule("dask.array.core._enforce_dtype")
def enforce_dtype(
    on: Any, name: str, /, *args: Any, enforce_dtype: Any, enforce_dtype_function: Any, **kwargs: Any
) -> Any:
    """Call, and cast where the dtype differs."""
    value = on.call(enforce_dtype_function, args, kwargs)
    wanted = dtypes.dtype_of(enforce_dtype)
    if isinstance(value, ArrayOf) and value.dtype is not None and value.dtype != wanted and wanted.kind != "O":
        return on.method("astype", (value, wanted), {})
    return value


@rule("dask.array.core._elemwise_handle_where")
def elemwise_where(on: Any, name: str, /, *args: Any, elemwise_where_function: Any, **kwargs: Any) -> Any:
    """Call a ufunc with a mask, and an array for where it is false."""
    *operands, where, out = args
    if isinstance(out, ArrayOf):
        on.part("numpy.copy", "moving", 0.0, 2 * out.known_nbytes)
    return on.call(elemwise_where_function, tuple(operands), {**kwargs, "where": where})


@rule("numpy.apply_along_axis", "dask.array.routines._inner_apply_along_axis")
def apply_along_axis(on: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Call the function once, and count it for each line of the array."""
    if name == "numpy.apply_along_axis":
        func, axis, arr, *more = args
    else:
        arr, func, axis = args[0], kwargs["func1d"], kwargs["func1d_axis"]
        more, kwargs = list(kwargs.get("func1d_args", ())), kwargs.get("func1d_kwargs", {})
    array = as_array(arr)
    (axis,) = axes_of(axis, array.ndim)
    line = ArrayOf((array.known_shape[axis],), array.itemsize, None, array.dtype)
    before = len(on.parts)
    value = abstracted(on.call(func, (line, *more), kwargs))
    lines = array.size / max(1, array.known_shape[axis])
    on.parts[before:] = [
        replace(part, flop=part.flop * lines, nbytes=part.nbytes * lines) for part in on.parts[before:]
    ]
    inner = as_array(value)
    shape = (*array.known_shape[:axis], *inner.known_shape, *array.known_shape[axis + 1 :])
    return array_of(shape, inner.dtype)


@rule("functools.reduce", "dask.array.core.dotmany")
def folded(on: Any, name: str, /, *args: Any, leftfunc: Any = None, rightfunc: Any = None, **kwargs: Any) -> Any:
    """Fold a list with a function; `dotmany` multiplies pairs and adds them up."""
    if name != "dask.array.core.dotmany":
        func, values = args[0], list(args[1])
    else:
        lefts = [on.call(leftfunc, (a,), {}) if leftfunc else a for a in args[0]]
        rights = [on.call(rightfunc, (b,), {}) if rightfunc else b for b in args[1]]
        func = operator.add
        values = [on.apply("numpy.dot", a, b) for a, b in zip(lefts, rights, strict=True)]
    if len(values) > MOST_ITEMS:
        raise Unknown(f"{len(values)} items are more than {MOST_ITEMS}")
    total = values[0]
    for value in values[1:]:
        total = on.call(func, (total, value), {})
    return total
