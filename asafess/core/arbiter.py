"""Several optimizations at once: conflicts, and budgets that only some of them fit.

Each optimization's policy says which state it wants. Where all of that goes together, all of it is done. Where it
does not, the arbiter decides who is on: like dark silicon, where only some units can be powered at a time (St. John
et al., ADAPT 2014, doi 10.1145/2553062.2553063). Whether being on pays is the policies' word, with their hysteresis;
gains only choose between rivals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from asafess.core.bid import Bid, Settlement
from asafess.core.rivals import FULL, SLACK, UNIT, Rival, best_levels, fits, groups_of, shares_of

#: alternatives that are followed at a time
_MOST_ACCOUNTS = 64

#: (optimization, from level, to level) of all that would change
_Swap = tuple[tuple[str, int, int], ...]


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

    A challenger that does not want to be on for a sample is none: its advantage begins anew.

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
            rivals = [Rival(bid, on, self._budgets) for bid in on if not bid.pinned]
            pins = [shares_of(bid, bid.wanted, self._budgets) for bid in on if bid.pinned]
            room = {budget: FULL - sum(shares.get(budget, 0) for shares in pins) for budget in self._budgets}
            for group in groups_of(rivals, room):
                levels = self._decide(seconds, group, room, accounts)
                states.update((rival.name, rival.bid.states[levels[rival.name]]) for rival in group)
            staying = [bid for bid in on if states[bid.name] != bid.states[0]]
            for rival in rivals:
                if states[rival.name] != rival.bid.wanted:
                    held_back[rival.name] = self._reason(rival, staying, states)
        if seconds:
            self._accounts = accounts
        return Settlement(states, held_back)

    def forget(self) -> None:
        """Take note of a sample at which nobody wanted to be elsewhere: no set has an advantage over another."""
        self._accounts = {}

    def _goes_together(self, on: Sequence[Bid]) -> bool:
        names = {bid.name for bid in on}
        for bid in on:
            if bid.conflicts and not names.isdisjoint(bid.conflicts):
                return False
        for budget, limit in self._budgets.items():
            amounts = [bid.demands[bid.wanted].get(budget, 0.0) for bid in on if bid.wanted in bid.demands]
            if amounts and math.fsum(amounts) > limit * (1 + SLACK):
                return False
        return True

    def _decide(
        self,
        seconds: float,
        group: Sequence[Rival],
        room: Mapping[str, int],
        accounts: dict[_Swap, tuple[float, float]],
    ) -> Mapping[str, int]:
        """Return the levels of a group of rivals, and add to `accounts` what speaks for its alternatives."""
        rivals = {rival.name: rival for rival in group}
        best = best_levels(group, dict.fromkeys(rivals, 0), room) or {}
        found: _Swap = ()
        if all(best[rival.name] >= rival.held for rival in group):
            base = best
        else:
            kept = best_levels(group, {rival.name: rival.held for rival in group}, room)
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
            possible = fits(group, {**base, **{name: b for name, _, b in swap}}, room)
            difference = sum(rivals[name].worth[b] - rivals[name].worth[a] for name, a, b in swap)
            now = seconds * difference / UNIT if possible else 0.0
            advantage, largest = self._accounts.get(swap, (0.0, 0.0))
            advantage, largest = advantage + now, max(largest, now)
            if advantage <= 0:
                continue
            accounts[swap] = advantage, largest
            cost = math.fsum(rivals[name].bid.switch for name, _, _ in swap)
            if possible and advantage > most and advantage * (1 + SLACK) >= 2 * max(cost, largest):
                chosen, most = swap, advantage
        if not chosen:
            return base
        # what the swap leaves room for goes on with it
        return best_levels(group, {**base, **{name: b for name, _, b in chosen}}, room) or base

    def _reason(self, rival: Rival, others: Sequence[Bid], states: Mapping[str, str]) -> str:
        """Say what keeps a rival from the state it wants, the others being where they are."""
        reasons = [
            f"conflicts with {other.name}{' (pinned)' if other.pinned else ''}"
            for other in others
            if other.name in rival.foes
        ]
        wanted = rival.bid.wanted
        for budget, share in shares_of(rival.bid, wanted, self._budgets).items():
            rest = [other for other in others if other.name != rival.name]
            if share + sum(shares_of(other, states[other.name], self._budgets).get(budget, 0) for other in rest) > FULL:
                amounts = [other.demands.get(states[other.name], {}).get(budget, 0.0) for other in rest]
                total = math.fsum([rival.bid.demands[wanted][budget], *amounts])
                by_pins = math.fsum(amount for other, amount in zip(rest, amounts, strict=True) if other.pinned)
                reasons.append(
                    f"budget {budget}: {total:g} of {self._budgets[budget]:g} wanted"
                    + (f", {by_pins:g} of it pinned" if by_pins else "")
                )
        return "; ".join(reasons)
