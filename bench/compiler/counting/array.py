"""The array that counts: whatever NumPy does with it passes through here and is added to its `Counter`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .counter import Counter, arrays_in, mark, plain, stored


class CountedArray(np.ndarray):
    """An array that counts what is done with it; made by `Counter.array`."""

    counter: Counter | None = None
    #: which elements were touched; only arrays that are watched, and their views by indexing, have them
    marks: np.ndarray | None = None

    def __array_finalize__(self, parent: Any) -> None:
        self.counter = getattr(parent, "counter", None)
        self.marks = None

    def __reduce__(self) -> Any:
        return plain(self).__reduce__()

    def __getitem__(self, index: Any) -> Any:
        index = plain(index)
        found = super().__getitem__(index)
        if self.counter is None:
            return found
        marks = None if self.marks is None else self.marks[index]
        if isinstance(found, np.ndarray) and found.ndim and np.may_share_memory(found, self):
            found.marks = marks  # type: ignore[attr-defined]
            return found
        self.counter.read += found.nbytes
        if self.marks is not None:
            self.marks[index] = True
        if isinstance(found, np.ndarray):
            self.counter.written += found.nbytes
            return self._owned(found)
        return found

    def _owned(self, array: np.ndarray) -> CountedArray:
        """Return a new array, counted and owning its data as it would uncounted: Dask copies what does not."""
        made = np.ndarray.__new__(CountedArray, array.shape, array.dtype)
        made.counter = self.counter
        plain(made)[...] = plain(array)
        return made

    def __setitem__(self, index: Any, value: Any) -> None:
        index, bare = plain(index), plain(value)
        plain(self)[index] = bare
        if self.counter is not None:
            self.counter.written += plain(self)[index].nbytes
            self.counter.read += sum(stored(array) for array in arrays_in(bare))
            if self.marks is not None:
                self.marks[index] = True

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        counter = _counter_of((inputs, out or ()))
        options = {name: plain(value) for name, value in options.items()}
        if out is not None:
            options["out"] = plain(out)
        bare = plain(inputs)
        result = getattr(ufunc, method)(*bare, **options)
        if counter is None:
            return result
        outputs = result if isinstance(result, tuple) else (result,)
        kinds = [np.asarray(each).dtype.kind for each in (*bare, *outputs) if each is not None]
        kind = "c" if "c" in kinds else "f" if "f" in kinds else "i"
        counter.elementwise(ufunc.__name__, _operations(ufunc, method, bare, outputs), kind)
        counter.moved(bare, outputs if method != "at" else bare[:1])
        mark(inputs)
        if out is not None:
            return out[0] if len(out) == 1 else out
        return counter.wrap(result)

    def __array_function__(self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        from .calls import call

        return call(_counter_of((args, kwargs)), function, args, kwargs)

    def astype(self, dtype: Any, *args: Any, copy: bool = True, **options: Any) -> Any:
        """Convert: read and written once, where anything is copied."""
        return self._copied(super().astype(dtype, *args, copy=copy, **options))

    def copy(self, order: Any = "C") -> Any:
        """Copy: read and written once."""
        return self._copied(super().copy(order))

    def flatten(self, order: Any = "C") -> Any:
        """Copy, in one dimension."""
        return self._copied(super().flatten(order))

    def reshape(self, *shape: Any, **options: Any) -> Any:
        """Reshape: a view, or else read and written once."""
        return self._copied(super().reshape(*shape, **options))

    def ravel(self, order: Any = "C") -> Any:
        """Reshape to one dimension."""
        return self._copied(super().ravel(order))

    def sort(self, *args: Any, **kwargs: Any) -> None:
        """Sort in place, counted as `numpy.sort`."""
        self[...] = plain(np.sort(self, *args, **kwargs))

    def _copied(self, result: Any) -> Any:
        if self.counter is not None and not np.may_share_memory(result, self):
            self.counter.moved(self, result)
            if result.dtype != self.dtype:
                self.counter.elementwise("astype", self.size, "i")
            mark(self)
        return result


def _as_function(name: str) -> Any:
    """Return a method that is counted as the function of NumPy of the same name."""

    def method(self: CountedArray, *args: Any, **kwargs: Any) -> Any:
        from .calls import call

        return call(self.counter, getattr(np, name), (self, *args), kwargs)

    return method


for _name in ("dot", "take", "argmax", "argmin", "argsort", "partition", "searchsorted", "nonzero", "repeat"):
    setattr(CountedArray, _name, _as_function(_name))


def _counter_of(thing: Any) -> Counter | None:
    found = [array.counter for array in arrays_in(thing) if isinstance(array, CountedArray) and array.counter]
    return found[0] if found else None


def _operations(ufunc: np.ufunc, method: str, inputs: Any, outputs: Any) -> int:
    """Return how many times a ufunc's operation was done."""
    size = sum(np.size(each) for each in outputs[:1] if each is not None)
    if ufunc is np.matmul:
        return 2 * size * np.shape(inputs[0])[-1]
    if ufunc.__name__ in ("vecdot", "matvec", "vecmat"):
        return 2 * size * np.shape(inputs[-1])[-1 if ufunc.__name__ != "vecmat" else -2]
    if method in ("reduce", "accumulate", "reduceat"):
        return int(np.size(inputs[0]))
    if method == "at":
        return int(np.size(inputs[1]))
    return int(size)
