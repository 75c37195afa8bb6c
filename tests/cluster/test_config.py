from pathlib import Path

import dask
import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import asafess
from asafess.cluster.config import save, settings
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


VALUES = {"asafess": {"tile-compression": {"break-even": {"float64": {"light": 0.25}}}}}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(dask.config, "PATH", str(tmp_path / "dask"))
    return tmp_path / "dask"


def test_saved_values_are_what_dask_reads(home):
    assert save(VALUES) == (home / "asafess.yaml", None)
    assert dask.config.collect([str(home)], env={}) == VALUES


def test_other_keys_stay_also_those_with_underscores_and_comments_in_a_copy(home):
    home.mkdir()
    text = "# mine\nasafess:\n  tick: 20ms\n  tile_compression: {alpha: 0.5, break-even: null}\nother: [1, é]\n"
    (home / "asafess.yaml").write_text(text, encoding="utf-8")
    path, copy = save(VALUES)
    inner = {"alpha": 0.5, "break-even": VALUES["asafess"]["tile-compression"]["break-even"]}
    assert yaml.safe_load(path.read_text("utf-8")) == {
        "asafess": {"tick": "20ms", "tile_compression": inner},
        "other": [1, "é"],
    }
    assert copy.read_text("utf-8") == text
    save({"asafess": {"tile-compression": {"break-even": {"float32": {"light": 0.5}}}}})
    assert list(yaml.safe_load(path.read_text("utf-8"))["asafess"]["tile_compression"]["break-even"]) == [
        "float64",
        "float32",
    ]
    assert sorted(one.name for one in home.iterdir()) == ["asafess.yaml", "asafess.yaml.before"]


def test_a_file_that_dask_config_names_is_the_one_also_through_a_link(tmp_path, monkeypatch):
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("asafess: null\n")
    real.chmod(0o600)
    link.symlink_to(real)
    monkeypatch.setattr(dask.config, "PATH", str(link))
    save(VALUES)
    assert link.is_symlink()
    assert yaml.safe_load(real.read_text()) == VALUES
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["a: [1\n", "- 1\n", "asafess: off\n", "asafess: {tile-compression: 3}\n", b"\xff\xfe\x00"]
)
def test_a_file_that_can_not_be_merged_into_is_named_and_stays_as_it_is(home, text):
    home.mkdir()
    path = home / "asafess.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = path.read_bytes()
    with pytest.raises(ValueError, match="nothing was written") as caught:
        save(VALUES)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert [one.name for one in home.iterdir()] == ["asafess.yaml"]


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
