"""What of a process optimizations change, and whether it is as before.

A picture of a process is made in the process itself and sent as text, so it works on workers wherever they are.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from asafess.testing.same import identical

#: section → name → value, as text
Picture = Mapping[str, Mapping[str, Any]]

#: what may have grown, as long as what was there is what it was: data that was written is still to be read, and a
#: library that was loaded brings its pool of threads and filters of warnings
GROWING = (
    "Dask's compression",
    "Dask's serializer",
    "Dask's deserializer",
    "Dask's serializer family",
    "thread pool",
    "warning filter",
)
#: of this section the values are the author's, and compared as such
AUTHOR = "your"


def picture(snapshot: Callable[[], Any] | None = None) -> dict[str, dict[str, Any]]:
    """Return what there is to compare of this process.

    Parameters
    ----------
    snapshot : callable, optional
        Returns what else is to be the same.

    Examples
    --------
    >>> import os
    >>> before = picture()
    >>> os.environ["MY_UNIT"] = "on"
    >>> differences(before, picture())
    ["environment variable MY_UNIT was not there and is 'on'"]
    >>> del os.environ["MY_UNIT"]
    >>> differences(before, picture())
    []
    """
    import dask.config
    from distributed.protocol.compression import compressions

    pools = _pools()  # first: importing threadpoolctl sets an environment variable
    protocol = sys.modules["distributed.protocol.serialize"]  # its package has a function of this name
    seen: dict[str, dict[str, Any]] = {
        "environment variable": {name: repr(value) for name, value in os.environ.items()},
        "Dask's setting": {name: repr(value) for name, value in _flat("", dask.config.config)},
        "Python's": {
            "garbage collector": f"{gc.isenabled()} with thresholds {gc.get_threshold()}",
            "switch interval": repr(sys.getswitchinterval()),
            "recursion limit": repr(sys.getrecursionlimit()),
            "working directory": repr(os.getcwd()),
            "socket timeout": repr(socket.getdefaulttimeout()),
        },
        "Dask's compression": {str(name): repr(one) for name, one in compressions.items()},
        "Dask's serializer": _dispatch(protocol.dask_serialize),
        "Dask's deserializer": _dispatch(protocol.dask_deserialize),
        "Dask's serializer family": {str(name): repr(one) for name, one in protocol.families.items()},
        "thread pool": pools,
        "warning filter": {repr(one): "there" for one in warnings.filters},
    }
    if "numpy" in sys.modules:
        seen["NumPy's errors"] = {name: repr(one) for name, one in sys.modules["numpy"].geterr().items()}
    if snapshot is not None:
        seen[AUTHOR] = {"snapshot()": snapshot()}
    return seen


def differences(before: Picture, after: Picture) -> list[str]:
    """Return what of a process is not as it was; see `picture`."""
    return [
        f"{section} {name} was {_said(before, section, name)} and is {_said(after, section, name)}"
        for section in before
        for name in {**before[section], **after.get(section, {})}
        if (name in before[section] or section not in GROWING)
        and not _same(section, before[section], after.get(section, {}), name)
    ]


def _same(section: str, before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> bool:
    if name not in before or name not in after:
        return False
    return identical(before[name], after[name]) if section == AUTHOR else bool(before[name] == after[name])


def _said(seen: Picture, section: str, name: str) -> str:
    return str(seen[section][name])[:200] if name in seen.get(section, {}) else "not there"


def _flat(prefix: str, values: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}", value


def _dispatch(function: Any) -> dict[str, str]:
    """Return what handles each type, but for lookups that Dask has cached: those are for subclasses."""
    return {f"of {cls.__module__}.{cls.__qualname__}": repr(one) for cls, one in function._lookup.items()}


def _pools() -> dict[str, str]:
    """Return the number of threads of each library that is loaded, where threadpoolctl is installed."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {}
    return {pool["filepath"]: f"of {pool['num_threads']} threads" for pool in threadpool_info()}
