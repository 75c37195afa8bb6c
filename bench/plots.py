"""Pictures of a measurement, made from its rows and from the events of its adaptive run. PNG, no display needed.

Matplotlib is imported when a picture is drawn, so that everything else works without it.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asafess.compiler.explain.plot import figure_of as figure_of

from .scores import AGAIN, Row, arm_names, estimate, paired_ratios, timed, valid, values

Event = Mapping[str, Any]

INK, SOFT, GRID = "#22272e", "#6b7480", "#e6e9ed"
ADAPTIVE, OTHER, BAND = "#0b7a75", "#b9c2cc", "#f4d58d"
#: one colour per state, from nothing to everything; further states take the last
_STATES = {"off": "#d5dae0", "light": "#7cc3bd", "full": "#0b7a75"}
_FURTHER = ("#d5dae0", "#9ad0c4", "#4ba79b", "#0b7a75", "#064f4c")


def tidy(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(SOFT)
    axes.tick_params(colors=SOFT, labelcolor=INK, labelsize=9)
    axes.set_axisbelow(True)


def _draw_arms(axes: Any, rows: Sequence[Row], against: str | None) -> None:
    names = [n for n in arm_names(rows) if not n.endswith(AGAIN)]
    twice = next((n for n in names if n + AGAIN in arm_names(rows)), names[0])
    against = against or twice
    shown = {n: estimate(values(rows, n)) for n in names if valid(rows, n)}
    # the slowest on top, so that the eye runs down to the fastest
    ranked = sorted(names, key=lambda n: shown[n].median if n in shown else math.inf)
    longest = max((e.median for e in shown.values()), default=1.0)
    for place, name in enumerate(ranked):
        if name not in shown:
            axes.text(0.01 * longest, place, "failed: no number", va="center", color="#a3333d", fontsize=9)
            continue
        middle, low, high = shown[name].median, shown[name].low, min(shown[name].high, 1.25 * longest)
        axes.barh(place, middle, height=0.62, color=ADAPTIVE if name == against else OTHER)
        axes.plot([low, high], [place, place], color=INK, linewidth=1.2, solid_capstyle="butt")
        for run in values(rows, name):
            if math.isfinite(run):
                axes.plot(run, place - 0.42, "|", color=SOFT, markersize=5, markeredgewidth=0.8)
        label = f"{middle:.2f} s" if middle >= 1 else f"{1000 * middle:.0f} ms"
        if name != against and valid(rows, against):
            label += f"   {estimate(paired_ratios(rows, name, against)).median:.2f} ×"
        axes.text(max(high, middle) + 0.015 * longest, place, label, va="center", color=INK, fontsize=9)
    axes.set_yticks(range(len(ranked)), ranked)
    axes.set_ylim(-0.7, len(ranked) - 0.4)
    axes.set_xlim(0, 1.28 * longest)
    axes.set_xlabel(f"seconds (bar: median, line: its interval, ticks: runs; ×: paired with {against})", fontsize=8)
    axes.xaxis.label.set_color(SOFT)
    axes.grid(axis="x", color=GRID)
    tidy(axes)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _steps(events: Sequence[Event], key: str = "state") -> list[tuple[float, float, str]]:
    """Return (start, end, state) of each stretch in one state, or of what else has this key.

    >>> _steps([{"t": 0.0, "state": "off"}, {"t": 1.0, "state": "off"}, {"t": 2.0, "state": "full"}, {"t": 3.0,
    ...         "state": "full"}])
    [(0.0, 2.0, 'off'), (2.0, 3.0, 'full')]
    """
    steps: list[tuple[float, float, str]] = []
    for event in events:
        t, state = float(event["t"]), str(event[key])
        if steps:
            steps[-1] = (steps[-1][0], t, steps[-1][2])
        if not steps or steps[-1][2] != state:
            steps.append((t, t, state))
    return steps


def colour_of(state: str, states: Sequence[str]) -> str:
    if set(states) <= set(_STATES):
        return _STATES[state]
    return _FURTHER[min(list(states).index(state), len(_FURTHER) - 1)]


def _draw_ratio(axes: Any, events: Sequence[Event]) -> None:
    times = [float(e["t"]) for e in events]
    # None is a tick with nothing scheduled: a gap in the line, not a zero
    ratios = [float(e["ratio"]) if e.get("ratio") and math.isfinite(e["ratio"]) else math.nan for e in events]
    axes.set_yscale("log")
    bands = [(float(e["alpha"]), float(e["beta"])) for e in events if e.get("alpha") and e.get("beta")]
    if bands:
        with_band = [float(e["t"]) for e in events if e.get("alpha") and e.get("beta")]
        lows, highs = zip(*bands, strict=True)
        axes.fill_between(with_band, lows, highs, step="post", color=BAND, alpha=0.6, linewidth=0)
        for level, name, side in ((lows[-1], "alpha", "top"), (highs[-1], "beta", "bottom")):
            right = (1.005, level)
            axes.annotate(name, right, xycoords=("axes fraction", "data"), va=side, fontsize=9, color="#9a7516")
    axes.plot(times, ratios, color=INK, linewidth=1.5, marker="o" if len(times) <= 300 else None, markersize=2.2)
    seen = [r for r in ratios if not math.isnan(r)] + [level for band in bands for level in band]
    if seen:
        axes.set_ylim(min(seen) / 2, max(seen) * 2)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("computation ÷ communication", fontsize=9, color=INK)
    axes.grid(axis="y", color=GRID)
    tidy(axes)
    axes.tick_params(labelbottom=False)


def _draw_switches(axes: Any, events: Sequence[Event]) -> None:
    switches = [start for start, _, _ in _steps(events)[1:]]
    causes = {float(e["t"]): str(e["cause"]) for e in events if e.get("cause")}
    at_the_top = axes.get_xaxis_transform()
    for start in switches:
        axes.axvline(start, color=ADAPTIVE, linewidth=0.9, linestyle=(0, (3, 2)))
        if len(switches) <= 10:  # more would cover each other
            # what comes after the first reason would not fit
            text = textwrap.shorten(causes.get(start, "switch").split("; ")[0], 60)
            style = {"rotation": 90, "va": "top", "ha": "right", "fontsize": 7, "color": ADAPTIVE}
            style["bbox"] = {"facecolor": "w", "alpha": 0.8, "pad": 0.6, "linewidth": 0}
            axes.text(start, 0.99, text, transform=at_the_top, **style)


def _draw_phases(axes: Any, events: Sequence[Event]) -> None:
    at_the_top = axes.get_xaxis_transform()
    for number, (start, _, phase) in enumerate(_steps(events, "phase")):
        if number:
            axes.axvline(start, color=OTHER, linewidth=0.9)
        style = {"va": "bottom", "ha": "left", "fontsize": 8, "color": SOFT}
        axes.text(start, 1.01 + 0.05 * (number % 2), phase, transform=at_the_top, **style)


def _draw_states(axes: Any, events: Sequence[Event]) -> None:
    steps = _steps(events)
    states = list(dict.fromkeys([*(s for s in _STATES if any(s == x for _, _, x in steps)), *(x for *_, x in steps)]))
    _draw_band(axes, steps, (0, 1), {state: colour_of(state, states) for state in states})
    names = {0.5: "state"}
    if any("control" in e for e in events):
        controls = _steps(events, "control")
        _draw_band(axes, controls, (1.1, 1.8), {control: GRID for *_, control in controls} | {"pinned": BAND})
        names[1.45] = "in charge"
    axes.set_yticks(list(names), list(names.values()))
    axes.set_ylim(0, 1.8 if len(names) > 1 else 1)
    axes.set_xlabel("seconds", fontsize=9, color=INK)
    tidy(axes)
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)


def _draw_band(
    axes: Any, steps: Sequence[tuple[float, float, str]], sides: tuple[float, float], colours: Mapping[str, str]
) -> None:
    whole = (steps[-1][1] - steps[0][0]) or 1.0
    for start, end, name in steps:
        colour = colours[name]
        axes.fill_between([start, end], *sides, color=colour, linewidth=0)
        if (end - start) / whole > 0.012 * len(name):
            dark = colour in ("#0b7a75", "#064f4c", "#4ba79b")
            style = {"ha": "center", "va": "center", "fontsize": 9, "color": "w" if dark else INK}
            axes.text((start + end) / 2, sum(sides) / 2, name, **style)


def finish(figure: Any, path: str | Path, title: str | None, caption: str | None) -> None:
    if title:
        figure.suptitle(title, fontsize=12, color=INK, x=0.01, ha="left")
    if caption:
        width = int(figure.get_figwidth() * 17)  # characters of 7 pt that fit beside each other
        figure.supxlabel(textwrap.fill(caption, width), fontsize=7, color=SOFT, x=0.01, ha="left")
    figure.savefig(path, dpi=150, facecolor="white")


def plot_arms(
    rows: Sequence[Row],
    path: str | Path,
    *,
    against: str | None = None,
    title: str | None = None,
    caption: str | None = None,
) -> None:
    """Draw the arms as bars of seconds with their intervals and runs, the slowest on top, into a PNG."""
    if not timed(rows):
        raise ValueError("no timed run among the rows: measure at least one round")
    made = figure_of(9, 1.4 + 0.5 * len(arm_names(rows)))
    _draw_arms(made.subplots(), rows, against)
    finish(made, path, title, caption)


def plot_timeline(
    events: Sequence[Event],
    path: str | Path,
    *,
    rows: Sequence[Row] = (),
    against: str | None = None,
    title: str | None = None,
    caption: str | None = None,
) -> None:
    """Draw the mode ratio over time with its band, the states below it and, given rows, the arms, into a PNG.

    Parameters
    ----------
    events
        One dict per tick: "t" (seconds), "ratio" (None: nothing scheduled), "state", and where known "alpha", "beta",
        "cause" (of a switch, at the event where the state changes), "phase" (of the program) and "control" (who is in
        charge of the state: *pinned*, *auto*).
    """
    if not events:
        raise ValueError("no events: a timeline needs at least one dict with 't', 'ratio' and 'state'")
    events = sorted(events, key=lambda e: e["t"])
    names = [n for n in arm_names(rows) if not n.endswith(AGAIN)]
    heights = [
        3.2,
        0.75 if any("control" in e for e in events) else 0.42,
        *([0.9 + 0.42 * len(names)] if names else []),
    ]
    made = figure_of(9.5, sum(heights) + 1.0)
    axes = made.subplots(len(heights), 1, gridspec_kw={"height_ratios": heights})
    _draw_ratio(axes[0], events)
    _draw_states(axes[1], events)
    axes[1].sharex(axes[0])
    axes[0].set_xlim(events[0]["t"], max(events[-1]["t"], events[0]["t"] + 1e-9))
    if all("phase" in e for e in events):
        _draw_phases(axes[0], events)
    _draw_switches(axes[0], events)
    if names:
        _draw_arms(axes[2], rows, against)
    finish(made, path, title, caption)
