"""What the compiler says of a kernel or a graph before it runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dask._task_spec import DataNode
from distributed.utils import key_split_group

from asafess.cluster.group_types import LOOKED_AT
from asafess.compiler.abstract.values import UNKNOWN, Unknown, nbytes_in
from asafess.compiler.bound import bound
from asafess.compiler.infer import found_type
from asafess.compiler.inference import TypeInference
from asafess.compiler.kernel_calls import has_code
from asafess.compiler.task_cost import infer_kernels
from asafess.core.mode import Rates

from .graph import Graph
from .placement import fetched

#: tasks of a group that the scheduler looks at
SAMPLE = LOOKED_AT


@dataclass
class Prediction:
    """Loads of a whole program."""

    flop: float = 0.0
    #: outside of linear algebra
    loops: float = 0.0
    nbytes: float = 0.0
    #: bytes fetched by all workers
    fetched: float = 0.0
    tasks: int = 0
    #: tasks without a type, and why, each reason once
    untyped: int = 0
    why: list[str] = field(default_factory=list)

    @property
    def loads(self) -> dict[str, float]:
        """By axis."""
        return {"compute": self.flop, "loops": self.loops, "memory": self.nbytes, "communication": self.fetched}

    def bound(self, rates: Rates) -> str:
        """Return what bounds the program; threads and workers work alike on all of it."""
        if self.untyped and not (self.flop or self.nbytes or self.fetched):
            return "untyped"
        return bound(self.loads, rates, threads=1)


def predict(of: Graph, held: Mapping[Any, int], workers: int) -> Prediction:
    """Predict a program from its graph alone, with the sizes of its inputs."""
    types = _types(of)
    found = Prediction(tasks=len(of.nodes))
    sizes: dict[Any, float] = {key: _nbytes(types.inferred(key).value) for key in of.inputs}
    why: dict[str, None] = {}
    #: results of tasks that only a worker can read
    counted: dict[Any, Any] = {}
    for key, node in of.nodes.items():
        type_ = types.found(key)
        inferred = types.inferred(key)
        if type_ is None and has_code(node):  # what a worker counts
            inferred = infer_kernels(node, lambda one: counted[one] if one in counted else types.inferred(one).value)
            type_ = found_type(inferred, "counted")
            counted[key] = inferred.value
        sizes[key] = _nbytes(inferred.value)
        if type_ is None:
            found.untyped += 1
            why[inferred.why] = None
            continue
        load = type_.type.load(sum(sizes[one] for one in node.dependencies), 0.0)
        found.flop += load.get("compute", 0.0)
        found.loops += load.get("loops", 0.0)
        found.nbytes += load.get("memory", 0.0)
        found.fetched += load.get("communication", 0.0)
    found.why = list(why)
    found.fetched += fetched(of.nodes, held, workers, lambda key: sizes[key])
    return found


def group_milliseconds(of: Graph) -> list[float]:
    """Return what the scheduler spends on each task group of a graph, with nothing known of it before."""
    groups: dict[str, list[Any]] = {}
    for key in of.nodes:
        groups.setdefault(key_split_group(key), []).append(key)
    types = _types(of)
    taken = []
    for keys in groups.values():
        sample = keys[:: max(1, len(keys) // SAMPLE)][:SAMPLE]
        start = time.thread_time()
        for key in sample:
            types.found(key)
        taken.append(1e3 * (time.thread_time() - start))
    return taken


def _types(of: Graph) -> TypeInference:
    nodes = {**{key: DataNode(key, block) for key, block in of.inputs.items()}, **of.nodes}
    return TypeInference(nodes.get)


def _nbytes(value: Any) -> float:
    try:
        return 0.0 if value is UNKNOWN else float(nbytes_in(value))
    except Unknown:
        return 0.0
