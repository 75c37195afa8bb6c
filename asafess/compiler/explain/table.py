"""Rows of an explanation as a table: of characters, and of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from asafess.core.task_type import AXES

if TYPE_CHECKING:
    from asafess.compiler.explain.explanation import Row

#: tokens of Dask's names, of which a few characters tell two groups apart
_TOKEN = re.compile(r"\b([0-9a-f]{6})[0-9a-f]{26}\b")
#: characters of a name, and of a reason, in a table
LONGEST, LONGEST_WHY = 44, 160
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_STANDARD = {"compute": "flop", "memory": "B", "communication": "B"}


def columns(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the cells of a table."""
    axes = list(_STANDARD)
    for row in rows:
        own = {*row.loads, *(row.found.type.per_byte if row.found else ())}
        axes += sorted(own.difference(axes))
    units = {axis: _STANDARD.get(axis) or AXES.get(axis, "") for axis in axes}
    heads = ["group", "tasks", "inputs", "type", *(f"{axis} [{unit}]" for axis, unit in units.items())]
    heads += ["in [B]", "out [B]", "bound by", "source", "sure", "why"]
    return heads, [_cells(row, axes) for row in rows]


def _cells(row: Row, axes: Iterable[str]) -> list[str]:
    loads = [_load(row, axis) for axis in axes]
    sizes = ["?" if size is None else amount(size) for size in (row.input_bytes, row.output_bytes)]
    sure = "" if row.confidence is None else f"{row.confidence:.2g}"
    kind = cut(_TOKEN.sub(r"\1…", row.type or "-"), LONGEST // 2)
    inputs = f"{row.inputs:.3g}"
    return [
        short(row.group),
        str(row.tasks),
        inputs,
        kind,
        *loads,
        *sizes,
        row.bound,
        row.source,
        sure,
        cut(row.why, LONGEST_WHY),
    ]


def _load(row: Row, axis: str) -> str:
    if row.found is None:
        return "-"
    if axis in row.loads:
        return amount(row.loads[axis])
    per_byte = row.found.type.per_byte.get(axis)
    if per_byte is None:
        return "?" if axis == "communication" else "0"
    return f"{amount(per_byte)}/B"


def amount(value: float) -> str:
    """Return a number with three digits and a decimal prefix.

    Examples
    --------
    >>> amount(1.2345e10), amount(250.0), amount(0)
    ('12.3 G', '250', '0')
    """
    for factor, prefix in _PREFIXES:
        if value >= factor:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.3g}"


def short(name: str) -> str:
    """Return the name of a group with its token cut to what tells it from others.

    Examples
    --------
    >>> short("sum-partial-5cb8d0d1b1b09f1f2f9d3d1c7a0a6c11")
    'sum-partial-5cb8d0…'
    """
    return cut(_TOKEN.sub(r"\1…", name), LONGEST)


def cut(text: str, longest: int) -> str:
    """Return a text in one line with at most so many characters; the end of a name tells more than its middle."""
    text = "".join(character if character.isprintable() else "?" for character in text)
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}…{text[-8:]}"


def _begun(why: str) -> str:
    return why if len(why) <= LONGEST_WHY else f"{why[: LONGEST_WHY - 1]}…"


def text_table(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table; numbers to the right, words to the left."""
    lines = [[cut(cell, 10**6) for cell in line] for line in (heads, *cells)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    words = {place for place, head in enumerate(heads) if head in ("group", "type", "bound by", "source", "why")}
    for line in lines:
        padded = (
            cell.ljust(width) if place in words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join(padded).rstrip()


def html_table(headline: str, heads: Sequence[str], cells: Sequence[Sequence[str]], notes: Iterable[str]) -> str:
    """Return a table for notebooks. Names and reasons may hold anything, so everything is escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in cells)
    below = "<br>".join(map(escape, notes))
    return (
        f"<div><p>{escape(headline)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p><small>{below}</small></p></div>"
    )
