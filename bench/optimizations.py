"""Does toggling pay? Each optimization on its phases, on the program that has them all, and all together.

A NAME is a case: an optimization, or `all`, the program that needs several of them at once; left out, every case runs.
A case whose optimization, package or kind of link is not there is skipped with a line that says so.

Arms, interleaved in balanced orders: *off*, which is stock Dask; every other fixed state, pinned; stock Dask as it may
be configured for the same purpose; *adaptive*, twice, so that A against A tells the noise; *null*, `asafess` with
nothing but the optimization that does nothing.

`summary`, by case and program: `adaptive_over_best_fixed`, at most 1.03; `wins`, the state that is fastest beyond
noise, or null where nothing wins; for a program whose phases want different states `better_fixed_over_adaptive`, at
least 1.15 (under `all` 1.3 from 16 cores on), and `bound`, the most that switching between these states can gain.
"Held" is what `bench.scores` says. Workers are processes of their own, on links with a real limit where the case is
about links. Each run starts with `asafess` installed anew, what the program prepares (a small one of the same kind, or
the same blocks moved once), and Dask's idea of its links as on a new cluster.

    python -m bench.optimizations queuing null --rounds 9 --up-to 15 --json optimizations.json
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from distributed import Client

from . import disks
from .environment import environment, one_line
from .harness import Result, write_json
from .links import Cluster, allowed, enter, local_cluster, shaped_cluster
from .report import table
from .scores import Estimate
from .toggles import cases
from .toggles.case import ADAPTIVE, Case, Program, Wanted
from .toggles.race import race
from .toggles.summary import BEST_OF_EACH, GAIN, LOSS, of_program, of_set

#: bar of the program that needs several optimizations, from so many cores on
MANY_CORES, GAIN_MANY_CORES = 16, 1.3
#: below this bound there is nothing that a toggle across phases could gain
WORTH = 1.1
#: what the set of all programs of a case is called in the summary, and what was not measured
SET, SKIPPED = "set", "skipped"


@dataclass
class Plan:
    """How well to measure, and what came of it."""

    rounds: int
    up_to: int
    small: bool = False
    #: of the programs whose names contain this
    only: str = ""
    say: Callable[[str], object] = print
    rows: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: case → its clusters
    links: dict[str, Any] = field(default_factory=dict)
    #: called when there is something new
    save: Callable[[Plan], object] = lambda plan: None

    def case(self, case: Case) -> None:
        """Measure one case."""
        own = self.summary[case.name] = {}
        if (why := case.missing()) is not None:
            self._skip(own, f"{case.name}: skipped, {why}")
            return
        if left_out := case.left_out():
            own["left_out"] = left_out
            self.say(f"{case.name}: without the states {left_out}")
        results: dict[str, Result] = {}
        programs = [one for one in case.programs(self.small) if self.only in one.name]
        for on, some in groupby(programs, key=lambda program: program.on):
            if on.link != "loopback" and not (shaped := allowed())[0]:
                self._skip(own, f"{case.name}: skipped on links of {on.link}, which can't be shaped here: {shaped[1]}")
                continue
            if on.disk is not None and not (limited := disks.allowed())[0]:
                self._skip(own, f"{case.name}: skipped on disks of {on.disk}/s, which can't be had here: {limited[1]}")
                continue
            with cluster_of(on) as cluster, Client(cluster.address) as client:
                about = {"memory": on.memory, "disk": on.disk, "config": dict(on.config)}
                self.links[f"{case.name}, {on.named()}"] = cluster.describe() | about
                rates: dict[str, float] = {}
                for program in some:
                    results[program.name] = self._program(client, cluster, case, program, rates)
        if case.one_set and results:
            own[SET] = of_set(results, list(case.fixed()))
            self.say("\n".join(_told_set(case.name, own[SET])))
            self.save(self)

    def _program(
        self, client: Client, cluster: Cluster, case: Case, program: Program, rates: dict[str, float]
    ) -> Result:
        self.say(f"\n{case.name}: {program.name}" if program.name != case.name else f"\n{case.name}")
        warmup = 0 if self.small else 1
        result = race(client, cluster, case, program, rates, self.rounds, self.up_to, warmup)
        self.rows += [{"case": case.name, "program": program.name, **row} for row in result.rows]
        # the case that needs several optimizations is one program of the same name
        gain = GAIN_MANY_CORES if len(case.optimizations) > 1 and (os.cpu_count() or 1) >= MANY_CORES else GAIN
        found = of_program(result, list(case.fixed()), program.mixed, gain)
        self.summary[case.name] |= found if program.name == case.name else {program.name: found}
        self.say("\n".join([table(result.rows, against=ADAPTIVE, columns=["switches"]), *_told(found)]))
        self.save(self)
        return result

    def _skip(self, own: dict[str, Any], line: str) -> None:
        own.setdefault(SKIPPED, []).append(line)
        self.say(line)


@contextmanager
def cluster_of(on: Wanted) -> Iterator[Cluster]:
    """Start the cluster that a program wants.

    Raises
    ------
    ValueError
        It wants limited links and limited disks.
    """
    memory, env = ["--memory-limit", on.memory], on.environment()
    with ExitStack() as stack:
        if on.link != "loopback":
            if on.disk is not None:
                raise ValueError(f"link={on.link!r}, disk={on.disk!r}: disks are limited on loopback only")
            made = shaped_cluster(on.workers, on.link, on.threads, worker_args=memory, env=env)
        elif on.disk is not None:
            own = stack.enter_context(disks.limited_disks(on.disk))
            there = [*memory, "--local-directory", str(own.folder)]
            made = local_cluster(on.workers, on.threads, worker_args=there, env=env, prefix=own.prefix)
        else:
            made = local_cluster(on.workers, on.threads, worker_args=memory, env=env)
        yield stack.enter_context(made)


def _interval(one: Estimate) -> str:
    return f"{one.median:.3f} ({one.low:.3f} to {one.high:.3f})"


def _told(found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a summary of a program says, in words."""
    wins = f"{found['wins']} wins" if found["wins"] else "no fixed state wins beyond noise"
    over = _interval(found["adaptive_over_best_fixed"])
    yield f"{wins}; adaptive ÷ {found['best_fixed']} {over}, at most {LOSS}: {found[f'at_most_{LOSS}']}"
    if "bound" in found:
        gained = _interval(found["better_fixed_over_adaptive"])
        yield (
            f"{found['best_fixed']} ÷ adaptive {gained}, bound {found['bound']:.3f}, "
            f"at least {found['bar']}: {found['at_least_bar']}"
        )
        if found["bound"] < WORTH:
            yield f"A bound below {WORTH}: here the phases leave nothing to switch for."


