"""A call inside a kernel, as the rules of what is called see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from numba.core import types
from sympy import Expr, Integer

from asafess.compiler.kernel.study import Work
from asafess.compiler.kernel.values import Array, NotCountedError, fresh

if TYPE_CHECKING:
    from asafess.compiler.kernel.frame import Frame
from asafess.compiler.kernel.arithmetic import count


@dataclass
class Call:
    """One call: values of its arguments, type of its result, and the work that the rule finds."""

    frame: Frame
    args: list[Any]
    kws: dict[str, Any]
    result: Any
    statement: Any
    label: int
    work: Work = field(default_factory=Work)

    def arg(self, at: int, name: str = "", default: Any = None) -> Any:
        """Return an argument by position or name."""
        if at < len(self.args):
            return self.args[at]
        return self.kws.get(name, default)

    def array(self, at: int = 0, name: str = "a") -> Array:
        """Return an argument that must be an array."""
        value = self.arg(at, name)
        if isinstance(value, tuple):
            dims: tuple[Expr, ...] = (Integer(len(value)),)
            return fresh("tuple", dims, getattr(self.result, "dtype", types.float64))
        if not isinstance(value, Array):
            raise NotCountedError("an argument that is no array")
        return value

    def new(self, dims: tuple[Any, ...], dtype: Any = None) -> Array:
        """Return the call's result: a new array."""
        sizes = tuple(
            self.frame.size(dim, self.label, (id(self.statement), at), f"size on line {self.statement.loc.line}")
            for at, dim in enumerate(dims)
        )
        dtype = self.result.dtype if dtype is None else dtype
        return fresh(f"array of line {self.statement.loc.line}.{self.frame.study.unique('t').name}", sizes, dtype)

    def count(self, name: str | None, times: Any, dtype: Any = None, values: Any = ()) -> None:
        """Count floating-point operations on numbers of this type (the result's, if not given)."""
        dtype = getattr(self.result, "dtype", self.result) if dtype is None else dtype
        count(self.work, name, dtype, times, values)


Rule = Callable[[Call], Any]
