"""Distributions in a folder on the path: what they offer, and what may be wrong with them."""

import re
import sys

import dask
import pytest
from packages import MODULE, distribution, on_path

import asafess
from asafess.cluster.config import settings
from asafess.optimizations.entry_points import offered
from asafess.optimizations.registry import BUILT_IN, make


@pytest.fixture
def folder(tmp_path):
    with on_path(tmp_path):
        yield tmp_path


@pytest.fixture
def mine(folder):
    return distribution(folder, "mine-package", "mine = mine_package:Mine")


def test_a_package_is_imported_only_when_its_optimization_is_named(mine):
    assert set(offered()) == {"mine"}
    make(BUILT_IN)
    settings(["null"])
    assert mine not in sys.modules
    [made] = make(["mine"])
    assert isinstance(made, asafess.Optimization)
    assert type(made) is sys.modules[mine].Mine


def test_arguments_come_from_the_configuration(mine):
    with dask.config.set({"asafess.optimizations": ["null", "mine"], "asafess.mine": {"alpha": 0.25}}):
        assert [one.name for one in settings().optimizations] == ["null", "mine"]
        assert settings().optimizations[1].alpha == 0.25
    with dask.config.set({"asafess.mine": {"beta": 0.25}}):
        settings(["null"])  # nobody wants it
        with pytest.raises(TypeError, match="beta"):
            settings(["mine"])


def test_what_is_not_installed_can_be_configured_and_pinned_all_the_same(mine):
    with dask.config.set({"asafess.control": {"mine": "on"}}):
        assert settings(["null"]).control == {}
        assert settings(["mine"]).control == {"mine": "on"}
    with (
        dask.config.set({"asafess.control": {"yours": "on"}}),
        pytest.raises(ValueError, match="'yours', which is no optimization"),
    ):
        settings(["mine"])
    with dask.config.set({"asafess.yours": {"alpha": 1}}), pytest.raises(ValueError, match=r"unknown keys \['yours'\]"):
        settings(["mine"])


def test_an_entry_point_named_as_a_setting_does_not_take_that_setting(folder):
    distribution(folder, "mine-package", "tick = mine_package:Mine")
    assert settings(["null"], tick="20ms").tick == 0.02
    with dask.config.set({"asafess.tick": "30ms", "asafess.mine": {}}), pytest.raises(ValueError, match="unknown keys"):
        settings(["null"])


def test_an_unknown_name_is_answered_with_what_packages_offer_too(mine):
    with pytest.raises(ValueError, match=r"unknown optimization 'min'; allowed: mine, null, .*tile_compression"):
        make(["min"])


def test_a_built_in_name_is_the_built_in_one(folder):
    distribution(folder, "mine-package", "null = mine_package:Mine")
    assert type(make(["null"])[0]) is BUILT_IN["null"]


@pytest.mark.parametrize(
    ("entry_point", "module", "error", "says"),
    [
        ("mine = mine_package:Mine", None, ImportError, "ModuleNotFoundError: No module named 'mine_package'"),
        ("mine = mine_package:Mine", "1 / 0", ImportError, "ZeroDivisionError"),
        ("mine = mine_package:Mine", "syntax error", ImportError, "SyntaxError"),
        ("mine = mine_package:Absent", "", ImportError, "has no attribute 'Absent'"),
        ("mine = no object reference", "", ImportError, "can't be loaded"),
    ],
)
def test_what_can_not_be_loaded_names_its_package_and_harms_no_other(folder, entry_point, module, error, says):
    distribution(folder, "mine-package", entry_point, module)
    with pytest.raises(error, match=r"optimization 'mine' of mine-package 1\.2 .*" + re.escape(says)):
        make(["mine"])
    assert {one.name for one in make(BUILT_IN)} == set(BUILT_IN)
    with pytest.raises(ValueError, match="allowed: mine, null"):
        make(["absent"])


@pytest.mark.parametrize(
    ("reference", "error", "says"),
    [
        ("no_optimization", TypeError, "must name a subclass of asafess.Optimization"),
        ("an_object", TypeError, "must name a subclass of asafess.Optimization"),
        ("MISSING", TypeError, "must name a subclass"),
        ("other_name", ValueError, "calls itself 'other'"),
    ],
)
def test_what_makes_no_such_optimization_is_refused(folder, reference, error, says):
    distribution(folder, "mine-package", f"mine = mine_package:{reference}", MODULE + "MISSING = None\n")
    with pytest.raises(error, match=rf"of mine-package 1\.2 .*{says}"):
        make(["mine"])


def test_two_packages_that_offer_one_name_are_both_named(mine, folder):
    distribution(folder, "your-package", "mine = your_package:Mine")
    with pytest.raises(ValueError, match=r"offered by mine-package 1\.2 and by your-package 1\.2"):
        make(["mine"])


def test_a_package_that_is_on_the_path_twice_is_one_package(mine, folder, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    distribution(again, "mine-package", "mine = mine_package:Mine", version="1.1")  # an older one is left behind
    with on_path(again):
        assert make(["mine"])[0].name == "mine"


def test_broken_metadata_of_any_package_harms_no_other(mine, folder, caplog):
    distribution(folder, "torn-package", "this is no entry point")
    assert set(offered()) == {"mine"}
    assert "can't read the entry points of torn-package 1.2" in caplog.text
    assert make(["mine"])[0].name == "mine"
