"""A picture of the graph of task groups: layers from top to bottom, coloured by what bounds each group."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from asafess.compiler.explain.table import cut, short

if TYPE_CHECKING:
    from asafess.compiler.explain.explanation import Explanation, Row

#: groups in a picture; more can't be read
MOST_GROUPS = 60
#: groups beside each other
ACROSS = 5
#: inches for a group with its label on its right, and for a line
WIDTH, HEIGHT = 2.7, 0.72
#: inches that headline and legend need
LEAST_WIDTH = 7.6
#: characters of a label that fit
LETTERS = 36

INK, EDGE = "#22272e", "#9aa5b1"
#: what bounds → colour (Okabe and Ito's, told apart by the colour-blind) and shape, which a grey print tells apart
LOOKS = {
    "compute": ("#0072B2", "o"),
    "memory": ("#F0E442", "s"),
    "communication": ("#D55E00", "D"),
    "nothing": ("#FFFFFF", "o"),
    "unknown": ("#56B4E9", "h"),
    "untyped": ("#B3B3B3", "X"),
}
_TOLD = {
    "nothing": "nothing: holds data or hands it on",
    "unknown": "unknown: typed, but the size of its input is not known",
}


def plot(explanation: Explanation, path: str | PathLike[str] | None = None) -> Any:
    """Draw the groups of an explanation; see `Explanation.plot`."""
    if not explanation.rows:
        raise ValueError("there is nothing to draw: no task group was found")
    rows, left_out = drawn(explanation.rows)
    places = layout(rows)
    across = max(column for column, _ in places.values()) + 1
    lines = max(line for _, line in places.values()) + 1
    width = max(LEAST_WIDTH, WIDTH * across)
    figure = figure_of(width, HEIGHT * lines + 1.5)
    axes = figure.subplots()
    _draw_edges(axes, rows, places)
    for row in rows:
        _draw_group(axes, row, *places[row.group])
    axes.set_xlim(-0.15, width / WIDTH - 0.15)
    axes.set_ylim(lines - 0.5, -0.5)
    axes.axis("off")
    _draw_legend(figure, rows)
    title = explanation.headline
    if left_out:
        title += f"\n{left_out} groups with the fewest tasks are left out"
    figure.suptitle(title, fontsize=10, color=INK, x=0.01, ha="left")
    if path is not None:
        figure.savefig(path, dpi=120, facecolor="white")
    return figure


def figure_of(width: float, height: float) -> Any:
    """Return an empty figure, in inches. Not through pyplot, so that a notebook's backend stays as it is."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("drawing needs matplotlib: pip install 'asafess[plot]'") from error
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def drawn(rows: Sequence[Row]) -> tuple[list[Row], int]:
    """Return the groups with the most tasks, in their order, and how many others there are.

    A group takes inputs from those that the groups left out took them from.
    """
    most = sorted(range(len(rows)), key=lambda place: -rows[place].tasks)[:MOST_GROUPS]
    kept = [rows[place] for place in sorted(most)]
    names = {row.group for row in kept}
    after = {row.group: row.after for row in rows}
    reached = {row.group: _reached(row.group, names, after) for row in kept}
    handed_on = {name: found - set(after[name]) for name, found in reached.items()}
    found = []
    for row in kept:
        # what is handed on along several ways would hide everything below its edges
        further = set().union(*(_above(name, reached) for name in reached[row.group]))
        found.append(replace(row, after=tuple(sorted(reached[row.group] - (handed_on[row.group] & further)))))
    return found, len(rows) - len(kept)


def _above(name: str, after: Mapping[str, Iterable[str]]) -> set[str]:
    """Return all groups that a group depends on, directly or not."""
    found: set[str] = set()
    left = list(after[name])
    while left:
        other = left.pop()
        if other not in found:
            found.add(other)
            left += after[other]
    return found - {name}


def _reached(name: str, names: Set[str], after: Mapping[str, Iterable[str]]) -> set[str]:
    """Return the groups among `names` that a group takes inputs from, through groups that are not among them."""
    found: set[str] = set()
    seen: set[str] = set()
    left = list(after[name])
    while left:
        other = left.pop()
        if other in names:
            found.add(other)
        elif other not in seen:
            seen.add(other)
            left += after.get(other, ())
    return found - {name}


