"""Counting what a compiled kernel's own loops do: its Python source, instrumented and run.

`instrumented(f)` is `f` with each arithmetic operator, each call and each assignment of its source handed to functions
here, which do the same and count it. Elements are counted by the arrays (`counter.py`): ``a[i] += x`` reads and writes
one. An expression of arrays is one loop, as Numba compiles it: what it makes on the way is not stored, but its result
is, before it is assigned to elements or handed to a function.
"""

from __future__ import annotations

import ast
import cmath
import inspect
import math
import operator
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

from .array import CountedArray
from .counter import FREE, Counter, arrays_in, mark, plain, stored

#: name of Python's operator → name of NumPy's ufunc, and what it does
_OPERATORS: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "Add": ("add", operator.add),
    "Sub": ("subtract", operator.sub),
    "Mult": ("multiply", operator.mul),
    "Div": ("divide", operator.truediv),
    "FloorDiv": ("floor_divide", operator.floordiv),
    "Mod": ("remainder", operator.mod),
    "Pow": ("power", operator.pow),
    "MatMult": ("matmul", operator.matmul),
    "BitAnd": ("bitwise_and", operator.and_),
    "BitOr": ("bitwise_or", operator.or_),
    "BitXor": ("bitwise_xor", operator.xor),
    "LShift": ("left_shift", operator.lshift),
    "RShift": ("right_shift", operator.rshift),
}


class _Rewrite(ast.NodeTransformer):
    """Hands operators, calls and assignments to the functions of `_Counting`."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _call("binary", ast.Constant(type(node.op).__name__), node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        operator_ = ast.Constant(type(node.op).__name__)
        if isinstance(node.target, ast.Subscript):  # its index is evaluated once
            index = ast.Subscript(_name("index"), node.target.slice, ast.Load())
            return ast.Expr(_call("element", operator_, node.target.value, index, node.value))
        name = ast.Name(node.target.id, ast.Load())  # type: ignore[attr-defined]
        return ast.Assign([node.target], _call("update", operator_, name, node.value))

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.value, ast.Tuple):
            node.value = _call("result", node.value)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        self.generic_visit(node)
        if node.value is not None:
            node.value = _call("result", node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(_name("called"), [node.func, *node.args], node.keywords)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = []
        self.generic_visit(node)
        return node


def _name(name: str) -> ast.expr:
    return ast.Attribute(ast.Name("__counting__", ast.Load()), name, ast.Load())


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(_name(name), list(args), [])


class _Index:
    def __getitem__(self, index: Any) -> Any:
        return index


class _Counting:
    """What the instrumented source calls."""

    index = _Index()

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    def binary(self, operator_: str, a: Any, b: Any) -> Any:
        """Do an arithmetic operation."""
        name, function = _OPERATORS[operator_]
        if arrays_in((a, b)):
            return self._fused(function, a, b)
        result = function(a, b)
        self._scalar(name, a, b, result)
        return result

    def update(self, operator_: str, a: Any, b: Any) -> Any:
        """Do an operation in place on a name: ``total += x``, or ``a *= 2`` of a whole array."""
        if not isinstance(a, np.ndarray):
            return self.binary(operator_, a, b)
        plain(a)[...] = plain(self.binary(operator_, a, b))
        self.counter.written += stored(a)
        mark(a)
        return a

    def element(self, operator_: str, array: Any, index: Any, value: Any) -> None:
        """Do an operation in place on elements."""
        array[index] = self.result(self.binary(operator_, array[index], value))

    def called(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function."""
        if hasattr(function, "py_func"):  # another kernel
            return instrumented(function, self.counter)(*map(self.result, args), **kwargs)
        if arrays_in(args):
            if not isinstance(function, np.ufunc):
                args = tuple(map(self.result, args))
            return self._fused(function, *args, **kwargs)
        result = function(*args, **kwargs)
        module = getattr(function, "__module__", None)
        if isinstance(function, np.ufunc) or module in (math.__name__, cmath.__name__):
            self._scalar(function.__name__, *args, result)
        elif function in (min, max) and any(isinstance(arg, float | np.floating) for arg in args):
            self._scalar("minimum", *args)
        return result

    def result(self, value: Any) -> Any:
        """Store the result of an expression: from now on it is an array like any other."""
        if type(value) is np.ndarray and value.ndim:
            self.counter.written += stored(value)
            return self.counter.array(value)
        return value

    def _scalar(self, name: str, *numbers: Any) -> None:
        if any(isinstance(number, complex | np.complexfloating) for number in numbers):
            self.counter.elementwise(name, 1, "c")
        elif any(isinstance(number, float | np.floating) for number in numbers) and name not in _FREE_CALLS:
            self.counter.elementwise(name if name != "power" or not _small(numbers[1]) else "multiply", 1, "f")

    def _fused(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Do an operation on arrays: what has a name is read, and the result is not yet stored."""
        inner = Counter()
        result = function(*(_recounted(arg, inner) for arg in args), **kwargs)
        views = isinstance(result, np.ndarray) and any(np.may_share_memory(result, array) for array in arrays_in(args))
        self.counter.flop += inner.flop
        self.counter.other += inner.other
        self.counter.elementary += inner.elementary
        self.counter.unseen += inner.unseen
        if views:
            return function(*args, **kwargs)
        if inner.read or inner.written:
            self.counter.read += sum(stored(array) for array in arrays_in(args) if isinstance(array, CountedArray))
            mark(args)
        return plain(result)


#: functions of `math` and of NumPy that do no floating-point operation
_FREE_CALLS = FREE | {"fabs", "isfinite", "float64", "float32", "int64", "copysign"}


def _small(exponent: Any) -> bool:
    """Say whether a power is a few multiplications."""
    return isinstance(exponent, int) and 0 <= exponent <= 3


def _recounted(arg: Any, counter: Counter) -> Any:
    return counter.array(plain(arg)) if isinstance(arg, np.ndarray) else arg


def instrumented(function: Any, counter: Counter) -> Callable[..., Any]:
    """Return a function that does the same and counts it; `function` may be compiled by Numba.

    Raises
    ------
    OSError
        Its source is not there.
    """
    function = getattr(function, "py_func", function)
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    tree = ast.fix_missing_locations(_Rewrite().visit(tree))
    names = {**function.__globals__, **inspect.getclosurevars(function).nonlocals, "__counting__": _Counting(counter)}
    exec(compile(tree, f"<counted {function.__name__}>", "exec"), names)
    return names[function.__name__]  # type: ignore[no-any-return]


def count(function: Any, *args: Any) -> tuple[Counter, Any]:
    """Run a kernel on copies of its arguments and return what it did, and what it returned."""
    counter = Counter()
    watched = [counter.array(arg.copy(), watch=True) if isinstance(arg, np.ndarray) else arg for arg in args]
    return counter, plain(instrumented(function, counter)(*watched))
