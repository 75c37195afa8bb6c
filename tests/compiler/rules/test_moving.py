"""Bytes of what moves data, of views, and of what makes arrays."""

import operator

import dask.array as da
import numpy as np
import pytest
from dask.array.chunk import getitem
from dask.array.core import concatenate3
from distributed.shuffle._rechunk import rechunk_p2p
from graphs import called, graph_of, interpreted

from asafess.compiler.abstract.values import array_of
from asafess.compiler.infer import found_type
from asafess.compiler.inference import TypeInference

A = array_of((100, 50), "f8")


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "nbytes"),
    [
        (np.concatenate, ([A, A],), {}, 2 * 80_000),
        (np.concatenate, ([A, array_of((100, 2), "f4")],), {"axis": 1}, 40_000 + 800 + 41_600),
        (np.stack, ([A, A],), {"axis": 2}, 2 * 80_000),
        (np.vstack, ([A, array_of((50,), "f8")],), {}, 2 * 40_400),
        (np.copy, (A,), {}, 80_000),
        (np.pad, (A, ((1, 2), (0, 0))), {}, 40_000 + 41_200),
        (np.repeat, (A, 3), {"axis": 0}, 160_000),
        (np.tile, (array_of((3,), "f8"), (2, 2)), {}, 24 + 96),
        (np.roll, (A, 3), {"axis": 0}, 80_000),
        (np.take, (A, np.array([1, 2])), {"axis": 0}, 16 + 2 * 800),
    ],
)
def test_moving_is_reading_and_writing(function, args, kwargs, nbytes):
    found = called(function, *args, **kwargs)
    assert (found.flop, found.nbytes, found.moved) == (0, nbytes, True)
    real = function(*_real(args), **kwargs)
    assert (found.value.shape, found.value.dtype) == (real.shape, real.dtype)


def _real(value):
    if isinstance(value, list | tuple):
        return type(value)(map(_real, value))
    return np.ones(value.shape, value.dtype) if hasattr(value, "known_shape") else value


@pytest.mark.parametrize(
    ("function", "args", "kwargs"),
    [
        (np.transpose, (array_of((2, 3, 4), "f8"),), {"axes": (2, 0, 1)}),
        (np.swapaxes, (array_of((2, 3, 4), "f8"), 0, 2), {}),
        (np.moveaxis, (array_of((2, 3, 4, 5), "f8"), (0, 1), (-1, 0)), {}),
        (np.expand_dims, (A, (0, 2)), {}),
        (np.squeeze, (array_of((1, 3, 1), "f8"),), {"axis": 0}),
        (np.broadcast_to, (array_of((3, 1), "f8"), (2, 3, 4)), {}),
        (np.diagonal, (array_of((2, 5, 7), "f8"),), {"offset": -1, "axis1": 1, "axis2": 2}),
        (np.rot90, (A,), {}),
        (np.atleast_2d, (array_of((3,), "f8"),), {}),
        (operator.getitem, (A, (slice(3), None, 5)), {}),
        (np.lib.stride_tricks.sliding_window_view, (A, 5), {"axis": 0}),
    ],
)
def test_views_cost_nothing(function, args, kwargs):
    found = called(function, *args, **kwargs)
    assert found.known
    assert (found.flop, found.nbytes) == (0, 0)
    assert found.value.shape == function(*_real(args), **kwargs).shape


def test_dask_copies_small_slices():
    # less than half of the array: kept alive it would cost more than the copy
    assert called(getitem, A, (slice(10),)).nbytes == 2 * 10 * 400
    assert called(getitem, A, (slice(90),)).nbytes == 0
    assert called(operator.getitem, A, (slice(10),)).nbytes == 0
    assert called(operator.getitem, A, ([1, 2, 3],)).nbytes == 2 * 1200


def test_blocks_are_put_together_as_they_are_nested():
    def block(rows, columns):
        return array_of((rows, columns), "f8")

    blocks = [[block(3, 2), block(3, 5)], [block(4, 2), block(4, 5)]]
    found = called(concatenate3, blocks)
    assert found.value.shape == (7, 7)
    assert found.nbytes == 2 * 7 * 7 * 8
    assert not called(concatenate3, [[block(3, 2), block(4, 5)]]).known


def test_a_rechunk_moves_every_byte():
    x = da.random.random((400, 400), chunks=(400, 50)).rechunk((50, 400))
    inferred = interpreted(graph_of(x))
    moving = [one for one in inferred.values() if one.moved]
    # split: cut out and copied; merged: read and written
    assert sum(one.nbytes for one in moving) == 4 * x.nbytes
    assert not any(one.flop for one in moving)


def test_what_is_written_is_counted_when_arrays_are_made():
    assert called(np.ones, (100, 50)).nbytes == 40_000
    assert called(np.arange, 100).nbytes == 800
    x = da.random.default_rng(0).normal(size=(100, 100), chunks=50)
    made = [one for one in interpreted(graph_of(x)).values() if one.parts]
    assert [(one.nbytes, one.flop) for one in made] == [(20_000, 25_000)] * 4
    # one element, seen as many
    ones = interpreted(graph_of(da.ones((100, 100), chunks=50) + 1))
    assert {one.nbytes for one in ones.values()} == {20_000 + 8}


def test_arrays_in_files_are_read_when_they_are_sliced():
    class Store:
        shape, dtype, ndim = (100, 100), np.dtype("f8"), 2

        def __getitem__(self, index):
            return np.zeros(self.shape)[index]

    inferred = interpreted(graph_of(da.from_array(Store(), chunks=50) + 1)).values()
    found = [one for one in inferred if one.parts]
    assert [one.nbytes for one in found] == [2 * 20_000 + 2 * 20_000] * 4  # read, and then added to
    assert all(one.known and one.confidence < 1 for one in found)


def test_what_a_peer_to_peer_rechunk_sends_is_communication():
    x = rechunk_p2p(da.random.random((4000, 4000), chunks=(2000, 1000)), ((1000,) * 4, (4000,)))
    graph = graph_of(x)
    inferred = interpreted(graph)
    sent = [one for one in inferred.values() if one.communication]
    assert len(sent) > 1  # as many as Dask makes pieces of it beforehand
    assert sum(one.communication for one in sent) == x.nbytes
    assert found_type(sent[0], "transfer").type.loads["communication"] == x.nbytes / len(sent)
    results = [inferred[key] for row in x.__dask_keys__() for key in row]
    assert all(one.value.shape == (1000, 4000) and one.known for one in results)
    assert TypeInference(graph.get).found(x.__dask_keys__()[0][0]) is not None
