"""Rules of linear algebra: products by their 2mnk, factorizations by LAPACK's counts.

Counts of LAPACK Working Note 41 (Blackford, Dongarra), leading terms; complex arithmetic counts four times, that of
integers not.
"""

from __future__ import annotations

import math
from typing import Any

from asafess.compiler.abstract import dtypes
from asafess.compiler.abstract.einsum import contraction
from asafess.compiler.abstract.shapes import axes_of, broadcast, multiplied
from asafess.compiler.abstract.values import ArrayOf, Unknown, array_of, as_array
from asafess.compiler.operation_counts import CACHE, arithmetic, kind_of
from asafess.compiler.rules.table import rule

#: columns that LAPACK's factorizations reflect at a time (ILAENV's block size)
PANEL = 32


def _record(
    on: Any, name: str, /, flop: float, inputs: tuple[ArrayOf, ...], results: tuple[ArrayOf, ...], again: float = 0.0
) -> None:
    """Record an operation; `again` are bytes that it touches beside each element of inputs and results once."""
    if any(one.itemsize is None for one in inputs):
        on.hedge(0.8, "elements of unknown type taken as 8 bytes")
    per = arithmetic(*(kind_of(one.dtype) for one in (*inputs, *results)))
    on.part(name, "linalg", flop * per, sum(one.touched for one in (*inputs, *results)) + again)


def product(on: Any, name: str, /, a: Any, b: Any, shape: Any, inner: int) -> ArrayOf:
    """Record a product of matrices with so many products per element of the result."""
    left, right = as_array(a), as_array(b)
    result = array_of(shape, dtypes.promoted(left.dtype, right.dtype))
    _record(on, name, 2.0 * inner * result.size, (left, right), (result,))
    return result


@rule("numpy.matmul", "operator.matmul", "numpy.linalg.matmul")
def matmul(on: Any, name: str, /, a: Any, b: Any, **_: Any) -> Any:
    """Multiply, ``a @ b``: 2 × rows × columns × inner."""
    left, right = as_array(a), as_array(b)
    return product(
        on, "numpy.matmul", left, right, multiplied(left.known_shape, right.known_shape), left.known_shape[-1]
    )


@rule("numpy.dot", "numpy.vdot", "numpy.inner")
def dot(on: Any, name: str, /, a: Any, b: Any, out: Any = None) -> Any:
    """Sum of products over the last axis of one and the last but one of the other."""
    left, right = as_array(a), as_array(b)
    one, other = left.known_shape, right.known_shape
    if not one or not other:
        return on.apply("operator.mul", left, right)
    if name.endswith("vdot"):
        return product(on, name, left, right, (), int(left.size))
    at = -1 if len(other) == 1 or name.endswith("inner") else -2
    if one[-1] != other[at]:
        raise Unknown(f"shapes {one} and {other} can't be multiplied")
    rest = other[:at] + (other[at + 1 :] if at != -1 else ())
    return product(on, name, left, right, (*one[:-1], *rest), one[-1])


@rule("dask.array.routines._matmul")
def matmul_block(on: Any, name: str, /, a: Any, b: Any) -> Any:
    """Multiply a block, keeping a dimension of length 1 for the blocked sum."""
    result = matmul(on, "numpy.matmul", a, b)
    shape = result.known_shape
    return array_of((*shape[:-1], 1, shape[-1]), result.dtype)


@rule("numpy.tensordot")
def tensordot(on: Any, name: str, /, a: Any, b: Any, axes: Any = 2) -> Any:
    """Sum of products over pairs of axes."""
    left, right = as_array(a), as_array(b)
    if isinstance(axes, int):
        pairs = tuple(range(left.ndim - axes, left.ndim)), tuple(range(axes))
    else:
        pairs = axes_of(axes[0], left.ndim), axes_of(axes[1], right.ndim)
    inner = math.prod(left.known_shape[k] for k in pairs[0])
    if [left.known_shape[k] for k in pairs[0]] != [right.known_shape[k] for k in pairs[1]]:
        raise Unknown(f"axes of shapes {left.shape} and {right.shape} differ")
    rest = [dim for k, dim in enumerate(left.known_shape) if k not in pairs[0]]
    rest += [dim for k, dim in enumerate(right.known_shape) if k not in pairs[1]]
    return product(on, name, left, right, rest, inner)


@rule("dask.array.routines._tensordot")
def tensordot_block(on: Any, name: str, /, a: Any, b: Any, axes: Any, is_sparse: bool = False) -> Any:
    """Interpret one block, keeping dimensions of length 1 for the blocked sum."""
    result = tensordot(on, "numpy.tensordot", a, b, axes)
    shape = list(result.known_shape)
    for axis in sorted(axes[0]):
        shape.insert(axis, 1)
    return array_of(shape, result.dtype)


