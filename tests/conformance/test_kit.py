"""The built-in targets pass what every backend is tested with, and nothing private helps them."""

from importlib.util import find_spec

import pytest

from snncc.testing import BackendTests


class TestC(BackendTests):
    backend = "c"


class TestTtfs28(BackendTests):
    backend = "ttfs28"


class TestLoihi(BackendTests):
    backend = "loihi"


@pytest.mark.skipif(find_spec("nir") is None, reason="the package nir (snncc[nir]) is not here")
class TestNir(BackendTests):
    backend = "nir"
