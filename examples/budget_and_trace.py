"""Two optimizations that don't fit into one budget, a person who overrules them, and a trace of it all, scored.

Two units of a machine, one for Fourier transforms and one for unpacking, take 60 and 50 of 100 watts, so only one can
be powered at a time: that which saves more of the time just now. Here a unit is stood in for by a variable, and its
work by a pause of half the length while it is on. Run it with ``python examples/budget_and_trace.py``.
"""

import os
import tempfile
import time
from pathlib import Path

from dask import delayed
from dask.distributed import Client, LocalCluster

import asafess
from asafess.core.domain import Domain, Hysteresis, axis
from asafess.core.mode import total_load
from asafess.core.replay import replay
from asafess.core.score import scores, steps
from asafess.core.trace_reader import read

UNITS = {"fourier": 60.0, "unpack": 50.0}  # watts
for name in UNITS:
    asafess.define_axis(name, "seconds of work without the unit")


class Unit(asafess.Optimization):
    """Powers a unit while it saves time."""

    def __init__(self, name, watts):
        self.name = name
        self.demands = {"on": {"watts": watts}}  # what excludes another whatever the budget says so with `conflicts`

    def domain(self, rates):
        """Power it while there is work for it."""
        return Domain(self.states, [Hysteresis(axis(self.name) > 0.01, axis(self.name) < 0.005)])

    def costs(self, sample):
        """Predict seconds: work that the unit can do takes half as long while it is on."""
        load = total_load(sample.scheduled)
        work = sum(load.get(one, 0.0) for one in UNITS) / sample.threads
        return {"off": work, "on": work - load.get(self.name, 0.0) / 2 / sample.threads}

    def enter(self, state):
        """Switch the unit."""
        os.environ[self.name.upper()] = state

    def leave(self):
        """Switch it off for good."""
        os.environ.pop(self.name.upper(), None)


@asafess.task(loads={"fourier": 0.02})
def fourier(seed):
    """Transform."""
    time.sleep(0.01 if os.environ.get("FOURIER") == "on" else 0.02)


@asafess.task(loads={"unpack": 0.02})
def unpack(seed):
    """Unpack."""
    time.sleep(0.01 if os.environ.get("UNPACK") == "on" else 0.02)


def phase(client, transforms, unpacks, title):
    """Run rounds of so many tasks of each kind; say how long they took, and who was on at the end."""
    start = time.perf_counter()
    for _ in range(15):
        both = [delayed(fourier)(k) for k in range(transforms)] + [delayed(unpack)(k) for k in range(unpacks)]
        client.gather(client.compute(both))
    status = asafess.status(client)
    print(f"{title:<16} {time.perf_counter() - start:4.1f} s   {status['states']}")
    for name, decision in status["decisions"].items():
        if decision["held_back"]:
            print(f"    {name} would be {decision['wanted']}: {decision['held_back']}")


def main():
    """Run two phases, overrule, and look at the trace."""
    cluster = LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=":0")
    with tempfile.TemporaryDirectory() as folder, cluster, Client(cluster) as client:
        asafess.install(client, [Unit(*one) for one in UNITS.items()], budgets={"watts": 100})
        asafess.wait(client, timeout=180)
        path = Path(folder) / "trace.jsonl"
        asafess.trace(client, str(path))  # on the scheduler's machine, which is this one
        phase(client, 14, 2, "mostly fourier")
        phase(client, 2, 14, "mostly unpack")
        asafess.pin(client, "fourier", "on")  # a person wants it on: the other makes room
        phase(client, 2, 14, "fourier pinned")
        asafess.shadow(client, "fourier")  # it decides and is logged, but stays off
        phase(client, 14, 2, "fourier shadow")
        asafess.auto(client, "fourier")  # its policy has it back
        phase(client, 14, 2, "fourier auto")
        asafess.trace(client, None)
        trace = read(path.read_text().splitlines())
    same = sum(one.same for one in replay(trace).decided)
    print(f"replayed: {same} of {len(trace.moments)} decisions are as recorded")
    both = sum(set(one.after.values()) == {"on"} for one in replay(trace, budgets={"watts": 110}).decided)
    print(f"with 110 watts both were on in {both} of them; unpack by itself:")
    for one in scores(steps(trace, "unpack")):
        print(f"    {one.policy:<13} {one.cost:5.2f} s, {one.ratio:.2f} × the optimum, switches: {one.switches}")


if __name__ == "__main__":
    main()
