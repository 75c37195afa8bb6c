"""The typed intermediate representation of a kernel, from Numba's own front end; nothing is lowered or run.

The dispatcher is only read: its Python function goes through the untyped passes and type inference afresh. Other
dispatchers that it calls are typed the same way instead of being compiled, so theirs don't change either.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import numba
import numpy as np
from numba.core import bytecode, compiler, ir, sigutils, typed_passes, types, untyped_passes
from numba.core.compiler_lock import global_compiler_lock
from numba.core.compiler_machinery import PassManager
from numba.core.dispatcher import Dispatcher
from numba.core.ir_utils import build_definitions, simplify_CFG
from numba.core.registry import cpu_target
from numba.core.targetconfig import ConfigStack
from numba.core.typing import fold_arguments, signature
from numba.core.utils import pysignature

from asafess.compiler.kernel.bounded import uncounted
from asafess.compiler.kernel.values import NotCountedError

#: how deep calls of kernels by kernels are followed
DEPTH = 12

_BEFORE_TYPES = (
    "TranslateByteCode",
    "FixupArgs",
    "IRProcessing",
    "InlineClosureLikes",
    "RewriteSemanticConstants",
    "DeadBranchPrune",
    "GenericRewrites",
    "MakeFunctionToJitFunction",
    "LiteralUnroll",
)
_ONCE_ASSIGNED = ("ReconstructSSA", "DeadBranchPrune", "LiteralPropagationSubPipelinePass")


@dataclass
class Typed:
    """A kernel's blocks in single-assignment form, with the type of each variable."""

    name: str
    blocks: dict[int, Any]
    typemap: dict[str, Any]
    calltypes: dict[Any, Any]
    arg_names: tuple[str, ...]
    args: tuple[Any, ...]
    return_type: Any
    func_ir: Any


class Callee:
    """Stands in the IR for a kernel that is called; typing a call of it does not compile it."""

    def __init__(self, py_func: FunctionType, stack: tuple[Any, ...]) -> None:
        self.py_func = py_func
        self.stack = stack
        self.typed: dict[tuple[Any, ...], Typed] = {}
        self._numba_type_ = _CalleeType(self)

    def fold(self, args: tuple[Any, ...], kws: dict[str, Any]) -> tuple[Any, ...]:
        """Put keyword and omitted arguments where the Python function has them."""
        return fold_arguments(
            pysignature(self.py_func),
            args,
            kws,
            lambda index, param, value: value,
            lambda index, param, default: types.Omitted(default),
            lambda index, param, values: types.StarArgTuple(values),
        )

    def type(self, args: tuple[Any, ...]) -> Typed:
        """Return the kernel typed for arguments of these types."""
        args = tuple(types.unliteral(arg) for arg in args)
        if args not in self.typed:
            self.typed[args] = infer(self.py_func, args, self.stack)
        return self.typed[args]


class _CalleeType(types.Callable, types.Opaque):
    def __init__(self, callee: Callee) -> None:
        self.callee = callee
        super().__init__(f"callee({callee.py_func.__qualname__}, {id(callee)})")

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        folded = self.callee.fold(tuple(args), dict(kws))
        typed = self.callee.type(folded)
        return signature(typed.return_type, *folded).replace(pysig=pysignature(self.callee.py_func))

    def get_call_signatures(self) -> tuple[list[Any], bool]:
        return [], True

    def get_impl_key(self, sig: Any) -> Any:
        return self


class _FrontEnd(compiler.CompilerBase):
    """Numba's passes up to array expressions; no lowering."""

    stack: tuple[Any, ...] = ()

    def run(self, py_func: FunctionType) -> Any:
        state = self.state
        state.func_id = bytecode.FunctionIdentity.from_function(py_func)
        untyped_passes.ExtractByteCode().run_pass(state)
        state.lifted, state.lifted_from = (), None
        with ConfigStack().enter(state.flags.copy()):
            self._pass("untyped", [getattr(untyped_passes, name) for name in _BEFORE_TYPES])
            # blocks that only jump stand between the head of a loop and what it goes over
            state.func_ir.blocks = simplify_CFG(state.func_ir.blocks)
            self._pass("once assigned", [getattr(untyped_passes, name) for name in _ONCE_ASSIGNED])
            self._replace_callees()
            self._pass("typed", [typed_passes.NopythonTypeInference, typed_passes.NopythonRewrites])
        return state

    def _pass(self, name: str, passes: list[Any]) -> None:
        manager = PassManager(name)
        for each in passes:
            manager.add_pass(each, each.__name__)
        manager.finalize()
        manager.run(self.state)

    def _replace_callees(self) -> None:
        known: dict[str, Any] = {}
        callees: dict[int, Callee] = {}
        for block in self.state.func_ir.blocks.values():
            for statement in block.body:
                if not isinstance(statement, ir.Assign):
                    continue
                value = found = statement.value
                if isinstance(value, ir.Global | ir.FreeVar):
                    found = value.value
                elif isinstance(value, ir.Expr) and value.op == "getattr" and value.value.name in known:
                    found = getattr(known[value.value.name], value.attr, None)
                if isinstance(found, ModuleType):
                    known[statement.target.name] = found
                elif isinstance(found, Dispatcher):
                    if found.py_func in self.stack or len(self.stack) > DEPTH:
                        where = f"{self.stack[-1].__name__}, line {statement.loc.line}"
                        raise NotCountedError(f"{where}: recursion ({found.py_func.__name__})")
                    callee = callees.setdefault(id(found), Callee(found.py_func, self.stack))
                    statement.value = ir.Global(found.py_func.__name__, callee, statement.loc)
        func_ir = self.state.func_ir
        func_ir._definitions = build_definitions(func_ir.blocks)


