"""snncc: a compiler from ONNX graphs to bundles for neuromorphic chips.

bundle = snncc.compile("model.onnx", target="c", calibration="calib.npz", steps=32)
result = bundle.run("test.npz")
figures = bundle.verify("model.onnx", "test.npz")
snncc.make_report(bundle, "model.onnx", "test.npz").write("report/")
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_PLACES = {
    "Bundle": "snncc.bundle",
    "Dataset": "snncc.data",
    "Diagnostic": "snncc_ir",
    "EventDataset": "snncc.event_data",
    "EventWindow": "snncc_backends",
    "Goal": "snncc.search",
    "Preprocessing": "snncc_backends",
    "RadixSettings": "snncc_backends",
    "RateSettings": "snncc_backends",
    "Report": "snncc.reporting",
    "Result": "snncc.result",
    "Settings": "snncc_backends",
    "SnnccError": "snncc_ir",
    "TtfsSettings": "snncc_backends",
    "Verification": "snncc.verify",
    "compile": "snncc.compiler",
    "make_event_dataset": "snncc.event_data",
    "make_report": "snncc.reporting",
}
"""Where each name is: imported when it is asked for, as all of it together takes half a second,
which no command of the command line needs."""


def __getattr__(name: str) -> object:
    if name in _PLACES:
        found: object = getattr(import_module(_PLACES[name]), name)
        return found
    if find_spec(f"snncc.{name}") is not None:
        return import_module(f"snncc.{name}")
    raise AttributeError(f"module 'snncc' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
