"""What compiled functions of NumPy do, for the counted arrays of `counter.py`.

A function of NumPy that is written in Python is run as it is: what it does to the counted arrays is counted there. For
the compiled ones the number of operations follows from the shapes they were really called with, by the textbook: of a
product the multiplications and additions of the definition, of an FFT 5 n log₂ n, of LAPACK's decompositions the
leading terms of their published operation counts. A function that is neither is noted as unseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from .array import CountedArray
from .counter import Counter, arrays_in, mark, plain


def call(counter: Counter | None, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a function of NumPy and count what it does."""
    if counter is None:
        return function(*plain(args), **plain(kwargs))
    bare, bare_kwargs = plain(args), plain(kwargs)
    if function in _VIEWS:
        return counter.wrap(function(*bare, **bare_kwargs))
    if function not in _COMPILED and isinstance(function._implementation, FunctionType):  # type: ignore[attr-defined]
        result = function._implementation(*args, **kwargs)  # type: ignore[attr-defined]
        if any(not isinstance(array, CountedArray) for array in arrays_in(result)):
            counter.unseen[f"{function.__module__}.{function.__name__}"] += 1
        return counter.wrap(result)
    result = function(*bare, **bare_kwargs)
    inputs = arrays_in((bare, bare_kwargs))
    if function in _OTHER:
        counter.other += int(_OTHER[function](inputs, result, bare))
    elif function in _FLOP:
        flop = _FLOP[function](inputs, result, bare)
        # complex numbers: one multiplication and one addition are 8 real operations instead of 2
        complex_ = function not in _FFT and any(array.dtype.kind == "c" for array in inputs)
        if any(array.dtype.kind in "fc" for array in (*inputs, *arrays_in(result))):
            counter.flop += int(flop * (4 if complex_ else 1))
        else:
            counter.other += int(flop)
    elif function not in _MOVES:
        counter.unseen[f"{function.__module__}.{function.__name__}"] += 1
    counter.moved(inputs, result)
    if function is np.linalg.qr:
        counter.read += _panels(*inputs[0].shape[-2:]) * inputs[0].itemsize * len(arrays_in(result))
    mark((args, kwargs))
    return counter.wrap(result)


def _product(inputs: Any, result: Any, args: Any) -> float:
    """One multiplication and addition for each pair of elements that meet."""
    a, b = inputs[:2]
    # |a| · |b| · |c| = (product of all lengths)², whatever is summed over
    return 2 * math.sqrt(float(a.size) * float(b.size) * float(np.size(result)))


def _einsum(inputs: Any, result: Any, args: Any) -> float:
    spec = args[0].replace(" ", "").split("->")[0].split(",")
    lengths = {
        letter: n for word, array in zip(spec, inputs, strict=True) for letter, n in zip(word, array.shape, strict=True)
    }
    factors = len(inputs)
    summed = set("".join(spec)) - set(args[0].split("->")[1] if "->" in args[0] else "")
    return math.prod(lengths.values()) * (factors - 1 + bool(summed))


def _fft(inputs: Any, result: Any, args: Any) -> float:
    """5 n log₂ n for a transform of n complex numbers, half of it where either side is real."""
    longer = max(inputs[0], result, key=lambda array: array.size)
    n = longer.shape[-1]
    real = 0.5 if inputs[0].dtype.kind != "c" and result.shape != inputs[0].shape else 1.0
    return real * 5 * longer.size * math.log2(max(n, 2))


def _fft_n(inputs: Any, result: Any, args: Any) -> float:
    return 5 * result.size * math.log2(max(result.size, 2))


def _qr(inputs: Any, result: Any, args: Any) -> float:
    m, n = sorted(inputs[0].shape[-2:], reverse=True)
    # R, and Q as explicit as it was asked for
    return (4 if len(arrays_in(result)) > 1 else 2) * (m * n**2 - n**3 / 3)


def _panels(m: int, n: int) -> int:
    """Return the elements that LAPACK's dgeqr2 touches again and again, of panels too large for 1 MiB of cache.

    Its loops as they are, with each BLAS call's operands: dlarf is a dgemv, which reads what is left of the panel, and
    a dger, which reads and writes it.
    """
    touched = 0
    for first in range(0, min(m, n), 32):
        width = min(32, min(m, n) - first)
        if (m - first) * width * 8 > 1 << 20:
            touched += sum(3 * (m - first - column) * (width - column - 1) for column in range(width))
    return touched


def _svd(inputs: Any, result: Any, args: Any) -> float:
    m, n = sorted(inputs[0].shape[-2:], reverse=True)
    return 6 * m * n**2 + 20 * n**3 if len(arrays_in(result)) > 1 else 4 * m * n**2 - 4 * n**3 / 3


def _lu(factor: float) -> Callable[..., float]:
    return lambda inputs, result, args: factor * inputs[0].shape[-1] ** 3


def _solve(inputs: Any, result: Any, args: Any) -> float:
    n = inputs[0].shape[-1]
    return 2 / 3 * n**3 + 2 * n * inputs[1].size


def _each(inputs: Any, result: Any, args: Any) -> float:
    return float(inputs[0].size)


def _sort(inputs: Any, result: Any, args: Any) -> float:
    """Comparisons of sorting by merging, along the last axis."""
    return float(inputs[0].size) * math.log2(max(inputs[0].shape[-1], 2))


def _search(inputs: Any, result: Any, args: Any) -> float:
    """Comparisons of bisection."""
    return float(np.size(result)) * math.log2(max(inputs[0].size, 2))


_FFT = {np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.fftn, np.fft.ifftn, np.fft.fft2, np.fft.ifft2}
_FLOP: dict[Any, Callable[..., float]] = {
    np.dot: _product,
    np.tensordot: _product,
    np.vdot: _product,
    np.inner: _product,
    np.einsum: _einsum,
    np.linalg.qr: _qr,
    np.linalg.svd: _svd,
    np.linalg.cholesky: _lu(1 / 3),
    np.linalg.inv: _lu(2),
    np.linalg.det: _lu(2 / 3),
    np.linalg.solve: _solve,
    np.linalg.eigh: _lu(9),
    np.convolve: _product,
    **dict.fromkeys([np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft], _fft),
    **dict.fromkeys([np.fft.fftn, np.fft.ifftn, np.fft.fft2, np.fft.ifft2], _fft_n),
}
_OTHER: dict[Any, Callable[..., float]] = {
    **dict.fromkeys([np.sort, np.argsort, np.lexsort], _sort),
    **dict.fromkeys([np.partition, np.argmax, np.argmin, np.nonzero, np.count_nonzero, np.bincount, np.where], _each),
    np.searchsorted: _search,
}
#: read and written, and nothing calculated
_MOVES = {np.concatenate, np.copyto, np.take, np.repeat, np.putmask}
#: those that are not looked into
_COMPILED = {*_FLOP, *_OTHER, *_MOVES}
#: nothing is touched
_VIEWS = {
    np.broadcast_to,
    np.empty_like,
    np.broadcast_arrays,
    np.shape,
    np.ndim,
    np.size,
    np.may_share_memory,
    np.shares_memory,
    np.result_type,
    np.can_cast,
}
