"""What each policy's decisions cost over the time of a recorded run, and the states that it was in. PNG.

Drawn by ``asafess score TRACE --plot FILE``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from asafess.core.score import RECORDED, Score, Steps

from .plots import ADAPTIVE, GRID, INK, SOFT, colour_of, figure_of, finish, tidy

#: policy → how its line is drawn; fixed states, which stay behind, are grey
_LINES: Mapping[str, dict[str, Any]] = {
    "work_function": {"color": ADAPTIVE, "linewidth": 1.8},
    "alpha_beta": {"color": "#c77d1e", "linewidth": 1.4},
    RECORDED: {"color": INK, "linewidth": 1.4, "linestyle": (0, (3, 2))},
}
_FIXED = ("solid", "dotted", "dashdot", "dashed")


def running(path: Sequence[int], steps: Steps) -> list[float]:
    """Return what a schedule has cost up to each moment, in seconds, switches included.

    >>> from asafess.core.assessment import Assessment
    >>> on = Assessment({"off": "on", "on": "on"}, {"off": 3.0, "on": 1.0}, 5.0)
    >>> running((0, 1, 1), Steps(("off", "on"), [0.0, 1.0, 2.0], [on, on, on], "off"))
    [3.0, 9.0, 10.0]
    """
    total, before, found = 0.0, steps.states.index(steps.start), []
    for state, cost, switch in zip(path, steps.costs, steps.switch, strict=True):
        total += cost[state] + (switch if state != before else 0.0)
        before = state
        found.append(total)
    return found


def stretches(path: Sequence[int], times: Sequence[float]) -> list[tuple[float, float, int]]:
    """Return (start, end, state) of each stretch in one state; it lasts until the next moment.

    >>> stretches((0, 0, 1), (0.0, 1.0, 2.0))
    [(0.0, 2.0, 0), (2.0, 2.0, 1)]
    """
    numbers = [list(run) for _, run in groupby(range(len(path)), key=lambda k: path[k])]
    return [(times[run[0]], times[min(run[-1] + 1, len(times) - 1)], path[run[0]]) for run in numbers]


def _draw_costs(axes: Any, steps: Steps, scores: Sequence[Score], times: Sequence[float]) -> None:
    least = running(scores[0].states, steps)
    fixed = [score.policy for score in scores if score.policy.startswith("always_")]
    for score in scores[1:]:
        style = _LINES.get(score.policy)
        if style is None:
            number = fixed.index(score.policy) if score.policy in fixed else 0
            style = {"color": SOFT, "linewidth": 1.1, "linestyle": _FIXED[number % len(_FIXED)]}
        excess = [cost - best for cost, best in zip(running(score.states, steps), least, strict=True)]
        marker = "o" if len(times) == 1 else None  # a line takes two points
        axes.plot(times, excess, label=f"{score.policy}  {score.ratio:.3g} ×", marker=marker, **style)
    axes.set_ylabel("seconds above the optimum", fontsize=9, color=INK)
    axes.legend(fontsize=8, frameon=False, loc="upper left", labelcolor=INK)
    axes.grid(axis="y", color=GRID)
    tidy(axes)
    axes.tick_params(labelbottom=False)


def _draw_states(axes: Any, steps: Steps, scores: Sequence[Score], times: Sequence[float]) -> None:
    shown = [score for score in scores if not score.policy.startswith("always_")]
    for place, score in enumerate(shown):
        for start, end, state in stretches(score.states, times):
            colour = colour_of(steps.states[state], steps.states)
            axes.barh(place, max(end - start, 1e-9), left=start, height=0.72, color=colour, linewidth=0)
    axes.set_yticks(range(len(shown)), [score.policy for score in shown])
    axes.set_xlabel("seconds", fontsize=9, color=INK)
    tidy(axes)
    axes.tick_params(axis="y", length=0)
    axes.spines[["left", "bottom"]].set_visible(False)
    for state in steps.states:
        axes.bar(0, 0, color=colour_of(state, steps.states), linewidth=0, label=state)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), labelcolor=INK)


def plot_scores(
    scored: Mapping[str, tuple[Steps, Sequence[Score]]],
    path: str | Path,
    *,
    title: str | None = None,
    caption: str | None = None,
) -> None:
    """Draw two panels for each optimization: seconds above the optimum, and states, over time.

    Parameters
    ----------
    scored
        Optimization → its moments, and the scores of all policies, the optimum first.
    """
    if not scored:
        raise ValueError("no scores: a picture needs at least one optimization with predicted costs")
    heights = [2.8, 1.3] * len(scored)
    made = figure_of(9.5, sum(heights) + 0.9)
    axes = made.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for number, (name, (steps, scores)) in enumerate(scored.items()):
        upper, lower = axes[2 * number : 2 * number + 2]
        times = [time - steps.times[0] for time in steps.times]
        _draw_costs(upper, steps, scores, times)
        _draw_states(lower, steps, scores, times)
        upper.set_title(name, fontsize=10, color=INK, loc="left")
        for one in (upper, lower):
            one.set_xlim(0, max(times[-1], 1e-9))
    finish(made, path, title, caption)
