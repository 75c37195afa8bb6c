"""Expressions of Python over abstract values, from their syntax trees.

Python's own numbers and containers are what they will be; what is done to arrays is left to the rules.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from asafess.compiler.abstract.values import UNKNOWN, ArrayOf, FrameOf, Unknown
from asafess.compiler.own_values import BINARY, COMPARE, MOST_ITEMS, UNARY, bounded, limited, own, short
from asafess.compiler.rules.table import METHODS

if TYPE_CHECKING:
    from asafess.compiler.plain import FunctionInterpreter

#: functions of Python that are called where all arguments are numbers or containers of such
_CALLED = (range, min, max, abs, int, float, bool, len, round, tuple, list, slice, sum, divmod)
_ITERATORS = (enumerate, zip, reversed)
#: what is asked of an array without calling it
_ATTRIBUTES = ("shape", "dtype", "nbytes", "size", "ndim")


#: containers that are looked into: of a subclass even a look may be the user's code, and change it
_OWN = (tuple, list, dict, str, range)


class Expressions:
    """Expressions in one call of a function; statements assign to its variables.

    Parameters
    ----------
    on : FunctionInterpreter
        Calls what they call.
    function : function
    names : dict
        Arguments and other local variables → abstract values.
    """

    def __init__(self, on: FunctionInterpreter, function: FunctionType, names: dict[str, Any]) -> None:
        self.on = on
        self.function = function
        self.names = names
        #: lists that this call has made: others may be the user's
        self.made: list[list[Any]] = []

    def assign(self, target: ast.expr, value: Any) -> None:
        """Give a variable, or several, a value."""
        if isinstance(target, ast.Name):
            self.names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List) and type(value) in (tuple, list):
            for one, item in zip(target.elts, value, strict=True):
                self.assign(one, item)
        else:
            raise Unknown(f"assigning to `{ast.unparse(target)}`")

    def value(self, node: ast.expr) -> Any:
        """Return the abstract value of an expression."""
        self.on.step()
        found = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if found is None:
            raise Unknown(f"`{ast.unparse(node)}` is not followed")
        return found(node)

    def _of_constant(self, node: ast.Constant) -> Any:
        return node.value

    def _of_name(self, node: ast.Name) -> Any:
        function = self.function
        if node.id in self.names:
            return self.names[node.id]
        if node.id in function.__code__.co_varnames:
            raise Unknown(f"{node.id} has no value yet")
        if node.id in function.__code__.co_freevars:
            cell = (function.__closure__ or ())[function.__code__.co_freevars.index(node.id)]
            return self.on.node(cell.cell_contents)
        builtins = function.__globals__.get("__builtins__", {})
        builtins = vars(builtins) if isinstance(builtins, ModuleType) else builtins
        for names in (function.__globals__, builtins):
            if node.id in names:
                return self.on.node(names[node.id])
        raise Unknown(f"nothing is called {node.id}")

    def _of_tuple(self, node: ast.Tuple) -> Any:
        return limited(tuple(self.value(item) for item in node.elts))

    def _of_list(self, node: ast.List) -> Any:
        self.made.append(limited([self.value(item) for item in node.elts]))
        return self.made[-1]

    def _of_dict(self, node: ast.Dict) -> Any:
        if not all(isinstance(key, ast.Constant) for key in node.keys):
            raise Unknown(f"`{ast.unparse(node)}` is not followed")
        values = [self.value(one) for one in node.values]
        return limited({key.value: one for key, one in zip(node.keys, values, strict=True)})  # type: ignore

    def _of_slice(self, node: ast.Slice) -> Any:
        return slice(*(None if one is None else self.value(one) for one in (node.lower, node.upper, node.step)))

    def _of_binop(self, node: ast.BinOp) -> Any:
        return self.binary(BINARY[type(node.op)], self.value(node.left), self.value(node.right))

    def _of_unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if own(value):
            return UNARY[type(node.op)](value)
        if isinstance(node.op, ast.Not):
            raise Unknown("a test that depends on data")
        return self.on.call(UNARY[type(node.op)], (value,), {})

    def _of_compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1 or type(node.ops[0]) not in COMPARE:
            raise Unknown(f"`{ast.unparse(node)}` is not followed")
        left, right, compare = self.value(node.left), self.value(node.comparators[0]), COMPARE[type(node.ops[0])]
        if isinstance(node.ops[0], ast.Is | ast.IsNot):
            if left is UNKNOWN or right is UNKNOWN:
                raise Unknown("a test that depends on data")
            return compare(left, right)
        return self.binary(compare, left, right)

    def _of_boolop(self, node: ast.BoolOp) -> Any:
        for one in node.values[:-1]:
            value = self.value(one)
            if not own(value):
                raise Unknown(f"the test `{ast.unparse(one)}` depends on data")
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return self.value(node.values[-1])

    def _of_ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.truth(node.test) else node.orelse)

    def _of_subscript(self, node: ast.Subscript) -> Any:
        value, index = self.value(node.value), self.value(node.slice)
        if type(value) in _OWN and own(index):
            return value[index]
        return self.on.call(operator.getitem, (value, index), {})

    def _of_attribute(self, node: ast.Attribute) -> Any:
        value = self.value(node.value)
        if isinstance(value, ModuleType):
            if node.attr not in vars(value):  # asking for it might import something
                raise Unknown(f"{value.__name__} has no {node.attr} yet")
            return self.on.node(vars(value)[node.attr])
        if isinstance(value, ArrayOf) and node.attr in _ATTRIBUTES:
            return self.on.apply("builtins.getattr", value, node.attr)
        if isinstance(value, ArrayOf) and node.attr in ("T", "real", "imag") and node.attr in METHODS:
            return self.on.method(node.attr, (value,), {})
        raise Unknown(f"attribute `{node.attr}` is not followed")

    def _of_listcomp(self, node: ast.ListComp | ast.GeneratorExp) -> Any:
        if len(node.generators) != 1 or node.generators[0].is_async:
            raise Unknown(f"`{ast.unparse(node)}` is not followed")
        loop, found, before = node.generators[0], [], dict(self.names)
        for item in self.items(loop.iter):
            self.assign(loop.target, item)
            if all(self.truth(test) for test in loop.ifs):
                found.append(self.value(node.elt))
        self.names = before
        self.made.append(limited(found))
        return found

    _of_generatorexp = _of_listcomp

    def _of_call(self, node: ast.Call) -> Any:
        method = None
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            if isinstance(owner, ArrayOf | FrameOf):
                method = node.func.attr
            elif node.func.attr == "append" and any(owner is one for one in self.made):
                owner.append(self.value(node.args[0]))
                limited(owner)
                return None
        args, kwargs = self._arguments(node)
        if method is not None:
            return self.on.method(method, (owner, *args), kwargs)
        function = self.value(node.func)
        if any(function is one for one in _CALLED) and all(short(arg) for arg in (*args, *kwargs.values())):
            return function(*args, **kwargs)
        if any(function is one for one in _ITERATORS) and all(type(one) in (tuple, list, range) for one in args):
            return [one for one, _ in zip(function(*args, **kwargs), range(MOST_ITEMS), strict=False)]
        return self.on.call(function, args, kwargs)

    def _arguments(self, node: ast.Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: list[Any] = []
        for arg in node.args:
            args += self.items(arg.value) if isinstance(arg, ast.Starred) else [self.value(arg)]
        kwargs: dict[str, Any] = {}
        for word in node.keywords:
            value = self.value(word.value)
            if word.arg is None and type(value) is not dict:
                raise Unknown("a call with ** of what is no dictionary")
            kwargs |= value if word.arg is None else {word.arg: value}
        return tuple(args), kwargs

    def binary(self, function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
        """Return what an operator makes of two values."""
        if not (own(left) and own(right)):
            return self.on.call(function, (left, right), {})
        if not bounded(function, left, right):
            raise Unknown("a large number, or a container that is repeated often")
        return function(left, right)

    def truth(self, node: ast.expr) -> bool:
        """Return whether a test holds; raises `Unknown` where that depends on data."""
        value = self.value(node)
        if not own(value) and type(value) not in _OWN:
            raise Unknown(f"the test `{ast.unparse(node)}` depends on data")
        return bool(value)

    def items(self, node: ast.expr) -> Any:
        """Return what a loop goes over; raises `Unknown` where that depends on data."""
        items = self.value(node)
        if type(items) not in _OWN:
            raise Unknown(f"a loop over `{ast.unparse(node)}`, which depends on data")
        return items