def _told_set(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the summary of a set says, in words."""
    yield f"\n{name}: {found['programs']} programs; adaptive at most {LOSS} × the best: {found[f'at_most_{LOSS}']}"
    for arm, one in found.items():
        if isinstance(one, Mapping) and "over_adaptive_sum" in one:
            total, mean = (_interval(one[f"over_adaptive_{how}"]) for how in ("sum", "geometric_mean"))
            if arm == BEST_OF_EACH:
                yield f"{arm} ÷ adaptive: sum {total}; geometric mean {mean}"
            else:
                yield (
                    f"{arm} ÷ adaptive: sum {total}, at least {found['bar']}: {one['sum_at_least_bar']}; "
                    f"geometric mean {mean}: {one['geometric_mean_at_least_bar']}"
                )


def wanted(names: Sequence[str]) -> list[Case]:
    """Return the cases of some names, or every one.

    Raises
    ------
    click.BadParameter
        A name that is none.
    """
    known = cases()
    if unknown := [name for name in names if name not in known]:
        raise click.BadParameter(f"{', '.join(unknown)}: the cases are {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())


@click.command(help=__doc__)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--rounds", default=None, type=click.IntRange(min=1), help="Runs of each arm; 7, or 1 with --small.")
@click.option("--up-to", default=None, type=click.IntRange(min=1), help="Most rounds, while A against A is too wide.")
@click.option("--only", default="", help="Of the programs whose names contain this, such as 100mbit.")
@click.option("--small", is_flag=True, help="Tiny programs: whether everything works; the figures mean nothing.")
@click.option("--json", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write rows and summary.")
def main(
    names: tuple[str, ...], rounds: int | None, up_to: int | None, only: str, small: bool, json: Path | None
) -> None:
    """Measure cases one after the other; the file is written after each program."""
    chosen = wanted(names)
    enter()
    rounds = rounds or (1 if small else 7)

    def save(plan: Plan) -> None:
        if json is not None:
            write_json(json, plan.summary, plan.rows, environment(plan.links) | {"rounds": rounds, "small": small})

    plan = Plan(rounds, max(up_to or rounds, rounds), small, only, save=save)
    for case in chosen:
        plan.case(case)
    save(plan)
    print(one_line(environment()))


if __name__ == "__main__":
    main()
