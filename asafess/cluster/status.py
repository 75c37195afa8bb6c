"""What the scheduler's plugin knows, as plain data for people and their programs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any

from asafess.cluster.guard import guarded, numbers, text
from asafess.core.mode import Rates

if TYPE_CHECKING:
    from asafess.cluster.scheduler_plugin import AsafessSchedulerPlugin
    from asafess.optimizations.base import Optimization

#: task groups whose types are told
MOST_TYPES = 1000


def status_of(plugin: AsafessSchedulerPlugin, story: bool = True) -> dict[str, Any]:
    """Return what there is to know.

    Parameters
    ----------
    plugin : AsafessSchedulerPlugin
    story : bool
        With the story of all samples, which is long.

    Returns
    -------
    dict
        `states`, `controls` (who is in charge: auto, shadow, or the state pinned to), `shadows` (the states that
        optimizations in shadow would be in), `policy`, `decisions` (by optimization what was wanted last, the gain
        predicted for each state, the seconds of a switch, and what held it back), `idle` (nothing of a known type is
        scheduled: nothing is decided, and every state stays as it is until tasks come), `handed_over` (by optimization
        who was in charge when there last was something to decide, where a person has changed that since), `mode`,
        `rates` and where each is from (`rates_from`: measured, given, or stand-in), `thresholds`, `workers` and those
        that are `ready`, `switches` with causes, `story`, `trace`, `counters`, `types` (by task group the type, its
        source and confidence, and why), `untyped` (task groups without a type), `corrections` (what measurement says
        against derived types), `reports` of the workers, and the `fault` after which everything is off. `time` is on
        the clock of story and switches.
    """
    return {
        "time": monotonic(),  # that of story and switches is on the same clock
        "states": dict(plugin.controller.state.states),
        "controls": plugin.controller.controls,
        "shadows": plugin.controller.shadows,
        "policy": plugin.settings.deciding["policy"],
        "decisions": _decisions(plugin),
        "idle": plugin.controller.idle,
        "handed_over": dict(plugin.controller.handed_over),
        "mode": dict(plugin.controller.vector),
        "rates": None
        if plugin.rates is None
        else {
            "flop": plugin.rates.flop,
            "memory": plugin.rates.memory,
            "link": plugin.rates.link,
            **plugin.rates.extra,
        },
        "rates_from": {} if plugin.rates is None else _rates_from(plugin.rates, plugin.settings.rates),
        "thresholds": {one.name: _thresholds(plugin.rates, one) for one in plugin.settings.optimizations},
        "ready": sorted(plugin.ready),
        "workers": len(plugin.scheduler.workers),
        "switches": list(plugin.journal.switches),
        "story": list(plugin.journal.story) if story else [],
        "trace": plugin.journal.trace,
        "counters": {
            **plugin.controller.counters,
            "bad_types": plugin.loads.types.bad_types,
            "untyped_groups": len(plugin.loads.untyped),
            "measured_groups": plugin.loads.types.learning.counters["measured"],
            "corrected_groups": plugin.loads.types.learning.counters["corrected"],
        },
        "types": {group: found.to_dict() for group, found in islice(plugin.loads.found.items(), MOST_TYPES)},
        "untyped": sorted(islice(plugin.loads.untyped, MOST_TYPES)),
        "corrections": plugin.loads.types.learning.corrections,
        "reports": {worker: dict(report) for worker, report in plugin.measurements.reports.items()},
        "fault": plugin.fault,
    }


def _rates_from(rates: Rates, given: Mapping[str, float]) -> dict[str, str]:
    origin = {name: "given" if name in given else "measured" for name in ("flop", "memory", "link", *rates.extra)}
    if "link" not in given and rates.link == rates.memory:
        origin["link"] = "stand-in"  # a worker that is alone has no link to measure; see probe.cluster_rates
    return origin


def _thresholds(rates: Rates | None, optimization: Optimization) -> dict[str, Any]:
    try:
        # what looks like numbers to users' code need not be what a message can hold
        return {} if rates is None else guarded(lambda: numbers(optimization.thresholds(rates)))
    except Exception as error:
        return {"error": text(error)}  # whoever asks for the status wants to see the rest


def _decisions(plugin: AsafessSchedulerPlugin) -> dict[str, Any]:
    moment = plugin.controller.moment
    if moment is None:
        return {}
    return {
        name: {
            "wanted": moment.wanted[name],
            "gain": seen.gain,
            "switch_seconds": seen.switch,
            "held_back": moment.held_back.get(name),
        }
        for name, seen in moment.assessments.items()
    }
