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
from snncc.train.binary import BinaryWeights, binarize
from snncc.train.calibrate import calibrate_scales
from snncc.train.cifar10 import CIFAR10, cifar10
from snncc.train.data import Augmentation, Images, Split, digits, read_images
from snncc.train.export import export
from snncc.train.fan_out import fan_out
from snncc.train.inputs import QuantizedInput
from snncc.train.log_weights import LogWeights, quantize_log_weights, refit_exponents
from snncc.train.loop import Epoch, accuracy, adam, constant, cosine, fit, sgd
from snncc.train.objectives import Classification, Distillation, Losses
from snncc.train.pretrained import load_initializers
from snncc.train.qcfs import QcfsActivation
from snncc.train.quantized_relu import QuantizedReLU
from snncc.train.synops import SynapticOperations, TargetOperations, WeightedL1
from snncc.train.ttfs import CatSchedule, TtfsActivation

__all__ = [
    "CIFAR10", "Augmentation", "BinaryWeights", "CatSchedule", "Classification", "Distillation",
    "Epoch", "Images", "LogWeights", "Losses", "QcfsActivation", "QuantizedInput", "QuantizedReLU",
    "Split", "SynapticOperations", "TargetOperations", "TtfsActivation", "WeightedL1", "accuracy",
    "adam", "binarize", "calibrate_scales", "cifar10", "constant", "cosine", "digits", "export",
    "fan_out", "fit", "fold_batchnorm", "load_initializers", "quantize_log_weights", "read_images",
    "refit_exponents", "sgd",
]  # fmt: skip
