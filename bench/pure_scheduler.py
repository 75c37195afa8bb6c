"""Dask's scheduler without a network: one object, fake workers, graphs that run as fast as it can schedule.

What is real: every transition, the plugins' hooks, the messages' making. What is not: communication, event loop,
heartbeats. So the CPU time of a run is the scheduler's own. The scheduler is not started; ticks are given by hand.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dask._task_spec import Task, TaskRef
from distributed import Scheduler, SchedulerPlugin
from distributed.protocol.pickle import dumps
from distributed.scheduler import ClientState

#: seconds between ticks, as `asafess.tick` in the configuration
TICK = 0.05
_CLIENT = "bench"
Tick = Callable[[], object]
# what a worker's heartbeat must hold
_METRICS = {
    "bandwidth": {"total": 1e8, "workers": {}, "types": {}},
    "digests_total_since_heartbeat": {},
    "memory": 0,
    "spilled_bytes": {"memory": 0, "disk": 0},
}


class _Inbox:
    """The scheduler's side of a connection that goes nowhere."""

    def __init__(self) -> None:
        self.messages: deque[dict[str, Any]] = deque()

    def send(self, *messages: dict[str, Any]) -> None:
        self.messages.extend(messages)

    async def write(self, message: Any) -> None:
        """Take the answer to a worker that has registered."""


class _Deaf(Scheduler):
    async def handle_worker(self, comm: Any, worker: str) -> None:
        """Listen to nobody: the loop below plays the workers."""


def fan_in_graph(leaf: Callable[..., Any], join: Callable[..., Any], leaves: int, width: int = 10) -> dict[Any, Task]:
    """Return a graph of independent leaves, and one task for every `width` of them."""
    graph: dict[Any, Task] = {("leaf", i): Task(("leaf", i), leaf, i) for i in range(leaves)}
    for i in range(leaves // width):
        inputs = [TaskRef(("leaf", i * width + j)) for j in range(width)]
        graph["join", i] = Task(("join", i), join, *inputs)
    return graph


class PureScheduler:
    """A scheduler with fake workers.

    Parameters
    ----------
    plugin
        Registered as a running scheduler registers it, its `start` awaited; None for none.
    workers, threads
        How many there are, and of each how many threads.
    """

    def __init__(self, plugin: SchedulerPlugin | None, workers: int = 4, threads: int = 1) -> None:
        self._inboxes: dict[str, _Inbox] = {}
        self._reports = _Inbox()
        self._loop = asyncio.new_event_loop()
        self.plugin = plugin
        self._finished = {"type": dumps(int), "typename": "int", "nbytes": 28, "status": "OK"}
        self.scheduler: Scheduler = self._loop.run_until_complete(self._make(workers, threads))

    async def _make(self, workers: int, threads: int) -> Scheduler:
        scheduler = _Deaf(dashboard=False, dashboard_address="127.0.0.1:0", host="127.0.0.1")  # type: ignore[no-untyped-call]
        for i in range(workers):
            address = f"tcp://127.0.0.1:{40001 + i}"
            await scheduler.add_worker(
                _Inbox(),  # type: ignore[arg-type]
                address=address,
                status="running",
                server_id=f"worker-{i}",
                nthreads=threads,
                name=str(i),
                resolve_address=False,
                now=time.time(),
                resources={},
                memory_limit=2**33,
                metrics=_METRICS,
                local_directory="",
                services={},
                versions={},
                nanny="",
                extra={},
                stimulus_id="bench",
            )
            scheduler.stream_comms[address] = self._inboxes[address] = _Inbox()  # type: ignore[assignment]
        scheduler.clients[_CLIENT] = ClientState(_CLIENT)
        scheduler.client_comms[_CLIENT] = self._reports  # type: ignore[assignment]
        if self.plugin is not None:
            await scheduler.register_scheduler_plugin(self.plugin, name="bench", idempotent=False)
        return scheduler

    def close(self) -> None:
        """Stop what the plugin has started, and the loop."""
        for callback in self.scheduler.periodic_callbacks.values():
            callback.stop()
        self.scheduler.http_server.stop()
        self._loop.close()

    def submit(self, graph: Mapping[Any, Task], keys: Iterable[Any]) -> None:
        """Hand in a graph as `Scheduler.update_graph` does once it has been unpickled and ordered."""
        wanted = set(keys)
        self.scheduler._create_taskstate_from_graph(
            start=time.time(),
            dsk=dict(graph),
            keys=wanted,
            ordered={key: i for i, key in enumerate(graph)},
            client=_CLIENT,
            annotations_by_type={},
            global_annotations=None,
            stimulus_id="bench",
            submitting_task=None,
            span_metadata={"collections": []},
        )

    def run(self, graph: Mapping[Any, Task], keys: Iterable[Any], step: int, tick: Tick | None = None) -> Iterator[int]:
        """Run a graph to its end and forget it, yielding about every `step` tasks how many have run since.

        Workers take turns and finish in order; `tick` is called as often as the event loop would call it.
        """
        wanted = list(keys)
        self.submit(graph, wanted)
        ran, due, busy = 0, time.thread_time() + TICK, True
        while busy:
            busy = False
            for address, inbox in self._inboxes.items():
                while inbox.messages:
                    message = inbox.messages.popleft()
                    if message["op"] == "compute-task":
                        self._finish(address, message)
                        ran += 1
                        busy = True
                        break
            # by CPU time, so that others who run in between give no extra ticks
            if tick is not None and time.thread_time() >= due:
                tick()
                due = time.thread_time() + TICK
            if ran >= step:
                yield ran
                ran = 0
        self.scheduler.client_releases_keys(keys=wanted, client=_CLIENT, stimulus_id="bench")
        self._reports.messages.clear()
        yield ran

    def _finish(self, worker: str, message: Mapping[str, Any]) -> None:
        now = time.time()
        self.scheduler.handle_task_finished(
            key=message["key"],
            worker=worker,
            stimulus_id="bench",
            run_id=message["run_id"],
            metadata={},
            thread=1,
            startstops=[{"action": "compute", "start": now, "stop": now + 1e-4}],
            **self._finished,
        )
