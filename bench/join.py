"""Join measurements of `bench.optimizations` that were made part by part, as if they had been made at once.

A set of many programs may take longer than a machine can be had at a stretch. Each part is measured with `--only` and
the same number of rounds; joined, the set is summed up anew, round by round.

    python -m bench.join loopback.json 1gbit.json 100mbit.json --json set.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from .harness import Result, write_json
from .optimizations import SET, SKIPPED
from .scores import Row
from .toggles.case import ADAPTIVE
from .toggles.summary import BEST_OF_EACH, of_set

#: of the environment, what has to be the same in all parts; whether changes to a commit ("+") are, nobody can tell
SAME = ("cpu", "cores", "python", "versions", "commit", "malloc", "rounds", "small")


def by_program(rows: Sequence[Row], rounds: int) -> dict[str, Result]:
    """Return the rows of each program as a result."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in rows:
        found.setdefault(one["program"], []).append(dict(one))
    return {program: Result(some, rounds, rounds, ADAPTIVE) for program, some in found.items()}


def fixed_arms(found: Mapping[str, Any]) -> list[str]:
    """Return the fixed arms that the summary of a set tells of."""
    told = [name for name, one in found.items() if isinstance(one, Mapping) and "over_adaptive_sum" in one]
    return [name for name in told if name != BEST_OF_EACH]


def joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return several documents of `bench.optimizations` as one.

    Parameters
    ----------
    parts : sequence of mapping
        Of one case that is a set, measured on the same machine with the same code and rounds.

    Raises
    ------
    ValueError
        They are not: it names what differs, or what is there twice.
    """
    first = parts[0]["environment"]
    for part in parts[1:]:
        if other := [name for name in SAME if part["environment"].get(name) != first.get(name)]:
            found = "; ".join(f"{name}: {first.get(name)} and {part['environment'].get(name)}" for name in other)
            raise ValueError(f"the parts differ in {found}: measure them on one machine, with the same code")
    names = {name for part in parts for name in part["summary"]}
    if len(names) != 1 or any(SET not in one for part in parts for one in part["summary"].values()):
        raise ValueError(f"the parts are of {', '.join(sorted(names))}: join those of one case that is a set")
    (name,) = names
    own: dict[str, Any] = {}
    programs = [key for part in parts for key, one in part["summary"][name].items() if "seconds" in one]
    if twice := sorted({one for one in programs if programs.count(one) > 1}):
        raise ValueError(f"measured twice: {', '.join(twice)}; give each part once")
    rows = [row for part in parts for row in part["rows"]]
    arms = fixed_arms(parts[0]["summary"][name][SET])
    for part in parts:
        for key, one in part["summary"][name].items():
            own[key] = own[key] + one if key == SKIPPED and key in own else one
    del own[SET]
    links = {on: how for part in parts for on, how in part["environment"]["links"].items()}
    return {
        "summary": {name: own | {SET: of_set(by_program(rows, first["rounds"]), arms)}},
        "rows": rows,
        "environment": {**parts[-1]["environment"], "links": links},
    }


@click.command(help=__doc__)
@click.argument("parts", nargs=-1, required=True, type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option("--json", "to", required=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
def main(parts: tuple[Path, ...], to: Path) -> None:
    """Join files."""
    try:
        found = joined([json.loads(part.read_text(encoding="utf-8")) for part in parts])
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    write_json(to, found["summary"], found["rows"], found["environment"])


if __name__ == "__main__":
    main()
