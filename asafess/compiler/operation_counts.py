"""How many floating-point operations an element costs: the one table, with its reasons.

*flop* means the same everywhere: in array programs, in kernels for Numba, and where rates of the machine are
measured (a matrix product counts 2mnk). It is what a hardware counter of floating-point operations sees per lane
(Intel's FP_ARITH_INST_RETIRED): `+ − × ÷`, minimum, maximum and square root are one, as in LAPACK's counts (LAPACK
Working Note 41). Comparing, negating, taking the absolute value, rounding, converting, logic, and all that is done to
elements that are no floating-point numbers are none; what they load is memory, with the bytes they touch. A minimum,
a sum or a product of integers is none either. Complex arithmetic is what it consists of. It is not time.

Functions without an instruction of their own count as many as evaluating them in double precision takes. How many
that is depends on the library, so these are estimates. Three of them are counted in the source of fdlibm 5.3.
"""

from __future__ import annotations

from typing import Any, TypeVar

Value = TypeVar("Value")


def each(names: str, value: Value) -> dict[str, Value]:
    """Return the same value for each of some names.

    Examples
    --------
    >>> each("sin cos", 1.0)
    {'sin': 1.0, 'cos': 1.0}
    """
    return dict.fromkeys(names.split(), value)


#: numpy ufunc → floating-point operations per element; a ufunc that is not here is not known
PER_ELEMENT: dict[str, float] = {
    # no arithmetic: signs, rounding, comparisons, logic, and what only integers have
    **each(
        "negative positive absolute fabs sign signbit copysign conjugate floor ceil trunc rint "
        "equal not_equal less less_equal greater greater_equal isnan isinf isfinite isnat heaviside "
        "logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_xor invert "
        "left_shift right_shift bitwise_count gcd lcm nextafter spacing frexp",
        0.0,
    ),
    # one instruction
    **each(
        "add subtract multiply divide true_divide sqrt square reciprocal maximum minimum fmax fmin "
        "deg2rad rad2deg degrees radians ldexp modf",
        1.0,
    ),
    # the remainder (a quotient times the divisor, taken away), and a quotient from it
    **each("floor_divide remainder fmod", 4.0),
    "divmod": 5.0,
    "hypot": 4.0,
    # range reduction, a polynomial or rational approximation, putting it back together. exp has 24 in fdlibm, log 28,
    # sin 26, with k ≠ 0 and arguments of moderate size; arctan has 25 to 31; the rest are taken to be like them
    **each("exp exp2 expm1 cbrt", 24.0),
    **each("log log2 log10 log1p", 28.0),
    **each("sin cos arcsin arccos arctan", 26.0),
    # one of the above and a division, a square root or another polynomial
    **each("tan sinh cosh tanh arcsinh arccosh arctanh arctan2", 32.0),
    # a logarithm in extended precision and an exponential: 89 in fdlibm, fewer where a table gives the logarithm
    **each("power float_power", 70.0),
    # an exponential, a logarithm, a difference, a maximum and a sum
    **each("logaddexp logaddexp2", 55.0),
    # scipy.special, by rational approximations of degree 8 to 12 in pieces
    **each("erf erfc erfinv gammaln gamma expit logit i0 i1 j0 j1 k0 k1", 40.0),
}

#: bytes that a core's own caches hold, and the last one that it shares; of no machine in particular
CACHE, LAST_CACHE = 1 << 20, 1 << 25

#: operations per element from which on a function is an elementary one
ELEMENTARY = 24.0

#: complex operations, in real ones; others count as four of their real kind
COMPLEX = {"add": 2.0, "subtract": 2.0, "absolute": 4.0, "multiply": 6.0, "square": 6.0, "divide": 11.0}
COMPLEX |= {"true_divide": 11.0, "reciprocal": 5.0}

#: distribution of random numbers → operations per draw: 5 for the generator's step and the scaling, and what the
#: method needs (the ziggurat mostly a product and a comparison; rejection about 1.3 tries of a logarithm). The one
#: exception to the definition: a generator's step is integers, and yet nearly all that a draw takes
PER_DRAW = {
    **each("random random_sample rand uniform integers randint bytes choice permutation", 5.0),
    **each("normal standard_normal randn exponential standard_exponential laplace logistic", 10.0),
    **each("lognormal gumbel rayleigh weibull pareto power wald vonmises geometric", 30.0),
    **each("gamma standard_gamma beta chisquare f standard_t standard_cauchy noncentral_chisquare", 40.0),
    **each("poisson binomial negative_binomial hypergeometric logseries zipf triangular", 50.0),
}


def in_loops(per: float) -> float:
    """Return how many operations of an element count as *loops*; an elementary function's stay in registers but one.

    Examples
    --------
    >>> in_loops(1.0), in_loops(PER_ELEMENT["exp"])
    (1.0, 1.0)
    """
    return 1.0 if per >= ELEMENTARY else per


def kind_of(dtype: Any) -> str | None:
    """Return NumPy's letter for the kind of a data type or a Python number's type, None where that is not known.

    Examples
    --------
    >>> kind_of(float), kind_of(bool), kind_of(None)
    ('f', 'i', None)
    """
    if isinstance(dtype, type):
        return "c" if issubclass(dtype, complex) else "f" if issubclass(dtype, float) else "i"
    return getattr(dtype, "kind", None)


def floating(*kinds: str | None) -> bool:
    """Say whether arithmetic on elements of such kinds is floating-point: one of them is, or is not known.

    Parameters
    ----------
    *kinds : str or None
        NumPy's letters for kinds of data types, of operands and results.

    Examples
    --------
    >>> floating("i", "f"), floating("i", "b"), floating(None)
    (True, False, True)
    """
    return any(kind is None or kind in "fc" for kind in kinds)


def per_element(name: str, *kinds: str | None) -> float | None:
    """Return the floating-point operations of a ufunc per element, None for a ufunc that is not known.

    Parameters
    ----------
    name : str
        Of the ufunc, without a module.
    *kinds : str or None
        NumPy's letters for the kinds of its operands and results: ``c`` is complex. None: not known, taken as real.

    Examples
    --------
    >>> per_element("add", "f"), per_element("multiply", "c"), per_element("less", "f", "b"), per_element("mine", "f")
    (1.0, 6.0, 0.0, None)
    >>> per_element("add", "i", "i"), per_element("divide", "i", "f")
    (0.0, 1.0)
    """
    count = PER_ELEMENT.get(name)
    if count is None or not floating(*kinds):
        return None if count is None else 0.0
    return COMPLEX.get(name, 4.0 * count) if "c" in kinds else count


def arithmetic(*kinds: str | None) -> float:
    """Return the floating-point operations of a multiplication or addition: 4 for complex numbers, 0 for integers.

    Examples
    --------
    >>> arithmetic("f"), arithmetic("c"), arithmetic("i")
    (1.0, 4.0, 0.0)
    """
    return 4.0 if "c" in kinds else float(floating(*kinds))
