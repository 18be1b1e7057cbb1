"""Options and places that all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# what tests compile is shared among them, and leaves the user's own cache alone
os.environ["SNNCC_CACHE"] = str(ROOT / ".pytest_cache" / "snncc")
SHARED = ROOT.parent / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="renew what golden tests compare with"
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture
def digits() -> Path:
    """The shipped example's folder."""
    return ROOT / "examples" / "digits"


@pytest.fixture
def shared_models() -> Path:
    """Pretrained networks beside the project; tests that need them skip where they are not."""
    if not (SHARED / "models").is_dir():
        pytest.skip("the pretrained networks (../shared/models) are not here")
    return SHARED / "models"


@pytest.fixture
def shared_data() -> Path:
    """Real images beside the project; tests that need them skip where they are not."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the real images (../shared/data) are not here")
    return SHARED / "data"
