"""Types of tasks whose inputs have no size yet: loads per byte of input, where they grow in proportion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asafess.compiler.abstract.parts import Inferred
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf
from asafess.compiler.infer import infer
from asafess.core.found_type import FoundType
from asafess.core.task_type import declare

#: bytes that an input of unknown size is taken to have, to see how loads grow with it
PROBE = float(1 << 20)
#: confidence of such a type
UNSIZED = 0.8
#: axis → attribute of `Inferred`
_AXES = (("compute", "flop"), ("loops", "loops"), ("memory", "nbytes"), ("communication", "communication"))


def per_byte(node: Any, values: dict[Any, Any], name: str, confidence: float) -> FoundType | None:
    """Return a type with loads per byte of input, None where loads don't grow in proportion to unknown sizes."""
    unknown = [key for key, value in values.items() if unsized(value)]
    if not unknown:
        return None

    def at(nbytes: float) -> Inferred:
        given = {key: of_size(values[key], nbytes) for key in unknown}
        return infer(node, {**values, **given}.get)

    one, two, four = at(PROBE), at(2 * PROBE), at(4 * PROBE)
    if not (one.known and two.known and four.known):
        return None
    loads, per_byte = {}, {}
    known = sum(
        value.known_nbytes for value in values.values() if isinstance(value, ArrayOf | FrameOf) and not unsized(value)
    )
    for axis, read in _AXES:
        first, second, third = (getattr(one, read), getattr(two, read), getattr(four, read))
        slope = (second - first) / PROBE
        if abs(third - second - 2 * (second - first)) > 1e-6 * third:
            return None  # it does not grow in proportion: n log n, or products
        per_byte[axis] = slope / len(unknown)
        rest = first - slope * PROBE - per_byte[axis] * known
        if rest < -1e-3 * first or slope < 0:
            return None
        loads[axis] = max(0.0, rest)
    if not per_byte["communication"]:
        del loads["communication"], per_byte["communication"]
    if not per_byte["loops"] and not loads["loops"]:
        del loads["loops"], per_byte["loops"]
    sure = min(confidence, two.confidence, UNSIZED)
    why = f"{two.why}; per byte of inputs whose size is not known yet"
    return FoundType(declare(name=name, loads=loads, per_byte=per_byte), "compiler", sure, why)


def unsized(value: Any) -> bool:
    """Say whether nobody knows how large a value is."""
    return value is UNKNOWN or (isinstance(value, ArrayOf | FrameOf) and value.nbytes is None)


def of_size(value: Any, nbytes: float) -> Any:
    """Return a value with so many bytes; of what is not known at all an array."""
    return ArrayOf(None, None, nbytes) if value is UNKNOWN else replace(value, nbytes=nbytes)
