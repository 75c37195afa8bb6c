"""An optimization of one's own, over an axis of one's own: no garbage collection while tasks make many objects.

Python's collector looks at containers again and again while a task fills memory with them, and finds nothing. So it
is paused while the scheduled tasks make many objects; decided once by an *efficiency domain* alone (paused above one
number, running below another), and once with predicted *costs*. With them it is switched when staying has cost as much
as switching there and back, which costs at most 3 times the best schedule known beforehand; and as running the
collector again gains nothing here, it stays paused. Run it with ``python examples/own_optimization.py``.
"""

import argparse
import gc
import time

import numpy as np
from dask.distributed import Client, LocalCluster

import asafess
from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.mode import total_load

asafess.define_axis("objects", "containers made")
OBJECTS = 2e5  # that `parse` makes


class PausedCollector(asafess.Optimization):
    """Pauses Python's garbage collector while tasks make many objects."""

    name = "collector"
    states = ("running", "paused")  # the first is that of a process without asafess
    dwell = 0.0

    def domain(self, rates):
        """Pause above the one number, run below the other, change nothing between. Runs in the scheduler."""
        return Domain(self.states, [Hysteresis(axis("objects") > 1e5, axis("objects") < 1e4)])

    def enter(self, state):
        """Take a state. Runs in each worker."""
        gc.disable() if state == "paused" else gc.enable()

    def leave(self):
        """Put back what Python starts with."""
        gc.enable()


class CollectorWithCosts(PausedCollector):
    """The same, knowing the seconds that an object takes in each state."""

    def __init__(self, seconds):
        self.seconds = seconds

    def costs(self, sample):
        """Predict how long the scheduled tasks take in each state. Runs in the scheduler."""
        load = total_load(sample.scheduled)
        objects, crunching = load.get("objects", 0.0), load.get("compute", 0.0) / sample.rates.flop
        return {one: (objects * seconds + crunching) / sample.threads for one, seconds in self.seconds.items()}


@asafess.task(loads={"objects": OBJECTS})
def parse(seed):
    """Make many small objects; return how long it took and whether the collector is running."""
    start = time.perf_counter()
    _ = [{"id": number, "tags": [seed]} for number in range(100_000)]
    return time.perf_counter() - start, gc.isenabled()


@asafess.task(loads={"objects": 10, "compute": 2 * 300**3})
def crunch(seed):
    """Make one large object."""
    start = time.perf_counter()
    np.linalg.norm(np.full((300, 300), float(seed)) @ np.eye(300))
    return time.perf_counter() - start, gc.isenabled()


def phases(client, tasks, who, *optimizations):
    """Alternate between the two kinds of task and tell what happened; return the seconds that an object took."""
    if optimizations:
        asafess.install(client, optimizations)
        asafess.wait(client, timeout=180)
    medians = {}
    for function in (crunch, parse, crunch, parse, crunch):
        seconds, running = zip(*client.gather(client.map(function, range(tasks), pure=False)), strict=True)
        medians[function] = float(np.median(seconds))
        took = f"{function.__name__:<6}  {1000 * medians[function]:6.1f} ms per task"
        print(f"{who:<16}  {took}, collector on in {sum(running)} of {tasks}")
    for switch in asafess.status(client)["switches"] if optimizations else ():
        print(f"    {switch['before']} → {switch['after']}: {switch['cause']}")
    return medians[parse] / OBJECTS


def main():
    """Run the phases without asafess, by the domain alone, and with costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=16, help="tasks of a phase")
    tasks = parser.parse_args().tasks
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        running = phases(client, tasks, "without asafess")
        paused = phases(client, tasks, "the domain alone", PausedCollector())
        phases(client, tasks, "with costs", CollectorWithCosts({"running": running, "paused": paused}))


if __name__ == "__main__":
    main()
