"""An optimization of one's own, over an axis of one's own: no garbage collection while tasks make many objects.

Python's collector looks at containers again and again while a task fills memory with them, and finds nothing. So it
is paused while the scheduled tasks make many objects, and runs as before when they make few. The class below says when
and how; `asafess` does the rest. Run it with ``python examples/own_optimization.py``.
"""

import argparse
import gc
import time

import numpy as np
from dask.distributed import Client, LocalCluster

import asafess
from asafess.core.domain import Domain, Hysteresis, axis

asafess.define_axis("objects", "containers made")


class PausedCollector(asafess.Optimization):
    """Pauses Python's garbage collector while tasks make many objects."""

    name = "collector"
    states = ("running", "paused")  # the first is that of a process without asafess
    dwell = 0.0  # a state need not be kept for long: switching costs nothing

    def domain(self, rates):
        """Pause above the one number, run below the other, change nothing between. Runs in the scheduler."""
        return Domain(self.states, [Hysteresis(axis("objects") > 1e5, axis("objects") < 1e4)])

    def enter(self, state):
        """Take a state. Runs in each worker."""
        if state == "paused":
            gc.disable()
        else:
            self.leave()

    def leave(self):
        """Put back what Python starts with."""
        gc.enable()


@asafess.task(loads={"objects": 2e5})
def parse(seed):
    """Make many small objects; return how long it took and whether the collector was running."""
    start = time.perf_counter()
    records = [{"id": number, "tags": [seed]} for number in range(100_000)]
    return time.perf_counter() - start, gc.isenabled() and bool(records)


@asafess.task(loads={"objects": 10, "compute": 2 * 300**3})
def crunch(seed):
    """Make one large object."""
    start = time.perf_counter()
    np.linalg.norm(np.full((300, 300), float(seed)) @ np.eye(300))
    return time.perf_counter() - start, gc.isenabled()


def main():
    """Alternate between the two kinds of task and tell what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=16, help="tasks of a phase")
    tasks = parser.parse_args().tasks
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        for adaptive in (False, True):
            if adaptive:
                asafess.install(client, [PausedCollector()])
                asafess.wait(client, timeout=180)
            for function in (crunch, parse, crunch, parse, crunch):
                seconds, running = zip(*client.gather(client.map(function, range(tasks), pure=False)), strict=True)
                who = f"{'with' if adaptive else 'without'} asafess  {function.__name__:<6}"
                print(f"{who}  {1000 * np.median(seconds):6.1f} ms per task, collector on in {sum(running)} of {tasks}")
        for switch in asafess.status(client)["switches"]:
            print(f"{switch['before']} → {switch['after']}: {switch['cause']}")


if __name__ == "__main__":
    main()
