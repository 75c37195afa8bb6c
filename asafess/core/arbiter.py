"""Several optimizations at once: conflicts, and budgets that only some of them fit.

Each optimization's policy says which state it wants. Where all of that goes together, all of it is done. Where it
does not, the arbiter decides who is on: like dark silicon, where only some units can be powered at a time (St. John
et al., ADAPT 2014, doi 10.1145/2553062.2553063). Whether being on pays is the policies' word, with their hysteresis;
gains only choose between rivals.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: gains and shares of budgets are added up as whole numbers of 1e-12: exactly, so in any order
_UNIT = 10**12
#: relative slack, for sums that rounding carries over their limit
_SLACK = 1e-9
_FULL = _UNIT + round(_UNIT * _SLACK)
_LARGEST_GAIN = 1e200
#: alternatives that are followed at a time
_MOST_ACCOUNTS = 64


@dataclass(frozen=True, slots=True)
class Bid:
    """What one optimization asks for.

    Raises
    ------
    ValueError
        States that are not distinct, a state or a number that can't be; the message names the optimization.
    """

    name: str
    #: ordered from off upwards
    states: tuple[str, ...]
    #: the state it acts in
    present: str
    #: the state that its policy says
    wanted: str
    #: state → predicted share of the time that it saves against off; may be negative; left out: unknown, taken as 0
    gain: Mapping[str, float] = field(default_factory=dict)
    #: state → budget → amount that it takes beyond off while in that state; left out: 0
    demands: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: optimizations that must be off while it is not; one of the two naming the other is enough
    conflicts: tuple[str, ...] = ()
    #: seconds that a switch costs
    switch: float = 0.0
    #: a person has set `wanted`: it is done, and the others make room
    pinned: bool = False

    def __post_init__(self) -> None:
        off, *_ = self.states or self._refuse("states must be at least one")
        if len(set(self.states)) != len(self.states):
            self._refuse(f"states must differ, not {self.states!r}")
        for state in (self.present, self.wanted, *self.gain, *self.demands):
            if state not in self.states:
                self._refuse(f"unknown state {state!r}; allowed: {', '.join(self.states)}")
        if self.name in self.conflicts:
            self._refuse("can't conflict with itself; take its name out of `conflicts`")
        if not 0 <= self.switch < math.inf:
            self._refuse(f"switch must be a number of seconds ≥ 0, not {self.switch!r}")
        for state, gain in self.gain.items():
            if not -_LARGEST_GAIN < gain < _LARGEST_GAIN:
                self._refuse(f"gain in {state!r} must be a finite number, not {gain!r}; leave out what is not known")
        if self.gain.get(off):
            self._refuse(f"gains are against {off!r}, so that in {off!r} is 0, not {self.gain[off]!r}")
        for state, amounts in self.demands.items():
            for budget, amount in amounts.items():
                if not 0 <= amount < math.inf or (amount and state == off):
                    allowed = "0: demands are what is taken beyond it" if state == off else "a finite number ≥ 0"
                    self._refuse(f"demand of {budget} in {state!r} must be {allowed}, not {amount!r}")

    def _refuse(self, problem: str) -> tuple[str, ...]:
        raise ValueError(f"optimization {self.name!r}: {problem}")


@dataclass(frozen=True, slots=True)
class Settlement:
    """Who is in which state, and why not all are in the state they wanted."""

    #: optimization → state to be in
    states: Mapping[str, str]
    #: optimization → what keeps it from the state it wanted, in words
    held_back: Mapping[str, str]


#: (optimization, from level, to level) of all that would change
_Swap = tuple[tuple[str, int, int], ...]


class _Rival:
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
                self.worth[level] = round(max(0.0, min(gain, bid.gain.get(bid.wanted, 0.0))) * _UNIT)
        self.worth[0] = 0
        self.shares = {level: _shares(bid, bid.states[level], budgets) for level in self.worth}


def _shares(bid: Bid, state: str, budgets: Mapping[str, float]) -> dict[str, int]:
    """Return what a state takes of each budget, as a share of it; anything above 2 fits as little as 2."""
    amounts = bid.demands.get(state, {})
    return {
        budget: round((amounts[budget] / limit if amounts[budget] < 2 * limit else 2.0) * _UNIT)
        for budget, limit in budgets.items()
        if amounts.get(budget)
    }


class Arbiter:
    """Decides who is on when not all that want to be can be.

    Of all ways to give each optimization a state between off and the one it wants, without conflicts and within the
    budgets, it takes the one with the largest total gain; of equal ones, that with more out of off, then that which
    does more for those earlier in the list. A negative gain counts as 0. Pinned ones are never overruled, even by
    conflicts and budgets of their own; the others get what they leave.

    *It does not flap.* Nothing that is on and still wants to be is taken away by a better set until that set's
    advantage, added up over time and clamped at zero, has reached the cost of switching there and back, and at least
    twice the largest advantage of one sample. Between two sets this is the work-function algorithm (Borodin, Linial,
    Saks, JACM 1992): where a switch costs at least one sample's advantage, it costs at most 3 × the best schedule
    known beforehand, plus one sample's advantage per switch, plus a constant. Among more sets no such ratio is
    claimed, only that each switch was paid for by an advantage of its size. What fits beside those on goes on at once;
    what no longer fits (a pin, other demands) or no longer wants to be on goes at once. So demands should be declared,
    not noisy measurements.

    *Cost.* Nothing binds: one pass over the bids. Otherwise an exact branch and bound within each group of rivals
    (linked by conflicts or by a budget that can't hold all). At worst, many alike in one budget, that is exponential
    in the size of the group: 5 ms for 12 and 60 ms for 16 of two states, 50 ms for 12 of three.

    Parameters
    ----------
    budgets : mapping of str to float
        Budget → amount, in the unit in which bids demand of it. What is demanded of other budgets is not limited.

    Raises
    ------
    ValueError
        A budget that is not a finite number of at least 0.

    Examples
    --------
    >>> arbiter = Arbiter({"watts": 100})
    >>> unit = lambda name, gain, watts: Bid(name, ("off", "on"), "off", "on", {"on": gain}, {"on": {"watts": watts}})
    >>> settlement = arbiter.settle(0.05, [unit("a", 0.25, 60), unit("b", 0.5, 90), unit("c", 0.375, 40)])
    >>> settlement.states
    {'a': 'on', 'b': 'off', 'c': 'on'}
    >>> settlement.held_back
    {'b': 'budget watts: 190 of 100 wanted'}
    """

    def __init__(self, budgets: Mapping[str, float] | None = None) -> None:
        self._budgets = dict(sorted((budgets or {}).items()))
        for budget, limit in self._budgets.items():
            if not 0 <= limit < math.inf:
                raise ValueError(
                    f"budget {budget} must be a finite number ≥ 0, not {limit!r}; leave it out for no limit"
                )
        #: alternative → its advantage so far and the largest of one sample, in seconds
        self._accounts: dict[_Swap, tuple[float, float]] = {}

    def settle(self, seconds: float, bids: Sequence[Bid]) -> Settlement:
        """Return the states to be in; acting on it is up to the caller, who says `present` in the next bids.

        Parameters
        ----------
        seconds : float
            How long the gains of these bids held: the time since the last sample. A call with 0 remembers nothing,
            so one may ask again with other bids.
        bids : sequence of Bid
            One for each optimization, those to be preferred first.

        Returns
        -------
        Settlement
            For the same bids and the same past the same, to the bit.

        Raises
        ------
        ValueError
            A time that is not finite or negative; two bids of one name.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError(f"seconds must be a finite number ≥ 0, not {seconds!r}; a clock that stands still gives 0")
        states = {bid.name: bid.wanted for bid in bids}
        if len(states) != len(bids):
            raise ValueError(f"one bid for each optimization, not {', '.join(bid.name for bid in bids)}")
        on = [bid for bid in bids if bid.wanted != bid.states[0]]
        held_back: dict[str, str] = {}
        accounts: dict[_Swap, tuple[float, float]] = {}
        if not self._goes_together(on):
            rivals = [_Rival(bid, on, self._budgets) for bid in on if not bid.pinned]
            pins = [_shares(bid, bid.wanted, self._budgets) for bid in on if bid.pinned]
            room = {budget: _FULL - sum(shares.get(budget, 0) for shares in pins) for budget in self._budgets}
            for group in _groups(rivals, room):
                levels = self._decide(seconds, group, room, accounts)
                states.update((rival.name, rival.bid.states[levels[rival.name]]) for rival in group)
            staying = [bid for bid in on if states[bid.name] != bid.states[0]]
            for rival in rivals:
                if states[rival.name] != rival.bid.wanted:
                    held_back[rival.name] = self._reason(rival, staying, states)
        if seconds:
            self._accounts = accounts
        return Settlement(states, held_back)

    def _goes_together(self, on: Sequence[Bid]) -> bool:
        names = {bid.name for bid in on}
        for bid in on:
            if bid.conflicts and not names.isdisjoint(bid.conflicts):
                return False
        for budget, limit in self._budgets.items():
            amounts = [bid.demands[bid.wanted].get(budget, 0.0) for bid in on if bid.wanted in bid.demands]
            if amounts and math.fsum(amounts) > limit * (1 + _SLACK):
                return False
        return True

    def _decide(
        self,
        seconds: float,
        group: Sequence[_Rival],
        room: Mapping[str, int],
        accounts: dict[_Swap, tuple[float, float]],
    ) -> Mapping[str, int]:
        """Return the levels of a group of rivals, and add to `accounts` what speaks for its alternatives."""
        rivals = {rival.name: rival for rival in group}
        best = _best(group, dict.fromkeys(rivals, 0), room) or {}
        found: _Swap = ()
        if all(best[rival.name] >= rival.held for rival in group):
            base = best
        else:
            kept = _best(group, {rival.name: rival.held for rival in group}, room)
            if kept is None:
                return best
            base = kept
            found = tuple((name, a, best[name]) for name, a in kept.items() if a != best[name])
        swaps = [swap for swap in self._accounts if swap != found and swap[0][0] in rivals]
        if len(swaps) >= _MOST_ACCOUNTS:
            swaps.remove(min(swaps, key=lambda swap: self._accounts[swap]))
        chosen: _Swap = ()
        most = 0.0
        for swap in [*swaps, found] if found else swaps:
            if any(base.get(name) != a or b not in rivals[name].worth for name, a, b in swap):
                continue
            # one that is not possible for now (a newcomer is in its way) waits, with what speaks for it
            possible = _fits(group, {**base, **{name: b for name, _, b in swap}}, room)
            difference = sum(rivals[name].worth[b] - rivals[name].worth[a] for name, a, b in swap)
            now = seconds * difference / _UNIT if possible else 0.0
            advantage, largest = self._accounts.get(swap, (0.0, 0.0))
            advantage, largest = advantage + now, max(largest, now)
            if advantage <= 0:
                continue
            accounts[swap] = advantage, largest
            cost = math.fsum(rivals[name].bid.switch for name, _, _ in swap)
            if possible and advantage > most and advantage * (1 + _SLACK) >= 2 * max(cost, largest):
                chosen, most = swap, advantage
        if not chosen:
            return base
        # what the swap leaves room for goes on with it
        return _best(group, {**base, **{name: b for name, _, b in chosen}}, room) or base

    def _reason(self, rival: _Rival, others: Sequence[Bid], states: Mapping[str, str]) -> str:
        """Say what keeps a rival from the state it wants, the others being where they are."""
        reasons = [
            f"conflicts with {other.name}{' (pinned)' if other.pinned else ''}"
            for other in others
            if other.name in rival.foes
        ]
        wanted = rival.bid.wanted
        for budget, share in _shares(rival.bid, wanted, self._budgets).items():
            rest = [other for other in others if other.name != rival.name]
            if share + sum(_shares(other, states[other.name], self._budgets).get(budget, 0) for other in rest) > _FULL:
                amounts = [other.demands.get(states[other.name], {}).get(budget, 0.0) for other in rest]
                total = math.fsum([rival.bid.demands[wanted][budget], *amounts])
                by_pins = math.fsum(amount for other, amount in zip(rest, amounts, strict=True) if other.pinned)
                reasons.append(
                    f"budget {budget}: {total:g} of {self._budgets[budget]:g} wanted"
                    + (f", {by_pins:g} of it pinned" if by_pins else "")
                )
        return "; ".join(reasons)


def _groups(rivals: Sequence[_Rival], room: Mapping[str, int]) -> list[list[_Rival]]:
    """Part the rivals into groups that have nothing to share out between them."""
    most = [{b: max(s.get(b, 0) for s in rival.shares.values()) for b in room} for rival in rivals]
    tight = {budget for budget in room if sum(shares[budget] for shares in most) > room[budget]}
    groups: list[tuple[set[object], list[_Rival]]] = []
    for rival, shares in zip(rivals, most, strict=True):
        stakes: set[object] = {frozenset((rival.name, foe)) for foe in rival.foes}
        stakes |= {budget for budget in tight if shares[budget]}
        linked = [group for group in groups if group[0] & stakes]
        groups = [group for group in groups if not group[0] & stakes]
        groups.append((stakes.union(*(s for s, _ in linked)), [*(r for _, members in linked for r in members), rival]))
    place = {rival.name: i for i, rival in enumerate(rivals)}
    return [sorted(members, key=lambda rival: place[rival.name]) for _, members in groups]


def _fits(group: Sequence[_Rival], levels: Mapping[str, int], room: Mapping[str, int]) -> bool:
    on = {rival.name for rival in group if levels[rival.name]}
    takes = [rival.shares[levels[rival.name]] for rival in group]
    return all(on.isdisjoint(rival.foes) for rival in group if rival.name in on) and all(
        sum(shares.get(budget, 0) for shares in takes) <= max(left, 0) for budget, left in room.items()
    )


def _best(group: Sequence[_Rival], floors: Mapping[str, int], room: Mapping[str, int]) -> dict[str, int] | None:
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
