"""The modified Graph500 matrix made the simple way: from its whole edge list, in one plain array."""

import numpy as np
from hypothesis import strategies as st

from asafess.workloads import graph500
from asafess.workloads import graph500_entries as entries

descriptions = st.builds(
    graph500.matrix,
    scale=st.integers(1, 7),
    edge_factor=st.sampled_from([0, 1, 4, 16]),
    seeds=st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)),
    order=st.sampled_from(["scrambled", "recursive", "random"]),
    symmetrize=st.booleans(),
    dense_share=st.floats(0, 1),
    fill=st.one_of(st.just(1.0), st.floats(0, 1)),
    dense_seed=st.integers(0, 2**64 - 1),
    values=st.sampled_from(["random", "ones", "analytic"]),
    tile=st.integers(1, 40),
    dtype=st.sampled_from([np.float64, np.float32]),
    topology=st.sampled_from(["kronecker", "uniform"]),
)


def simple(a):
    """Return the whole matrix, shape (n, n)."""
    n, t = a.shape[0], a.tile
    stored = np.zeros((n, n), bool)
    for i, j in graph500.edges(a.scale, a.edge_factor, a.seeds, order=a.order, topology=a.topology):
        if not a.symmetrize:
            stored[i, j] = True
        elif i != j:
            stored[i, j] = stored[j, i] = True
    places = np.arange(n * n).reshape(n, n)
    across = -(-n // t)
    for tile in entries.dense_tiles(across * across, a.dense_share, a.dense_seed):
        i, j = divmod(int(tile), across)
        block = np.s_[i * t : (i + 1) * t, j * t : (j + 1) * t]
        stored[block] |= entries.present(places[block], a.fill, a.dense_seed)
    if a.values == "ones":
        values = np.ones((n, n))
    elif a.values == "analytic":
        values = np.broadcast_to(1.0 / np.arange(1, n + 1), (n, n))
    else:
        values = entries.random_values(places, a.scale, entries.mixed_seed(*a.seeds), a.symmetrize)
    return np.where(stored, values, 0).astype(a.dtype)
