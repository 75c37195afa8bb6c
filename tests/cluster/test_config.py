import os
import subprocess
import sys
from pathlib import Path

import dask
import jsonschema
import numpy as np
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
        *(({"tick": value}, r"asafess\.tick must be a time such as") for value in (True, [1], "1e400 s s", {})),
        *(
            ({"band_excess": value}, r"asafess\.band-excess must be a number from 0 to 2, not ")
            for value in ("x", None, [1], True, -0.1, 2.5, float("nan"), 10**400)
        ),
        *(({"budgets": value}, r"asafess\.budgets must be a mapping .* not ") for value in ("x", 5, ["w"])),
        *(
            ({"budgets": {"w": value}}, r"asafess\.budgets\.w must be a finite number ≥ 0 .* not ")
            for value in ("lots", None, True, -1, float("nan"), float("inf"), 10**400)
        ),
        *(({"control": value}, r"asafess\.control must be a mapping .* not ") for value in ("x", 5, ["null"])),
        ({"control": {"tile-compression": "onn"}}, r"asafess\.control\.tile-compression: .*'onn'.* allowed: off"),
        *(({"types": value}, r"asafess\.types must be a mapping") for value in ("x", 5, ["x"])),
        *(({"rates": value}, r"asafess\.rates must be a mapping") for value in ("x", 5, ["x"])),
        *(
            (
                {"rates": {"link": value}},
                r"asafess\.rates\.link must be a positive number from 1e-06 to 1e\+24 per second",
            )
            for value in (1e-320, 1e-7, 1e300)
        ),
        ({"rates": {"link": 10**400}}, r"asafess\.rates\.link must be a positive number"),
        *(({"dtypes": value}, r"asafess\.dtypes must be a list") for value in ("float64", None, 5)),
        *(
            ({"trace_size": value}, r"asafess\.trace-size must be a size .* not ")
            for value in (None, [1], "1e400", 1e300, True, "1kB", float("nan"))
        ),
        *(({"policy": value}, r"asafess\.policy must be one of .* not ") for value in (5, None, ["x"], "best")),
        *(
            ({"switches_per_minute": value}, r"asafess\.switches-per-minute: .* from 1 to 1000000, or None")
            for value in ("120", 0, True, 10**20)
        ),
        *(
            ({"trace": value}, r"asafess\.trace must be text such as .* not ")
            for value in (True, 5, b"x", ["a"], "", {})
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(given_, says):
    with pytest.raises(ValueError, match=says):
        settings(**given_)


def test_values_that_are_allowed_are_taken_as_python_s_own():
    made = settings(
        budgets={"w": np.float32(0.5)},
        band_excess=np.float32(0.25),
        trace=Path("t"),
        control={"tile_compression": False},
    )
    assert made.deciding["budgets"] == {"w": 0.5}
    assert {type(value) for value in (made.deciding["excess"], made.deciding["budgets"]["w"])} == {float}
    assert (made.trace, made.control) == ("t", {"tile_compression": "off"})


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("BUDGETS", "asafess.budgets must be a mapping"),
        ("TILE_COMPRESSION", "asafess.tile-compression must be a mapping"),
        ("OPTIMIZATIONS", "asafess.optimizations must be a list"),
        ("", "asafess must be a mapping"),
    ],
)
def test_an_environment_variable_in_place_of_a_mapping_is_said_and_not_dropped(name, says):
    code = "from asafess.cluster.config import settings\ntry: settings()\nexcept ValueError as error: print(error)"
    variable = f"DASK_ASAFESS__{name}" if name else "DASK_ASAFESS"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, variable: "5"}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(says)
    assert done.stdout.endswith(", not 5\n")


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
