"""What was known and decided at one sample: what a trace keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asafess.core.assessment import Assessment
from asafess.core.mode import Vector


@dataclass(frozen=True, slots=True)
class Moment:
    """What was known and decided at one sample."""

    time: float
    #: seconds that the sample stands for
    elapsed: float
    #: the windowed mode vector
    vector: Vector
    #: by optimization, as the four below
    assessments: Mapping[str, Assessment]
    #: the states acted in until then
    before: Mapping[str, str]
    #: what the policies wanted
    wanted: Mapping[str, str]
    #: the states acted in from then on
    after: Mapping[str, str]
    #: why something was not done that a policy wanted
    held_back: Mapping[str, str]
