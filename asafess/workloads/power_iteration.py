"""Power iteration: the largest eigenvalue of a matrix, one block product per sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asafess.workloads.graph500_edges import check_integer
from asafess.workloads.sweeps import Sweeps, inner_product

if TYPE_CHECKING:
    from distributed import Client

    from asafess.workloads.graph500_matrix import Form, Graph500Matrix
    from asafess.workloads.placement import Placement


class Eigenpair(NamedTuple):
    """What `power_iteration` found."""

    #: Rayleigh quotient x · A x of the last sweep.
    value: float
    #: Unit vector A x / ‖A x‖ of the last sweep, shape (n,).
    vector: NDArray[np.float64]
    #: Sweeps that were made.
    sweeps: int


def power_iteration(
    a: Graph500Matrix | Sequence[Any],
    iterations: int,
    *,
    x0: NDArray[Any] | None = None,
    tolerance: float = 0.0,
    client: Client | None = None,
    placement: Placement | None = None,
    form: Form | Literal["csr"] = "full",
) -> Eigenpair:
    """Approximate the eigenvalue of largest modulus of a square matrix, and its vector.

    The loop is driven by the client: each sweep is one product, one graph. The result has the same bits whatever the
    placement, the number of workers, and the form of the panels.

    Parameters
    ----------
    a, client, placement, form
        As in `asafess.workloads.sweeps.Sweeps`.
    iterations : int
        Number of sweeps at most.
    x0 : ndarray, shape (n,), optional
        Start; by default all ones.
    tolerance : float
        Stop when the value changes by less than this share of it. 0: make all sweeps.

    Returns
    -------
    Eigenpair

    Raises
    ------
    ValueError
        If x0 has the wrong shape or is zero, iterations is below 1, or the matrix is not square.

    Examples
    --------
    >>> pair = power_iteration([np.array([[2.0, 0.0]]), np.array([[0.0, 1.0]])], 30)
    >>> round(pair.value, 12), pair.vector.round(6)
    (2.0, array([1., 0.]))
    """
    check_integer("iterations", iterations, 1, 2**31)
    matrix = Sweeps(a, client, placement, form)
    n = matrix.width
    x = np.ones(n) if x0 is None else np.array(x0, dtype=np.float64)
    if x.shape != (n,) or not np.isfinite(x).all() or not x.any():
        raise ValueError(f"x0 has shape {x.shape}; it must be a finite vector of shape ({n},) that is not all zero")
    x /= np.sqrt(inner_product(x, x))
    value = np.inf
    for _ in range(iterations):
        y = matrix.multiply(x)
        if y.shape != (n,):
            raise ValueError(f"the matrix has shape ({y.shape[0]}, {n}); power iteration needs a square one")
        before, value = value, inner_product(x, y)
        norm = np.sqrt(inner_product(y, y))
        if norm == 0.0:  # x lies in the kernel: it is an eigenvector of 0, and there is nothing to go on with
            break
        x = y / norm
        if tolerance > 0 and abs(value - before) <= tolerance * abs(value):
            break
    return Eigenpair(value, x, matrix.sweeps)
