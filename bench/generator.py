"""How fast Graph500 edges and panels are made: ``python -m bench.generator --json FILE``.

1. Edges per second of one thread, by order of the vertices (and, of topology "uniform", in scrambled order) and by
   scale: ``edges_per_second``.
2. Edges per second of several threads, at the first scale: ``vs_threads``; ``speedup_vs_threads`` is the time of one
   thread ÷ that of several, paired per round.
3. Panels of the modified matrix, by form, the graph's positions being known: ``entries_per_second``, and the bytes of
   the panel ``bytes_per_second``. What finding the positions takes is beside them, as form "graph": all edges made,
   sorted, merged, once per process and graph where they fit into memory.

Each question is one interleaved run with A against A; intervals are those of the median, 95 %. Every list of edges and
every panel is checked after the clock has stopped. Compiling is measured apart: ``compile_seconds``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from asafess.workloads import graph500
from asafess.workloads.graph500_positions import graph_positions

from .environment import environment, one_line
from .harness import Arm, Outcome, Result, measure, write_json
from .scores import AGAIN, Estimate, Row, arm_names, estimate, paired_ratios, timed, value

#: what is timed with one thread: arguments of `graph500.edges`
LISTS: Mapping[str, Mapping[str, Any]] = {
    "scrambled": {"order": "scrambled"},
    "recursive": {"order": "recursive"},
    "uniform": {"order": "scrambled", "topology": "uniform"},
}
FORMS = ("dense", "full", "light", "sparse", "csr")
GRAPH = "graph"
#: the published rate of the reference code in C, gcc -O3, one thread, scale 18: measured elsewhere, on an AMD EPYC
C_REFERENCE = 3.1e6


def compile_seconds() -> float:
    """Return how long the first edges of this process took, which is compiling; 0.00 if they were made before."""
    start = time.perf_counter()
    graph500.edges(6, count=1, threads=1)
    return time.perf_counter() - start


def thread_counts() -> list[int]:
    """Return 1, 2, 4, … and the number of cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return sorted({1 << k for k in range(cores.bit_length()) if 1 << k <= cores} | {cores})


def _edges_arm(name: str, scale: int, count: int, threads: int, **kind: Any) -> Arm:
    """Return an arm that makes the first edges of a graph, and hands on how to make them in another way."""

    def run() -> Outcome:
        found = graph500.edges(scale, count=count, threads=threads, **kind)
        return Outcome((found, partial(graph500.edges, scale, threads=1, **kind)), {"edges": count})

    return Arm(name, run)


