"""Infers the types of whole graphs, a task group at a time, from one representative of each.

Values are kept by key. Of many inputs from one group only those at its ends are interpreted, and of a group of
which several tasks were alike no others: these are taken to be like them, and the confidence says so. Ask for
groups in the order in which they can run (Dask's priority): then what a task needs is mostly there already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distributed.utils import key_split_group

from asafess.compiler.abstract.parts import Inferred
from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf
from asafess.compiler.infer import found_type, infer
from asafess.compiler.per_byte import of_size, per_byte, unsized
from asafess.compiler.rules.exchange import Exchanged
from asafess.core.found_type import FoundType

#: tasks that are interpreted to find the type of one; what is left over is kept for others, up to the second number
BUDGET, SAVED = 20, 100
#: inputs from one group that are interpreted one by one; of more, those with the least and the greatest key, and if
#: these are alike they stand for the others
FEW = 3
#: tasks of a group that were all alike, after which those that are not looked at are taken to be like them
ALIKE = 4
#: confidence where inputs are taken to be like others of the same group: of the same task, or of the whole group
NEIGHBOURS, REPRESENTED = 0.95, 0.8
#: values kept; when there are more, the oldest half is forgotten
KEPT = 50_000
#: key → abstract value, and how sure it is
Values = dict[Any, tuple[Any, float]]


class TypeInference:
    """Finds task types by interpreting a graph that is given node by node.

    Parameters
    ----------
    lookup : callable
        Key → node of the graph, or None where it has been forgotten.
    nbytes_of : callable, optional
        Key → bytes of its result, None while nobody knows them.

    Examples
    --------
    >>> import dask.array as da
    >>> graph = dict(da.ones((8, 8), chunks=4).sum(axis=0).__dask_graph__())
    >>> from dask._task_spec import convert_legacy_graph
    >>> types = TypeInference(convert_legacy_graph(graph).get)
    >>> key = next(key for key in graph if "sum-aggregate" in key[0])
    >>> types.found(key).type.loads["compute"]
    8.0
    """

    def __init__(self, lookup: Callable[[Any], Any], nbytes_of: Callable[[Any], float | None] | None = None) -> None:
        self._lookup = lookup
        self._nbytes_of = nbytes_of or (lambda key: None)
        #: key → abstract value and how sure it is
        self._values: dict[Any, tuple[Any, float]] = {}
        #: group → value of its first task that was interpreted, and how many were like it; 0 once one was not
        self._groups: dict[Any, tuple[Any, float, int]] = {}
        self._left = SAVED

    def __len__(self) -> int:
        return len(self._values)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
        self._groups.clear()

    def found(self, key: Any, name: str | None = None) -> FoundType | None:
        """Return the task type of a task, None where it can't be derived. Never raises.

        Parameters
        ----------
        key : hashable
            Of the task.
        name : str, optional
            Of the type; else that of the task's group.

        Notes
        -----
        Where the size of an input is not known yet but the loads grow in proportion to it, the type has
        loads *per byte* of input, so the scheduler completes it when the sizes are there.
        """
        try:
            return self._found(key, name or key_split_group(key))
        except Exception:  # a key, a lookup or a node may do anything
            return None

    def inferred(self, key: Any) -> Inferred:
        """Return what a task does."""
        node = self._lookup(key)
        return Inferred() if node is None else self._interpret(key, node)[0]

    def value(self, key: Any) -> Any:
        """Return the abstract value of a task's result."""
        kept = self._values.get(key)
        return self.inferred(key).value if kept is None else kept[0]

    def _found(self, key: Any, name: str) -> FoundType | None:
        node = self._lookup(key)
        if node is None:
            return None
        inferred, values = self._interpret(key, node)
        confidence = min((sure for _, sure in values.values()), default=1.0)
        found = found_type(inferred, name, confidence)
        if found is not None or not values or inferred.known:
            return found
        return per_byte(node, {one: value for one, (value, _) in values.items()}, name, confidence)

    def _interpret(self, key: Any, node: Any) -> tuple[Inferred, Values]:
        """Interpret a task after what leads to it, as far as the budget goes."""
        self._left = min(SAVED, self._left + BUDGET)
        if node.dependencies:
            inferred, values = self._after(key, node, False)
        else:
            self._left -= 1
            inferred, values = infer(node, _nothing), {}
        if not inferred.known and any(
            one not in self._values and not unsized(value) for one, (value, _) in values.items()
        ):
            inferred, values = self._after(key, node, True)  # inputs were not as alike as they seemed
        self._keep(key, inferred, values)
        return inferred, values

    def _after(self, key: Any, node: Any, every: bool) -> tuple[Inferred, Values]:
        """Interpret a task after what it needs, or after every one of its inputs."""
        stack = [key]
        while self._left > 0:
            top = stack[-1]
            inner = node if top == key else None if top in self._values else self._lookup(top)
            needed = [] if inner is None else self._needed(inner.dependencies, every and top == key)
            if needed and len(stack) < self._left:
                stack += needed
                continue
            stack.pop()
            if not stack:
                break
            if inner is not None:
                self._left -= 1
                self._keep(top, *_infer(inner, self._inputs(inner.dependencies)))
        return _infer(node, self._inputs(node.dependencies))

    def _needed(self, keys: Any, every: bool) -> list[Any]:
        """Return the keys that have to be interpreted: of many of one group those at its ends, if they are alike."""
        if every:
            return [key for key in keys if key not in self._values and self._lookup(key) is not None]
        needed = {key: None for key in keys if key not in self._values and not self._like_others(key)}
        if len(needed) <= FEW:
            return [key for key in needed if self._lookup(key) is not None]
        groups: dict[Any, list[Any]] = {}
        for key in keys:
            groups.setdefault(_group(key), []).append(key)
        found = []
        for members in groups.values():
            if len(members) > FEW:
                ends = [min(members), max(members)]
                open_ = [key for key in ends if key in needed]
                if (
                    open_
                    or any(key not in self._values for key in ends)
                    or _alike(self._values[ends[0]][0], self._values[ends[1]][0])
                ):
                    found += open_
                    continue
            found += [key for key in members if key in needed]
        return [key for key in found if self._lookup(key) is not None]

    def _like_others(self, key: Any) -> bool:
        """Say whether all tasks of a key's group that were interpreted, enough of them, were alike."""
        return self._groups.get(_group(key), (UNKNOWN, 1.0, 0))[2] >= ALIKE

    def _inputs(self, keys: Any) -> Values:
        """Return the values of a task's inputs, as far as they are known now."""
        values: Values = {}
        missing = []
        alike: dict[Any, tuple[Any, float]] = {}
        for key in keys:
            found = self._values.get(key)
            if found is None:
                missing.append(key)
            else:
                values[key] = alike[_group(key)] = found
        for key in missing:
            group = _group(key)
            if group in alike:  # its neighbours in the same task
                value, sure = alike[group]
                values[key] = value, min(sure, NEIGHBOURS)
            else:
                value, sure, like = self._groups.get(group, (UNKNOWN, 1.0, 0))
                values[key] = value, min(sure, NEIGHBOURS if like >= ALIKE else REPRESENTED)
        for key, (value, sure) in values.items():
            nbytes = self._nbytes_of(key) if unsized(value) else None
            if nbytes is not None:
                values[key] = of_size(value, float(nbytes)), min(sure, REPRESENTED if value is UNKNOWN else 1.0)
        return values

    def _keep(self, key: Any, inferred: Inferred, values: Values) -> None:
        if len(self._values) >= KEPT:
            for old in list(self._values)[: KEPT // 2]:
                del self._values[old]
        kept = inferred.value, min((sure for _, sure in values.values()), default=1.0)
        self._values[key] = kept
        if inferred.value is not UNKNOWN:
            if len(self._groups) >= KEPT:
                self._groups.clear()
            group = _group(key)
            value, sure, like = self._groups.get(group, (*kept, -1))
            like = 1 if like == -1 else like + 1 if like and _alike(value, inferred.value) else 0
            self._groups[group] = value, sure, like


def _nothing(key: Any) -> Any:
    return UNKNOWN


def _infer(node: Any, values: Values) -> tuple[Inferred, Values]:
    return infer(node, {key: value for key, (value, _) in values.items()}.get), values


def _alike(one: Any, other: Any) -> bool:
    """Say whether two values are equal, of those that can be compared without asking anyone else's code."""
    if one is other:
        return True  # nothing is known of either, for one
    if type(one) is not type(other):
        return False
    if isinstance(one, Exchanged):
        return one.spec is other.spec and _alike(one.piece, other.piece)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return isinstance(one, ArrayOf | FrameOf | int) and one == other


def _group(key: Any) -> Any:
    """Return what keys of a group have in common; cheaper than Dask's name of it, which is a part of that."""
    return key[0] if type(key) is tuple else key_split_group(key)
