"""Whether an optimization takes the arguments that the configuration has for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any


def check_names(name: str, factory: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
    """Refuse arguments of unknown names.

    Parameters
    ----------
    name : str
        Of the optimization.
    factory : callable
        Its class, or what makes one; of which nothing can be said where it has no signature.
    arguments : mapping
        As the configuration has them, with underscores.

    Raises
    ------
    TypeError
        There is no such argument; the message says what there is.

    Examples
    --------
    >>> check_names("mine", lambda alpha=1.0: None, {"alpha": 2})
    >>> check_names("mine", lambda alpha=1.0: None, {"aplha": 2})
    Traceback (most recent call last):
    ...
    TypeError: unknown setting asafess.mine.aplha = 2; allowed: alpha
    >>> check_names("mine", lambda: None, {"alpha": 2})
    Traceback (most recent call last):
    ...
    TypeError: unknown setting asafess.mine.alpha = 2; mine has no settings: leave it out
    """
    try:
        parameters = signature(factory).parameters.values()
    except (TypeError, ValueError):
        return
    if any(one.kind is Parameter.VAR_KEYWORD for one in parameters):
        return
    allowed = [one.name for one in parameters if one.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)]
    for key, value in arguments.items():
        if key not in allowed:
            what = f"allowed: {', '.join(allowed)}" if allowed else f"{name} has no settings: leave it out"
            raise TypeError(f"unknown setting asafess.{name}.{key} = {value!r}; {what}")
