"""The reference of `cost`: a kernel's Python function run on arrays and numbers that count what is done with them.

Knows nothing of loops, types or formulas: each access of an element and each operation of a floating-point number adds
to a tally while the function runs.
"""

from __future__ import annotations

import math
from collections import Counter
from types import FunctionType, SimpleNamespace

import numpy as np


class Number:
    """A floating-point number that counts."""

    def __init__(self, value, tally):
        self.value, self.tally = float(value), tally

    def _do(self, name, value):
        self.tally[name] += 1
        return Number(value, self.tally)

    def __add__(self, other):
        return self._do("add", self.value + _plain(other))

    def __sub__(self, other):
        return self._do("add", self.value - _plain(other))

    def __rsub__(self, other):
        return self._do("add", _plain(other) - self.value)

    def __mul__(self, other):
        return self._do("mul", self.value * _plain(other))

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other):
        return self._do("div", self.value / (_plain(other) or 1.0))

    def __rtruediv__(self, other):
        return self._do("div", _plain(other) / (self.value or 1.0))

    def __pow__(self, exponent):
        power = self
        for _ in range(exponent - 1):
            power = power * self
        return power

    def __neg__(self):
        return Number(-self.value, self.tally)

    def __abs__(self):
        return Number(abs(self.value), self.tally)

    def __lt__(self, other):
        return self.value < _plain(other)

    def __gt__(self, other):
        return self.value > _plain(other)

    def __le__(self, other):
        return self.value <= _plain(other)

    def __ge__(self, other):
        return self.value >= _plain(other)

    def __int__(self):
        return int(self.value)


def _plain(number):
    return number.value if isinstance(number, Number) else number


class Counted:
    """An array whose elements are counted as they are read and written, also through views."""

    def __init__(self, array, tally):
        self.array, self.tally = array, tally

    shape = property(lambda self: self.array.shape)
    size = property(lambda self: self.array.size)
    ndim = property(lambda self: self.array.ndim)
    T = property(lambda self: Counted(self.array.T, self.tally))

    def __len__(self):
        return len(self.array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        found = self.array[index]
        if isinstance(found, np.ndarray):
            return Counted(found, self.tally)
        self.tally["read"] += self.array.itemsize
        return Number(found, self.tally) if self.array.dtype.kind == "f" else int(found)

    def __setitem__(self, index, value):
        if isinstance(self.array[index], np.ndarray):
            raise TypeError("the reference writes elements only")
        self.array[index] = _plain(value)
        self.tally["written"] += self.array.itemsize


def _function(name):
    def run(x):
        return x._do(name, getattr(math, name)(abs(x.value) if name != "exp" else min(x.value, 1.0)))

    return run


def _least(*numbers):
    tally = next(number.tally for number in numbers if isinstance(number, Number)) if _any(numbers) else None
    if tally is not None:
        tally["min"] += 1
    return min(numbers)


def _any(numbers):
    return any(isinstance(number, Number) for number in numbers)


MATH = SimpleNamespace(**{name: _function(name) for name in ("sqrt", "exp", "sin", "log1p")})


def run(function, *args):
    """Run a kernel's Python function on copies of its arguments and return the tally."""
    tally = Counter()
    function = getattr(function, "py_func", function)
    names = {**function.__globals__, "math": MATH, "prange": range, "min": _least}
    for name, value in list(names.items()):  # kernels that it calls
        if hasattr(value, "py_func"):
            names[name] = FunctionType(value.py_func.__code__, names, name)
    plain = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    plain(*(_argument(arg, tally) for arg in args))
    return tally


def _argument(value, tally):
    if isinstance(value, np.ndarray):
        return Counted(value.copy(), tally)
    return Number(value, tally) if isinstance(value, float) else value
