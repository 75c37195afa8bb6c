"""Two units and power for one: a library that computes in software where a unit is not worth its power.

The first example of the paper behind `asafess` is a numerical library that is told when floating-point work is rare: it
uses fixed-point arithmetic in software then, and the floating-point unit can be powered down. Here a second unit, which
counts bits, wants the same power. Tasks say on axes of their own how many operations they do and how many of these are
for a unit; each unit wants to be on while its share is large; and a budget of one says that they can't both be.

``units.py`` is the library. It is a module of its own, because workers have to see the same units as the tasks do. Run
this with ``python examples/fixed_point.py``.
"""

import argparse
import math
import time

import numpy as np
import units
from dask.distributed import Client, LocalCluster

import asafess
from asafess.core.domain import Domain, Hysteresis, Predicate
from asafess.core.mode import total_load

SIZE, STEPS = 20_000, 50
WORK = SIZE * STEPS  # operations of a task of any kind

asafess.define_axis("operations", "operations of any kind")
asafess.define_axis("float_unit", "multiplications")
asafess.define_axis("bit_unit", "words whose bits are counted")


# ---- the optimization


class ShareAbove(Predicate):
    """Of all operations, more than some share are for one unit."""

    def __init__(self, unit, share):
        self.unit, self.share = unit, share

    def __call__(self, vector):
        """Say whether it holds of a mode vector; what nobody has asked for is not in it."""
        return vector.get(self.unit, 0.0) > self.share * vector.get("operations", 0.0)

    def __str__(self):
        return f"{self.unit} > {self.share:.0%} of operations"


class PoweredUnit(asafess.Optimization):
    """Powers a unit while its operations are not rare."""

    def __init__(self, name):
        self.name = name
        self.demands = {"on": {"units": 1}}  # of which the budget has one

    def domain(self, rates):
        """Power it above 35 % of all operations, not below 20 %. Runs in the scheduler."""
        return Domain(self.states, [Hysteresis(ShareAbove(self.name, 0.35), ~ShareAbove(self.name, 0.2))])

    def costs(self, sample):
        """Predict seconds with the unit and without, so that the one that saves more gets the power."""
        load, rates = total_load(sample.scheduled), sample.rates.extra
        software = {one: load.get(one, 0.0) / rates.get(f"{one}_in_software", math.inf) for one in units.UNITS}
        own = load.get(self.name, 0.0) / rates[self.name]
        off = sum(software.values())
        return {"off": off / sample.threads, "on": (off - software[self.name] + own) / sample.threads}

    def rates(self):
        """Measure operations per second, with the unit and without. Runs in each worker, once."""
        data = np.arange(SIZE)
        forms = {
            "float_unit": (units.relax_float, units.relax_fixed, data.astype(np.int32), 1),
            "bit_unit": (units.count_by_unit, units.count_in_software, data.astype(np.uint64)),
        }
        by_unit, in_software, *arguments = forms[self.name]
        measured = {}
        for name, form in ((self.name, by_unit), (f"{self.name}_in_software", in_software)):
            seconds = []
            for _ in range(10):
                start = time.perf_counter()
                form(*arguments)
                seconds.append(time.perf_counter() - start)
            measured[name] = SIZE / min(seconds)
        return measured

    def enter(self, state):
        """Take a state. Runs in each worker."""
        units.UNITS[self.name].power(state == "on")

    def leave(self):
        """Put back what the library starts with."""
        units.UNITS[self.name].power(False)

    def counters(self):
        """Return running totals of this worker, for `asafess.status`."""
        unit = units.UNITS[self.name]
        totals = {"done": unit.done, "in_software": unit.in_software, "seconds_off": unit.seconds_off()}
        return {f"{self.name}_{what}": total for what, total in totals.items()}


# ---- the program


@asafess.task(loads={"operations": WORK, "float_unit": WORK})
def simulate(seed):
    """Relax a line of heights."""
    heights = np.random.default_rng(seed).integers(-(2**15), 2**15, SIZE, dtype=np.int32)
    return units.relax(heights, STEPS).tobytes()


@asafess.task(loads={"operations": WORK, "bit_unit": WORK})
def index(seed):
    """Count the bits of an index."""
    words = np.random.default_rng(seed).integers(0, 2**63, SIZE, dtype=np.uint64)
    return sum(units.count_bits(words + np.uint64(step)) for step in range(STEPS))


@asafess.task(loads={"operations": WORK})
def read(seed):
    """Work for neither unit."""
    return sum(np.random.default_rng(seed).bytes(SIZE * STEPS // 8)[:1000])


PHASES = {
    "simulate": [simulate] * 16,
    "index": [index] * 16,
    "half and half": [simulate, index] * 8,
    "few floats": [index] * 3 + [simulate] + [index] * 7 + [simulate] + [index] * 4,
    "read": [read] * 16,
}


def totals(status):
    """Add up what all workers have reported."""
    reports = status["reports"].values()
    return {name: sum(report[name] for report in reports) for name in next(iter(reports))}


def phase(client, title, functions, seconds):
    """Run rounds of tasks for some seconds; print what became of the units, seconds of both workers together."""
    expected = [function(seed) for seed, function in enumerate(functions)]  # here, without asafess: in software
    status = asafess.status(client)
    before, switches = totals(status), len(status["switches"])
    start, same = time.perf_counter(), True
    while time.perf_counter() - start < seconds:
        futures = [client.submit(function, seed, pure=False) for seed, function in enumerate(functions)]
        same &= client.gather(futures) == expected
    states = asafess.status(client)["states"]
    time.sleep(0.2)  # workers report every 50 ms
    status = asafess.status(client)
    after = totals(status)
    grown = {name: after[name] - before[name] for name in after}
    for name, state in states.items():
        work = f"{grown[f'{name}_done']:4.0f} by it, {grown[f'{name}_in_software']:4.0f} in software"
        off = f"off for {grown[f'{name}_seconds_off']:4.1f} s"
        count = sum(switch["optimization"] == name for switch in status["switches"][switches:])
        results = "equal" if same else "DIFFER"
        print(f"{title:<13}  {name:<10}  {state:<3}  {work}  {off}  switches {count}  results {results}")
    for name, decision in status["decisions"].items():
        if decision["held_back"]:
            print(f"    {name} would be {decision['wanted']}: {decision['held_back']}")


def main():
    """Run the phases and tell what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.2, help="length of a phase, at least")
    told = parser.parse_args()
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        # the paper's policy: as the domain says, at once
        optimizations = [PoweredUnit(name) for name in units.UNITS]
        asafess.install(client, optimizations, budgets={"units": 1}, policy="alpha_beta")
        asafess.wait(client, timeout=180)
        for title, functions in PHASES.items():
            phase(client, title, functions, told.seconds)
        for switch in asafess.status(client)["switches"]:
            print(f"    {switch['optimization']}: {switch['before']} → {switch['after']}: {switch['cause']}")


if __name__ == "__main__":
    main()
