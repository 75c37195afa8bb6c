"""Sweep after sweep over one matrix, driven by the client: what power iteration and PageRank have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import dask
import numpy as np
from dask.delayed import Delayed
from numpy.typing import NDArray

from asafess.compiler.decorator import task
from asafess.workloads.block_spmv import make_csr, make_panel, over_panels, product
from asafess.workloads.graph500_matrix import Graph500Matrix
from asafess.workloads.placement import (
    Placement,
    check_synchronous,
    drop_replicas,
    place,
    targets,
    worker_addresses,
)

if TYPE_CHECKING:
    from distributed import Client

    from asafess.workloads.graph500_matrix import Form


class Sweeps:
    """A matrix that can be multiplied again and again, on a cluster or in threads.

    Parameters
    ----------
    a : Graph500Matrix or sequence of panels
        A description is placed first. Panels are futures, Delayed or values, see
        `asafess.workloads.block_spmv.product`.
    client : distributed.Client, optional
        A synchronous one. Without it Dask's threaded scheduler of this process does the work.
    placement : {"resident", "stream"}, optional
        Where panels are multiplied, sweep by sweep, see `asafess.workloads.placement.targets`; panels must live
        where `asafess.workloads.placement.place` puts them. After each sweep of a stream, replicas are dropped. By
        default Dask decides, and takes a panel where it is.
    form : str
        Form of the panels of a description, see `asafess.workloads.placement.place`.

    Raises
    ------
    TypeError
        If the client is asynchronous.
    ValueError
        If a placement is asked for without a client, or there are no panels.

    Examples
    --------
    >>> a = Sweeps([np.eye(2)])
    >>> a.width, a.multiply(np.array([3.0, 4.0]))
    (2, array([3., 4.]))
    """

    def __init__(
        self,
        a: Graph500Matrix | Sequence[Any],
        client: Client | None = None,
        placement: Placement | None = None,
        form: Form | Literal["csr"] = "full",
    ) -> None:
        if client is None and placement is not None:
            raise ValueError(f"placement is {placement!r} without a client; in threads there is only one place")
        if client is not None:
            check_synchronous(client)
        self._client, self._placement = client, placement
        self._workers = worker_addresses(client) if client is not None and placement is not None else []
        self.panels = self._panels(a, form)
        if placement is not None:
            targets(len(self.panels), self._workers, 0, placement)  # an unknown placement is said now, not later
        #: Products so far.
        self.sweeps = 0
        #: Columns of the matrix.
        self.width = int(self.over_panels(_width, _first))

    def _panels(self, a: Graph500Matrix | Sequence[Any], form: Form | Literal["csr"]) -> list[Any]:
        if not isinstance(a, Graph500Matrix):
            return list(a)
        if self._client is not None:
            return place(self._client, a, form)
        make = [
            dask.delayed(make_csr)(a, p) if form == "csr" else dask.delayed(make_panel)(a, p, form)
            for p in range(a.panels)
        ]
        return list(dask.compute(*make, scheduler="threads"))

    def multiply(self, x: NDArray[Any]) -> NDArray[Any]:
        """Multiply the matrix with x; counts as a sweep."""
        workers = None
        if self._placement is not None:
            workers = targets(len(self.panels), self._workers, self.sweeps, self._placement)
        y: NDArray[Any] = self._compute(product(self.panels, x, workers))
        self.sweeps += 1
        if self._client is not None and self._placement == "stream":
            drop_replicas(self._client, self.panels)
        return y

    def over_panels(self, function: Callable[..., Any], join: Callable[..., Any]) -> Any:
        """Compute ``join(*(function(panel) for panel in panels))``, where the panels are; no sweep."""
        return self._compute(over_panels(function, join, self.panels))

    def _compute(self, graph: Delayed) -> Any:
        if self._client is None:
            return graph.compute(scheduler="threads")
        return self._client.compute(graph).result()


@task(loads={"compute": 0.0})
def _width(panel: Any) -> int:
    """Task: number of columns."""
    return int(panel.shape[1])


@task(loads={"compute": 0.0})
def _first(value: Any, *others: Any) -> Any:
    """Task: the first of several values that are the same."""
    return value


def inner_product(x: NDArray[Any], y: NDArray[Any]) -> float:
    """Inner product x · y, added up in an order that only depends on the length.

    BLAS may add in another order on other threads or alignments, and an iteration carries the last bit on.

    Examples
    --------
    >>> inner_product(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    11.0
    """
    return float(np.sum(x * y))
