"""What is written into the user's configuration, and that nothing of the user's is ever lost."""

import dask.config
import pytest
import yaml

from asafess.cluster.user_config import save

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


def test_each_copy_gets_a_name_of_its_own(home):
    home.mkdir()
    (home / "asafess.yaml.before").write_text("somebody else's")
    text = "# precious\ncolor: '#fff'\n"
    (home / "asafess.yaml").write_text(text)
    first, second = save(VALUES)[1], save(VALUES)[1]
    assert first.read_text() == text
    assert len({first, second, home / "asafess.yaml.before"}) == 3
    assert (home / "asafess.yaml.before").read_text() == "somebody else's"


def test_json_is_read_and_written_as_json(tmp_path, monkeypatch):
    path = tmp_path / "dask.json"
    path.write_text('{\n\t"other": 1\n}')
    monkeypatch.setattr(dask.config, "PATH", str(path))
    save(VALUES)
    assert yaml.safe_load(path.read_text()) == {"other": 1, **VALUES}
    path.write_text("other: 1")
    with pytest.raises(ValueError, match="JSON, so nothing was written"):
        save(VALUES)


def test_what_two_keys_share_is_changed_in_one_only(home):
    home.mkdir()
    (home / "asafess.yaml").write_text("x: &x {q: 1}\nasafess: *x\n")
    path, _ = save(VALUES)
    assert yaml.safe_load(path.read_text()) == {"x": {"q": 1}, "asafess": {"q": 1, **VALUES["asafess"]}}


def test_a_link_to_itself_and_endless_nesting_are_errors_that_name_the_file(home):
    home.mkdir()
    path = home / "asafess.yaml"
    path.write_text("[" * 2000)
    with pytest.raises(ValueError, match="nothing was written"):
        save(VALUES)
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(OSError, match=r"asafess\.yaml"):
        save(VALUES)
