"""The pytest plug-in of `snncc.testing`: `pytest --pyargs snncc.testing --backend NAME`.

It stands by itself because pytest loads it wherever snncc is installed: it imports nothing of
snncc, and adds its options only to runs that ask for `snncc.testing`.
"""

import pytest

KIT = "snncc.testing"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Adds `--backend` and `--option`."""
    if not any(arg == KIT or arg.startswith((f"{KIT}.", f"{KIT}::")) for arg in args):
        return
    group = parser.getgroup("snncc", "the conformance kit of snncc")
    group.addoption("--backend", metavar="NAME", help="the target to test, as --target names it")
    group.addoption(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting to test it with, as --set of snncc; may be repeated",
    )
