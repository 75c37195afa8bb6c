"""On the wire, on disk and in pickles: every bit comes back, and the form follows the door."""

import pickle
import tracemalloc

import numpy as np
import pytest
from dask.sizeof import sizeof
from distributed.protocol import deserialize, deserialize_bytes, serialize, serialize_bytes
from hypothesis import given
from tile_strategies import COMPILED, arrays, forms, same_bits, tiles

from asafess import TiledMatrix
from asafess.kernels import prepare
from asafess.tiles import door
from asafess.tiles.serialize import decode, encode

WIRE = {"context": {"sender": "tcp://127.0.0.1:1", "recipient": "tcp://127.0.0.1:2"}}


@pytest.fixture(autouse=True, scope="module")
def compiled():
    prepare.prepare(["float64"])


def strange():
    """Return an array with a NaN that carries a payload, −0.0, and room to compress."""
    a = np.zeros((70, 300))
    a[:64, :64] = np.random.default_rng(0).normal(size=(64, 64))
    a.view(np.uint64)[69, 299] = 0x7FF8000000ABCDEF
    a[5, 200] = -0.0
    a[6, 201] = np.inf
    return a


def travel(x):
    """Send through Dask's protocol as a worker does: frames become bytes of one buffer."""
    header, frames = serialize(x, **WIRE)
    return deserialize(header, [bytes(memoryview(frame).cast("B")) for frame in frames])


@given(arrays(COMPILED), tiles, forms)
def test_encode_and_decode_keep_every_bit_and_the_form(a, tile, form):
    matrix = TiledMatrix.from_dense(a, tile, form)
    header, frames = encode(matrix)
    back = decode(TiledMatrix, header, frames)
    assert back.shape == matrix.shape
    assert all(same_bits(x, y) for x, y in zip(back._arrays(), matrix._arrays(), strict=True))


@pytest.mark.parametrize("form", door.DOOR_FORMS)
@pytest.mark.parametrize(
    ("wrap", "unwrap"),
    [
        (lambda x: x, lambda x: x),
        (lambda x: [x], lambda x: x[0]),
        (lambda x: (x, x), lambda x: x[1]),
        (lambda x: {"a": x}, lambda x: x["a"]),
        (lambda x: [("k", (x, 1))], lambda x: x[0][1][0]),
    ],
    ids=["bare", "list", "tuple", "dict", "nested"],
)
def test_every_way_through_dask_keeps_bits_and_passes_the_door(form, wrap, unwrap):
    a = strange()
    door.set_form(form)
    back = unwrap(travel(wrap(TiledMatrix.from_dense(a, 64))))
    assert same_bits(back.to_dense(), a)
    assert back.tiles[0, 0].mark == "dense"
    assert (back.tiles[0, 1].mark == "sparse") == (form != "off")
    assert door.counters()["panels"] >= 1


@pytest.mark.parametrize("form", door.DOOR_FORMS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_keeps_bits_and_passes_the_door(form, protocol):
    a = strange()
    door.set_form(form)
    back = pickle.loads(pickle.dumps(TiledMatrix.from_dense(a, 64), protocol))
    assert same_bits(back.to_dense(), a)
    assert back.marks.any() == (form != "off")


def test_pickled_frames_travel_out_of_band_and_are_not_copied():
    matrix = TiledMatrix.from_dense(strange(), 64)
    buffers = []
    blob = pickle.dumps(matrix, protocol=5, buffer_callback=buffers.append)
    assert len(blob) < 2000
    assert np.shares_memory(np.frombuffer(buffers[0], np.uint8), matrix.dense)
    back = pickle.loads(blob, buffers=buffers)
    assert np.shares_memory(back.dense, matrix.dense)


def test_what_is_spilled_keeps_its_form_and_is_not_counted():
    door.set_form("full")
    a = strange()
    for form in ("dense", "full"):
        matrix = TiledMatrix.from_dense(a, 64, form)
        back = deserialize_bytes(serialize_bytes(matrix))
        assert back.marks.tolist() == matrix.marks.tolist()
        assert same_bits(back.to_dense(), a)
    assert door.counters()["panels"] == 0


def test_few_frames_whatever_the_number_of_tiles():
    a = strange()
    for form, names in (("dense", ["dense"]), ("sparse", ["rows", "cols", "values"])):
        header, frames = encode(TiledMatrix.from_dense(a, 2, form))
        assert header["frames"] == names
        assert len(frames) == len(names)
    assert len(encode(TiledMatrix.from_dense(a, 64, "full"))[1]) == 4
    assert encode(TiledMatrix.from_dense(np.zeros((9, 9)), 2, "sparse"))[1] == []


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda frame: frame])
def test_any_kind_of_buffer_is_kept_as_a_view(kind):
    a = strange()
    header, frames = encode(TiledMatrix.from_dense(a, 64, "full"))
    given = [kind(frame) for frame in frames]
    back = decode(TiledMatrix, header, given)
    assert np.shares_memory(back.dense, np.frombuffer(given[0], np.uint8))
    assert same_bits(back.to_dense(), a)


