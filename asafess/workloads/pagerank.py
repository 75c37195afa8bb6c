"""PageRank: how often a random surfer comes by, one block product per sweep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asafess.compiler.decorator import task
from asafess.workloads.graph500_edges import check_integer
from asafess.workloads.sweeps import Sweeps

if TYPE_CHECKING:
    from distributed import Client

    from asafess.workloads.graph500_matrix import Form, Graph500Matrix
    from asafess.workloads.placement import Placement


class Ranking(NamedTuple):
    """What `pagerank` found."""

    #: Rank of each vertex, shape (n,); their sum is 1.
    ranks: NDArray[np.float64]
    #: Sweeps that were made.
    sweeps: int
    #: Sum of the absolute changes in the last sweep.
    change: float


def pagerank(
    a: Graph500Matrix | Sequence[Any],
    iterations: int = 100,
    *,
    damping: float = 0.85,
    tolerance: float = 1e-9,
    client: Client | None = None,
    placement: Placement | None = None,
    form: Form | Literal["csr"] = "full",
) -> Ranking:
    """Rank the vertices of a graph.

    Entry (i, j) of the matrix is the weight of the link from j to i. From j, the surfer follows a link with
    probability `damping`, in proportion to the weights in column j; otherwise, and always from a dangling vertex (an
    empty column), any vertex is next with equal probability.

    Parameters
    ----------
    a, client, placement, form
        As in `asafess.workloads.sweeps.Sweeps`. Weights must not be negative.
    iterations : int
        Number of sweeps at most.
    damping : float
        From 0 to 1.
    tolerance : float
        Stop when the sum of the absolute changes is not above it. 0: go on until nothing changes.

    Returns
    -------
    Ranking
        With the same bits whatever the placement, the number of workers, and the form of the panels.

    Raises
    ------
    ValueError
        If an argument is out of range, the matrix is not square, or a column adds up to less than zero or to nothing
        finite.

    Examples
    --------
    Vertex 1 has no link out; both others lead to it.

    >>> links = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    >>> pagerank([links]).ranks.round(3)
    array([0.213, 0.574, 0.213])
    """
    check_integer("iterations", iterations, 1, 2**31)
    if not 0.0 <= damping <= 1.0:
        raise ValueError(f"damping is {damping!r}; it must be a number from 0 to 1")
    matrix = Sweeps(a, client, placement, form)
    n = matrix.width
    weights = matrix.over_panels(column_sums, add)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        j = int(np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))[0])
        raise ValueError(f"column {j} adds up to {weights[j]!r}; weights of links must be finite and not negative")
    dangling = weights == 0
    share = np.zeros(n)
    np.divide(1.0, weights, out=share, where=~dangling)
    ranks, change = np.full(n, 1.0 / n), np.inf
    while matrix.sweeps < iterations and change > tolerance:
        followed = matrix.multiply(ranks * share)
        if followed.shape != (n,):
            raise ValueError(f"the matrix has shape ({followed.shape[0]}, {n}); PageRank needs a square one")
        jump = (1.0 - damping + damping * float(np.sum(ranks[dangling]))) / n
        after = damping * followed + jump
        after /= np.sum(after)  # rounding would carry the sum away from 1 over many sweeps
        change = float(np.sum(np.abs(after - ranks)))
        ranks = after
    return Ranking(ranks, matrix.sweeps, change)


@task(intensity=0.125)  # one flop per value of eight bytes
def column_sums(panel: Any) -> NDArray[np.float64]:
    """Task: what each column of a panel adds up to, row by row, so that every form gives the same bits.

    Examples
    --------
    >>> column_sums(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    """
    from scipy.sparse import csr_array

    stored = panel.to_scipy() if hasattr(panel, "to_scipy") else csr_array(panel)
    sums: NDArray[np.float64] = np.bincount(stored.indices, stored.data, stored.shape[1]).astype(np.float64, copy=False)
    return sums


@task(per_byte={"compute": 0.125, "memory": 1.0})
def add(first: NDArray[Any], *others: NDArray[Any]) -> NDArray[Any]:
    """Task: add arrays from left to right.

    Examples
    --------
    >>> add(np.array([1.0]), np.array([2.0]), np.array([3.0]))
    array([6.])
    """
    total = first.copy()
    for other in others:
        total += other
    return total
