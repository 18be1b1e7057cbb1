"""The op set. A new op is a class in a file of this folder and a name in this list."""

from snncc_ir.ops.base import OnnxWriter, Op, TypeRuleError
from snncc_ir.ops.first_spike import TimeToFirstSpike, TtfsRelu, slot_thresholds
from snncc_ir.ops.inputs import AnyInput, EventInput, Input
from snncc_ir.ops.linear import Add, Affine, Conv, Dense, Scale
from snncc_ir.ops.models import (
    Counting,
    GradedIntegrateFire,
    HardIntegrateFire,
    IntegrateFire,
    Model,
    RadixFire,
    Readout,
    Relu,
    SignedGradedIntegrateFire,
    SignedIntegrateFire,
)
from snncc_ir.ops.nodes import Chain, Neuron, Output, Population, chain_type
from snncc_ir.ops.pool import AvgPool, MaxPool, SumPool
from snncc_ir.ops.quantize import ROUNDINGS, Quantize
from snncc_ir.ops.view import Concat, Pad, Reshape, Slice, Transpose, View, index_of
from snncc_ir.ops.window import Sizes, Window

OPS: dict[str, type[Op]] = {
    op.name: op
    for op in (
        Input, EventInput, Conv, Dense, Affine, Scale, Add, AvgPool, SumPool,
        Reshape, Transpose, Pad, Slice, Concat, View, Quantize, Neuron, MaxPool, Population, Output,
    )
}  # fmt: skip
"""Every op by its name in the text form."""

MODELS: dict[str, type[Model]] = {
    model.name: model
    for model in (
        Relu, TtfsRelu, Readout, IntegrateFire, SignedIntegrateFire, HardIntegrateFire,
        GradedIntegrateFire, SignedGradedIntegrateFire, RadixFire, TimeToFirstSpike,
    )
}  # fmt: skip
"""Every neuron model by its name in the text form."""

__all__ = [
    "MODELS", "OPS", "ROUNDINGS", "Add", "Affine", "AnyInput", "AvgPool", "Chain", "Concat", "Conv",
    "Counting", "Dense", "EventInput",
    "GradedIntegrateFire", "HardIntegrateFire", "Input", "IntegrateFire", "MaxPool", "Model",
    "Neuron", "OnnxWriter", "Op", "Output", "Pad", "Population", "Quantize", "RadixFire",
    "Readout", "Relu",
    "Reshape", "Scale",
    "SignedGradedIntegrateFire", "SignedIntegrateFire", "Sizes", "Slice", "SumPool",
    "TimeToFirstSpike", "Transpose", "TtfsRelu", "TypeRuleError", "View", "Window", "chain_type",
    "index_of", "slot_thresholds",
]  # fmt: skip
