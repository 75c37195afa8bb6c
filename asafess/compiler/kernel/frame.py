"""What each variable of a kernel holds, as an expression over sizes, scalar arguments and loop counters.

Variables are assigned once (Numba's SSA form), so a variable is looked at when it is asked for. What a loop carries
along is followed where it grows by the same expression each turn; everything else is unknown (None).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import ir, types
from sympy import Dummy, Expr, Integer, Rational, Symbol

from asafess.compiler.kernel.carried import after_loop, carried, merged
from asafess.compiler.kernel.conditions import conditions_before, data_expression
from asafess.compiler.kernel.flow import Flow
from asafess.compiler.kernel.ir import Typed
from asafess.compiler.kernel.loops import trips_of_test
from asafess.compiler.kernel.statements import outcome
from asafess.compiler.kernel.study import Loop, Study, Work
from asafess.compiler.kernel.values import Element, Known, NotCountedError, fresh

#: a variable that is being worked out
_OPEN = object()


class Frame:
    """One call of a kernel with known arguments.

    Parameters
    ----------
    typed : Typed
        The kernel.
    args : tuple
        Values of its arguments.
    study : Study
        Collects symbols and estimates.
    outer : tuple of Loop
        Loops around the call.
    """

    def __init__(self, typed: Typed, args: tuple[Any, ...], study: Study, outer: tuple[Loop, ...] = ()) -> None:
        self.typed = typed
        self.args = args
        self.study = study
        self.outer = outer
        self.flow = Flow(typed.blocks)
        self.work: dict[str, Work] = {}
        self._memo: dict[Any, Any] = {}
        study.frames += 1
        self._defined: dict[str, tuple[Any, int]] = {}
        for label, block in typed.blocks.items():
            for statement in block.body:
                if isinstance(statement, ir.Assign):
                    self._defined[statement.target.name] = (statement, label)

    def error(self, loc: Any, what: str) -> NotCountedError:
        """Return the error that says what can't be counted, and where."""
        return NotCountedError(f"{self.typed.name}, line {getattr(loc, 'line', '?')}: {what}")

    def value(self, name: str) -> Any:
        """Return what a variable holds, in terms of the counters of the loops around its assignment."""
        if name not in self._memo:
            if name not in self._defined:
                return None
            self._memo[name] = _OPEN
            statement, label = self._defined[name]
            try:
                self._memo[name] = self._assigned(statement, label)
            except NotCountedError as error:
                if " line " in str(error):
                    raise
                raise self.error(statement.loc, str(error)) from None
        value = self._memo[name]
        return None if value is _OPEN else value

    def use(self, variable: Any, label: int) -> Any:
        """Return what a variable holds where block `label` reads it."""
        if not isinstance(variable, ir.Var):
            return self.constant(variable)
        name = variable.name
        value = self.value(name)
        if value is None or name not in self._defined:
            return value
        made = self._defined[name][1]
        for header in reversed(self.flow.around[made]):
            if label not in self.flow.loops[header].body:
                value = after_loop(self, value, header, made)
        return value

    def type_of(self, variable: Any) -> Any:
        """Return the Numba type of a variable."""
        return types.unliteral(self.typed.typemap[variable.name])

    def constant(self, value: Any) -> Any:
        """Return a Python object as a value."""
        if isinstance(value, bool | np.bool_):
            return Integer(int(value))
        if isinstance(value, int | np.integer):
            return Integer(int(value))
        if isinstance(value, float | np.floating):
            small = bool(np.isfinite(value)) and abs(float(value)) < 1e9 and float(value * 64).is_integer()
            return Rational(int(value * 64), 64) if small else None
        if isinstance(value, tuple):
            return tuple(self.constant(item) for item in value)
        if isinstance(value, np.ndarray):
            from numba import from_dtype

            return fresh(f"constant {id(value)}", tuple(map(Integer, value.shape)), from_dtype(value.dtype))
        return Known(value)

    def loops(self, label: int) -> tuple[Loop, ...]:
        """Return the loops around a block, outermost first."""
        return (*self.outer, *(self.loop(header) for header in self.flow.around[label]))

    def size(self, value: Any, label: int, key: Any, what: str, share: bool = False) -> Expr:
        """Return a number that sums can be taken over: as it is, or the symbol of its mean."""
        if isinstance(value, Expr) and not value.has(Element, Dummy):
            return value
        expr = value if isinstance(value, Expr) and not value.has(Dummy) else None
        return self._estimate(key, what, expr, label, self.loops(label), share)

    def _estimate(
        self, key: Any, what: str, expr: Expr | None, label: int, loops: tuple[Loop, ...], share: bool = False
    ) -> Symbol:
        given = conditions_before(self, label) if expr is not None else None
        return self.study.estimate(
            (id(self), key), what, expr if given is not None else None, loops, given or (), share
        )

    def share(self, condition: Any, label: int, what: str) -> Expr:
        """Return in which share of cases a condition holds: 0, 1, an indicator, or the symbol of its mean."""
        value = self.use(condition, label)
        if not isinstance(value, Expr):
            value = data_expression(self, condition, label)
            if value is not None:
                return self._estimate(("branch", label), what, value, label, self.loops(label), share=True)
        return self.size(value, label, ("branch", label), what, share=True)

    def definition(self, name: str) -> tuple[Any, int] | None:
        """Return the right side of a variable's assignment, and its block."""
        if name not in self._defined:
            return None
        statement, label = self._defined[name]
        return statement.value, label

    def is_argument(self, index: int) -> bool:
        """Say whether an argument of this call is an argument of the kernel that is being counted."""
        return not self.outer and self.study.frames == 1 and self.args[index] is None

    def loop(self, header: int) -> Loop:
        """Return a loop with its counter and how often it turns."""
        key = ("loop", header)
        if key not in self._memo:
            block = self.typed.blocks[header]
            name = self._loop_name(header)
            counter = self.counter(header)
            self._memo[key] = Loop(counter, Integer(0), block.loc.line, name)  # a cycle ends here
            trips = trips_of_test(self, header)
            where = f"{self.typed.name}, line {block.loc.line}"
            around = self.outer + tuple(self.loop(h) for h in self.flow.around[header][:-1])
            if not isinstance(trips, Expr) or trips.has(Element, Dummy):
                expr = trips if isinstance(trips, Expr) and not trips.has(Dummy) else None
                what = f"mean number of turns of the loop `{name}` ({where})"
                trips = self._estimate(header, what, expr, self._entry(header), around)
            self._memo[key] = Loop(counter, trips, block.loc.line, name)
        return self._memo[key]

    def _entry(self, header: int) -> int:
        """Return the block that leads into a loop."""
        return next(label for label in self.flow.before(header) if label not in self.flow.loops[header].body)

    def counter(self, header: int) -> Symbol:
        """Return the counter of a loop."""
        key = ("counter", header)
        if key not in self._memo:
            self._memo[key] = self.study.unique(self._loop_name(header).removeprefix("for "))
        return self._memo[key]

    def _loop_name(self, header: int) -> str:
        for label in sorted(self.flow.loops[header].body):
            if self.flow.around[label][-1] != header:
                continue
            for statement in self.typed.blocks[label].body:
                if isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Var):
                    name = statement.target.name
                    if not name.startswith("$") and statement.value.name.startswith("$phi"):
                        return f"for {name.split('.')[0]}"
        return "loop"

    def _assigned(self, statement: Any, label: int) -> Any:
        value = statement.value
        if isinstance(value, ir.Arg):
            return self.args[value.index]
        if isinstance(value, ir.Const | ir.Global | ir.FreeVar):
            return self.constant(value.value)
        if isinstance(value, ir.Var):
            return self.use(value, label)
        if isinstance(value, ir.Expr) and value.op == "phi":
            if label in self.flow.loops:
                return carried(self, statement, label)
            return merged(self, statement, label)
        if not isinstance(value, ir.Expr):
            raise NotCountedError(f"`{type(value).__name__.lower()}` is not followed")
        result, work = outcome(self, statement, label)
        if work is not None:
            self.work[statement.target.name] = work
        return result

    def with_placeholder(self, name: str, placeholder: Any, wanted: list[tuple[Any, int]]) -> list[Any]:
        """Return what variables hold if `name` holds a placeholder; what was worked out for it is forgotten."""
        opened = [key for key, known in self._memo.items() if known is _OPEN]
        for key in opened:
            del self._memo[key]
        before = set(self._memo)
        self._memo[name] = placeholder
        found = [self.use(variable, label) for variable, label in wanted]
        for key in set(self._memo) - before:
            if isinstance(key, str) or key[0] == "loop":
                del self._memo[key]
        self._memo.update(dict.fromkeys(opened, _OPEN))
        return found
