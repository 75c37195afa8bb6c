"""Elementwise functions of NumPy and of `math`, by the name of the operation that they are counted as."""

from __future__ import annotations

_RENAMED = {
    "subtract": "add",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
    "reciprocal": "div",
    "remainder": "mod",
    "fmod": "mod",
    "pow": "power",
    "float_power": "power",
    "square": "mul",
    "maximum": "min",
    "minimum": "min",
    "fmax": "min",
    "fmin": "min",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
}
_SAME = (
    *("add", "floor_divide", "mod", "power", "sqrt", "cbrt", "fma", "hypot", "gamma", "lgamma", "erf", "erfc"),
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "logaddexp2"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2"),
    *("sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh"),
)
_FREE = (
    *("absolute", "abs", "fabs", "negative", "positive", "sign", "signbit", "copysign", "conjugate", "conj"),
    *("floor", "ceil", "trunc", "rint", "round", "around", "nan_to_num", "real", "imag", "where"),
    *("isnan", "isinf", "isfinite", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal"),
    *("logical_and", "logical_or", "logical_not", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"),
    *("bitwise_not", "invert", "left_shift", "right_shift"),
)
#: function → operation, None where it does no floating-point operation
UFUNCS: dict[str, str | None] = {**_RENAMED, **{name: name for name in _SAME}, **dict.fromkeys(_FREE)}
