"""The block matrix-vector product as a Dask graph of annotated tasks.

A matrix is a list of panels; the product is one task per panel and one that joins their results, submitted as one
graph in one message. This file holds the task functions and the graph; where panels live and move is in
`placement.py`.

The module is imported by Dask's scheduler, which unpickles the tasks: what needs Numba is imported inside functions.

Bits: each block of the result is made by one task from one panel, and the format of a panel fixes the order of
additions (row by row, columns ascending). So results do not depend on placement, number of workers or panels, or
form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from dask._task_spec import DataNode, Task, TaskRef
from dask.delayed import Delayed
from dask.highlevelgraph import HighLevelGraph, MaterializedLayer
from numpy.typing import NDArray

from asafess.compiler.decorator import task
from asafess.workloads import sparse_sizeof

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from asafess.tiles.panel import TiledMatrix
    from asafess.workloads.graph500_matrix import Form, Graph500Matrix

# On a worker, this module is imported when the first task arrives: before the first panel does.
sparse_sizeof.register()


@task(loads={"memory": 16 * 2**20})  # input is only a description; the output is a panel of 8 to 16 MiB
def make_panel(matrix: Graph500Matrix, p: int, form: Form = "dense") -> TiledMatrix:
    """Task: make panel `p` of a matrix as tiles.

    Parameters
    ----------
    matrix : Graph500Matrix
        Or anything else with a method ``panel(p, form)``.
    p : int
        Number of the panel.
    form : str
        See `asafess.workloads.graph500_matrix.Graph500Matrix.panel`.

    Returns
    -------
    TiledMatrix
    """
    return matrix.panel(p, form)


@task(loads={"memory": 16 * 2**20})
def make_csr(matrix: Graph500Matrix, p: int) -> csr_array:
    """Task: make panel `p` of a matrix as a SciPy CSR array.

    Examples
    --------
    >>> from asafess.workloads import graph500
    >>> make_csr(graph500.matrix(6, tile=16), 3).shape
    (16, 64)
    """
    return matrix.panel_csr(p)


@task(intensity=0.25)  # two flop per value of eight bytes
def multiply(panel: Any, x: NDArray[Any]) -> NDArray[Any]:
    """Task: the block of the result that one panel makes.

    Parameters
    ----------
    panel : TiledMatrix, SciPy sparse array or ndarray, shape (rows, n)
    x : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (rows,)

    Examples
    --------
    >>> multiply(np.eye(2), np.array([3.0, 4.0]))
    array([3., 4.])
    """
    return np.asarray(panel @ x)


@task(per_byte={"memory": 2.0})  # each byte is read and written
def combine(*blocks: NDArray[Any]) -> NDArray[Any]:
    """Task: join the blocks of a result.

    Examples
    --------
    >>> combine(np.array([1.0]), np.array([2.0, 3.0]))
    array([1., 2., 3.])
    """
    return np.concatenate(blocks)


def product(panels: Sequence[Any], x: Any, workers: Sequence[str] | None = None) -> Delayed:
    """Product of a matrix, given as panels, with a vector, as one graph that is not yet computed.

    Parameters
    ----------
    panels : sequence
        From top to bottom: futures or `dask.delayed` objects of panels, or panels themselves. On a cluster panels
        should be futures (`asafess.workloads.placement.place`): values would travel inside the graph, through the
        scheduler.
    x : ndarray of shape (n,), future or Delayed
        A product can be the x of the next one; then a chain of sweeps is one graph. An array becomes one key
        of the graph, not an argument of each task.
    workers : sequence of str, optional
        Panel p is multiplied on the worker with address ``workers[p]``, nowhere else.

    Returns
    -------
    dask.delayed.Delayed
        ``client.compute(product(...)).result()`` or ``product(...).compute(scheduler="threads")`` is an ndarray of
        shape (rows,). The keys are new each time, so computing the same product again computes it again.

    Raises
    ------
    ValueError
        If there are no panels, or not as many workers as panels.

    Examples
    --------
    >>> halves = [np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])]
    >>> y = product(halves, np.array([3.0, 4.0]))
    >>> product(halves, y).compute(scheduler="threads")
    array([ 3., 16.])
    """
    return over_panels(multiply, combine, panels, x, workers=workers)


def over_panels(
    function: Callable[..., Any],
    join: Callable[..., Any],
    panels: Sequence[Any],
    *arguments: Any,
    workers: Sequence[str] | None = None,
) -> Delayed:
    """One task ``function(panel, *arguments)`` per panel and one ``join(*results)``, as one graph not yet computed.

    Parameters
    ----------
    function, join : callable
        Task functions of a module, annotated with their task types.
    panels, workers
        As in `product`.
    *arguments
        As `x` in `product`.

    Returns
    -------
    dask.delayed.Delayed

    Raises
    ------
    ValueError
        As in `product`.

    Examples
    --------
    >>> over_panels(np.shape, max, [np.eye(2), np.eye(3)]).compute(scheduler="threads")
    (3, 3)
    """
    panels = list(panels)
    if not panels:
        raise ValueError("panels is empty; there must be at least one")
    if workers is not None and len(workers) != len(panels):
        raise ValueError(f"workers names {len(workers)} addresses; it must name one for each of {len(panels)} panels")
    token = uuid4().hex
    inputs = _Inputs(f"input-{token}")
    others = [inputs.reference(argument) for argument in arguments]
    parts, whole = f"{function.__name__}-{token}", f"{join.__name__}-{token}"
    tasks = {(parts, p): Task((parts, p), function, inputs.reference(a), *others) for p, a in enumerate(panels)}
    joined = {whole: Task(whole, join, *[TaskRef(key) for key in tasks])}
    annotations = None
    if workers is not None:
        # Dask calls it with each key of the layer, in the scheduler
        annotations = {"workers": dict(zip(tasks, workers, strict=True)).__getitem__}
    layers = {
        **inputs.layers,
        parts: MaterializedLayer(tasks, annotations=annotations),
        whole: MaterializedLayer(joined),
    }
    dependencies = {**inputs.dependencies, parts: inputs.names, whole: {parts}}
    return Delayed(whole, HighLevelGraph(layers, dependencies))


class _Inputs:
    """What a graph reads: futures stay references, other graphs are merged, values become one key each."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._values: dict[Any, Any] = {}
        #: Layers of the graph, and those that each of them depends on.
        self.layers: dict[str, Any] = {}
        self.dependencies: dict[str, set[str]] = {}
        #: Layers that are read directly.
        self.names: set[str] = set()

    def reference(self, value: Any) -> TaskRef:
        if isinstance(value, TaskRef):  # a future of distributed is one, and is kept alive by the graph
            return value
        if isinstance(value, Delayed):
            graph = value.__dask_graph__()
            if not isinstance(graph, HighLevelGraph):
                graph = HighLevelGraph.from_collections(value.key, graph, dependencies=())
            self.layers.update(graph.layers)
            self.dependencies.update(graph.dependencies)
            self.names.update(value.__dask_layers__())
            return TaskRef(value.key)
        key = (self._name, len(self._values))
        self._values[key] = DataNode(key, value)
        self.layers[self._name] = MaterializedLayer(self._values)
        self.dependencies[self._name] = set()
        self.names.add(self._name)
        return TaskRef(key)
