"""What any backend is tested with, built-in or plug-in. Needs pytest, as in `snncc[testing]`.

    from snncc.testing import BackendTests

    class TestMyChip(BackendTests):
        backend = "mychip"

Or without a file: `pytest --pyargs snncc.testing --backend mychip`.
"""

from snncc.testing.builder import DELAY, NEURONS, SAMPLES, STEPS
from snncc.testing.events import taking_events
from snncc.testing.kit import BackendTests
from snncc.testing.networks import FAMILY, family, inputs, network

__all__ = [
    "DELAY", "FAMILY", "NEURONS", "SAMPLES", "STEPS", "BackendTests", "family", "inputs", "network",
    "taking_events",
]  # fmt: skip
