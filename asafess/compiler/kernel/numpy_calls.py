"""What NumPy's functions and array methods cost inside a kernel, as loops over whole arrays.

Each operand is read once per element that the operation uses, each result written once; a product of matrices reads
its operands once. Sums are counted from zero: n additions for n numbers.
"""

from __future__ import annotations

import cmath
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from numba.core import types

from asafess.compiler.kernel import numpy_arrays as arrays
from asafess.compiler.kernel import numpy_sums as sums
from asafess.compiler.kernel.arithmetic import elementwise
from asafess.compiler.kernel.call import Call, Rule
from asafess.compiler.kernel.ufuncs import UFUNCS
from asafess.compiler.kernel.values import Array, NotCountedError

if TYPE_CHECKING:
    pass


def rule(function: Any) -> Rule:
    """Return the rule for a function.

    Raises
    ------
    NotCountedError
        When there is none.
    """
    name = getattr(function, "__name__", repr(function))
    module = str(getattr(function, "__module__", "") or "")
    known = isinstance(function, np.ufunc) or function in vars(math).values() or function in vars(cmath).values()
    if known and name in UFUNCS:
        return lambda call: _elementwise(call, UFUNCS[name])
    if function is operator.matmul:
        return sums.dot
    if function is abs or function is round:
        return lambda call: _elementwise(call, None)
    if function is pow or function is complex:
        return lambda call: _elementwise(call, "power" if function is pow else None)
    if "random" in module or type(getattr(function, "__self__", None)).__name__ in ("RandomState", "Random"):
        return arrays.random
    if module.startswith("numpy") and getattr(np, name, None) is function:
        if name in UFUNCS:
            return lambda call: _elementwise(call, UFUNCS[name])
        if name in _FUNCTIONS:
            return _FUNCTIONS[name]
    if function is getattr(np.linalg, name, None) and name in _LINALG:
        return _LINALG[name]
    raise NotCountedError(f"no counting rule for `{module + '.' if module else ''}{name}`")


def method(name: str) -> Rule:
    """Return the rule for a method of an array, which comes as the first argument."""
    if name in _METHODS:
        return _METHODS[name]
    if name in _FUNCTIONS and hasattr(np.ndarray, name):
        return _FUNCTIONS[name]
    if name in ("conj", "conjugate"):
        return lambda call: _elementwise(call, None)
    raise NotCountedError(f"no counting rule for the array method `{name}`")


def _elementwise(call: Call, name: str | None) -> Any:
    out = call.kws.get("out")
    values = call.args
    if out is None and isinstance(call.result, types.Array) and len(values) > 1 and isinstance(values[-1], Array):
        unary = name in ("sqrt", "exp", "log", "sin", "cos", "tan", "tanh", "exp2", "log2", "log10", "cbrt")
        out = values[-1] if unary else None
    if isinstance(out, Array):
        values = [value for value in values if value is not out] or values
    made = elementwise(call.frame, name, values, call.result, call.work)
    if isinstance(out, Array) and made is not None:
        call.work.counts.pop("written", None)
        call.work.touches.pop()
        call.work.write(out)
        return out
    return made


def _selected(call: Call) -> Any:
    """Count `where(condition, x, y)`: each operand is read."""
    if len(call.args) != 3:
        raise NotCountedError("np.where with one argument")
    return _elementwise(call, None)


_FUNCTIONS: dict[str, Rule] = {
    "zeros": arrays.made(True),
    "ones": arrays.made(True),
    "full": arrays.made(True),
    "empty": arrays.made(False),
    "zeros_like": arrays.like(True),
    "ones_like": arrays.like(True),
    "full_like": arrays.like(True),
    "empty_like": arrays.like(False),
    "arange": arrays.arange,
    "linspace": arrays.linspace,
    "eye": arrays.eye,
    "identity": arrays.eye,
    "array": arrays.copied,
    "copy": arrays.copied,
    "asarray": arrays.view,
    "ascontiguousarray": arrays.view,
    "asfortranarray": arrays.view,
    "concatenate": arrays.joined,
    "sum": sums.SUM,
    "nansum": sums.SUM,
    "trace": sums.SUM,
    "prod": sums.reduction((("mul", 1),)),
    "mean": sums.reduction((("add", 1),), (("div", 1),)),
    "nanmean": sums.reduction((("add", 1),), (("div", 1),)),
    "var": sums.reduction((("add", 3), ("mul", 1)), (("div", 2),), passes=2),
    "std": sums.reduction((("add", 3), ("mul", 1)), (("div", 2), ("sqrt", 1)), passes=2),
    "min": sums.LEAST,
    "max": sums.LEAST,
    "amin": sums.LEAST,
    "amax": sums.LEAST,
    "argmin": sums.SEARCH,
    "argmax": sums.SEARCH,
    "nanmin": sums.LEAST,
    "nanmax": sums.LEAST,
    "ptp": sums.reduction((("min", 2),), (("add", 1),)),
    "any": sums.SEARCH,
    "all": sums.SEARCH,
    "count_nonzero": sums.SEARCH,
    "cumsum": sums.running("add"),
    "cumprod": sums.running("mul"),
    "diff": sums.diff,
    "dot": sums.dot,
    "vdot": sums.dot,
    "matmul": sums.dot,
    "outer": sums.outer,
    "transpose": arrays.transposed,
    "reshape": arrays.reshaped,
    "ravel": arrays.flat,
    "where": _selected,
    "shape": arrays.shaped,
    "expand_dims": arrays.expanded,
    "broadcast_to": arrays.spread,
}
_FUNCTIONS["trace"] = lambda call: sums.trace(call)
_METHODS: dict[str, Rule] = {
    "astype": arrays.copied,
    "copy": arrays.copied,
    "fill": arrays.filled,
    "flatten": arrays.flattened,
    "item": arrays.item,
    "dot": sums.dot,
    "view": arrays.view,
    "reshape": arrays.reshaped,
    "transpose": arrays.transposed,
    "ravel": arrays.flat,
}
_LINALG: dict[str, Rule] = {"norm": sums.norm}
