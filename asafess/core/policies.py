"""Policies by name, as the configuration gives them."""

from __future__ import annotations

from asafess.core.alpha_beta import AlphaBeta
from asafess.core.policy import Policy
from asafess.core.work_function import WorkFunction

POLICIES = ("work_function", "alpha_beta")


def make(name: str, dwell: float = 0.0, excess: float = 0.05) -> Policy:
    """Return a policy.

    Parameters
    ----------
    name : str
        One of `POLICIES`.
    dwell : float
        Seconds that `AlphaBeta` keeps a state at least.
    excess : float
        See `WorkFunction`.

    Raises
    ------
    ValueError
        An unknown name, or an excess that `WorkFunction` refuses.

    Examples
    --------
    >>> type(make("alpha_beta")).__name__
    'AlphaBeta'
    >>> make("alphabeta")
    Traceback (most recent call last):
    ...
    ValueError: unknown policy 'alphabeta'; allowed: work_function, alpha_beta
    """
    if name == "work_function":
        return WorkFunction(excess, dwell)
    if name == "alpha_beta":
        return AlphaBeta(dwell)
    raise ValueError(f"unknown policy {name!r}; allowed: {', '.join(POLICIES)}")
