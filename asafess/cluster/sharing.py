"""Workers of one process share what optimizations act on: who of them is there, and what is done when one goes.

They may be workers of different clusters, each of which has optimizations and states of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asafess.cluster.guard import guarded

if TYPE_CHECKING:
    from asafess.cluster.worker_plugin import AsafessWorkerPlugin
    from asafess.optimizations.base import Optimization

logger = logging.getLogger("asafess.worker")

#: plugins of the workers of this process
_plugins_here: set[AsafessWorkerPlugin] = set()


def come(plugin: AsafessWorkerPlugin) -> None:
    """Take note of a plugin whose worker is in this process."""
    _plugins_here.add(plugin)


def go(plugin: AsafessWorkerPlugin) -> None:
    """Leave what no other worker of this process has; what another one has gets the state that it has there."""
    _plugins_here.discard(plugin)
    others = [one for one in list(_plugins_here) if _alive(one)]
    for optimization in plugin.settings.optimizations:
        theirs = {one.state_of(optimization) for one in others if _has(one, optimization.name)}
        try:
            if not theirs:
                guarded(optimization.leave)
            elif plugin.state_of(optimization) not in theirs:
                guarded(optimization.enter, min(theirs, key=optimization.states.index))
        except Exception:
            logger.exception("asafess: optimization %s failed to leave", optimization.name)


def leave(optimizations: Sequence[Optimization]) -> None:
    """Leave optimizations, whoever else has them."""
    for optimization in optimizations:
        try:
            guarded(optimization.leave)
        except Exception:
            logger.exception("asafess: optimization %s failed to leave", optimization.name)


def _alive(plugin: AsafessWorkerPlugin) -> bool:
    """Say whether its worker is there: one that was ended in a hurry may not have torn its plugins down."""
    return plugin.worker.status.name not in ("closed", "failed")


def _has(plugin: AsafessWorkerPlugin, name: str) -> bool:
    return any(one.name == name for one in plugin.settings.optimizations)
