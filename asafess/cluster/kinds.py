"""What measurement says of the kinds of tasks that it has met, and of groups of them."""

from __future__ import annotations

from collections.abc import ItemsView

from asafess.cluster.watched import Kind, Signature, Watched
from asafess.core.found_type import FoundType
from asafess.core.learned import corrected, measured_type
from asafess.core.mode import Rates

#: signatures that are remembered
MOST_SIGNATURES = 1024

#: what is known of a group: nothing, a measured type, a derived type that stands, or one that was corrected
UNTYPED, MEASURED, DERIVED, CORRECTED = "untyped", "measured", "derived", "corrected"


class Kinds:
    """Kinds of tasks by signature; what was asked for last is last."""

    def __init__(self) -> None:
        self._kinds: dict[Signature, Kind] = {}
        self._corrections: dict[Signature, str] = {}
        #: groups so far, by what was known of them last
        self.counters = dict.fromkeys((UNTYPED, MEASURED, DERIVED, CORRECTED), 0)

    def __len__(self) -> int:
        return len(self._kinds)

    def items(self) -> ItemsView[Signature, Kind]:
        """Return signatures and kinds."""
        return self._kinds.items()

    def clear(self) -> None:
        """Forget everything but the counters."""
        self._kinds.clear()
        self._corrections.clear()

    @property
    def corrections(self) -> list[str]:
        """What measurement says against derived types, in words."""
        return list(self._corrections.values())

    def find(self, key: Signature) -> Kind:
        """Return the kind with a signature, a new one where it has not been met."""
        kind = self._kinds.pop(key, None)
        if kind is None:
            kind = Kind()
            if len(self._kinds) == MOST_SIGNATURES:
                oldest = next(iter(self._kinds))
                del self._kinds[oldest]
                self._corrections.pop(oldest, None)
        self._kinds[key] = kind
        return kind

    def known(self, watched: Watched, rates: Rates | None) -> FoundType | None:
        """Return what measurement says of a group, and count it."""
        found, fit, derived = None, watched.kind.lesson.fit, watched.derived
        if fit is not None and rates is not None:
            if derived is None:
                found = measured_type(watched.group.prefix.name, fit, rates)
            else:
                found = corrected(derived, fit, rates)
        if derived is None:
            known = UNTYPED if found is None else MEASURED
        else:
            known = DERIVED if found is None else CORRECTED
            self._corrections.pop(watched.key, None)
            if found is not None:
                self._corrections[watched.key] = f"{watched.group.prefix.name}: {found.why}"
        if watched.known:
            self.counters[watched.known] -= 1
        watched.known = known
        self.counters[known] += 1
        return found