def infer(py_func: Any, args: tuple[Any, ...], stack: tuple[Any, ...] = ()) -> Typed:
    """Type a Python function for arguments of the given Numba types.

    Raises
    ------
    NotCountedError
        When Numba can't read or type it.
    """
    name = getattr(py_func, "__name__", repr(py_func))
    try:
        with uncounted(), global_compiler_lock:
            flags: Any = compiler.Flags()
            flags.nrt = True
            end = _FrontEnd(cpu_target.typing_context, cpu_target.target_context, None, args, None, flags, {})
            end.stack = (*stack, py_func)
            state = end.run(py_func)
    except NotCountedError:
        raise
    except Exception as error:
        inner = next((e for e in _causes(error) if isinstance(e, NotCountedError)), None)
        if inner is not None:
            raise inner from None
        message = str(error).strip().splitlines() or [type(error).__name__]
        line = getattr(getattr(error, "loc", None), "line", None)
        where = f"{name}, line {line}" if line else name
        raise NotCountedError(f"{where}: Numba can't type it ({' '.join(message[:3])})") from None
    func_ir = state.func_ir
    return Typed(
        name, func_ir.blocks, state.typemap, state.calltypes, tuple(func_ir.arg_names), args, state.return_type, func_ir
    )


def _causes(error: BaseException | None) -> Any:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def python_function(function: Any) -> FunctionType:
    """Return the Python function behind a dispatcher, or the function itself.

    Raises
    ------
    NotCountedError
        When there is none.
    """
    py_func = getattr(function, "py_func", function)
    if not isinstance(py_func, FunctionType):
        raise NotCountedError(f"{function!r} is neither a Numba kernel nor a plain Python function")
    return py_func


def argument_types(function: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the Numba types of a kernel's arguments from types, dtypes, strings or examples."""
    if not given:
        signatures = list(getattr(function, "overloads", {}) or {})
        if len(signatures) == 1:
            return tuple(signatures[0])
        if not pysignature(python_function(function)).parameters:
            return ()
        raise NotCountedError(
            f"no types given and {function!r} has {len(signatures)} signatures; pass one type or example per argument"
        )
    fold: Callable[..., tuple[Any, ...]] = Callee(python_function(function), ()).fold
    try:
        return fold(tuple(map(_one_type, given)), {})
    except NotCountedError:
        raise
    except Exception as error:
        raise NotCountedError(f"{function!r}: {error}") from None


def _stands_for_an_array(given: Any) -> bool:
    """Say whether something has the shape and data type of an array, but is none."""
    return type(given).__module__ != "numpy" and isinstance(getattr(given, "shape", None), tuple)


def _one_type(given: Any) -> Any:
    try:
        if isinstance(given, types.Type):
            return given
        if isinstance(given, str):
            return sigutils.normalize_signature(f"({given},)")[0][0]
        if isinstance(given, np.dtype) or (isinstance(given, type) and issubclass(given, np.generic)):
            return numba.from_dtype(np.dtype(given))
        if isinstance(given, type) and given in (int, float, bool, complex):
            return numba.typeof(given(0))
        if _stands_for_an_array(given):
            element = numba.from_dtype(np.dtype(given.dtype))
            return types.Array(element, len(given.shape), "C") if given.shape else element
        return numba.typeof(given)
    except NotCountedError:
        raise
    except Exception as error:
        what = str(error).strip().splitlines()[:1] or [type(error).__name__]
        shown = reprlib.repr(given)
        raise NotCountedError(f"{shown} is neither an argument nor a type that Numba takes ({what[0]})") from None
