"""What of all wishes is done: conflicts and budgets first, then the limit of switches per minute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from asafess.core.arbiter import Arbiter
from asafess.core.bid import Bid, Settlement
from asafess.core.switch_limit import SwitchLimit


def settle(arbiter: Arbiter, limit: SwitchLimit, time: float, seconds: float, bids: Sequence[Bid]) -> Settlement:
    """Return the states to be in, and why some wishes are not granted.

    What the limit holds back stays where it is, and the others make do with that. Pins are not held back.

    Parameters
    ----------
    arbiter : Arbiter
    limit : SwitchLimit
    time, seconds : float
        When, and how long the gains of the bids hold.
    bids : sequence of Bid
        Those to be preferred first.

    Examples
    --------
    >>> limit = SwitchLimit(1)
    >>> bids = [Bid(name, ("off", "on"), "off", "on") for name in ("a", "b")]
    >>> settle(Arbiter(), limit, 0.0, 0.05, bids)
    Settlement(states={'a': 'on', 'b': 'off'}, held_back={'b': 'limit of switches per minute'})
    """
    settled = arbiter.settle(seconds, bids)
    left = int(min(limit.left(time), len(bids)))
    stay: dict[str, Bid] = {}
    while late := _switching(bids, settled, stay)[left:]:
        stay.update((bid.name, replace(bid, wanted=bid.present)) for bid in late)
        settled = arbiter.settle(0.0, [stay.get(bid.name, bid) for bid in bids])
    if not stay:
        return settled
    return Settlement(settled.states, {**dict.fromkeys(stay, "limit of switches per minute"), **settled.held_back})


def _switching(bids: Sequence[Bid], settled: Settlement, stay: Mapping[str, Bid]) -> list[Bid]:
    """Return the bids that policies, not persons, would have switched."""
    return [bid for bid in bids if not bid.pinned and bid.name not in stay and settled.states[bid.name] != bid.present]
