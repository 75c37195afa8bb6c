import subprocess
import sys

import pytest

import asafess


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, asafess; print([n for n in ('numba', 'scipy', 'distributed', 'numpy') if n in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_every_public_name_exists_and_is_documented():
    for name in asafess.__all__:
        public = getattr(asafess, name)
        assert name == "__version__" or public.__doc__, name


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'instal'"):
        asafess.instal  # noqa: B018
