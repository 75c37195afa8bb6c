"""The scheduler's half: samples on a tick, per graph and per phase, a controller in the middle, states to workers.

A thin shell: what a sample means is decided in `asafess.core.controller`. Per task transition it only asks whether this
is the first task of its group.
A fault of ours turns everything off, says so once, and leaves the computation alone.
"""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Iterable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from distributed import SchedulerPlugin
from distributed.protocol.pickle import dumps
from tornado.ioloop import PeriodicCallback

from asafess.cluster import messages
from asafess.cluster.group_types import GroupTypes
from asafess.cluster.guard import guarded, text
from asafess.cluster.journal import Journal
from asafess.cluster.loads import GroupLoads
from asafess.cluster.measurements import Measurements
from asafess.cluster.rates_probe import RatesProbe
from asafess.cluster.repeats import Repeats
from asafess.cluster.round_trips import RoundTrips
from asafess.cluster.sampler import Sampler, Taken
from asafess.cluster.scheduler_hooks import SchedulerHooks
from asafess.cluster.status import status_of
from asafess.cluster.worker_plugin import AsafessWorkerPlugin
from asafess.compiler.resolve import PrefixTable
from asafess.core.controller import Controller
from asafess.core.instruction import Instruction, Publish, Shadowed
from asafess.core.mode import Rates, Sample, mode_vector, total_load
from asafess.core.trace import Event

if TYPE_CHECKING:
    from distributed import Scheduler
    from distributed.scheduler import TaskState

    from asafess.cluster.config import Settings
    from asafess.core.state import OptimizationState

