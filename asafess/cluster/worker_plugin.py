"""The worker's half: takes optimization states, reports counters, measures rates.

A worker acknowledges only when it can act: imports and compilation happen in a thread, never in its event
loop. Until then it runs as if we were not there. Handlers never raise: distributed would close the worker.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin
from distributed.protocol.pickle import dumps, loads
from tornado.ioloop import PeriodicCallback

from asafess.cluster import messages, probe, sharing
from asafess.cluster.guard import guarded, merge, numbers, text
from asafess.compiler.task_cost import task_cost
from asafess.core.state import OptimizationState

if TYPE_CHECKING:
    from distributed import Worker

    from asafess.cluster.config import Settings
    from asafess.optimizations.base import Optimization

logger = logging.getLogger("asafess.worker")

#: at most so many reports for each of Dask's heartbeats
REPORTS_PER_HEARTBEAT = 10


#: tasks that one worker watches for at most
MOST_WANTED = 1000


def _key(key: Any) -> Any:
    """Return a key as it was sent: tuples arrive as lists."""
    return tuple(map(_key, key)) if isinstance(key, list) else key


def ignore(**message: Any) -> None:
    """Take a message that comes after the plugin has gone; without a handler it would close the worker."""


class AsafessWorkerPlugin(WorkerPlugin):
    """Acts on this worker on what the scheduler decides.

    Parameters
    ----------
    settings : Settings
        The optimizations among them.
    state : OptimizationState
        The state in which a worker that joins now starts.
    pickled : bytes, optional
        The settings, pickled.
    """

    name = messages.NAME

    def __init__(self, settings: Settings, state: OptimizationState, pickled: bytes | None = None) -> None:
        self.settings = settings
        # from before any of it has run: users' code may make itself something that can't be pickled
        self._pickled = dumps(settings) if pickled is None else pickled
        self.state = state
        self._acting: OptimizationState | None = None
        self._ready = False
        self._stopped = False
        self._reported: dict[str, float] = {}
        #: wire bytes per second, as the scheduler has measured them
        self._link: float | None = None
        #: tasks whose kernel is to be counted, with its signature
        self._wanted: dict[Any, list[str]] = {}
        #: whether one is being counted
        self._counting = False

    def __getstate__(self) -> dict[str, Any]:
        return {"pickled": self._pickled, "state": self.state}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(loads(state["pickled"]), **state)  # type: ignore[misc]

    def setup(self, worker: Worker) -> None:
        """Install the handlers and start to prepare."""
        self.worker = worker
        sharing.come(self)
        worker.stream_handlers[messages.STATE] = self._on_state
        worker.stream_handlers[messages.COUNT] = self._on_count
        worker.stream_handlers[messages.PING] = self._on_ping
        worker.handlers[messages.RATES] = self._on_rates
        worker.handlers[messages.LINK] = self._on_link
        worker.handlers[messages.COUNTERS] = self._on_counters
        worker.handlers[messages.PAYLOAD] = probe.payload
        self._reporter = PeriodicCallback(self._report, self.settings.report_interval * 1000)
        threading.Thread(target=self._prepare, name="asafess-prepare", daemon=True).start()

    def teardown(self, worker: Worker) -> None:
        """Put everything back; a handler stays, because a message may be on its way."""
        self._stopped = True
        for name in (messages.STATE, messages.COUNT, messages.PING):
            worker.stream_handlers[name] = ignore
        for name in (messages.RATES, messages.LINK, messages.COUNTERS, messages.PAYLOAD):
            worker.handlers.pop(name, None)
        self._reporter.stop()
        sharing.go(self)

    def _prepare(self) -> None:
        """Import and compile, in a thread of our own."""
        try:
            for optimization in self.settings.optimizations:
                guarded(optimization.prepare, self.settings.dtypes)
        except Exception as error:  # a user's optimization may raise anything
            self.worker.loop.add_callback(self._fault, "prepare", error)
        else:
            self.worker.loop.add_callback(self._acknowledge)

    def _acknowledge(self) -> None:
        if self._stopped:
            sharing.go(self)  # what was prepared after the teardown would stay
            return
        self._ready = True
        self._act(self.state)
        try:
            # counters are the process's, which may have run another installation before this one
            self._reported = self._counters()
        except Exception as error:
            logger.debug("asafess joins without counters: %s", text(error))  # the first report says so to all
        ready = {"event": messages.READY, "version": messages.VERSION, "counters": self._reported}
        self.worker.log_event(messages.TOPIC, ready)
        self._reporter.start()

    def _on_state(self, state: dict[str, Any] | None = None, link: float | None = None, **_: Any) -> None:
        """Take a state from the scheduler, and the link rate that it is meant for."""
        try:
            if link is not None and link != self._link and not self._stopped:
                self._link = link
                for optimization in self.settings.optimizations:
                    guarded(optimization.set_link, link)
            taken = OptimizationState.from_dict(state or {})
            if self._act(taken):
                self.worker.log_event(messages.TOPIC, {"event": messages.ENTERED, "counter": taken.epoch.counter})
        except Exception as error:
            self._fault("state", error)

    def _on_ping(self, number: int = 0, **_: Any) -> None:
        """Answer on the way that the news of a task takes that has ended."""
        self.worker.log_event(messages.TOPIC, {"event": messages.PONG, "number": number})

    def _on_count(self, keys: Any = (), signature: Any = (), **_: Any) -> None:
        """Remember to count a kernel when one of these tasks begins."""
        self._wanted.update((key, list(signature)) for key in map(_key, keys))
        for old in list(self._wanted)[:-MOST_WANTED]:  # other workers have run those
            del self._wanted[old]

    def transition(self, key: Any, start: str, finish: str, **_: Any) -> None:
        """Count in a thread what a task's kernel costs; all inputs are here when it begins."""
        if not self._wanted or finish != "executing" or key not in self._wanted or self._counting:
            return  # one at a time: each keeps the inputs of its task
        try:
            signature = self._wanted.pop(key)
            task = self.worker.state.tasks[key]
            data = {one.key: self.worker.data[one.key] for one in task.dependencies}
            arguments = task.run_spec, data, signature
            self._counting = True
            threading.Thread(target=self._count, args=arguments, name="asafess-count", daemon=True).start()
        except Exception as error:
            logger.debug("asafess could not count %s", text(error))

    def _count(self, node: Any, data: Any, signature: list[str]) -> None:
        try:
            counts = guarded(task_cost, node, data)
        except Exception:  # what an extension module raises may be anything
            counts = None
        event = {"event": messages.COUNTED, "signature": signature, "counts": counts}
        self.worker.loop.add_callback(self._counted, event)

    def _counted(self, event: dict[str, Any]) -> None:
        self._counting = False
        self.worker.log_event(messages.TOPIC, event)

    def _act(self, state: OptimizationState) -> bool:
        """Enter each optimization's state, unless it is older than the one we are in; say whether we did."""
        if self._stopped or not state.epoch.replaces(self._acting.epoch if self._acting else None):
            return False
        before = self._acting.states if self._acting else {}
        self._acting = state
        try:
            for optimization in self.settings.optimizations:
                name = optimization.name
                if name in state.states and state.states[name] != before.get(name, optimization.states[0]):
                    guarded(optimization.enter, state.states[name])
        except Exception as error:
            self._fault("enter", error)
            return False
        return True

    def state_of(self, optimization: Optimization) -> str:
        """Return in which state this worker has an optimization."""
        states = self._acting.states if self._acting else {}
        return states.get(optimization.name, optimization.states[0])

    def _fault(self, where: str, error: BaseException) -> None:
        """Turn everything off here and tell the scheduler, which turns it off everywhere."""
        logger.error("asafess failed on worker %s (%s): %s", self.worker.address, where, text(error))
        logger.debug("asafess fault", exc_info=error)
        sharing.leave(self.settings.optimizations)
        # a message that can't be packed would close the stream to the scheduler, and with it this worker
        cause = f"{where}: {text(error)}"
        self.worker.log_event(messages.TOPIC, {"event": messages.FAULT, "cause": cause})

    def _counters(self) -> dict[str, float]:
        counters: dict[str, float] = {}
        if self._ready:
            for optimization in self.settings.optimizations:
                merge(counters, numbers(guarded(optimization.counters)), f"{optimization.name}.counters()")
        return counters

    def _report(self) -> None:
        """Tell the scheduler the counters when they have changed."""
        try:
            counters = self._counters()
            if counters != self._reported:
                self._reported = counters
                self.worker.log_event(messages.TOPIC, {"event": messages.REPORT, "counters": counters})
            # Dask slows heartbeats down as a cluster grows, so that they do not drown its scheduler; so do we
            heartbeat = self.worker.periodic_callbacks["heartbeat"].callback_time
            self._reporter.callback_time = max(1000 * self.settings.report_interval, heartbeat / REPORTS_PER_HEARTBEAT)
        except Exception as error:
            self._reporter.stop()
            self._fault("report", error)

    async def _on_counters(self) -> dict[str, float]:
        return self._counters()

    async def _on_rates(self) -> dict[str, float]:
        return await asyncio.to_thread(probe.local_rates, self.settings.optimizations)

    async def _on_link(self, ring: list[str]) -> float | None:
        return await probe.link_rate(self.worker, ring)
