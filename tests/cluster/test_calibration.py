"""The configuration that follows from a measured cluster."""

import dask
import hypothesis
import jsonschema
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from test_config import SCHEMA

from asafess.cluster.calibrate import Measured
from asafess.cluster.calibration import calibration
from asafess.cluster.config import OWN_RATES, settings
from asafess.core.mode import Rates
from asafess.optimizations.tile_compression import TileCompression
from asafess.tiles.break_even import light

ALL = ("flop", "memory", "link", "loops", *OWN_RATES["tile_compression"])

positive = st.floats(1e3, 1e12)


@st.composite
def measurements(draw):
    workers = [{name: draw(positive) for name in ALL} for _ in range(draw(st.integers(1, 4)))]
    of = {"float64": workers, "float32": workers}
    return Measured({f"tcp://{k}": one for k, one in enumerate(workers)}, of, {}, 0, 1.0)


@hypothesis.settings(max_examples=25)
@given(measurements())
def test_the_configuration_has_exactly_the_thresholds_that_were_derived(found):
    follows = calibration(found, lambda rates, dtype: light(rates, np.dtype(dtype).itemsize))
    written = yaml.safe_load(yaml.safe_dump({"asafess": dict(follows.values)}))
    jsonschema.validate(written, SCHEMA)
    with dask.config.set(written):
        made = settings()
    (compression,) = made.optimizations
    extra = {name: made.rates[name] for name in OWN_RATES["tile_compression"]}
    in_force = Rates(made.rates["flop"], made.rates["memory"], made.rates["link"], extra)
    assert made.rates == follows.rates
    assert compression.thresholds(in_force) == follows.thresholds
    assert made.all_rates_given
    assert set(compression.break_even) == {"float64", "float32"}
    # and they are what follows from the rates alone, but for the digits that were rounded away
    for name, value in TileCompression().thresholds(in_force).items():
        assert follows.thresholds[name] == pytest.approx(value, rel=1e-3, abs=1e-12)
