"""Bids that may not all get what they want, and the best that goes together: exact, by branch and bound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from asafess.core.bid import Bid

#: gains and shares of budgets are added up as whole numbers of 1e-12: exactly, so in any order
UNIT = 10**12
#: relative slack, for sums that rounding carries over their limit
SLACK = 1e-9
FULL = UNIT + round(UNIT * SLACK)


class Rival:
    """A bid to be out of off that may not get it. Levels count its states from off = 0."""

    def __init__(self, bid: Bid, on: Iterable[Bid], budgets: Mapping[str, float]) -> None:
        self.bid, self.name = bid, bid.name
        foes = [other for other in on if other.name in bid.conflicts or bid.name in other.conflicts]
        self.foes = {other.name for other in foes}
        wanted, present = bid.states.index(bid.wanted), bid.states.index(bid.present)
        if any(foe.pinned for foe in foes):
            wanted = 0
        #: what it keeps unless a better set takes it away
        self.held = min(present, wanted)
        #: level → gain, upwards first. One below what it wants never counts for more than that, and is no choice
        #: where it is predicted to lose, unless it is there: that keeps the noise of a gain around 0 from moving it
        self.worth: dict[int, int] = {}
        for level in range(wanted, 0, -1):
            gain = bid.gain.get(bid.states[level], 0.0)
            if level in (wanted, present) or gain >= 0:
                self.worth[level] = round(max(0.0, min(gain, bid.gain.get(bid.wanted, 0.0))) * UNIT)
        self.worth[0] = 0
        self.shares = {level: shares_of(bid, bid.states[level], budgets) for level in self.worth}


def shares_of(bid: Bid, state: str, budgets: Mapping[str, float]) -> dict[str, int]:
    """Return what a state takes of each budget, as a share of it; anything above 2 fits as little as 2."""
    amounts = bid.demands.get(state, {})
    return {
        budget: round((amounts[budget] / limit if amounts[budget] < 2 * limit else 2.0) * UNIT)
        for budget, limit in budgets.items()
        if amounts.get(budget)
    }


def groups_of(rivals: Sequence[Rival], room: Mapping[str, int]) -> list[list[Rival]]:
    """Part the rivals into groups that have nothing to share out between them."""
    most = [{b: max(s.get(b, 0) for s in rival.shares.values()) for b in room} for rival in rivals]
    tight = {budget for budget in room if sum(shares[budget] for shares in most) > room[budget]}
    groups: list[tuple[set[object], list[Rival]]] = []
    for rival, shares in zip(rivals, most, strict=True):
        stakes: set[object] = {frozenset((rival.name, foe)) for foe in rival.foes}
        stakes |= {budget for budget in tight if shares[budget]}
        linked = [group for group in groups if group[0] & stakes]
        groups = [group for group in groups if not group[0] & stakes]
        groups.append((stakes.union(*(s for s, _ in linked)), [*(r for _, members in linked for r in members), rival]))
    place = {rival.name: i for i, rival in enumerate(rivals)}
    return [sorted(members, key=lambda rival: place[rival.name]) for _, members in groups]


def fits(group: Sequence[Rival], levels: Mapping[str, int], room: Mapping[str, int]) -> bool:
    """Say whether some levels go together, without conflicts and within what is left of the budgets."""
    on = {rival.name for rival in group if levels[rival.name]}
    takes = [rival.shares[levels[rival.name]] for rival in group]
    return all(on.isdisjoint(rival.foes) for rival in group if rival.name in on) and all(
        sum(shares.get(budget, 0) for shares in takes) <= max(left, 0) for budget, left in room.items()
    )


def best_levels(group: Sequence[Rival], floors: Mapping[str, int], room: Mapping[str, int]) -> dict[str, int] | None:
    """Return the best levels by name, none below its floor; None where no levels go together.

    Branch and bound, depth first: the first in the list first, high levels first. So of equals the first found is the
    one to prefer, and only a better one replaces it.
    """
    options = [
        [(level, gain, rival.shares[level]) for level, gain in rival.worth.items() if level >= floors[rival.name]]
        for rival in group
    ]
    # what those from i on can add at most: the bound
    gains = [max((gain for _, gain, _ in choice), default=0) for choice in options]
    ons = [any(level for level, _, _ in choice) for choice in options]
    rest = [(sum(gains[i:]), sum(ons[i:])) for i in range(len(group) + 1)]
    best: list[int] | None = None
    score = (-1, 0)

    def visit(gain: int, on: int, levels: list[int], names: frozenset[str], left: Mapping[str, int]) -> None:
        nonlocal best, score
        i = len(levels)
        if (gain + rest[i][0], on + rest[i][1]) <= score:
            return
        if i == len(group):
            best, score = levels, (gain, on)
            return
        rival = group[i]
        for level, more, shares in options[i]:
            if not level:
                visit(gain, on, [*levels, 0], names, left)
            elif names.isdisjoint(rival.foes) and all(share <= left[budget] for budget, share in shares.items()):
                after = {**left, **{budget: left[budget] - share for budget, share in shares.items()}}
                visit(gain + more, on + 1, [*levels, level], names | {rival.name}, after)

    visit(0, 0, [], frozenset(), room)
    return None if best is None else dict(zip((rival.name for rival in group), best, strict=True))