@rule("numpy.outer", "numpy.kron")
def outer(on: Any, name: str, /, a: Any, b: Any, *_: Any) -> Any:
    """Every product."""
    left, right = as_array(a), as_array(b)
    if name.endswith("outer"):
        shape: tuple[int, ...] = (int(left.size), int(right.size))
    else:
        shape = tuple(x * y for x, y in zip(left.known_shape, right.known_shape, strict=True))
    result = array_of(shape, dtypes.promoted(left.dtype, right.dtype))
    _record(on, name, result.size, (left, right), (result,))
    return result


@rule("numpy.einsum", "dask.array.einsumfuncs.chunk_einsum", "dask.array.backends._einsum")
def einsum(on: Any, name: str, /, *operands: Any, dtype: Any = None, kernel_dtype: Any = None, **more: Any) -> Any:
    """All combinations of the letters, once each: NumPy does not reorder unless asked to."""
    subscripts = more.get("subscripts")
    if subscripts is None:
        subscripts, *operands = operands  # type: ignore[assignment]
    arrays = tuple(as_array(operand) for operand in operands)
    shape, combinations = contraction(subscripts, [array.known_shape for array in arrays])
    shape += (1,) * more.get("ncontract_inds", 0)
    result = array_of(shape, kernel_dtype or dtype or dtypes.promoted(*(array.dtype for array in arrays)))
    optimized = bool(more.get("optimize"))
    if optimized and len(arrays) > 2:
        raise Unknown("an einsum of more than two arrays in an optimized order")
    _record(on, name, float(len(arrays)) * combinations, arrays, (result,))
    return result


def _square(array: ArrayOf) -> tuple[int, float]:
    """Return the order of square matrices and how many there are."""
    shape = array.known_shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise Unknown(f"shape {shape} is no square matrix")
    return shape[-1], math.prod(shape[:-2])


#: function of a square matrix → flop ÷ n³
CUBES = {"cholesky": 1 / 3, "inv": 2.0, "det": 2 / 3, "slogdet": 2 / 3, "eigvalsh": 4 / 3, "eigh": 9.0}
CUBES |= {"eigvals": 10.0, "eig": 25.0, "expm": 24.0}


@rule(*(f"numpy.linalg.{name}" for name in CUBES if name != "expm"), "scipy.linalg._decomp_cholesky.cholesky")
@rule("scipy.linalg._basic.inv", "scipy.linalg._basic.det", "scipy.linalg._matfuncs.expm")
@rule("dask.array.linalg._cholesky_lower", "scipy.linalg._decomp.eigh", "scipy.linalg._decomp.eigvalsh")
def of_square(on: Any, name: str, /, a: Any, *_: Any, **__: Any) -> Any:
    """Interpret a function of a square matrix: a share of n³."""
    array = as_array(a)
    n, batch = _square(array)
    short = name.rpartition(".")[2].removeprefix("_").removesuffix("_lower")
    dtype = dtypes.inexact(array.dtype)
    whole, vector = array_of(array.known_shape, dtype), array_of(array.known_shape[:-1], dtypes.real(dtype))
    scalar = array_of(array.known_shape[:-2], dtype)
    if short in ("eig", "eigvals"):
        raise Unknown("whether eigenvalues are complex depends on data")
    results = {"eigvalsh": (vector,), "eigh": (vector, whole), "det": (scalar,), "slogdet": (scalar, scalar)}
    found = results.get(short, (whole,))
    _record(on, name, CUBES[short] * n**3 * batch, (array,), found)
    return found if len(found) > 1 else found[0]


def panel_bytes(m: int, n: int, itemsize: int) -> float:
    """Return the bytes that a blocked Householder factorization touches within its panels of `PANEL` columns.

    Each column's reflection reads what is left of the panel and then reads and writes it (LAPACK's dgeqr2: a dgemv and
    a dger). Panels that fit into a core's caches are read once, and count for nothing here.

    Examples
    --------
    >>> panel_bytes(1000, 128, 8), panel_bytes(100_000, 32, 8) / (100_000 * 32 * 8)
    (0.0, 46.5)
    """
    width = min(m, n, PANEL)
    if m * width * itemsize <= CACHE:
        return 0.0
    return 3.0 * m * (width - 1) / 2 * min(m, n) * itemsize


