"""snncc: a compiler from ONNX graphs to bundles for neuromorphic chips.

bundle = snncc.compile("model.onnx", target="c", calibration="calib.npz", steps=32)
result = bundle.run("test.npz")
figures = bundle.verify("model.onnx", "test.npz")
snncc.make_report(bundle, "model.onnx", "test.npz").write("report/")
"""

from snncc.bundle import Bundle
from snncc.compiler import compile
from snncc.data import Dataset
from snncc.event_data import EventDataset, make_event_dataset
from snncc.reporting import Report, make_report
from snncc.result import Result
from snncc.search import Goal
from snncc.verify import Verification
from snncc_backends import (
    EventWindow,
    Preprocessing,
    RadixSettings,
    RateSettings,
    Settings,
    TtfsSettings,
)
from snncc_ir import Diagnostic, SnnccError

__version__ = "0.1.0"

__all__ = [
    "Bundle", "Dataset", "Diagnostic", "EventDataset", "EventWindow", "Goal", "Preprocessing",
    "RadixSettings", "RateSettings", "Report", "Result", "Settings", "SnnccError",
    "TtfsSettings", "Verification", "__version__", "compile", "make_event_dataset",
    "make_report",
]  # fmt: skip
