"""A program of one's own whose phases want opposite things, and `asafess` following them.

A city counts trips between its stops: one matrix a day, mostly empty, made on the worker that keeps it. The
program alternates between two kinds of work:

- *settle*: each day's matrix is multiplied a hundred times where it is. Next to nothing moves, so there is nothing
  to compress.
- *exchange*: each day's matrix moves to another worker and is multiplied once. The link is what the program waits
  for, so tiles had better leave in sparse form.

The two functions say so with `asafess.task`; nothing else in the program knows of compression. The default policy
switches it on when *exchange* first pays for that, and leaves it on: where nothing moves nothing is gained by switching
it off. The paper's policy, ``--policy alpha_beta``, follows the ratio at every boundary. Run it with
``python examples/phases.py``.
"""

import argparse
import time

import numpy as np
from dask.distributed import Client, LocalCluster, wait

import asafess
from asafess.workloads.placement import drop_replicas, worker_addresses

STEPS = 100


def record(day, stops):
    """Make one day's trips, as shares of the people at a stop. Not annotated, so it does not move the mode."""
    random = np.random.default_rng(day)
    there, back = random.integers(0, stops, (2, 2 * stops))
    trips = np.eye(stops)
    trips[there, back] += 1.0
    return asafess.TiledMatrix.from_dense(trips / trips.sum(axis=0))


@asafess.task(intensity=0.25)  # two flop for each value of eight bytes, and each byte is read once
def exchange(trips, people):
    """Carry people one step."""
    return trips @ people


@asafess.task(per_byte={"compute": 0.25 * STEPS, "memory": STEPS})  # the same, many times over
def settle(trips, people):
    """Carry people many steps."""
    for _ in range(STEPS):
        people = trips @ people
    return people


def phase(client, function, trips, people, where, seconds):
    """Run rounds of one function for some seconds, each day on its worker in `where`; return people and rounds."""
    start, rounds = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        # pure=False: Dask would take the same call again for the same result
        people = [
            client.submit(function, *day, workers=[worker], pure=False)
            for *day, worker in zip(trips, people, where, strict=True)
        ]
        wait(people)
        # what a worker has fetched it keeps, and the next round would find it there
        drop_replicas(client, trips)
        rounds += 1
    return people, rounds, time.perf_counter() - start


def sent(status, name):
    """Megabytes of panels that have left the workers: as sent, or as they would have been."""
    return sum(report.get(name, 0.0) for report in status["reports"].values()) / 1e6


def main():
    """Run the phases and tell what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--days", type=int, default=8)
    parser.add_argument("--stops", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=0.8, help="length of a phase, at least")
    parser.add_argument("--policy", choices=("work_function", "alpha_beta"), default="work_function")
    parser.add_argument("--plot", metavar="FILE", help="a PNG of ratio and state over time")
    told = parser.parse_args()
    cluster = LocalCluster(n_workers=told.workers, threads_per_worker=1, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        client.amm.stop()  # Dask's memory manager drops the copy that it likes, also the one at home
        asafess.install(client, ["tile_compression"], dtypes=["float64"], policy=told.policy)
        now = asafess.wait(client, timeout=180)
        limits = now["thresholds"]["tile_compression"]
        print("on below alpha {alpha:.2f}, off above beta {beta:.2f}, needs {zeros_on:.0%} zeros".format(**limits))
        workers = worker_addresses(client)
        home, away = ([workers[(day + far) % told.workers] for day in range(told.days)] for far in (0, 1))
        trips = [client.submit(record, day, told.stops, workers=[home[day]]) for day in range(told.days)]
        people = client.scatter([np.ones(told.stops)] * told.days)
        wait(trips)
        for function, where in [(settle, home), (exchange, away)] * 2 + [(settle, home)]:
            before = now
            people, rounds, seconds = phase(client, function, trips, people, where, told.seconds)
            time.sleep(0.2)  # workers report what they sent every 50 ms
            now = asafess.status(client)
            moved, whole = (sent(now, name) - sent(before, name) for name in ("sent_bytes", "logical_bytes"))
            print(
                f"{function.__name__:<8}  {rounds:3} rounds in {seconds:.2f} s  ratio {now['mode']['ratio']:<7.3g}  "
                f"state {now['states']['tile_compression']:<4}  {moved:.1f} of {whole:.1f} MB sent"
            )
        print(f"people: {sum(client.gather(people)).sum():.6f} of {told.days * told.stops}")
        for switch in now["switches"]:
            seconds = max(0.0, switch["time"] - now["story"][0]["time"])
            print(f"{seconds:6.2f} s  {switch['before']} → {switch['after']}: {switch['cause']}")
        if told.plot:
            from asafess.bench.plots import plot_timeline

            more = {"alpha": limits["alpha"], "beta": limits["beta"]}
            causes = {switch["time"]: switch["cause"] for switch in now["switches"]}
            events = [
                {"t": seen["time"] - now["story"][0]["time"], "ratio": seen["ratio"], **more}
                | {"state": seen["states"]["tile_compression"], "cause": causes.get(seen["time"])}
                for seen in now["story"]
            ]
            plot_timeline(events, told.plot)


if __name__ == "__main__":
    main()