logger = logging.getLogger("asafess.scheduler")


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
        self._pickled = dumps(settings)
        self._declarations = [optimization.declaration() for optimization in settings.optimizations]
        self.controller = Controller(self._declarations, name=uuid.uuid4().hex[:12], **settings.deciding)
        for name, control in settings.control.items():
            self.controller.control(0.0, name, control)
        self.loads = GroupLoads(GroupTypes(PrefixTable(settings.types), settings.infer))
        self.repeats = Repeats(self.loads)
        self.measurements = Measurements(settings.optimizations, settings.window)
        self.hooks = SchedulerHooks(settings.optimizations)
        self.sampler = Sampler(settings, self.loads, self.hooks)
        self.rates: Rates | None = None
        #: workers that have acknowledged
        self.ready: set[str] = set()
        self.journal = Journal()
        #: the latest epoch's counter, and when it was published
        self._published = (0, 0.0)
        #: something was scheduled at the last tick
        self._busy = False
        #: in the middle of Dask's transitions, where nothing may start others
        self._transitions = False
        self.fault: str | None = None
        self.round_trips = RoundTrips(self._ping)
        measure = self.round_trips.measure if any(one.round_trips_wanted for one in settings.optimizations) else None
        self.probe = RatesProbe(settings, self._measured, lambda error: self._fail("rates", error), measure)

    async def start(self, scheduler: Scheduler) -> None:
        """Start the tick."""
        self.scheduler = scheduler
        # under this key the scheduler stops it when it closes
        callback = PeriodicCallback(self.tick, self.settings.tick * 1000)
        scheduler.periodic_callbacks[messages.NAME] = callback
        callback.start()
        try:
            self.hooks.enter(scheduler, self.controller.state.states)  # what is pinned in the configuration
        except Exception as error:
            self._fail("enter_scheduler", error)
        if self.settings.trace is not None:
            try:
                self.trace(self.settings.trace)
            except OSError as error:
                logger.warning("asafess writes no trace: %s", error)

    async def close(self) -> None:
        """End the trace."""
        self.journal.close()

    def worker_plugin(self) -> bytes:
        """Return the worker's half, pickled with the present state."""
        return bytes(dumps(AsafessWorkerPlugin(self.settings, self.controller.state, self._pickled)))

    def uninstall(self) -> None:
        """Turn everything off and stop; the worker plugin is unregistered by the caller."""
        self._act(self.controller.stop(monotonic(), "uninstalled"))
        self.hooks.leave(self.scheduler)
        self.journal.close()
        callback = self.scheduler.periodic_callbacks.pop(messages.NAME, None)
        if callback is not None:
            callback.stop()
        self.probe.cancel()

    # ---- samples

    def tick(self) -> None:
        """Take a sample of what is scheduled now."""
        try:
            guarded(self._tick)
        except Exception as error:
            self._fail("tick", error)

    def _tick(self) -> None:
        self.repeats.clear()
        self.loads.learn(self.scheduler, self.controller.state.states, self.rates)
        taken = self.sampler.tick(self.scheduler, None if self.fault else self.rates)
        if taken.scheduled or self._busy:
            self._observe(taken)
        if self.rates is None and not self.fault:
            self.probe.look(self.scheduler, self.ready)

    def update_graph(self, scheduler: Scheduler, *, tasks: list[Any], **kwargs: Any) -> None:
        """Take a sample before the first task of a new graph is assigned, so that its state is there first."""
        if self.fault:
            return
        try:
            guarded(self._submitted, scheduler, tasks)
        except Exception as error:
            self._fail("update_graph", error)

    def _submitted(self, scheduler: Scheduler, tasks: list[Any]) -> None:
        self.loads.types.kernels.answering = bool(self.ready)
        if self.repeats.have(scheduler, tasks):
            return
        ready = self.loads.submitted(scheduler, tasks)
        for keys, names in self.loads.types.kernels.take():
            for worker in self.ready:  # before any of them gets one of these tasks
                scheduler.worker_send(worker, {"op": messages.COUNT, "keys": keys, "signature": list(names)})
        taken = self.sampler.submitted(scheduler, ready, tasks, self.rates)
        if self.sampler.can_wait:
            self.repeats.add(scheduler, tasks)
        if taken is not None:
            self._observe(taken)

    def transition(self, key: Any, start: str, finish: str, *args: Any, stimulus_id: str = "", **kwargs: Any) -> None:
        """Take a sample before the first tasks of a phase are sent, so that its state is there first.

        Costs a task some 0.2 µs, a phase as much as a tick.
        """
        if finish != "processing" or not self.sampler.may_begin:
            return
        ts = self.scheduler.tasks[key]
        if ts.group.states["processing"] == 1 and not ts.group.start:
            self._transitions = True
            try:
                guarded(self._begins, ts)
            except Exception as error:
                self.scheduler.loop.add_callback(self._fail, "transition", error)
            finally:
                self._transitions = False

    def _begins(self, ts: TaskState) -> None:
        assert self.rates is not None
        taken = self.sampler.begins(self.scheduler, ts, self.rates)
        if taken is not None:
            self._observe(taken)

    def _observe(self, taken: Taken) -> None:
        """Let the controller decide."""
        now = monotonic()
        measurements = self.measurements
        known = measurements.known.copy()
        sample = Sample(
            now,
            tuple(taken.scheduled),
            self.scheduler.total_nthreads,
            len(self.scheduler.workers),
            self.rates,
            measurements.zeros.share,
            taken.fresh,
            known,
            taken.seconds,
        )
        measurements.look(sample, self.controller.state.states)
        known.update(measurements.known)
        used = self.controller.counters["used"]
        self._act(self.controller.observe(sample))
        if self.controller.counters["used"] > used and self.controller.moment is not None:
            moment = self.controller.moment
            ratio = self.controller.ratio
            if taken.running is not None:  # nothing of the coming phase has moved yet
                ratio = mode_vector(total_load(taken.running), sample).get("ratio", math.inf)
            measurements.moved(now, moment.elapsed * sample.workers, ratio)
            self.journal.moment(moment, sample, measurements.reports)
        if self._busy and not sample.scheduled:
            self.journal.event(Event(now, "empty", {}))
        self._busy = bool(sample.scheduled)

    # ---- states

    def _act(self, instructions: Iterable[Instruction]) -> None:
        """Do what the controller says."""
        for instruction in instructions:
            if isinstance(instruction, Shadowed):
                for switch in instruction.switches:
                    self.journal.switch(switch, shadow=True)
            elif isinstance(instruction, Publish):
                for switch in instruction.switches:
                    self.journal.switch(switch)
                self._publish(instruction.state)

    def _publish(self, state: OptimizationState) -> None:
        self.measurements.switched()
        self.loads.types.learning.switched(state.states, self.scheduler.total_nthreads)
        self._published = (state.epoch.counter, monotonic())
        self._send(state, self.ready)
        if messages.NAME in self.scheduler.worker_plugins:
            # a worker that joins later starts from here
            self.scheduler.worker_plugins[messages.NAME] = self.worker_plugin()
        if self._transitions:
            self.scheduler.loop.add_callback(self._enter_scheduler)
        else:
            self._enter_scheduler()

    def _enter_scheduler(self) -> None:
        try:
            self.hooks.enter(self.scheduler, self.controller.state.states)
        except Exception as error:
            self._fail("enter_scheduler", error)

    def _send(self, state: OptimizationState, workers: Iterable[str]) -> None:
        """Tell workers the state, and the link that it is meant for."""
        link = None if self.rates is None else self.rates.link
        for worker in workers:
            if worker not in self.scheduler.stream_comms:
                continue  # it is being removed
            self.scheduler.worker_send(worker, {"op": messages.STATE, "state": state.to_dict(), "link": link})

    def control(self, name: str, control: str) -> None:
        """Say who is in charge of an optimization: *auto*, *shadow*, or a state to pin it to."""
        now = monotonic()
        self._act(self.controller.control(now, name, control))
        self.journal.event(Event(now, "control", {name: control}))

    def trace(self, path: str | None) -> None:
        """Begin a trace in a file of this machine; None ends it.

        Raises
        ------
        OSError
            The file can't be opened.
        """
        if path is None:
            self.journal.close()
            return
        now = monotonic()
        events = [Event(now, "control", self.controller.controls), self._states_event(now)]
        self.journal.open(path, self.settings.trace_size, self.settings.deciding, self._declarations, events)

    def _states_event(self, time: float) -> Event:
        return Event(time, "state", {**self.controller.state.states, **self.controller.shadows})

    async def reset(self) -> None:
        """Forget the window and the data, and start cold; rates and pins stay."""
        totals = await self.scheduler.broadcast(
            msg={"op": messages.COUNTERS}, workers=sorted(self.ready), on_error="return"
        )
        self.measurements.forget({worker: total for worker, total in totals.items() if isinstance(total, dict)})
        self.loads.clear()
        self.journal.clear()
        now = monotonic()
        self._act(self.controller.reset(now))
        self.journal.event(Event(now, "reset", {}))
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
            self.hooks.leave(self.scheduler)
        self.controller.counters["faults"] += 1

    # ---- workers

    def log_event(self, topic: str, msg: Any) -> None:
        """Take an event from a worker."""
        if topic != messages.TOPIC or not isinstance(msg, dict):
            return
        try:
            worker = msg.get("worker", "")
            if msg.get("event") == messages.READY:
                self._joined(worker, msg.get("version"), msg.get("counters", {}))
            elif msg.get("event") == messages.REPORT:
                if worker in self.ready:  # else it is of the installation before this one
                    self.measurements.report(monotonic(), worker, msg["counters"])
            elif msg.get("event") == messages.ENTERED:
                self._entered(msg["counter"])
            elif msg.get("event") == messages.COUNTED:
                self.loads.counted(msg["signature"], msg["counts"])
                self.repeats.clear()
            elif msg.get("event") == messages.PONG:
                self.round_trips.answered(worker, msg["number"])
            elif msg.get("event") == messages.FAULT:
                self._fail(f"worker {worker}", str(msg.get("cause")))
        except Exception as error:
            self._fail("log_event", error)

    def _entered(self, counter: int) -> None:
        """Take note that a worker acts in a state."""
        published, at = self._published
        if counter == published and self.hooks.workers_act:
            self.controller.reached(monotonic() - at)

    def _joined(self, worker: str, version: Any, counters: Mapping[str, float]) -> None:
        if version != messages.VERSION:
            logger.warning(
                "asafess on worker %s speaks version %s, not %s: it stays off there", worker, version, messages.VERSION
            )
            return
        self.ready.add(worker)
        self.measurements.joined(worker, counters)
        # it may have prepared for a state that has changed since
        self._send(self.controller.state, [worker])
        if not self.fault:
            self.probe.joined(self.scheduler, self.ready)

    def remove_worker(self, scheduler: Scheduler, worker: str, **kwargs: Any) -> None:
        """Forget a worker."""
        self.ready.discard(worker)
        self.measurements.lost(worker)
        self.loads.wake()  # what was there only is computed again

    def restart(self, scheduler: Scheduler) -> None:
        """Forget the tasks; workers come back by themselves."""
        self.loads.clear()

    # ---- rates

    def _ping(self, worker: str, number: int) -> None:
        if worker in self.ready:  # any other would be closed by a message that it does not know
            self.scheduler.worker_send(worker, {"op": messages.PING, "number": number})

    def _measured(self, rates: Rates | None) -> None:
        self.rates = rates
        self.repeats.clear()
        self._send(self.controller.state, self.ready)  # for the link: the state may stay as it is
        self._start()

    def _start(self) -> None:
        if self.rates is not None:
            now = monotonic()
            self.hooks.rates(self.rates)
            self._act(guarded(self.controller.start, now, self.rates))
            self.journal.event(self._states_event(now))

    def status(self, story: bool = True) -> dict[str, Any]:
        """Return what there is to know, as plain data; see `asafess.cluster.status`."""
        return status_of(self, story)