def _same_edges(outcome: Outcome) -> str | None:
    """Check three slices of a list against slices made alone; the tests compare with the reference's digests."""
    found, make = outcome.value
    for start in (0, len(found) // 3 + 1, max(0, len(found) - 1000)):
        alone = make(start=start, count=min(1000, len(found) - start))
        if not np.array_equal(found[start : start + 1000], alone):
            return f"edges from number {start} on are others than those made alone"
    return None


def lists(scales: Sequence[int], count: int, rounds: int) -> Result:
    """Measure one thread, for every order and scale."""
    arms = [_edges_arm(f"{kind} {scale}", scale, count, 1, **LISTS[kind]) for kind in LISTS for scale in scales]
    return measure(arms, rounds, verify=_same_edges, up_to=2 * rounds)


def shared(scale: int, count: int, threads: Iterable[int], rounds: int) -> Result:
    """Measure one list shared out among several threads."""
    arms = [_edges_arm(f"{n}", scale, count, n) for n in threads]
    return measure(arms, rounds, verify=_same_edges, up_to=2 * rounds)


def panels(scale: int, rounds: int) -> Result:
    """Measure panels in every form, in each round another panel; and finding the graph's positions."""
    a = graph500.matrix(scale)
    held = a.row_counts()
    current = {"p": 0, "made": 0}

    def make(form: str) -> Callable[[], Outcome]:
        def run() -> Outcome:
            p = current["p"]
            if form == "csr":
                csr = a.panel_csr(p)
                size = csr.data.nbytes + csr.indices.nbytes + csr.indptr.nbytes
                return Outcome(csr, {"panel": p, "bytes": size})
            panel = a.panel(p, form)  # type: ignore[arg-type]
            return Outcome(panel, {"panel": p, "bytes": panel.nbytes})

        return run

    def graph() -> Outcome:
        current["made"] += 1  # other seeds, so that nothing is kept of it
        positions = graph_positions(a.graph._replace(seeds=(2, 1000 + current["made"])))
        return Outcome(positions, {"entries": positions.size, "bytes": positions.nbytes})

    def verify(outcome: Outcome) -> str | Mapping[str, Any] | None:
        if "panel" not in outcome.figures:
            return None if (np.diff(outcome.value) > 0).all() else "positions are not sorted"
        expected = int(held[a.rows(outcome.figures["panel"])].sum())
        if outcome.value.nnz != expected:
            return f"{outcome.value.nnz} entries instead of {expected}"
        return {"entries": expected}

    arms = [*(Arm(form, make(form)) for form in FORMS), Arm(GRAPH, graph)]
    known = partial(graph_positions, a.graph)  # the arm "graph" may have pushed them out
    return measure(
        arms,
        rounds,
        verify=verify,
        prepare=known,
        on_round=lambda k: current.update(p=k % a.panels),
        up_to=2 * rounds,
    )


def rates(rows: Sequence[Row], figure: str) -> dict[str, Estimate]:
    """Return how much of a figure each arm makes per second; a failed run makes nothing."""
    names = [name for name in arm_names(rows) if not name.endswith(AGAIN)]
    return {name: estimate([r[figure] / value(r) if r["ok"] else 0.0 for r in timed(rows, name)]) for name in names}


def _put(summary: dict[str, Any], name: str, keys: Sequence[str], found: Estimate) -> None:
    """Put a median into nested tables, and its interval into those of the same name with "_interval"."""
    for table, number in ((name, found.median), (name + "_interval", [found.low, found.high])):
        inner = summary.setdefault(table, {})
        for key in keys[:-1]:
            inner = inner.setdefault(key, {})
        inner[keys[-1]] = number


def summarize(one: Result, several: Result, made: Result) -> dict[str, Any]:
    """Return what the three measurements say."""
    summary: dict[str, Any] = {}
    for name, found in rates(one.rows, "edges").items():
        _put(summary, "edges_per_second", name.split(), found)
    for name, found in rates(several.rows, "edges").items():
        _put(summary, "vs_threads", [name], found)
        if name != several.against_itself:
            _put(summary, "speedup_vs_threads", [name], estimate(paired_ratios(several.rows, "1", name)))
    for figure in ("entries", "bytes"):
        for name, found in rates(made.rows, figure).items():
            _put(summary, f"{figure}_per_second", [name], found)
    results = {"edges_per_second": one, "vs_threads": several, "entries_per_second": made}
    summary["a_against_a_half_width"] = {name: result.half_width for name, result in results.items()}
    summary["c_reference_elsewhere_edges_per_second"] = C_REFERENCE
    return summary


def _lines(summary: Mapping[str, Any], name: str, unit: str, by: float) -> Iterable[str]:
    """One line for each number of a table: the median and its interval."""

    def walk(numbers: Any, ends: Any, words: tuple[str, ...]) -> Iterable[str]:
        if isinstance(numbers, Mapping):
            for key in numbers:
                yield from walk(numbers[key], ends[key], (*words, key))
        else:
            yield f"  {' '.join(words):<14} {numbers / by:8.2f}  ({ends[0] / by:.2f} to {ends[1] / by:.2f})"

    yield f"{name}, {unit}"
    yield from walk(summary[name], summary[name + "_interval"], ())
    if (again := summary["a_against_a_half_width"].get(name)) is not None:
        yield f"  A against A: ±{100 * again:.1f} %"


@click.command(help=__doc__)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write all rows there.")
@click.option("--scale", "scales", multiple=True, type=int, default=[18, 20], show_default=True, help="Several times.")
@click.option("--edges", "count", default=1 << 20, show_default=True, help="Of a sample of one thread.")
@click.option("--shared-edges", default=1 << 22, show_default=True, help="Of a sample of several threads.")
@click.option("--threads", multiple=True, type=int, default=thread_counts(), help="1 first; several times.")
@click.option("--panel-scale", default=13, show_default=True, help="Scale of the matrix whose panels are made.")
@click.option("--rounds", default=16, show_default=True, help="Up to twice as many while A against A is too wide.")
def main(
    path: Path | None,
    scales: Sequence[int],
    count: int,
    shared_edges: int,
    threads: Sequence[int],
    panel_scale: int,
    rounds: int,
) -> None:
    if threads[0] != 1:
        raise click.BadParameter(f"{threads[0]} comes first; 1 must, it is what the others are compared with")
    compiling = compile_seconds()
    parts = {
        "lists": lists(scales, count, rounds),
        "threads": shared(scales[0], shared_edges, threads, rounds),
        "panels": panels(panel_scale, rounds),
    }
    summary = {"compile_seconds": compiling, **summarize(*parts.values())}
    job = {"edges": count, "shared_edges": shared_edges, "panel_scale": panel_scale, "rounds": rounds}
    where = {**environment(), "job": job}
    rows = [{"part": part, **row} for part, result in parts.items() for row in result.rows]
    if path is not None:
        write_json(path, summary, rows, where)
    click.echo(one_line(where))
    click.echo(f"compiling: {compiling:.2f} s, outside of all that follows")
    for name, unit, by in (
        ("edges_per_second", "million, one thread", 1e6),
        ("vs_threads", f"million, scale {scales[0]}", 1e6),
        ("speedup_vs_threads", "÷ one thread", 1.0),
        ("entries_per_second", f"million, scale {panel_scale}", 1e6),
        ("bytes_per_second", f"GB, scale {panel_scale}", 1e9),
    ):
        if name in summary:
            click.echo("\n".join(_lines(summary, name, unit, by)))
    click.echo(f"The C reference is published at {C_REFERENCE / 1e6} million edges/s per thread, on another machine.")
    if failed := [row for row in rows if not row["ok"]]:
        raise click.ClickException(f"{len(failed)} runs failed, the first: {failed[0]['error']}")


if __name__ == "__main__":
    main()