def layout(rows: Sequence[Row]) -> dict[str, tuple[float, int]]:
    """Return column and line of each group.

    A layer takes a line, or as many of about the same length as it needs. On a line the groups are in the order of
    what they take their inputs from, and the line is centred.
    """
    layers: dict[int, list[Row]] = {}
    for row in rows:
        layers.setdefault(row.layer, []).append(row)
    widest = min(ACROSS, max(map(len, layers.values())))
    places: dict[str, tuple[float, int]] = {}
    line = 0
    for number in sorted(layers):
        wanted = {row.group: _mean_column(row.after, places, (widest - 1) / 2) for row in layers[number]}
        ordered = sorted(layers[number], key=lambda row: wanted[row.group])
        across = math.ceil(len(ordered) / math.ceil(len(ordered) / ACROSS))
        for start in range(0, len(ordered), across):
            some = ordered[start : start + across]
            left = (widest - len(some)) / 2
            for place, row in enumerate(some):
                places[row.group] = (left + place, line)
            line += 1
    return places


def _mean_column(names: Iterable[str], places: Mapping[str, tuple[float, int]], otherwise: float) -> float:
    columns = [places[name][0] for name in names if name in places]
    return sum(columns) / len(columns) if columns else otherwise


def _draw_edges(axes: Any, rows: Sequence[Row], places: Mapping[str, tuple[float, int]]) -> None:
    from matplotlib.patches import FancyArrowPatch

    tasks = {row.group: row.tasks for row in rows}
    for row in rows:
        for name in row.after:
            if name not in places:
                continue
            here, there = places[name], places[row.group]
            # what goes far, sideways or back (a loop) bends, so that it does not run through what lies between
            bend = 0.0 if there[1] - here[1] == 1 else 0.22 if there[1] > here[1] else -0.22
            style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 9, "connectionstyle": f"arc3,rad={bend}"}
            style |= {"shrinkA": _size(tasks[name]) / 2, "shrinkB": _size(row.tasks) / 2 + 1}
            axes.add_patch(FancyArrowPatch(here, there, color=EDGE, linewidth=1.0, zorder=1, **style))


def _size(tasks: int) -> float:
    """Return the size of a group's mark in points: it grows with the logarithm, up to 100 000 tasks."""
    return 9.0 + 3.4 * min(5.0, math.log10(max(1, tasks)))


def _draw_group(axes: Any, row: Row, x: float, y: int) -> None:
    colour, shape = LOOKS[row.bound]
    size = _size(row.tasks)
    axes.plot(x, y, shape, color=colour, markersize=size, markeredgecolor=INK, markeredgewidth=0.8, zorder=3)
    tasks = "1 task" if row.tasks == 1 else f"{row.tasks} tasks"
    told = f"{tasks}, {row.source}" + (f": {row.type}" if row.type else "")
    label = f"{cut(short(row.group), LETTERS)}\n{cut(told, LETTERS)}"
    style: dict[str, Any] = {
        "ha": "left",
        "va": "center",
        "fontsize": 7,
        "color": INK,
        "zorder": 4,
        "parse_math": False,
    }
    style["bbox"] = {"facecolor": "w", "alpha": 0.8, "pad": 0.5, "linewidth": 0}
    axes.annotate(label, (x, y), xytext=(size / 2 + 4, 0), textcoords="offset points", **style)


def _draw_legend(figure: Any, rows: Sequence[Row]) -> None:
    from matplotlib.lines import Line2D

    def mark(label: str, colour: str, shape: str, size: float) -> Line2D:
        style: dict[str, Any] = {"linestyle": "", "markeredgecolor": INK, "markeredgewidth": 0.8}
        return Line2D([], [], label=label, color=colour, marker=shape, markersize=size, **style)

    limits = [name for name in LOOKS if any(row.bound == name for row in rows)]
    marks = [mark(_TOLD.get(name, name), *LOOKS[name], 9) for name in limits]
    style: dict[str, Any] = {
        "fontsize": 8,
        "title_fontsize": 8,
        "frameon": False,
        "alignment": "left",
        "labelcolor": INK,
    }
    figure.legend(handles=marks, title="bound by", loc="outside lower left", ncols=3, **style)
    sizes = [mark(label, "w", "o", _size(tasks)) for label, tasks in (("1 task", 1), ("100", 100), ("10 000", 10_000))]
    figure.legend(handles=sizes, title="size", loc="outside lower right", ncols=3, **style)
