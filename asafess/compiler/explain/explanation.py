"""What is known of each task group of a program: rows for people, for their notebooks and for their programs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from textwrap import wrap
from typing import Any

from asafess.compiler.explain.table import INDENT, WIDTH, html_table, text_table, with_unit
from asafess.core.found_type import FoundType
from asafess.core.mode import Rates

#: where a rate is from, as `asafess.status` says it of the cluster's → as an explanation says it
OF_CLUSTER = {"measured": "measured", "given": "set on the cluster", "stand-in": "stand-in"}
#: where a rate is from → in words
TOLD = {
    "measured": "measured on the cluster",
    "set on the cluster": "set on the cluster, not measured",
    "stand-in": "not measured on a cluster of one worker: its memory stands in",
    "given": "given",
    "configured": "from the configuration",
    "nominal": "default, not measured",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One task group."""

    #: name of the group, as Dask's scheduler has it
    group: str
    tasks: int
    #: dependencies of a task, on average
    inputs: float
    #: groups whose results this one takes
    after: tuple[str, ...]
    #: place in the order of the program: 0 for groups that take no results
    layer: int
    #: type of its tasks with source and confidence; None when untyped
    found: FoundType | None
    #: load of one task by axis, averaged over the tasks looked at; an axis that is not known is left out
    loads: Mapping[str, float]
    #: logical bytes of all inputs of a task, on average; None when not known
    input_bytes: float | None
    #: logical bytes of the result of a task, on average; None when not known
    output_bytes: float | None
    #: one of `asafess.compiler.bound.BOUNDS`
    bound: str
    #: which rule or who said so; of an untyped group, what stood in the way
    why: str

    @property
    def type(self) -> str | None:
        """Name of the task type."""
        return None if self.found is None else self.found.type.name

    @property
    def source(self) -> str:
        """Where the type came from: one of `asafess.core.found_type.SOURCES`, or "untyped"."""
        return "untyped" if self.found is None else self.found.source

    @property
    def confidence(self) -> float | None:
        """How sure that is, 0 to 1."""
        return None if self.found is None else self.found.confidence

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data; what is not known is None."""
        return {
            "group": self.group,
            "tasks": self.tasks,
            "inputs": self.inputs,
            "after": list(self.after),
            "layer": self.layer,
            "type": None if self.found is None else self.found.type.to_dict(),
            "loads": {axis: _finite(amount) for axis, amount in self.loads.items()},
            "input_bytes": _finite(self.input_bytes),
            "output_bytes": _finite(self.output_bytes),
            "bound": self.bound,
            "source": self.source,
            "confidence": self.confidence,
            "why": self.why,
        }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The task types of a program's groups, and where each came from.

    Printing it shows a table, and so does a notebook. It is a sequence of `Row`, in the order of the program.
    """

    rows: tuple[Row, ...]
    #: what `bound` was decided with
    rates: Rates
    #: rate → where it is from: one of `TOLD`
    rates_from: Mapping[str, str]
    #: threads of a worker, which share its link
    threads: int
    #: asafess still measures the rates of the cluster that was asked
    measuring: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, place: int) -> Row:
        return self.rows[place]

    @property
    def untyped(self) -> tuple[str, ...]:
        """Names of the groups without a type."""
        return tuple(row.group for row in self.rows if row.found is None)

    @property
    def headline(self) -> str:
        """One line: how much is typed, and from where."""
        tasks, typed = sum(row.tasks for row in self.rows), len(self.rows) - len(self.untyped)
        sources = Counter(row.source for row in self.rows)
        told = ", ".join(f"{count} {source}" for source, count in sources.most_common())
        return f"{typed} of {len(self.rows)} task groups ({tasks} tasks) have a type{': ' if told else ''}{told}"

    @property
    def _rates(self) -> dict[str, float]:
        rates = self.rates
        known = {"flop": rates.flop, "memory": rates.memory, "link": rates.link, **rates.extra}
        return {name: rate for name, rate in known.items() if name in self.rates_from}

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be known to read the table, line by line."""
        known = self._rates
        rates = ", ".join(
            f"{name} {with_unit(known[name], unit)}/s ({TOLD[self.rates_from[name]]})"
            for name, unit in (("flop", "flop"), ("loops", "flop"), ("memory", "B"), ("link", "B"))
            if name in known
        )
        notes = (
            "Loads are of one task; where the size of its input is not known, for each byte of it (/B).",
            "Communication: all inputs but the largest, unless Dask makes them on one worker.",
            f"Bound by: {self.threads} threads a worker, {rates}.",
            *(
                ("The cluster's rates are still being measured: once they are known, ask again.",)
                if self.measuring
                else ()
            ),
            *(
                ("What is untyped is read and measured by a cluster with asafess while it runs: ask again then.",)
                if self.untyped
                else ()
            ),
        )
        return tuple(line for note in notes for line in wrap(note, WIDTH, subsequent_indent=INDENT))

    @property
    def table(self) -> tuple[str, ...]:
        """Lines of heads and some for each group, 80 characters wide unless there are axes of a user's own."""
        return tuple(text_table(self.rows)) if self.rows else ()

    def __str__(self) -> str:
        return "\n".join((self.headline, *self.table, *self.notes))

    def _repr_html_(self) -> str:
        return html_table(self.headline, self.rows, self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, as ``asafess types --json`` writes it."""
        return {
            "rates": self._rates,
            "rates_from": dict(self.rates_from),
            "threads": self.threads,
            "untyped": list(self.untyped),
            "groups": [row.to_dict() for row in self.rows],
        }

    def plot(self, path: str | PathLike[str] | None = None) -> Any:
        """Draw the graph of task groups, coloured by what bounds them.

        Parameters
        ----------
        path : path, optional
            Where the picture is written to; the name says the format (PNG, SVG, PDF).

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ModuleNotFoundError
            Matplotlib is not installed.
        ValueError
            There is no task group, or no such format.
        """
        from asafess.compiler.explain.plot import plot

        return plot(self, path)
