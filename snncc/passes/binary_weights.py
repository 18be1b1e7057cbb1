"""`binary-weights`: weights that are ±alpha are kept as signs, and an alpha for each channel.

    conv{weight=f32}   →   conv{weight=binary{signs=i8, alpha=f32}}

Networks trained with binary weights (XNOR-Net: Rastegari et al. 2016; spiking: Lu and Sengupta
2020) have one magnitude in each output channel, or in a whole layer; BatchNormalization and
constant factors scale output channels, and leave that so. A backend can then store one bit a
weight, and add signs, which are multiplied by alpha once.

What becomes binary is decided by the weights alone: every map whose output channels have at least
LEAST weights each, all of one magnitude (up to rounding in float32) and none of them 0. A channel
of zeros only has alpha 0.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc.passes.recognize import recognized
from snncc_ir import NORMAL, Binary, Graph, Tensor, f32, i8

LEAST = 8
"""Weights of an output channel: of fewer, alpha takes as much room as signs save, and that they are
alike says nothing."""
TOLERANCE = 4 * float(np.finfo(np.float32).eps)
"""Of magnitudes in one channel, relative: what float32 products make of one number."""


@dataclass(frozen=True)
class BinaryWeights(Pass):
    """Finds weights of one magnitude, of which signs are all that has to be stored."""

    name = "binary-weights"
    needs = NORMAL
    promise = Close()

    def run(self, graph: Graph, context: Context) -> Graph:
        return recognized(graph, as_binary, self.name)


def as_binary(weight: Tensor) -> Binary | None:
    """Weights (O, …) as signs and alphas; None where they are not ±alpha."""
    magnitude = np.abs(weight.floats).reshape(weight.shape[0], -1)
    if magnitude.shape[1] < LEAST or not magnitude.any():
        return None
    least, most = magnitude.min(axis=1), magnitude.max(axis=1)
    if np.any(most - least > TOLERANCE * most):
        return None
    column = (-1, *[1] * (len(weight.shape) - 1))
    alpha = (least + most) / 2
    if np.all(alpha == alpha[0]):
        alpha = alpha[:1]
    return Binary(i8(np.where(weight.floats < 0, -1, 1)), f32(alpha.reshape(column)))
