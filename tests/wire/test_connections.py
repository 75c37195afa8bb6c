import pickle
import subprocess
import sys

import dask
import pytest
from distributed.comm.core import Comm
from distributed.protocol.compression import compressions

from asafess.wire import connections
from asafess.wire.codec import Codec
from asafess.wire.connections import NAME, SETTING


@pytest.fixture(autouse=True)
def _left(monkeypatch):
    monkeypatch.setattr(connections, "codec", Codec())
    before = dask.config.get(SETTING)
    yield
    connections.leave()
    assert dask.config.get(SETTING) == before
    compressions.pop(NAME, None)


@pytest.mark.parametrize("found", [False, None])
def test_joining_registers_and_sets_and_leaving_puts_the_setting_back(found):
    with dask.config.set({SETTING: found}):
        for _ in range(2):
            assert connections.join()
            assert connections.join()  # each worker of a process does
            assert dask.config.get(SETTING) == NAME
            assert compressions[NAME].name == NAME
            connections.codec.set_state("mask")
            connections.leave()
            connections.leave()
            assert dask.config.get(SETTING) is found
            assert connections.codec.state == "off"
            assert NAME in compressions  # a frame may be on its way


def test_a_persons_setting_is_left_alone_and_it_is_said(caplog):
    with dask.config.set({SETTING: "zlib"}):
        assert not connections.join()
        assert dask.config.get(SETTING) == "zlib"
        connections.leave()
        assert dask.config.get(SETTING) == "zlib"
    assert "distributed.comm.compression is 'zlib'" in caplog.text


def test_a_setting_that_somebody_has_made_since_stays():
    connections.join()
    with dask.config.set({SETTING: "zlib"}):
        connections.leave()
        assert dask.config.get(SETTING) == "zlib"


def test_the_setting_is_none_in_a_process_that_inherits_the_configuration():
    connections.join()
    inherited = pickle.loads(pickle.dumps(dask.config.config))
    assert inherited["distributed"]["comm"]["compression"] is False
    assert dask.config.get(SETTING) == NAME


def test_peers_agree_on_the_codec_only_if_both_have_it():
    connections.join()
    ours = {"compression": compressions[dask.config.get(SETTING)].name, "pickle-protocol": 5}
    other_version, other_libraries = NAME.replace("-3-", "-2-"), NAME + "-brotli"
    assert len({NAME, other_version, other_libraries}) == 3
    for theirs, agreed in ((NAME, NAME), (None, None), ("lz4", None), (other_version, None), (other_libraries, None)):
        found = Comm.handshake_configuration(ours, {"compression": theirs, "pickle-protocol": 5})
        assert found["compression"] == agreed


def test_importing_the_deciding_half_imports_neither_the_codec_nor_its_libraries():
    code = (
        "import sys; from asafess.optimizations import registry; registry.make(['wire_compression']);"
        "assert not {name for name in sys.modules if name.startswith('asafess.wire')}, 'wire';"
        "assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
