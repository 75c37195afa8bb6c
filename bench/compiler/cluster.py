"""What really bounds a program: measured on a cluster, by experiment and not by the model.

Of each axis the seconds are measured; the longest is what bounds the program, as in `asafess.compiler.bound`.

*Work* is the processor time of all tasks, by Dask's own records. Not their wall-clock time: a machine with fewer cores
than workers makes that longer, and the program is not to blame.

*Communication*: at least the seconds in which a worker fetches and runs no task, since nothing hides those, and at most
those in which it fetches at all, since tasks that share a core hold up a fetch beside them. The middle is taken.

*Compute* and *memory* share the work. The program runs alone in one thread of one worker, with chunks that fit into a
core's own caches and with its real ones. The same instructions run either way, so the growth beyond that of the work
was spent on memory. What Dask needs for the tasks themselves, measured with chunks that hold next to nothing, is taken
off first. Where large chunks are `slower` times as slow for the same work, memory took at least `slower − 1` times as
long as computing, if a core hides nothing of it, and at most `slower` times, if it hides all. The middle is taken:
memory is the longer one from 1.5 on.

Two axes of which one is at most `TIE` times as long as the other are a tie: times here vary by 18 % between runs, so
their ratio by √2 times that, and either is a right answer. `right_bound` counts it so, `right_bound_strict` does not.

Its weakness: with large chunks, results are made of fresh pages, which the kernel has to clear first; that is counted
as memory. A library may use another algorithm for large chunks. And on cores that others use as well, fetches take
longer that are no matter of the wire, and so does computing, but not waiting for memory.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import dask
import numpy as np
from distributed import Client, futures_of, get_task_stream, wait

from ..figures import busy
from .case import Kernel, Program
from .graph import CONFIG, collections_in, delayed_blocks, graph, holding, quick, seconds_alone
from .placement import place

#: axes whose seconds differ by less than this factor can't be told apart
TIE = 1.25


def no_codec(seconds: float, dtype: str) -> dict[str, float]:
    """Measure nothing of tiles: `asafess.cluster.calibrate.measure` asks for it."""
    return {}


def block(program: Program, size: int, collection: int, index: int) -> Any:
    """Make one block of a program's inputs; runs on the worker that is to hold it."""
    # building a collection may compute something too (`from_map` one partition, for its meta). Left to the cluster it
    # would wait for the thread that waits for it: before Python 3.12 a lock of `cached_property` is held meanwhile
    with dask.config.set(scheduler="synchronous"):
        made = delayed_blocks(program.inputs(size)[collection])[index].compute()
    return np.ascontiguousarray(made) if isinstance(made, np.ndarray) else made


def run(client: Client, workers: list[str], program: Program, size: int) -> dict[str, float]:
    """Run a program on the cluster; return seconds that its workers fetched and computed, and bytes they fetched."""
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
    waited = fetching = moved = 0.0
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
        spans = [span for span, _ in fetches]
        waited += busy([*tasks, *spans]) - busy(tasks)
        fetching += busy(spans)
    computed = sum(records["computed"] - before[worker]["computed"] for worker, records in after.items())
    return {"waited_seconds": waited, "fetching_seconds": fetching, "computed_seconds": computed, "moved": moved}


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
    return quick(lambda: compiled(*args), shortest, runs)


def slowdown(large: float, small: float, tiny: float, work: float) -> float | None:
    """Return how much slower per work large chunks are; None where small ones hold too little work to tell.

    >>> slowdown(large=2.1, small=0.2, tiny=0.1, work=10.0)
    2.0
    """
    if small - tiny < 0.2 * small:
        return None
    return (large - tiny) / (small - tiny) / work


def communication(found: Mapping[str, float]) -> float:
    """Return the seconds of communication of a run: the middle between those that nothing hid, and all.

    >>> communication({"waited_seconds": 1.0, "fetching_seconds": 2.0})
    1.5
    """
    return (found["waited_seconds"] + found["fetching_seconds"]) / 2


def axes(work: float, slower: float | None, communication: float = 0.0) -> dict[str, float] | None:
    """Return the measured seconds of each axis, None where what the work consists of does not show.

    >>> axes(work=3.0, slower=1.5)
    {'compute': 2.0, 'memory': 2.0, 'communication': 0.0}
    """
    if slower is None:  # the parts are not known, but neither is longer than both together
        return {"communication": communication} if communication > work else None
    compute = work / max(slower, 1.0)
    return {"compute": compute, "memory": compute * max(slower - 0.5, 0.0), "communication": communication}


def longest(seconds: Mapping[str, float] | None) -> str:
    """Return the axis that takes longest, "unclear" where nothing is known."""
    return max(seconds, key=lambda axis: seconds[axis]) if seconds else "unclear"


def accepted(seconds: Mapping[str, float] | None) -> list[str]:
    """Return the axes that take longest, or as long but for a tie.

    >>> accepted({"compute": 1.0, "memory": 0.9, "communication": 0.5})
    ['compute', 'memory']
    """
    if not seconds:
        return []
    most = max(seconds.values())
    return [axis for axis, each in seconds.items() if each * TIE >= most]
