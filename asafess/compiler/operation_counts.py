"""How many operations an element costs: the one table, with its reasons.

Counted is what a hardware counter of floating-point operations would see per lane, not time: that is what
"flop" means where rates of the machine are measured (a matrix product counts 2mnk). So a division and a
square root are one, as in LAPACK's counts (LAPACK Working Note 41); an integer, a comparison or a bit
operation is one as well, since it takes an element through the same units. Functions without an
instruction of their own count the polynomial that evaluates them in double precision.
"""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def each(names: str, value: Value) -> dict[str, Value]:
    """Return the same value for each of some names.

    Examples
    --------
    >>> each("sin cos", 1.0)
    {'sin': 1.0, 'cos': 1.0}
    """
    return dict.fromkeys(names.split(), value)


#: numpy ufunc → operations per element; a ufunc that is not here is not known
PER_ELEMENT: dict[str, float] = {
    # one instruction
    **each(
        "add subtract multiply divide true_divide negative positive absolute fabs sqrt square reciprocal sign "
        "signbit copysign maximum minimum fmax fmin floor ceil trunc rint conjugate "
        "equal not_equal less less_equal greater greater_equal isnan isinf isfinite isnat "
        "logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_xor invert "
        "left_shift right_shift bitwise_count deg2rad rad2deg degrees radians nextafter spacing ldexp",
        1.0,
    ),
    # a division, its floor, and a product taken away
    **each("floor_divide remainder fmod", 4.0),
    "divmod": 5.0,
    "modf": 2.0,
    "frexp": 2.0,
    "heaviside": 2.0,
    "hypot": 4.0,
    # Euclid's algorithm takes about 0.58 log2 of the operands; 32 bit
    **each("gcd lcm", 20.0),
    # elementary functions: operations of the algorithm in fdlibm 5.3, for arguments of moderate size: range
    # reduction, a polynomial or rational approximation, putting it back together
    **each("exp exp2 expm1 cbrt", 24.0),
    **each("log log2 log10 log1p", 28.0),
    **each("sin cos arcsin arccos arctan", 26.0),
    # one of the above and a division, a square root or another polynomial
    **each("tan sinh cosh tanh arcsinh arccosh arctanh arctan2", 32.0),
    # a logarithm in extended precision and an exponential
    **each("power float_power", 70.0),
    # an exponential, a logarithm, a difference, a maximum and a sum
    **each("logaddexp logaddexp2", 55.0),
    # scipy.special, by rational approximations of degree 8 to 12 in pieces
    **each("erf erfc erfinv gammaln gamma expit logit i0 i1 j0 j1 k0 k1", 40.0),
}

#: one instruction where integers are divided
DIVISIONS = frozenset({"floor_divide", "remainder", "fmod", "divmod"})

#: complex operations, in real ones; others count as four of their real kind
COMPLEX = {"add": 2.0, "subtract": 2.0, "negative": 2.0, "positive": 0.0, "conjugate": 1.0, "absolute": 4.0}
COMPLEX |= {"multiply": 6.0, "square": 5.0, "divide": 11.0, "reciprocal": 6.0, "equal": 2.0, "not_equal": 2.0}

#: distribution of random numbers → operations per draw: 5 for the generator's step and the scaling, and what
#: the method needs (the ziggurat mostly a product and a comparison; rejection about 1.3 tries of a logarithm)
PER_DRAW = {
    **each("random random_sample rand uniform integers randint bytes choice permutation", 5.0),
    **each("normal standard_normal randn exponential standard_exponential laplace logistic", 10.0),
    **each("lognormal gumbel rayleigh weibull pareto power wald vonmises geometric", 30.0),
    **each("gamma standard_gamma beta chisquare f standard_t standard_cauchy noncentral_chisquare", 40.0),
    **each("poisson binomial negative_binomial hypergeometric logseries zipf triangular", 50.0),
}


def per_element(name: str, kind: str | None) -> float | None:
    """Return the operations of a ufunc per element, None for a ufunc that is not known.

    Parameters
    ----------
    name : str
        Of the ufunc, without a module.
    kind : str or None
        NumPy's letter for the kind of its operands: ``c`` is complex.

    Examples
    --------
    >>> per_element("add", "f"), per_element("multiply", "c"), per_element("mine", "f")
    (1.0, 6.0, None)
    """
    count = PER_ELEMENT.get(name)
    if name in DIVISIONS and kind in ("i", "u", "b"):
        return 1.0
    if count is not None and kind == "c":
        return COMPLEX.get(name, 4.0 * count)
    return count


def arithmetic(kind: str | None) -> float:
    """Return the real operations of a multiply-add relative to a real one: 4 for complex numbers."""
    return 4.0 if kind == "c" else 1.0
