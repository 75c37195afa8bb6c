"""What `asafess` brings keeps its own contract."""

import numpy as np
import pytest

import asafess
from asafess.optimizations.registry import BUILT_IN, make
from asafess.testing import check_optimization
from asafess.testing.program import program
from asafess.tiles import densities, door


def made(seed):
    """Some of its tiles are empty, some are dense, some in between."""
    random = np.random.default_rng(seed)
    shares = np.repeat(np.repeat([[0.0, 0.02, 0.9], [0.02, 0.3, 0.0]], 128, axis=0), 128, axis=1)
    return asafess.TiledMatrix.from_dense(np.where(random.random(shares.shape) < shares, 1.5, 0.0))


def moved(panel):
    return panel @ np.arange(panel.shape[1], dtype=float)


def with_panels(client):
    """Data of all kinds, and panels that leave the worker that made them."""
    first, *others = sorted(client.nthreads())
    panels = [client.submit(made, seed, workers=[first], pure=False) for seed in range(4)]
    products = [client.submit(moved, panel, workers=others, pure=False) for panel in panels]
    return client.gather(products), program(client)


def door_and_densities():
    """What tile compression sets in a process."""
    double = np.dtype("float64")
    limits = [densities.density(form, double) for form in ("light", "full")]
    return repr((door._active, door._probe.budget, limits))


def close(one, other):
    """Whether results are the same to the rounding of inputs to float32."""
    if isinstance(one, np.ndarray | float):
        return np.shape(one) == np.shape(other) and np.allclose(one, other, rtol=1e-5, atol=1e-3)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    return one == other


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in(name):
    [optimization] = make([name])
    own = {
        "tile_compression": {"program": with_panels, "snapshot": door_and_densities},
        "reduced_precision": {"same": close},
    }
    # the scheduler's machine need not have what kernels need
    without = ["numba", "scipy", "asafess.tiles", "asafess.kernels"]
    check_optimization(optimization, **own.get(name, {}), without=without)
