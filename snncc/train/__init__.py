"""Conversion-aware training in PyTorch: networks that lose nothing when they become spikes.

    pip install 'snncc[train]'

Raises SNN054 where torch is not installed.
"""

from snncc_ir import fail

try:
    import torch as _torch  # noqa: F401
except ImportError:
    raise fail("SNN054", "torch is not installed", hint="pip install 'snncc[train]'") from None

from snncc.train.batchnorm import fold_batchnorm
from snncc.train.calibrate import calibrate_scales
from snncc.train.export import export
from snncc.train.inputs import QuantizedInput
from snncc.train.log_weights import LogWeights, quantize_log_weights, refit_exponents
from snncc.train.pretrained import load_initializers
from snncc.train.qcfs import QcfsActivation
from snncc.train.ttfs import CatSchedule, TtfsActivation

__all__ = [
    "CatSchedule", "LogWeights", "QcfsActivation", "QuantizedInput", "TtfsActivation",
    "calibrate_scales", "export", "fold_batchnorm", "load_initializers", "quantize_log_weights",
    "refit_exponents",
]  # fmt: skip