@rule("numpy.linalg.qr", "dask.array.linalg._wrapped_qr", "scipy.linalg._decomp_qr.qr")
def qr(on: Any, name: str, /, a: Any, mode: str = "reduced", **_: Any) -> Any:
    """Householder: 2mn² − 2n³/3 for R, and as much again for Q; tall panels go through memory column by column."""
    array = as_array(a)
    *batch, m, n = array.known_shape
    if mode not in ("reduced", "r") or name.startswith("scipy"):
        raise Unknown(f"QR in mode {mode!r}")
    k = min(m, n)
    factor = 2.0 * max(m, n) * k * k - 2 / 3 * k**3
    apply = 2.0 * m * k * k - 2 / 3 * k**3
    dtype = dtypes.inexact(array.dtype)
    q, r = array_of((*batch, m, k), dtype), array_of((*batch, k, n), dtype)
    results = (r,) if mode == "r" else (q, r)
    flop = factor + (apply if mode != "r" else 0)
    again = len(results) * panel_bytes(m, n, array.itemsize or 8)
    _record(on, name, flop * math.prod(batch), (array,), results, again * math.prod(batch))
    return r if mode == "r" else (q, r)


@rule("numpy.linalg.svd", "scipy.linalg._decomp_svd.svd", "numpy.linalg.svdvals")
def svd(on: Any, name: str, /, a: Any, full_matrices: bool = True, compute_uv: bool = True, *_: Any, **__: Any) -> Any:
    """Divide and conquer (Golub and Van Loan, table 5.4.1: 6mn² + 20n³; values only 2mn² + 2n³)."""
    array = as_array(a)
    *batch, m, n = array.known_shape
    long, k = max(m, n), min(m, n)
    dtype = dtypes.inexact(array.dtype)
    s = array_of((*batch, k), dtypes.real(dtype))
    compute_uv = compute_uv and not name.endswith("svdvals")
    flop = (6.0 * long * k * k + 20.0 * k**3) if compute_uv else (2.0 * long * k * k + 2.0 * k**3)
    u = array_of((*batch, m, m if full_matrices else k), dtype)
    vh = array_of((*batch, n if full_matrices else k, n), dtype)
    _record(on, name, flop * math.prod(batch), (array,), (u, s, vh) if compute_uv else (s,))
    return (u, s, vh) if compute_uv else s


@rule("numpy.linalg.solve", "scipy.linalg._basic.solve", "scipy.linalg._basic.solve_triangular")
@rule("dask.array.utils.solve_triangular_safe", "dask.array.linalg._solve_triangular_lower", "numpy.linalg.lstsq")
def solve(on: Any, name: str, /, a: Any, b: Any, *_: Any, **__: Any) -> Any:
    """LU and two substitutions: 2n³/3 + 2n² for each right-hand side; a triangle needs one of n²."""
    left, right = as_array(a), as_array(b)
    if name.endswith("lstsq"):
        raise Unknown("the rank that least squares return depends on data")
    n, batch = _square(left)
    vector = right.ndim == 1 or (name.startswith("numpy") and right.ndim < left.ndim)
    columns = 1 if vector else right.known_shape[-1]
    flop = 1.0 * n * n * columns if "triangular" in name else 2 / 3 * n**3 + 2.0 * n * n * columns
    dtype = dtypes.inexact(dtypes.promoted(left.dtype, right.dtype))
    lead = broadcast(left.known_shape[:-2], right.known_shape[:-2]) if not vector else ()
    result = array_of((*lead, n) if vector else (*lead, n, columns), dtype)
    _record(on, name, flop * batch, (left, right), (result,))
    return result


@rule("scipy.linalg._decomp_lu.lu")
def lu(on: Any, name: str, /, a: Any, *_: Any, **__: Any) -> Any:
    """2n³/3, and three matrices."""
    array = as_array(a)
    m, n = array.known_shape[-2:]
    k = min(m, n)
    dtype = dtypes.inexact(array.dtype)
    found = array_of((m, m), dtype), array_of((m, k), dtype), array_of((k, n), dtype)
    _record(on, name, 2.0 * m * n * k - (m + n) * k * k + 2 / 3 * k**3, (array,), found)
    return found


@rule("numpy.linalg.norm")
def norm(on: Any, name: str, /, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Square and add each element; norms of matrices by singular values are left out."""
    array = as_array(x)
    axes = axes_of(axis, array.ndim)
    if len(axes) > 1 and ord not in (None, "fro", 1, -1, math.inf, -math.inf):
        raise Unknown(f"matrix norm {ord!r}")
    shape = on.apply("numpy.sum", array, axis=axis, keepdims=keepdims).known_shape
    result = array_of(shape, dtypes.real(array.dtype))
    on.part(name, "reduction", array.size, array.known_nbytes)
    return result


@rule("dask.array.utils.scipy_linalg_safe")
def scipy_linalg(on: Any, name: str, /, func_name: str, *args: Any, **kwargs: Any) -> Any:
    """``scipy.linalg.<func_name>(...)``."""
    import scipy.linalg

    return on.call(getattr(scipy.linalg, func_name), args, kwargs)
