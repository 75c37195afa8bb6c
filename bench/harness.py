"""One harness for every measurement: arms go in, rows come out.

The rules, so that a number of ours can be believed:

1. N is announced. Arms run once per round, in orders that are drawn (seeded) and balanced: in whole blocks of rounds
   (see `order`) each arm meets the moods of the machine, and what each other one of its round leaves behind, equally
   often.
2. Warm-up, and with it compilation, is outside the clock, and so are `prepare` and `verify`. Only `run` is timed.
3. One arm runs twice per round under two names: A against A before A against B. What separates these two is noise.
4. A run that raises, or whose result fails verification, is a failed row. It is kept, and counts as infinitely slow.

Not covered here: what rows say (`scores.py`), how they are shown (`report.py`), where they were taken
(`environment.py`).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .scores import AGAIN, WIDEST_AGAINST_ITSELF, Estimate, arm_names, estimate, half_width, paired_ratios

__all__ = ["AGAIN", "Arm", "Outcome", "Result", "measure", "order", "run_once", "write_json"]

_OWN = frozenset({"arm", "round", "order", "warmup", "seconds", "ok", "error"})


@dataclass(frozen=True)
class Outcome:
    """What a timed run hands back."""

    #: for the verifier; never recorded
    value: Any = None
    #: recorded in the row beside the seconds: bytes moved, parts of the time, switches; JSON values
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Arm:
    """One way of running the program. `run` alone is timed; it may return an `Outcome`, figures, or nothing."""

    name: str
    run: Callable[[], Outcome | Mapping[str, Any] | None]
    #: untimed, before every run of this arm, after the common one
    prepare: Callable[[], object] | None = None


#: None or True: right; False, a text or an exception: wrong; a mapping: right, and more figures for the row
Verdict = bool | str | Mapping[str, Any] | None
Verify = Callable[[Outcome], Verdict]


@dataclass(frozen=True)
class Result:
    """The rows of a measurement and what was announced before it."""

    #: one dict per run, warm-up included
    rows: list[dict[str, Any]]
    #: rounds announced, and the most they may grow to while A against A is too wide
    rounds: int
    up_to: int
    #: name of the arm that ran twice
    against_itself: str

    @property
    def itself(self) -> Estimate:
        """A against A: the second run of an arm ÷ its first, in the same round."""
        return estimate(paired_ratios(self.rows, self.against_itself + AGAIN, self.against_itself))

    @property
    def half_width(self) -> float:
        """Half-width of A against A, as a share (0.02 is ±2 %)."""
        return half_width(self.itself)

    def ratio(self, arm: str, reference: str | None = None, metric: str = "seconds") -> Estimate:
        """Return arm ÷ reference, paired per round; left out, the reference is the arm that ran twice."""
        known = arm_names(self.rows)
        reference = self.against_itself if reference is None else reference
        for name in (arm, reference):
            if name not in known:
                raise ValueError(f"no arm {name!r} was measured: there are {', '.join(known)}")
        return estimate(paired_ratios(self.rows, arm, reference, metric))


def order(names: Sequence[str], round_number: int, seed: int) -> list[str]:
    """Return the order of the arms in a round, which depends on seed and round alone.

    What an arm leaves behind (memory, connections) the next one meets. So in as many rounds as there are arms, twice
    that where their number is odd, each arm comes at each place equally often and right after each other one equally
    often: a Williams design (Aust. J. Sci. Res. A 2, 1949), with names and rounds shuffled anew each time.

    >>> sorted("".join(order(["a", "b"], number, seed=1)) for number in (0, 1))
    ['ab', 'ba']
    """
    rows = _balanced(len(names))
    block, place = divmod(round_number, len(rows))
    generator = np.random.default_rng([abs(seed), block])
    labels, turns = generator.permutation(len(names)), generator.permutation(len(rows))
    return [names[labels[i]] for i in rows[turns[place]]]


def _balanced(count: int) -> list[list[int]]:
    """Return orders of so many numbers in which each stands at each place, and behind each other, equally often."""
    first = [place // 2 + 1 if place % 2 else (count - place // 2) % count for place in range(count)]
    rows = [[(one + shift) % count for one in first] for shift in range(count)]
    return rows if count % 2 == 0 else rows + [row[::-1] for row in rows]


def _judge(verdict: Verdict) -> tuple[str | None, Mapping[str, Any]]:
    if isinstance(verdict, str):
        return verdict or "verification failed", {}
    if isinstance(verdict, Mapping):
        return None, verdict
    return (None if verdict is None or verdict else "verification failed"), {}


def _outcome(returned: Outcome | Mapping[str, Any] | None) -> Outcome:
    if isinstance(returned, Outcome):
        outcome = returned
    elif returned is None or isinstance(returned, Mapping):
        outcome = Outcome(returned, returned or {})
    else:
        raise TypeError(f"an arm returned {type(returned).__name__}: return Outcome(value, figures), figures or None")
    if taken := _OWN.intersection(outcome.figures):
        raise ValueError(f"figures {sorted(taken)} have names that a row needs itself: choose others")
    return outcome


def run_once(
    arm: Arm,
    prepare: Callable[[], object] | None = None,
    verify: Verify | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Run an arm once and return seconds, ok, error and figures. Exceptions become errors; Ctrl-C passes."""
    seconds, figures, error = None, {}, None
    try:
        for before in (prepare, arm.prepare):
            if before is not None:
                before()
        start = clock()
        returned = arm.run()
        seconds = clock() - start
        outcome = _outcome(returned)
        error, more = _judge(verify(outcome)) if verify is not None else (None, {})
        figures = {**outcome.figures, **more}
    except Exception as fault:
        error = f"{type(fault).__name__}: {fault}"
    return {**figures, "seconds": seconds, "ok": error is None, "error": error}


