"""Frames of all kinds of data, and codecs that know the clock and the link."""

import numpy as np
from hypothesis import strategies as st

from asafess.wire.codec import Codec

SLOW, FAST = 1e6, 1e13


def codec(state="mask", link=SLOW):
    made = Codec(clock=lambda: 0.0)
    made.prepare()
    made.set_link(link)
    made.set_state(state)
    return made


def sparse(nbytes, density=0.1, seed=0):
    generator = np.random.default_rng(seed)
    words = generator.standard_normal(nbytes // 8)
    words[generator.random(words.size) >= density] = 0
    return words


def text(nbytes):
    return b" ".join(np.random.default_rng(0).choice([b"tile", b"panel", b"mode"], nbytes // 5))


@st.composite
def frames(draw, most=300_000):
    """Random bytes, text, sparse words of any width, constants; any length, shifted by up to seven bytes."""
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    size = draw(st.one_of(st.integers(0, 300), st.integers(0, most)))
    kind = draw(st.sampled_from(["random", "text", "float64", "float32", "small", "zeros"]))
    if kind == "random":
        data = generator.integers(0, 256, size, np.uint8).tobytes()
    elif kind == "text":
        data = b" ".join(generator.choice([b"tile", b"panel", b"mode", b"ratio"], size // 4 + 1))
    elif kind == "small":
        data = generator.integers(0, 200, size // 8 + 1, np.int64).tobytes()
    elif kind == "zeros":
        data = bytes(size)
    else:
        words = generator.standard_normal(size // 4 + 1).astype(kind)
        words[generator.random(words.size) >= draw(st.sampled_from([0.0, 0.01, 0.1, 0.3, 0.6, 1.0]))] = 0
        words[: draw(st.integers(0, 3))] = -0.0
        data = words.tobytes()
    return data[draw(st.integers(0, 7)) :][:size]