def test_a_received_unaligned_read_only_matrix_works_and_travels_on():
    a = strange()
    x = np.nan_to_num(a[0], posinf=1)
    matrix = TiledMatrix.from_dense(np.nan_to_num(a, posinf=1), 64, "full")
    header, frames = encode(matrix)
    unaligned = [memoryview(b"\0" + frame.tobytes())[1:] for frame in frames]
    back = decode(TiledMatrix, header, unaligned)
    assert not back.dense.flags.aligned
    assert not back.dense.flags.writeable
    assert same_bits(back @ x, matrix @ x)
    assert same_bits(travel([[back]])[0][0].to_dense(), matrix.to_dense())
    assert same_bits(travel(back).to_dense(), matrix.to_dense())
    assert same_bits(back.to_scipy().toarray() + 0.0, matrix.to_dense() + 0.0)


def test_an_unknown_encoding_is_refused_by_name():
    header, frames = encode(TiledMatrix.from_dense([[1.0]]))
    with pytest.raises(ValueError, match=r"'panel-9', but this version of asafess reads 'panel-2'"):
        decode(TiledMatrix, {**header, "encoding": "panel-9"}, frames)


def test_frames_of_the_wrong_length_are_refused():
    header, frames = encode(TiledMatrix.from_dense(np.eye(8), 4, "full"))
    for k in range(len(frames)):
        cut = [frame[:-1] if k == q else frame for q, frame in enumerate(frames)]
        with pytest.raises(ValueError, match="its header says"):
            decode(TiledMatrix, header, cut)
    with pytest.raises(ValueError):  # noqa: PT011 - zip says it
        decode(TiledMatrix, header, frames[:-1])


@pytest.mark.parametrize("change", [{"marks": b"\0" * 9}, {"counts": b"\0" * 8}, {"counts": b"\1" * 32}, {"tile": 8}])
def test_a_header_that_does_not_fit_itself_is_refused(change):
    header, frames = encode(TiledMatrix.from_dense(np.ones((8, 8)), 4))
    with pytest.raises(ValueError, match="don't fit a matrix of shape"):
        decode(TiledMatrix, {**header, **change}, frames)


def test_dask_measures_physical_bytes():
    matrix = TiledMatrix.from_dense(np.eye(256), 128)
    assert sizeof(matrix) == matrix.nbytes
    assert sizeof(matrix.recode("sparse")) < sizeof(matrix) / 100


def _damaged(matrix, part, change):
    header, frames = encode(matrix)
    frames = {name: np.array(frame) for name, frame in zip(header["frames"], frames, strict=True)}
    if part in frames:
        change(frames[part])
    else:
        values = np.frombuffer(header[part], np.uint8 if part == "marks" else np.int64).copy()
        change(values)
        header[part] = values.tobytes()
    return header, list(frames.values())


def _all_ones(frame):
    frame[:] = 255


def _beyond_the_edge(frame):
    frame[-1] = 99  # inside a full tile of 100, outside the last, ragged one


def _shifted(counts):
    counts[0] += 10**6
    counts[1] -= 10**6


def _third_mark(marks):
    marks[0] = 2


@pytest.mark.parametrize(
    ("part", "change", "tile"),
    [
        ("rows", _all_ones, 100),
        ("cols", _all_ones, 100),
        ("rows", _all_ones, 300),  # indices of two bytes
        ("cols", _all_ones, 300),
        ("rows", _beyond_the_edge, 100),
        ("cols", _beyond_the_edge, 100),
        ("counts", _shifted, 100),
        ("marks", _third_mark, 100),
    ],
)
def test_entries_that_would_lead_a_kernel_outside_its_arrays_are_refused(part, change, tile):
    a = np.zeros((250, 250))
    a[::7, ::5] = 1.0
    a[-1, -1] = 1.0
    header, frames = _damaged(TiledMatrix.from_dense(a, tile=tile, form="sparse"), part, change)
    with pytest.raises(ValueError, match=r"outside their tile|don't fit"):
        decode(TiledMatrix, header, frames)


def test_the_largest_tiles_travel_too():
    matrix = TiledMatrix.from_dense(np.eye(5), tile=65536, form="sparse")
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(matrix)).to_dense(), np.eye(5))


@pytest.mark.parametrize("shape", [[0, 2**33], [2**31, 2**31], [2**40, 1]])
def test_a_damaged_shape_is_refused_before_it_takes_memory(shape):
    header, frames = encode(TiledMatrix.from_dense(np.eye(50), 16, "sparse"))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="don't fit a matrix of shape"):
            decode(TiledMatrix, {**header, "shape": shape}, frames)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("damage", [{"dtype": "O"}, {"dtype": "c16"}, {"marks": 7}, {"counts": None}, {"frames": 3}])
def test_a_header_of_wrong_types_is_refused(damage):
    header, frames = encode(TiledMatrix.from_dense(np.eye(50), 16, "sparse"))
    with pytest.raises(ValueError, match="header of this matrix is damaged"):
        decode(TiledMatrix, {**header, **damage}, frames)
    for name in set(header) - {"encoding"}:
        with pytest.raises(ValueError, match="damaged"):
            decode(TiledMatrix, {key: value for key, value in header.items() if key != name}, frames)
