"""Conversion-aware training in PyTorch: networks that lose nothing when they become spikes.

    pip install 'snncc[train]'

Raises SNN054 where torch is not installed.
"""

from snncc_ir import fail

try:
    import torch as _torch  # noqa: F401
except ImportError:
    raise fail("SNN054", "torch is not installed", hint="pip install 'snncc[train]'") from None

from snncc.train.binary import BinaryWeights, binarize
from snncc.train.cifar10 import CIFAR10, cifar10
from snncc.train.data import Augmentation, Images, Split, digits, read_images
from snncc.train.fan_out import fan_out
from snncc.train.loop import Epoch, accuracy, adam, constant, cosine, fit, sgd
from snncc.train.objectives import Classification, Distillation, Losses
from snncc.train.quantized_relu import QuantizedReLU
from snncc.train.synops import SynapticOperations, TargetOperations, WeightedL1

__all__ = [
    "CIFAR10", "Augmentation", "BinaryWeights", "Classification", "Distillation", "Epoch",
    "Images", "Losses", "QuantizedReLU", "Split", "SynapticOperations", "TargetOperations",
    "WeightedL1", "accuracy", "adam", "binarize", "cifar10", "constant", "cosine", "digits",
    "fan_out", "fit", "read_images", "sgd",
]  # fmt: skip
