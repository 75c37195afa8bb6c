"""The scheduler's half: samples on a tick and once per graph, a controller in the middle, states to workers.

A thin shell: what a sample means is decided in `asafess.core.controller`. Nothing runs per task transition.
A fault of ours turns everything off, says so once, and leaves the computation alone.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any

from distributed import SchedulerPlugin
from distributed.protocol.pickle import dumps
from tornado.ioloop import PeriodicCallback

from asafess.cluster import messages, probe
from asafess.cluster.guard import guarded, text
from asafess.cluster.loads import GroupLoads
from asafess.cluster.worker_plugin import AsafessWorkerPlugin
from asafess.cluster.zeros import Zeros
from asafess.compiler.resolve import PrefixTable
from asafess.core.controller import Controller, Instruction, Publish
from asafess.core.mode import Rates, Sample, Scheduled

if TYPE_CHECKING:
    from distributed import Scheduler

    from asafess.cluster.config import Settings
    from asafess.optimizations.base import Optimization

logger = logging.getLogger("asafess.scheduler")

#: seconds after the last worker has joined in which the others may still do so before rates are measured
PATIENCE = 2.0
#: entries of the log of modes and of switches that are kept
STORY = 20_000


class AsafessSchedulerPlugin(SchedulerPlugin):
    """Decides the states of all optimizations.

    Parameters
    ----------
    settings : Settings
        See `asafess.cluster.config.settings`.
    """

    name = messages.NAME

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.controller = Controller(
            (optimization.policy() for optimization in settings.optimizations),
            name=uuid.uuid4().hex[:12],
            window=settings.window,
        )
        self.loads = GroupLoads(PrefixTable(settings.types))
        self.zeros = Zeros(settings.window)
        self.rates: Rates | None = None
        #: workers that have acknowledged
        self.ready: set[str] = set()
        self.reports: dict[str, dict[str, float]] = {}
        #: (seconds, ratio, zeros, states) of each sample that was used
        self.story: deque[dict[str, Any]] = deque(maxlen=STORY)
        self.switches: deque[dict[str, Any]] = deque(maxlen=STORY)
        self.fault: str | None = None
        self._probe: asyncio.Task[None] | None = None
        self._probed: set[str] = set()
        self._joined_at = 0.0

    async def start(self, scheduler: Scheduler) -> None:
        """Start the tick."""
        self.scheduler = scheduler
        # under this key the scheduler stops it when it closes
        callback = PeriodicCallback(self.tick, self.settings.tick * 1000)
        scheduler.periodic_callbacks[messages.NAME] = callback
        callback.start()

    def worker_plugin(self) -> bytes:
        """Return the worker's half, pickled with the present state."""
        return bytes(dumps(AsafessWorkerPlugin(self.settings, self.controller.state)))

    def uninstall(self) -> None:
        """Turn everything off and stop; the worker plugin is unregistered by the caller."""
        self._act(self.controller.stop(monotonic(), "uninstalled"))
        callback = self.scheduler.periodic_callbacks.pop(messages.NAME, None)
        if callback is not None:
            callback.stop()
        if self._probe is not None:
            self._probe.cancel()

    # ---- samples

    def tick(self) -> None:
        """Take a sample of what is scheduled now."""
        try:
            guarded(self._tick)
        except Exception as error:
            self._fail("tick", error)

    def _tick(self) -> None:
        scheduled = self.loads.scheduled(self.scheduler)
        if scheduled:
            self._observe(scheduled)
        if self.rates is None and self.ready and monotonic() - self._joined_at > PATIENCE:
            self._measure_rates()

    def update_graph(self, scheduler: Scheduler, *, tasks: list[Any], **kwargs: Any) -> None:
        """Take a sample before the first task of a new graph is assigned, so that its state is there first."""
        if self.fault:
            return
        try:
            guarded(self._submitted, scheduler, tasks)
        except Exception as error:
            self._fail("update_graph", error)

    def _submitted(self, scheduler: Scheduler, tasks: list[Any]) -> None:
        before = self.loads.scheduled(scheduler)
        ready = self.loads.submitted(scheduler, tasks)
        if ready:
            self._observe([*before, *ready], fresh=not before)

    def _observe(self, scheduled: Iterable[Scheduled], fresh: bool = False) -> None:
        now = monotonic()
        sample = Sample(
            now,
            tuple(scheduled),
            self.scheduler.total_nthreads,
            len(self.scheduler.workers),
            self.rates,
            self.zeros.share,
            fresh,
        )
        used = self.controller.counters["used"]
        self._act(self.controller.observe(sample))
        if self.controller.counters["used"] > used:
            vector = self.controller.vector
            self.story.append(
                {
                    "time": now,
                    "ratio": vector.get("ratio"),
                    "zeros": vector.get("zeros"),
                    "states": dict(self.controller.state.states),
                }
            )

    # ---- states

    def _act(self, instructions: Iterable[Instruction]) -> None:
        """Do what the controller says."""
        for instruction in instructions:
            if not isinstance(instruction, Publish):
                continue
            for switch in instruction.switches:
                logger.info(
                    "asafess.switch %s: %s -> %s, %s", switch.optimization, switch.before, switch.after, switch.cause
                )
                self.switches.append(
                    {
                        "time": switch.time,
                        "optimization": switch.optimization,
                        "before": switch.before,
                        "after": switch.after,
                        "cause": switch.cause,
                    }
                )
            message = {"op": messages.STATE, "state": instruction.state.to_dict()}
            for worker in self.ready:
                self.scheduler.worker_send(worker, message)
            if messages.NAME in self.scheduler.worker_plugins:
                # a worker that joins later starts from here
                self.scheduler.worker_plugins[messages.NAME] = self.worker_plugin()

    def pin(self, name: str, state: str | None) -> None:
        """Set the state of an optimization by hand; None gives it back to its policy."""
        self._act(self.controller.pin(monotonic(), name, state))

    async def reset(self) -> None:
        """Forget the window and the data, and start cold; rates and pins stay."""
        totals = await self.scheduler.broadcast(
            msg={"op": messages.COUNTERS}, workers=sorted(self.ready), on_error="return"
        )
        self.zeros.forget({worker: total for worker, total in totals.items() if isinstance(total, dict)})
        self.loads.clear()
        self.story.clear()
        self.switches.clear()
        self._act(self.controller.reset(monotonic()))
        self._start()

    def _fail(self, where: str, error: BaseException | str) -> None:
        """Turn everything off for good and say so once."""
        if self.fault is None:
            self.fault = f"{where}: {text(error) if isinstance(error, BaseException) else error}"
            logger.warning(
                "asafess has failed and is off; the computation goes on without it (%s)",
                self.fault,
                exc_info=error if isinstance(error, BaseException) and logger.isEnabledFor(logging.DEBUG) else None,
            )
            try:
                self._act(self.controller.stop(monotonic(), self.fault))
            except Exception:
                logger.exception("asafess could not turn its optimizations off")
        self.controller.counters["faults"] += 1

    # ---- workers

    def log_event(self, topic: str, msg: Any) -> None:
        """Take an event from a worker."""
        if topic != messages.TOPIC or not isinstance(msg, dict):
            return
        try:
            worker = msg.get("worker", "")
            if msg.get("event") == messages.READY:
                self._joined(worker, msg.get("version"))
            elif msg.get("event") == messages.REPORT:
                self.reports[worker] = msg["counters"]
                self.zeros.report(monotonic(), worker, msg["counters"])
            elif msg.get("event") == messages.FAULT:
                self._fail(f"worker {worker}", str(msg.get("cause")))
        except Exception as error:
            self._fail("log_event", error)

    def _joined(self, worker: str, version: Any) -> None:
        if version != messages.VERSION:
            logger.warning(
                "asafess on worker %s speaks version %s, not %s: it stays off there", worker, version, messages.VERSION
            )
            return
        self.ready.add(worker)
        self._joined_at = monotonic()
        # it may have prepared for a state that has changed since
        self.scheduler.worker_send(worker, {"op": messages.STATE, "state": self.controller.state.to_dict()})
        if self.ready >= set(self.scheduler.workers):
            self._measure_rates()

    def remove_worker(self, scheduler: Scheduler, worker: str, **kwargs: Any) -> None:
        """Forget a worker."""
        self.ready.discard(worker)
        self.reports.pop(worker, None)
        self.zeros.lost(worker)

    def restart(self, scheduler: Scheduler) -> None:
        """Forget the tasks; workers come back by themselves."""
        self.loads.clear()

    # ---- rates

    def _measure_rates(self) -> None:
        """Measure the rates in the background when the first workers are there, or the first two."""
        running = self._probe is not None and not self._probe.done()
        if running or self.fault or len(self._probed) >= min(2, len(self.ready)):
            return
        self._probe = asyncio.ensure_future(self._probe_rates())

    async def _probe_rates(self) -> None:
        try:
            ring = sorted(self.ready)
            self._probed = set(ring)
            self.rates = await probe.measure(self.scheduler, ring, self.settings.rates)
            self._start()
        except Exception as error:
            self._fail("rates", error)

    def _start(self) -> None:
        if self.rates is not None:
            self._act(guarded(self.controller.start, monotonic(), self.rates))

    # ---- for people

    def _thresholds(self, optimization: Optimization) -> dict[str, Any]:
        try:
            return {} if self.rates is None else dict(guarded(optimization.thresholds, self.rates))
        except Exception as error:
            return {"error": text(error)}  # whoever asks for the status wants to see the rest

    def status(self, story: bool = True) -> dict[str, Any]:
        """Return what there is to know, as plain data; the story of all samples is long."""
        return {
            "time": monotonic(),  # that of story and switches is on the same clock
            "states": dict(self.controller.state.states),
            "pinned": self.controller.pinned,
            "mode": dict(self.controller.vector),
            "rates": None
            if self.rates is None
            else {"flop": self.rates.flop, "memory": self.rates.memory, "link": self.rates.link, **self.rates.extra},
            "thresholds": {one.name: self._thresholds(one) for one in self.settings.optimizations},
            "ready": sorted(self.ready),
            "workers": len(self.scheduler.workers),
            "switches": list(self.switches),
            "story": list(self.story) if story else [],
            "counters": {
                **self.controller.counters,
                "bad_types": self.loads.bad_types,
                "untyped_groups": len(self.loads.untyped),
            },
            "reports": {worker: dict(report) for worker, report in self.reports.items()},
            "fault": self.fault,
        }
