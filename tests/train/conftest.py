"""Without torch these tests are skipped; with it they run on one thread.

Small networks are trained faster by one thread than by several that wait for one another.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

try:
    import torch
except ImportError:
    MISSING = True
else:
    MISSING = False


class WithoutTorch(pytest.Module):
    """A module of tests that is not imported."""

    def collect(self) -> Iterator[pytest.Item]:
        pytest.skip("torch is not installed: pip install 'snncc[train]'", allow_module_level=True)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    if not MISSING:
        return None
    skipped: pytest.Module = WithoutTorch.from_parent(parent, path=module_path)
    return skipped


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
