"""Array programs that nobody has annotated: name → function that makes the collection."""

import dask.array as da
import numpy as np


def random(*shape, chunks):
    return da.random.default_rng(0).random(shape, chunks=chunks)


def matrix():
    """2000 × 300 in 4 × 2 blocks."""
    return random(2000, 300, chunks=(500, 150))


def ragged():
    """Blocks of different sizes."""
    return random(70, 50, chunks=((30, 30, 10), (20, 30)))


def vector():
    return random(10_000, chunks=1000)


def definite():
    a = np.random.default_rng(0).random((200, 200))
    return da.from_array(a @ a.T + 200 * np.eye(200), chunks=50)


def integers():
    return da.from_array(np.arange(1000, dtype="i4").reshape(50, 20), chunks=(10, 10))


def assigned():
    a = matrix()
    a[3:10] = 0
    a[a > 0.9] = 0.9
    return a


def several_cuts():
    a = matrix()
    return da.concatenate([a[:700], a[1200:]], axis=0).rechunk((400, 300))


#: those that array expressions have too
BOTH = {
    "chain": lambda: (np.sin(matrix()) * 2 + matrix() ** 2 - matrix().astype("f4")) / 3,
    "powers": lambda: ragged() ** 0.5 + ragged() ** 3 + integers().sum() ** 2,
    "sum": lambda: matrix().sum(),
    "sum axis kept": lambda: matrix().sum(axis=0, keepdims=True),
    "sum ragged": lambda: ragged().sum(axis=1),
    "mean": lambda: matrix().mean(axis=1),
    "any all": lambda: (matrix() > 0.3).all(axis=1).any(),
    "nansum": lambda: da.nansum(matrix(), axis=0),
    "nanmean": lambda: da.nanmean(matrix(), axis=0),
    "sort of blocks": lambda: matrix().map_blocks(np.sort, axis=0),
    "stack": lambda: da.stack([matrix(), matrix() + 1], axis=1),
    "slices": lambda: matrix()[10:1500:3, ::-1],
    "slice, new axis, number": lambda: matrix()[:600, None, 5],
    "normal": lambda: da.random.default_rng(0).normal(size=(100, 100), chunks=25),
    "integers": lambda: da.random.default_rng(0).integers(0, 10, size=(1000,), chunks=250) * 2,
    "from array": lambda: (da.from_array(np.arange(10000.0).reshape(100, 100), chunks=30) + 1).sum(axis=1),
    "ones zeros full": lambda: (
        da.ones((50, 50), chunks=20) + da.zeros((50, 50), chunks=20) + da.full((50, 50), 3, chunks=20)
    ),
    "arange": lambda: da.arange(1000, chunks=300) * da.linspace(0, 1, 1000, chunks=300),
    "map_blocks of a ufunc": lambda: da.map_blocks(np.exp, matrix()),
    "map_blocks of linalg": lambda: random(8, 20, 20, chunks=(2, 20, 20)).map_blocks(np.linalg.inv, dtype=float),
    "blockwise": lambda: da.blockwise(np.add, "ij", matrix(), "ij", random(300, chunks=150), "j", dtype="f8"),
    "small integers": lambda: (integers() // 3 + integers() % 7).sum(axis=0) / 2,
    "complex": lambda: da.absolute((ragged() + 1j * ragged()) * 2j).sum(),
}
CLASSIC = {
    **BOTH,
    "conjugate": lambda: ((ragged() + 1j * ragged()).conj() * 2).real.mean(),
    "where clip": lambda: da.where(matrix() > 0.5, matrix(), 0).clip(0, 1),
    "std": lambda: matrix().std(axis=0),
    "var ragged": lambda: ragged().var(),
    "nanstd": lambda: da.nanstd(matrix()),
    "argmax": lambda: matrix().argmax(axis=0),
    "argmin of all": lambda: ragged().argmin(),
    "matmul": lambda: matrix() @ random(300, 200, chunks=(150, 100)),
    "matmul ragged": lambda: ragged() @ ragged().T,
    "matvec": lambda: matrix().dot(random(300, chunks=150)),
    "tensordot": lambda: da.tensordot(matrix(), matrix(), axes=((0,), (0,))),
    "einsum": lambda: da.einsum("ij,kj->ik", matrix(), random(100, 300, chunks=(50, 150))),
    "transpose rechunk": lambda: (matrix().T.rechunk((300, 100)) + 1).rechunk((100, 2000)),
    "several cuts": several_cuts,
    "overlap": lambda: da.map_overlap(np.sin, matrix(), depth={0: 2, 1: 1}, boundary="none"),
    "overlap reflecting": lambda: da.map_overlap(np.sin, ragged(), depth=3, boundary="reflect"),
    "fft": lambda: da.fft.fft(random(64, 256, chunks=(16, 256)), axis=1),
    "rfft2": lambda: da.fft.irfft2(da.fft.rfft2(random(8, 64, 64, chunks=(2, 64, 64)))),
    "svd compressed": lambda: da.linalg.svd_compressed(random(1000, 100, chunks=(250, 50)), k=5, seed=0)[0],
    "tsqr": lambda: da.linalg.qr(random(1000, 20, chunks=(250, 20)))[0],
    "sfqr": lambda: da.linalg.qr(random(20, 100, chunks=(20, 25)))[1],
    "svd": lambda: da.linalg.svd(random(1000, 20, chunks=(250, 20)))[0],
    "solve": lambda: da.linalg.solve(definite(), random(200, 8, chunks=(50, 8))),
    "cholesky": lambda: da.linalg.cholesky(definite(), lower=True),
    "lu": lambda: da.linalg.lu(definite())[1],
    "inv": lambda: da.linalg.inv(definite().rechunk(100)),
    "norm": lambda: da.linalg.norm(matrix()),
    "topk": lambda: da.topk(matrix(), 5, axis=0),
    "argtopk": lambda: da.argtopk(matrix(), 5, axis=0),
    "percentile": lambda: da.percentile(vector(), [25, 50, 75]),
    "median": lambda: da.median(matrix(), axis=0),
    "quantile": lambda: da.quantile(matrix(), [0.2, 0.5], axis=0),
    "histogram": lambda: da.histogram(matrix(), bins=20, range=(0, 1))[0],
    "bincount": lambda: da.bincount((vector() * 10).astype(int), minlength=12),
    "cumsum": lambda: matrix().cumsum(axis=0),
    "cumsum blelloch": lambda: da.cumsum(matrix(), axis=0, method="blelloch"),
    "cumprod": lambda: ragged().cumprod(axis=1),
    "pad": lambda: da.pad(matrix(), ((3, 3), (0, 2)), mode="constant"),
    "pad with the edge": lambda: da.pad(matrix(), 3, mode="edge"),
    "roll": lambda: da.roll(matrix(), 7, axis=0),
    "fancy": lambda: matrix()[[5, 900, 3, 1999, 700]],
    "fancy columns": lambda: matrix()[:, np.arange(0, 300, 7)],
    "take": lambda: da.take(matrix(), [1, 2, 250], axis=1),
    "points": lambda: matrix().vindex[[0, 1, 1000], [5, 6, 299]],
    "eye diag": lambda: da.eye(400, chunks=100) + da.diag(da.ones(400, chunks=100)),
    "legacy random": lambda: da.random.RandomState(0).normal(0, 1, size=(100, 100), chunks=25),
    "gufunc": lambda: da.apply_gufunc(
        np.linalg.inv, "(i,i)->(i,i)", random(8, 20, 20, chunks=(2, 20, 20)), output_dtypes=float
    ),
    "reshape": lambda: matrix().reshape(2000 * 300),
    "diff": lambda: da.diff(matrix(), axis=0),
    "gradient": lambda: da.gradient(matrix(), axis=0),
    "isin": lambda: da.isin((matrix() * 10).astype(int), [1, 2, 3]),
    "searchsorted": lambda: da.searchsorted(da.arange(100, chunks=50), da.from_array(np.arange(30) * 3, chunks=10)),
    "triu": lambda: da.triu(random(400, 400, chunks=100)),
    "outer": lambda: da.outer(random(200, chunks=50), random(100, chunks=50)),
    "broadcast": lambda: da.broadcast_to(random(300, chunks=150), (100, 300)) + 1,
    "average": lambda: da.average(matrix(), axis=0, weights=random(2000, chunks=500)),
    "cov": lambda: da.cov(random(20, 1000, chunks=(20, 250))),
    "shuffle": lambda: matrix().shuffle([[5, 6, 1999], [0, 1, 2]], axis=0),
    "along an axis": lambda: da.apply_along_axis(np.sum, 0, matrix().rechunk((2000, 150)), dtype="f8", shape=()),
    "coarsen": lambda: da.coarsen(np.mean, matrix(), {0: 2, 1: 2}),
    "ptp": lambda: da.ptp(matrix(), axis=0),
    "round": lambda: da.round(matrix(), 2),
    "assignment": assigned,
    "moveaxis": lambda: da.moveaxis(random(10, 20, 30, chunks=10), 0, -1).sum(axis=1),
    "swapaxes squeeze": lambda: da.squeeze(da.expand_dims(matrix(), 1).swapaxes(0, 2)),
    "allclose": lambda: da.allclose(matrix(), matrix()),
    "windows": lambda: da.lib.stride_tricks.sliding_window_view(random(1000, chunks=250), 5).mean(axis=-1),
    "single precision": lambda: matrix().astype("f4") @ random(300, 10, chunks=150).astype("f4"),
}
#: programs with tasks that can't be typed before they run: what they pick or find depends on data, or is a user's own
UNTYPED = {
    "mask": lambda: matrix()[matrix()[:, 0] > 0.5].sum(),
    "mask of a vector": lambda: (vector()[vector() > 0.5] * 2).sum(),
    "unique": lambda: da.unique((vector() * 10).astype(int)),
    "a user's function": lambda: matrix().map_blocks(lambda block: block * 2),
    "a user's stencil": lambda: matrix().map_overlap(lambda block: block, depth=2, boundary="reflect"),
}
