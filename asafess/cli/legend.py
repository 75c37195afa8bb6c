"""The words of `asafess status` that not everybody knows, each told once below what uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

#: what has to occur → the word, and what it means
LEGEND = {
    r"\(auto\)": ("auto", "its policy decides"),
    r"\(pinned\)": ("pinned", "a person has set the state; asafess auto gives it back to its policy"),
    r"\(in shadow|only in shadow": (
        "shadow",
        "its policy decides and logs, but nothing is done: it stays in its first state",
    ),
    r"\bratio\b": ("ratio", "time to compute ÷ time to move data, of what is scheduled; below 1 moving takes longer"),
    r"\bzeros\b": ("zeros", "share of zero words in the data that moves, 0 to 1"),
    r"\balpha": (
        "alpha, beta",
        "of the ratio: efficient below alpha and not above beta; the policy work_function stays where no other state "
        "saves more than a switch costs; alpha_STATE, beta_STATE: of that state",
    ),
    r"\bzeros_on\b": ("zeros_on, zeros_off", "of the zeros: on above the one, off below the other; above 1 never"),
    r"\bgain_general\b": (
        "gain_general",
        "share of a transfer's time that the state general saves; negative: it costs more",
    ),
    r": start: ": ("start", "decided before there were tasks, from the measured rates alone"),
    r" has cost ": (
        "has cost",
        "predicted seconds, added up over what has run; enough for a switch when it pays for two",
    ),
}


def legend_below(lines: Sequence[str]) -> Iterator[str]:
    """Return lines, and below them what their words mean.

    Examples
    --------
    >>> for line in legend_below(["codec: on (auto)"]):
    ...     print(line)
    codec: on (auto)
    <BLANKLINE>
    words:
      auto: its policy decides
    """
    yield from lines
    text = "\n".join(lines)
    found = [told for pattern, told in LEGEND.items() if re.search(pattern, text)]
    if found:
        yield ""
        yield "words:"
        yield from (f"  {word}: {meaning}" for word, meaning in found)
