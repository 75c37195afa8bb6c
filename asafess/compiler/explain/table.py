"""Rows of an explanation as a table: for a terminal, and in HTML."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from textwrap import wrap
from typing import TYPE_CHECKING

from asafess.core.task_type import AXES

if TYPE_CHECKING:
    from asafess.compiler.explain.explanation import Row

#: tokens of Dask's names, of which a few characters tell two groups apart
_TOKEN = re.compile(r"\b([0-9a-f]{6})[0-9a-f]{26}\b")
#: characters of a name, of one in a terminal, and of a reason
LONGEST, NAME, LONGEST_WHY = 44, 26, 240
#: characters of a terminal's line, and what lines below a group begin with
WIDTH, INDENT = 80, "    "
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_STANDARD = {"compute": "flop", "memory": "B", "communication": "B"}
_SHORT = {"communication": "commun."}


def _axes(rows: Sequence[Row]) -> list[str]:
    """Return the standard axes, and those of a user's own."""
    axes = list(_STANDARD)
    for row in rows:
        own = {*row.loads, *(row.found.type.per_byte if row.found else ())}
        axes += sorted(own.difference(axes, ["loops"]))  # they are part of compute
    return axes


def _unit(axis: str) -> str:
    return _STANDARD.get(axis) or AXES.get(axis, "")


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
        if factor <= value < math.inf:
            return f"{value / factor:.3g} {prefix}"
    return f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    """Return a number with three digits, a decimal prefix and a unit.

    Examples
    --------
    >>> with_unit(2e10, "flop/s"), with_unit(125, "B")
    ('20 Gflop/s', '125 B')
    """
    text = amount(value)
    return f"{text}{'' if text[-1].isalpha() else ' '}{unit}"


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


def text_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table for a terminal: of each group its loads, and below where the type came from."""
    axes = _axes(rows)
    heads = [
        ["", "", *(_SHORT.get(axis, axis) for axis in axes), ""],
        ["group", "tasks", *map(_unit, axes), "bound by"],
    ]
    cells = [
        [cut(short(row.group), NAME), str(row.tasks), *(_load(row, axis) for axis in axes), row.bound] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*heads, *cells, strict=True)]
    for line, row in zip((*heads, *cells), (None, None, *rows), strict=True):
        name, *numbers, limit = line
        padded = (cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))
        yield "  ".join((name.ljust(widths[0]), *padded, limit)).rstrip()
        if row is not None:
            yield from wrap(_told(row), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def _told(row: Row) -> str:
    """Return where a group's type came from, and what goes into a task and comes out, in words."""
    why = cut(row.why, LONGEST_WHY)
    type_ = f"type {kind(row)} from {row.source}, sure {row.confidence:.2g}" if row.found else row.source
    inputs = f"{row.inputs:.3g} input{'s' * (row.inputs != 1)}"
    inputs += f" of {with_unit(row.input_bytes, 'B')} in all" if row.input_bytes else ""
    return f"{type_}: {why}. {inputs}" + (
        f", {with_unit(row.output_bytes, 'B')} out" if row.output_bytes is not None else ""
    )


def kind(row: Row) -> str:
    """Return the name of a group's type in a few characters."""
    return cut(_TOKEN.sub(r"\1…", row.type or "-"), NAME)


def html_table(headline: str, rows: Sequence[Row], notes: Iterable[str]) -> str:
    """Return a table for notebooks. Names and reasons may hold anything, so everything is escaped."""
    axes = _axes(rows)
    heads = ["group", "tasks", "inputs", "type", *(f"{axis} [{_unit(axis)}]" for axis in axes)]
    heads += ["in [B]", "out [B]", "bound by", "source", "sure", "why"]
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(row, axes)) + "</tr>" for row in rows)
    below = "<br>".join(map(escape, notes))
    return (
        f"<div><p>{escape(headline)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p><small>{below}</small></p></div>"
    )


def _cells(row: Row, axes: Iterable[str]) -> list[str]:
    sizes = ["?" if size is None else amount(size) for size in (row.input_bytes, row.output_bytes)]
    sure = "" if row.confidence is None else f"{row.confidence:.2g}"
    loads = [_load(row, axis) for axis in axes]
    inputs, why = f"{row.inputs:.3g}", cut(row.why, LONGEST_WHY)
    return [short(row.group), str(row.tasks), inputs, kind(row), *loads, *sizes, row.bound, row.source, sure, why]
