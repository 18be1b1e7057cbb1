"""`linear-weights`: weights that are multiples of a step as integers, and a step for each channel.

    conv{weight=f32}   →   conv{weight=linear{codes=i8, step=f32}}

as quantized networks have them, whatever tool has made them (QDQ, QOperator, QONNX, Brevitas), and
BatchNormalization and constant factors, which scale output channels, leave them. `quantize-weights`
then takes the integers themselves instead of rounding once more.

What becomes linear is decided by the weights alone: of each output channel, the largest step whose
multiples up to LARGEST_CODE times it all weights are, up to rounding in float32. Ordinary weights
are not: EVIDENCE of them would have to meet the grid by chance. A channel of zeros may have any
step. The source's neurons keep the scales that they would have without: where `normalize` gives one
channel another than the next, the weights behind are plain numbers again.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc.passes.recognize import recognized
from snncc_ir import LARGEST_CODE, NORMAL, Floats, Graph, Linear, Tensor, f32, small

EVIDENCE = 7
"""Weights that are not 0, beyond the first of each channel: of fewer, that they are multiples of
something says nothing."""
TOLERANCE = 4 * float(np.finfo(np.float32).eps)
"""Of a weight, relative: what float32 products make of a multiple."""
GLANCE = 12
"""Weights of a channel at which all steps are tried; on the rest, the few that are left."""


@dataclass(frozen=True)
class LinearWeights(Pass):
    """Finds weights on a grid, of which integers are all that has to be stored."""

    name = "linear-weights"
    needs = NORMAL
    promise = Close()

    def run(self, graph: Graph, context: Context) -> Graph:
        return recognized(graph, as_linear, self.name)


def as_linear(weight: Tensor) -> Linear | None:
    """Weights (O, …) as integers and steps; None where they are on no grid."""
    rows = weight.floats.reshape(weight.shape[0], -1)
    used = np.count_nonzero(rows, axis=1)
    if np.maximum(used - 1, 0).sum() < EVIDENCE:
        return None
    steps = np.zeros(len(rows))
    for channel, row in enumerate(rows):
        if used[channel]:
            step = _step(row[row != 0])
            if step is None:
                return None
            steps[channel] = step
    steps[steps == 0] = steps.max()
    if np.all(np.abs(steps - steps[0]) <= TOLERANCE * steps[0]):
        steps = steps[:1]
    column = steps.astype(np.float32).reshape(-1, *[1] * (len(weight.shape) - 1))
    codes = np.rint(weight.floats / column).astype(np.int64)
    return Linear(small(codes), f32(column))


def _step(row: Floats) -> float | None:
    """The largest step of which all numbers, none of them 0, are multiples."""
    largest = float(np.abs(row).max())
    counts = np.arange(1, LARGEST_CODE + 1)
    for seen in (row[:GLANCE], row):
        # (weights, steps left)
        units = seen[:, None] * (counts / largest)
        off = np.abs(units - np.rint(units))
        fits = np.all((off <= TOLERANCE * np.abs(units)) & (np.abs(units) > 0.5), axis=0)
        counts = counts[fits]
        if not len(counts):
            return None
        # a multiple of a number of steps that fits does too
        counts = counts[:1] if seen is row else counts
    codes = np.rint(row * (counts[0] / largest))
    return float(row @ codes / (codes @ codes))
