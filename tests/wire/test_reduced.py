"""Arrays of float64 as float32: the bound of each element, what is refused, and what stock Dask reads of it."""

import pickle

import numpy as np
import pytest
from distributed.protocol.numpy import deserialize_numpy_ndarray, serialize_numpy_ndarray
from distributed.protocol.serialize import dask_serialize, serialize_bytes
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from asafess.wire import connections, reduced

WORKER = {"recipient": {"compression": connections.NAME}, "pickle-protocol": 5}
floats = st.floats(width=64) | st.floats(-1e6, 1e6) | st.sampled_from([0.0, -0.0, 1e-38, 1.2e-38, 3.4e38, 5e-324])


@pytest.fixture(autouse=True)
def on(monkeypatch):
    monkeypatch.setattr(reduced, "_counted", dict.fromkeys(reduced.COUNTERS, 0.0))
    reduced.begin()
    yield
    reduced.end()
    assert dask_serialize.dispatch(np.ndarray) is serialize_numpy_ndarray


@given(arrays(np.float64, st.integers(0, 40), elements=floats))
def test_each_element_is_within_the_bound_or_all_go_as_they_are(array):
    found = reduced.reduce(array)
    with np.errstate(all="ignore"):
        rounded = array.astype("f4").astype("f8")
        fits = np.abs(rounded - array) <= 2.0**-24 * np.abs(array)
    assert (found is not None) == fits.all()
    if found is not None:
        assert found.astype("f8").tobytes() == rounded.tobytes()
        again = reduced.reduce(found.astype("f8"))
        assert again.tobytes() == found.tobytes()


@given(st.integers(-120, 120), st.floats(1, 2, exclude_max=True), st.sampled_from([-1, 1]))
def test_what_is_a_normal_number_of_float32_is_always_within_the_bound(exponent, mantissa, sign):
    assert reduced.reduce(np.array([sign * mantissa * 2.0**exponent])) is not None


def wire(array, context=WORKER):
    """Return what a receiver without asafess gets, and the bytes that crossed."""
    header, frames = dask_serialize.dispatch(np.ndarray)(array, context=context)
    sent = [bytes(one) for one in frames]
    return deserialize_numpy_ndarray(header, sent), sum(map(len, sent))


@pytest.mark.parametrize("order", ["C", "F"])
def test_it_arrives_as_float64_in_its_shape_and_order_and_may_be_written(order):
    array = np.asarray(np.random.default_rng(0).standard_normal((40, 50, 3)), order=order)
    came, nbytes = wire(array)
    assert nbytes < 0.52 * array.nbytes
    assert (came.dtype, came.shape, came.strides) == (np.float64, array.shape, array.strides)
    assert came.flags.writeable
    assert (np.abs(came - array) <= 2.0**-24 * np.abs(array)).all()
    assert (came != array).any()
    assert reduced.counters()["reduced_logical_bytes"] == 2 * reduced.counters()["reduced_sent_bytes"] == array.nbytes


def frozen(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "array",
    [
        np.append(np.ones(5000), np.nan),
        np.append(np.inf, np.ones(5000)),
        np.append(np.ones(reduced.BLOCK + 5), 1e300),
        np.append(np.ones(5000), 1e-44),
        np.full(100, 1 / 3),
        np.full(5000, 1 / 3).astype(">f8"),
        np.full((100, 100), 1 / 3)[:, ::2],
        np.broadcast_to(1 / 3, 5000),
        frozen(np.full(5000, 1 / 3)),
        np.full(5000, 1 / 3, "f4"),
        np.arange(5000),
        np.full(5000, 1j / 3),
        np.full(5000, 1 / 3).view("M8[s]"),
    ],
    ids=["nan", "inf", "large", "tiny", "few", "swapped", "strided", "broadcast", "frozen", "f4", "i8", "c16", "M8"],
)
def test_what_does_not_fit_goes_as_it_is(array):
    came, _ = wire(array)
    assert came.dtype == array.dtype
    assert came.tobytes() == array.tobytes()
    assert reduced.counters()["reduced_arrays"] == 0


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"recipient": {"compression": None}, "pickle-protocol": 5},
        {"recipient": {"compression": "lz4"}, "pickle-protocol": 5},
        {"recipient": {"compression": connections.NAME}, "pickle-protocol": 4},
    ],
)
def test_whoever_has_not_said_that_it_is_a_worker_of_ours_gets_all_bits(context):
    array = np.full(5000, 1 / 3)
    assert wire(array, context)[0].tobytes() == array.tobytes()
    assert wire(array)[0].tobytes() != array.tobytes()


def test_what_goes_to_disk_and_what_is_pickled_keeps_all_bits():
    array = np.full(5000, 1 / 3)
    assert array.tobytes() in serialize_bytes(array, compression=None)
    assert array.tobytes() in pickle.dumps(array)


def test_a_fault_sends_the_array_as_it_is_and_counts(monkeypatch, caplog):
    monkeypatch.setattr(reduced, "reduce", None)
    array = np.full(5000, 1 / 3)
    for _ in range(2):
        assert wire(array)[0].tobytes() == array.tobytes()
    assert reduced.counters()["reduced_faults"] == 2
    assert caplog.text.count("reduced fault") == 1


def test_off_it_is_dasks_own_and_ending_twice_is_allowed():
    reduced.begin()
    reduced.end()
    assert dask_serialize.dispatch(np.ndarray) is serialize_numpy_ndarray
    array = np.full(5000, 1 / 3)
    header, _ = reduced.serialize(array, context=WORKER)  # as one that has been looked up before
    assert "pickle" not in header
    reduced.end()