def measure(
    arms: Sequence[Arm],
    rounds: int = 5,
    seed: int = 1,
    verify: Verify | None = None,
    warmup: int = 1,
    prepare: Callable[[], object] | None = None,
    on_progress: Callable[[dict[str, Any]], object] | None = None,
    *,
    against_itself: str | None = None,
    up_to: int | None = None,
    on_round: Callable[[int], object] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Result:
    """Measure arms against each other.

    Parameters
    ----------
    arms
        At least one, with distinct names.
    rounds
        The announced number of timed runs of each arm.
    seed
        Of the orders.
    verify
        Untimed, after every run, warm-up included, with the run's `Outcome`. See `Verdict` for what it may return.
    warmup
        Untimed runs of each arm before the first round; their rows have ``warmup`` true and a negative round.
    prepare
        Untimed, before every run.
    on_progress
        Called with each row as it is made.
    against_itself
        The arm that runs twice per round, under its name and its name + " again". Left out: the first.
    up_to
        Rounds may be added up to this number while A against A is wider than ±3 %. The rule looks at nothing else,
        so it can't be used to wait for a better result.
    on_round
        Called, untimed, with the number of each round before it starts (−1, −2, … for warm-up): the place to draw the
        round's input, the same for all arms.
    clock
        Returns seconds.
    """
    names = [arm.name for arm in arms]
    itself = names[0] if against_itself is None and names else against_itself
    if itself not in names or len(set(names)) < len(names):
        raise ValueError(f"arms {names}: at least one, distinct, with against_itself={against_itself!r} among them")
    if itself + AGAIN in names:
        raise ValueError(f"arm {itself + AGAIN!r}: this name belongs to the second run of {itself!r}; choose another")
    limit = rounds if up_to is None else up_to
    if rounds < 1 or warmup < 0 or limit < rounds:
        raise ValueError(f"rounds={rounds}, up_to={up_to}, warmup={warmup}: 1 <= rounds <= up_to, 0 <= warmup")
    table = {arm.name: arm for arm in arms}
    twice = {**table, itself + AGAIN: table[itself]}
    rows: list[dict[str, Any]] = []

    def one_round(number: int, pool: Mapping[str, Arm], is_warmup: bool) -> None:
        if on_round is not None:
            on_round(number)
        sequence = list(pool) if is_warmup else order(list(pool), number, seed)
        for place, name in enumerate(sequence):
            done = run_once(pool[name], prepare, verify, clock)
            row = {"arm": name, "round": number, "order": place, "warmup": is_warmup, **done}
            rows.append(row)
            if on_progress is not None:
                on_progress(row)

    for number in range(-warmup, 0):
        one_round(number, table, is_warmup=True)
    result = Result(rows, rounds, limit, itself)
    for number in range(limit):
        if number >= rounds and result.half_width <= WIDEST_AGAINST_ITSELF:
            break
        one_round(number, twice, is_warmup=False)
    return result


def _plain(thing: Any) -> Any:
    """Return what JSON can hold: NumPy's numbers as Python's, what is not finite as None, keys as strings."""
    if isinstance(thing, Mapping):
        return {str(k): _plain(v) for k, v in thing.items()}
    if isinstance(thing, list | tuple | np.ndarray):
        return [_plain(v) for v in thing]
    if isinstance(thing, np.generic):
        thing = thing.item()
    if isinstance(thing, float) and not math.isfinite(thing):
        return None
    if isinstance(thing, Estimate):
        return thing.as_dict()
    return thing


def write_json(
    path: str | Path,
    summary: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    environment: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Write a measurement: ``{"summary", "rows", "environment"}`` and, where there are any, ``"events"``."""
    document = {"summary": summary, "rows": list(rows), "environment": environment}
    if events := list(events):
        document["events"] = events
    text = json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8")
