"""Reads the subscripts of an einsum."""

from __future__ import annotations

import math
from collections.abc import Sequence

from asafess.compiler.abstract.values import Unknown


def contraction(subscripts: str, shapes: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], float]:
    """Return the shape of an einsum's result, and how many combinations of its letters there are.

    Examples
    --------
    >>> contraction("ij,jk->ik", [(2, 3), (3, 5)])
    ((2, 5), 30)
    """
    text = subscripts.replace(" ", "")
    if "." in text:
        raise Unknown("an einsum with an ellipsis")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes) or any(len(term) != len(shape) for term, shape in zip(terms, shapes, strict=False)):
        raise Unknown(f"subscripts {subscripts!r} do not fit shapes {list(shapes)}")
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, dim in zip(term, shape, strict=True):
            if sizes.get(letter, 1) not in (1, dim) and dim != 1:
                raise Unknown(f"letter {letter!r} of {subscripts!r} has two lengths")
            sizes[letter] = max(dim, sizes.get(letter, 1))
    if not arrow:
        output = "".join(sorted(letter for letter in sizes if inputs.count(letter) == 1))
    return tuple(sizes[letter] for letter in output), math.prod(sizes.values())
