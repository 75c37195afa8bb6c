"""Data types of results, as NumPy decides them.

NumPy is asked, never imitated: whoever passes a dtype or a ufunc has imported it already, so it is imported
inside functions only.
"""

from __future__ import annotations

from typing import Any


def dtype_of(spec: Any) -> Any:
    """Return the NumPy dtype that something names, None for None.

    Examples
    --------
    >>> dtype_of("f4").itemsize
    4
    """
    if spec is None or isinstance(getattr(spec, "itemsize", None), int):
        return spec
    import numpy

    return numpy.dtype(spec)


def of_scalar(value: complex) -> Any:
    """Return the dtype of a Python number as an array."""
    return dtype_of(type(value))


def promoted(*operands: Any) -> Any:
    """Return the dtype that dtypes and Python numbers have together, None where one is not known.

    Examples
    --------
    >>> str(promoted(dtype_of("f4"), 2.0))
    'float32'
    """
    if any(operand is None for operand in operands):
        return None
    first = operands[0]
    if all(operand is first for operand in operands):
        return first
    import numpy

    return numpy.result_type(*operands)


def of_ufunc(ufunc: Any, operands: tuple[Any, ...], dtype: Any = None) -> tuple[Any, ...]:
    """Return the dtypes of a ufunc's results, None where an operand's is not known.

    Parameters
    ----------
    ufunc : numpy.ufunc
        Asked for the loop it would run.
    operands : tuple
        Dtypes of arrays, and types of Python numbers (`int`, `float`, `complex`), which don't raise precision.
    dtype : optional
        The argument `dtype` of the call.

    Examples
    --------
    >>> import numpy as np
    >>> of_ufunc(np.less, (np.dtype("f8"), float))
    (dtype('bool'),)
    """
    if dtype is not None:
        return (dtype_of(dtype),) * ufunc.nout
    if any(operand is None for operand in operands):
        return (None,) * ufunc.nout
    # a bool is a number of its own dtype
    asked = tuple(dtype_of(bool) if operand is bool else operand for operand in operands)
    if all(isinstance(operand, type) for operand in asked):
        asked = tuple(dtype_of(operand) for operand in asked)
    return tuple(ufunc.resolve_dtypes((*asked, *(None,) * ufunc.nout))[ufunc.nin :])


def of_sum(dtype: Any) -> Any:
    """Return the dtype of a sum: small integers and booleans grow to the platform's integer."""
    if dtype is None or dtype.kind not in "biu" or dtype.itemsize >= 8:
        return dtype
    return dtype_of("u8" if dtype.kind == "u" else "i8")


def inexact(dtype: Any) -> Any:
    """Return the dtype of a mean or of a factorization: integers become double precision."""
    return dtype if dtype is None or dtype.kind not in "biu" else dtype_of("f8")


def complexed(dtype: Any) -> Any:
    """Return the complex dtype of the same precision."""
    if dtype is None or dtype.kind == "c":
        return dtype
    return dtype_of({2: "c8", 4: "c8", 16: "c32"}.get(dtype.itemsize if dtype.kind == "f" else 8, "c16"))


def real(dtype: Any) -> Any:
    """Return the real dtype of the same precision."""
    if dtype is None or dtype.kind != "c":
        return inexact(dtype)
    return dtype_of({8: "f4", 32: "f16"}.get(dtype.itemsize, "f8"))
