"""What really bounds a program: measured on a cluster, by experiment and not by the model.

*Communication*: its workers wait for data longer than their tasks use a processor. They wait while they fetch and no
task runs. All of it are Dask's own records. Not the wall-clock time of tasks: a machine with fewer cores than workers
makes that longer, and the program is not to blame.

Else *memory* or *compute*: the program runs alone in one thread of one worker, with chunks that fit into a core's own
caches and with its real ones. The same instructions run either way, so time beyond what the work has grown by was spent
waiting for memory. Half as much again, and it is *memory*. What Dask needs for the tasks themselves, measured with
chunks that hold next to nothing, is taken off first.

Its weakness: between 1 and 2, whether memory is the longer part depends on how much of its time a core hides; the line
at 1.5 is drawn between "all" and "nothing". And a library may use another algorithm for large chunks.
"""

from __future__ import annotations

import time
from typing import Any

import dask
import numpy as np
from distributed import Client, futures_of, get_task_stream, wait

from .compiler_case import Kernel, Program
from .compiler_graph import CONFIG, collections_in, delayed_blocks, graph, holding, quickest, seconds_alone
from .compiler_placement import place
from .figures import busy

#: how much slower per work large chunks are, from which on memory is what is waited for
SLOWER = 1.5


def no_codec(seconds: float, dtype: str) -> dict[str, float]:
    """Measure nothing of tiles: `asafess.cluster.calibrate.measure` asks for it."""
    return {}


def block(program: Program, size: int, collection: int, index: int) -> Any:
    """Make one block of a program's inputs; runs on the worker that is to hold it."""
    made = delayed_blocks(program.inputs(size)[collection])[index].compute(scheduler="synchronous")
    return np.ascontiguousarray(made) if isinstance(made, np.ndarray) else made


def run(client: Client, workers: list[str], program: Program, size: int) -> dict[str, float]:
    """Run a program on the cluster; return seconds that its workers waited and computed, and bytes they fetched."""
    with client.as_current(), dask.config.set(CONFIG):
        held = []
        for i, lazy in enumerate(program.inputs(size)):
            count = len(delayed_blocks(lazy))
            futures = [
                client.submit(block, program, size, i, k, workers=workers[place(k, count, len(workers))], pure=False)
                for k in range(count)
            ]
            wait(futures)
            held.append(holding(lazy, futures))
        before, began = client.run(_records), time.time()
        with get_task_stream(client) as stream:
            made = client.persist(list(collections_in(program.build(*held))))
            wait(futures_of(made))
    for future in futures_of(made):
        if future.status != "finished":
            raise RuntimeError(f"{program.name}: task {future.key} is {future.status}")
    after = client.run(_records)
    waited = moved = 0.0
    for worker, records in after.items():
        # Dask keeps the last transfers only, so they are picked by their time
        fetches = [(span, nbytes) for span, nbytes in records["fetches"] if span[0] >= began]
        moved += sum(nbytes for _, nbytes in fetches)
        tasks = [
            (part["start"], part["stop"])
            for record in stream.data
            for part in record["startstops"]
            if record["worker"] == worker and part["action"] == "compute"
        ]
        waited += busy([*tasks, *(span for span, _ in fetches)]) - busy(tasks)
    computed = sum(records["computed"] - before[worker]["computed"] for worker, records in after.items())
    return {"waited_seconds": waited, "computed_seconds": computed, "moved": moved}


def _records(dask_worker: Any) -> dict[str, Any]:
    """Return when a worker fetched how many bytes, and the processor seconds of its tasks; runs there."""
    return {
        "fetches": [((entry["start"], entry["stop"]), entry["total"]) for entry in dask_worker.transfer_incoming_log],
        "computed": sum(
            seconds
            for key, seconds in dask_worker.digests_total.items()
            if isinstance(key, tuple) and key[0] == "execute" and key[3] == "thread-cpu"
        ),
    }


def program_alone(program: Program, size: int, shortest: float, runs: int) -> float:
    """Return the seconds of a program's tasks in one thread; runs on a worker."""
    return seconds_alone(graph(program, size), shortest, runs)


def kernel_alone(kernel: Kernel, size: int, shortest: float, runs: int) -> float:
    """Return the seconds of a compiled kernel; runs on a worker."""
    import numba

    compiled = numba.njit(kernel.function)
    args = kernel.make(size)
    compiled(*args)
    return quickest(lambda: compiled(*args), shortest, runs)


def slowdown(large: float, small: float, tiny: float, work: float) -> float | None:
    """Return how much slower per work large chunks are; None where small ones hold too little work to tell.

    >>> slowdown(large=2.1, small=0.2, tiny=0.1, work=10.0)
    2.0
    """
    if small - tiny < 0.2 * small:
        return None
    return (large - tiny) / (small - tiny) / work


def measured_bound(waited: float, computed: float, slower: float | None) -> str:
    """Return what bounded a program, "unclear" where the experiment does not tell."""
    if waited > computed:
        return "communication"
    if slower is None:
        return "unclear"
    return "memory" if slower >= SLOWER else "compute"
