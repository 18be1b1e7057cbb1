"""The kit on an installed backend: `pytest --pyargs snncc.testing --backend NAME`."""

from collections.abc import Mapping

import pytest

from snncc.testing.kit import BackendTests


class TestInstalled(BackendTests):
    """Which backend, and with which settings, the command line says."""

    @classmethod
    def chosen(cls, config: pytest.Config) -> str:
        name = config.getoption("--backend", default=None)
        if not name:
            raise pytest.UsageError("--backend NAME says what to test; `snncc targets` lists names")
        return str(name)

    @classmethod
    def chosen_options(cls, config: pytest.Config) -> Mapping[str, object]:
        given = [str(text).partition("=") for text in config.getoption("--option", default=[])]
        return {key: value for key, _, value in given}
