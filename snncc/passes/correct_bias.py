"""`correct-bias`: biases that take out what a layer's drive is off on average.

    bias   →   bias + mean over samples and places of (drive as it was − drive as it is)

by channel and layer after layer, on calibration data (bias correction: Nagel et al. 2019; for
spiking networks Li et al. 2021).
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.chains import compress
from snncc.passes.layerwise import Layer, rewrite_layers
from snncc_ir import CODED, Graph, f32, fail
from snncc_ir.ops import Population

FRACTION_BITS = 16
"""The correction is a multiple of 2^−16 units, so that the last bits of floating-point sums, which
differ between processors, decide nothing."""


@dataclass(frozen=True)
class CorrectBias(Pass):
    """Takes out the mean error of every channel's drive, on up to `samples` calibration samples."""

    samples: int = 1024
    name = "correct-bias"
    needs = CODED
    promise = Lossy(why="biases move, towards the values of the network as it was")

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise fail("SNN020", f"samples is {self.samples}, should be at least 1")

    def run(self, graph: Graph, context: Context) -> Graph:
        return rewrite_layers(graph, context, self.name, self.samples, _corrected)


def _corrected(layer: Layer) -> Population:
    op = layer.op
    off = layer.target - layer.drive(op)
    axes = (0, *range(2, off.ndim))
    mean = off.mean(axis=axes, dtype=np.float64)
    unit = np.exp2(FRACTION_BITS)
    moved = np.rint(mean * unit) / unit
    bias = op.bias.floats + moved.reshape(-1, *[1] * (len(op.shape) - 1))
    return replace(op, bias=f32(compress(bias)))
