"""Rules of Fourier transforms: 5 n log2 n for a complex one of n points, half of that for a real one.

That is the customary count (Frigo and Johnson, FFTW), whatever the algorithm does.
"""

from __future__ import annotations

import math
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.shapes import axes_of
from asafess.compiler.abstract.values import array_of, as_array
from asafess.compiler.rules.table import rule

ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
MANY = ("fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn")


def count(points: float, lines: float, per: float = 5.0) -> float:
    """Return the operations of so many transforms of so many points.

    Examples
    --------
    >>> count(1024, 2)
    102400.0
    """
    return per * lines * points * math.log2(points) if points > 1 else 0.0


@rule(*(f"numpy.fft.{name}" for name in ONE + MANY), *(f"scipy.fft._basic.{name}" for name in ONE + MANY))
@rule(*(f"scipy.fft.{name}" for name in ONE + MANY))
def fft(on: Any, name: str, /, a: Any, s: Any = None, axes: Any = None, *_: Any, **more: Any) -> Any:
    """Transform along one axis or several, one after the other."""
    array = as_array(a)
    short = name.rpartition(".")[2]
    if short in ONE:
        s, axes = more.get("n", s), more.get("axis", axes)
        along = axes_of(-1 if axes is None else axes, array.ndim)
        lengths = None if s is None else (s,)
    else:
        default = (-2, -1) if short.endswith("2") else None if s is None else tuple(range(-len(s), 0))
        along = axes_of(default if axes is None else axes, array.ndim)
        lengths = s
    shape = list(array.known_shape)
    kind = short.rstrip("2n")
    points = [shape[axis] for axis in along] if lengths is None else [int(one) for one in lengths]
    if kind in ("irfft", "hfft") and lengths is None:
        points[-1] = 2 * (shape[along[-1]] - 1)
    flop = 0.0
    for place, (axis, n) in enumerate(reversed(list(zip(along, points, strict=True)))):
        last = place == 0
        half = kind in ("rfft", "irfft", "hfft", "ihfft") and last
        shape[axis] = n // 2 + 1 if kind in ("rfft", "ihfft") and last else n
        lines = math.prod(shape) / max(1, shape[axis])
        flop += count(n, lines, 2.5 if half else 5.0)
    real = kind in ("irfft", "hfft")
    complex_ = dtypes.complexed(array.dtype)
    result = array_of(shape, dtypes.real(complex_) if real else complex_)
    passes = len(along)
    on.part(name, "fft", flop, array.known_nbytes + (2 * passes - 1) * result.known_nbytes)
    return result


@rule("numpy.fft.fftfreq", "numpy.fft.rfftfreq", "dask.array.fft._fftfreq_block")
def frequencies(on: Any, name: str, /, i: Any, n: Any = None, *_: Any, **__: Any) -> Any:
    """Write frequencies."""
    if name.endswith("_block"):
        result = array_of(as_array(i).known_shape, "f8")
    else:
        result = array_of((i // 2 + 1 if "rfft" in name else i,), "f8")
    on.part(name, "creation", 3 * result.size, 3 * result.known_nbytes)
    return result


@rule("scipy.signal._signaltools.fftconvolve")
def fftconvolve(on: Any, name: str, /, in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Two transforms, a product, and one back, in the full size."""
    one, other = as_array(in1), as_array(in2)
    full = [x + y - 1 for x, y in zip(one.known_shape, other.known_shape, strict=True)]
    shape = {"full": full, "same": one.known_shape}.get(mode) or [
        abs(x - y) + 1 for x, y in zip(one.known_shape, other.known_shape, strict=True)
    ]
    size = math.prod(full)
    result = array_of(shape, dtypes.promoted(one.dtype, other.dtype))
    on.part(name, "fft", 3 * count(size, 1, 2.5) + 6 * size / 2, one.known_nbytes + other.known_nbytes + 64 * size)
    return result
