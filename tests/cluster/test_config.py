from pathlib import Path

import dask
import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import asafess
from asafess.cluster.config import settings
from asafess.optimizations.null import Null

FOLDER = Path(asafess.__file__).parent
DEFAULTS = yaml.safe_load((FOLDER / "asafess.yaml").read_text())
SCHEMA = yaml.safe_load((FOLDER / "asafess-schema.yaml").read_text())


def keys(values, schema, path="asafess"):
    """Every key of the defaults with its part of the schema."""
    for key, value in values.items():
        part = schema["properties"][key]
        yield f"{path}.{key}", part
        if isinstance(value, dict) and "properties" in part:
            yield from keys(value, part, f"{path}.{key}")


def test_the_defaults_fit_the_schema_and_the_schema_knows_no_other_keys():
    jsonschema.validate(DEFAULTS, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"asafess": {**DEFAULTS["asafess"], "tock": "1s"}}, SCHEMA)


def test_every_key_is_documented():
    for path, part in keys(DEFAULTS["asafess"], SCHEMA["properties"]["asafess"]):
        assert len(part["description"]) > 20, path


def test_the_defaults_make_settings():
    made = settings()
    assert [optimization.name for optimization in made.optimizations] == ["tile_compression"]
    assert (made.tick, made.window, made.rates) == (0.05, 1.0, {})


def test_the_configuration_is_taken_and_a_call_overrules_it():
    with dask.config.set({"asafess.tick": "10ms", "asafess.window": "3s", "asafess.tile-compression": {"alpha": 0.5}}):
        made = settings(window="2s")
    assert (made.tick, made.window, made.optimizations[0].alpha) == (0.01, 2.0, 0.5)


def test_break_even_densities_are_handed_to_the_optimization():
    densities = {"float32": {"light": 0.25, "full": None}}
    with dask.config.set({"asafess.tile-compression": {"break-even": densities}}):
        assert settings().optimizations[0].break_even == densities
    jsonschema.validate({"asafess": {"tile-compression": {"break-even": densities}}}, SCHEMA)
    for wrong in ({"float32": {"dark": 0.25}}, {"float32": {"light": 2}}, 0.25):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"asafess": {"tile-compression": {"break-even": wrong}}}, SCHEMA)


def test_objects_are_taken_as_they_are():
    null = Null()
    assert settings([null]).optimizations == (null,)


@given(st.floats(max_value=0.0009) | st.just(float("nan")) | st.just(float("inf")))
def test_a_time_that_is_none_is_refused(bad):
    with pytest.raises(ValueError, match=r"asafess\.tick"):
        settings(tick=bad)


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ({"tick": "soon"}, "must be a time"),
        ({"window": None}, "must be a time"),
        ({"rates": {"link": 0}}, r"asafess\.rates\.link"),
        ({"rates": {"disk": 1}}, "unknown rate 'disk'"),
        ({"types": {"x*": {"flop": 1}}}, r"asafess\.types\['x\*'\]"),
        ({"dtypes": ["float46"]}, "not 'float46'"),
        ({"tik": "1s"}, "unknown setting 'tik'"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given_, says):
    with pytest.raises(ValueError, match=says):
        settings(**given_)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"alpha": 2, "beta": 1}, "alpha must be at most beta"),
        ({"alpha": -1}, "alpha"),
        ({"zeros": 1.5}, "share between 0 and 1, not 1.5"),
        ({"threshold": 0}, "at least 1, not 0"),
    ],
)
def test_wrong_settings_of_tile_compression_are_named(values, says):
    with dask.config.set({"asafess.tile-compression": values}), pytest.raises(ValueError, match=says):
        settings()
