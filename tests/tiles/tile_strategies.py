"""Hypothesis strategies for arrays and tiled matrices, shared by the tests of tiles and kernels."""

import numpy as np
from hypothesis import strategies as st

from asafess.kernels.dtypes import SUPPORTED, word_type

FORMS = ("dense", "sparse", "light", "full")
#: Kept few, because each costs a second of compiling: one per kernel that differs.
COMPILED = tuple(map(np.dtype, ("bool", "uint8", "int32", "float32", "float64")))


def same_bits(a, b):
    """Say whether two arrays agree in shape, type and every bit."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@st.composite
def arrays(draw, dtypes=SUPPORTED, largest=40):
    """Draw an array of two dimensions, mostly zeros, in which any bit pattern may turn up."""
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    shape = draw(st.tuples(st.integers(0, largest), st.integers(0, largest)))
    seed, density = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from((0, 0.02, 0.3, 0.9, 1)))
    rng = np.random.default_rng(seed)
    word = word_type(dtype)
    words = rng.integers(0, np.iinfo(word).max, shape, word, endpoint=True)
    if dtype.kind == "b":
        words = np.ones(shape, word)
    elif dtype.kind == "f":
        # Ordinary numbers, with a NaN that carries a payload, −0.0 and infinities among them.
        odd = np.array([np.nan, -0.0, np.inf, -np.inf, np.finfo(dtype).smallest_subnormal], dtype)
        odd[0:1].view(word)[...] += word.type(5)
        ordinary = rng.normal(size=shape).astype(dtype)
        strange = draw(st.booleans())
        words = np.where(strange & (rng.random(shape) < 0.1), rng.choice(odd, shape), ordinary).astype(dtype).view(word)
    return np.where(rng.random(shape) < density, words, word.type(0)).view(dtype)


@st.composite
def finite_arrays(draw, dtypes=COMPILED, largest=40):
    """Draw an array as `arrays` does, with all values finite."""
    a = draw(arrays(dtypes, largest))
    return np.where(np.isfinite(a), a, a.dtype.type(1)).astype(a.dtype)


#: Edges of tiles: degenerate, dividing nothing, usual, longer than the words that are noted together.
tiles = st.sampled_from((1, 3, 8, 32, 67, 300))
forms = st.sampled_from(FORMS)
