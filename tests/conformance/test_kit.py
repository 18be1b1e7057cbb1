"""The built-in targets pass what every backend is tested with, and nothing private helps them."""

from snncc.testing import BackendTests


class TestC(BackendTests):
    backend = "c"


class TestTtfs28(BackendTests):
    backend = "ttfs28"


class TestLoihi(BackendTests):
    backend = "loihi"
