"""Relu, Clip, LeakyRelu, PRelu, Abs, HardSigmoid: what becomes neurons, exactly.

A negative slope is a second population: leaky(x) = relu(x) − slope · relu(−x). A clip between any
two constants is one population with a ceiling: clip(x, l, h) = l + clip(x − l, 0, h − l).
"""

import math

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import affine, fitted, relu, shape_of, without_batch
from snncc.onnx.grids import clipped_integers
from snncc_ir import Floats, Spikes
from snncc_ir.ops import Add

_UNBOUNDED = 3e38
"""From here on a bound is none: the largest float32 stands for infinity in exporters."""


def lower_relu(node: OnnxNode, net: Network) -> str:
    return relu(node, net, net.value(node.inputs[0]))


def lower_clip(node: OnnxNode, net: Network) -> str:
    integers = clipped_integers(node, net)
    if integers is not None:
        return integers
    low, high = node.number("min", -math.inf), node.number("max", math.inf)
    if node.has_input(1):
        low = net.scalar(node, 1, "minimum")
    if node.has_input(2):
        high = net.scalar(node, 2, "maximum")
    value = net.value(node.inputs[0])
    if np.isnan(low) or np.isnan(high):
        refuse("it clips to what is no number, should be to numbers", "look at the exported bounds")
    if not low < high and np.isfinite(high):
        return affine(node, net, value, 0.0, high)  # as ONNX has it: the maximum counts
    return clipped(node, net, value, low, high)


def clipped(node: OnnxNode, net: Network, value: str, low: float, high: float) -> str:
    """clip(x, low, high), either of which may be infinite: one population."""
    above, below = high < _UNBOUNDED, low > -_UNBOUNDED
    if not below and not above:
        return value
    if not below:  # h − relu(h − x)
        left = relu(node, net, affine(node, net, value, -1.0, high))
        return affine(node, net, left, -1.0, high)
    shifted = affine(node, net, value, 1.0, -low)
    return affine(node, net, relu(node, net, shifted, high - low if above else None), 1.0, low)


def lower_leaky(node: OnnxNode, net: Network) -> str:
    slope = node.number("alpha", 0.01)
    return leaky(node, net, net.value(node.inputs[0]), np.array(slope))


def lower_prelu(node: OnnxNode, net: Network) -> str:
    value = net.value(node.inputs[0])
    slope = net.floats(node, 1, "slope")
    if net.opset < 7 and slope.size > 1:  # broadcasting came with 7: before, one a channel
        slope = slope.reshape(-1, *[1] * (len(shape_of(net, value)) - 1))
    slope = without_batch(slope, shape_of(net, value))
    return leaky(node, net, fitted(node, net, value, slope), slope)


def leaky(node: OnnxNode, net: Network, value: str, slope: Floats) -> str:
    """relu(x) − slope · relu(−x)."""
    positive = relu(node, net, value)
    if isinstance(net.builder[value].type, Spikes) or not np.any(slope):
        return positive
    negative = relu(node, net, affine(node, net, value, -1.0))
    return net.emit(node, Add(), positive, affine(node, net, negative, -slope))


def lower_abs(node: OnnxNode, net: Network) -> str:
    return leaky(node, net, net.value(node.inputs[0]), np.array(-1.0))


def lower_hard_sigmoid(node: OnnxNode, net: Network) -> str:
    alpha, beta = node.number("alpha", 0.2), node.number("beta", 0.5)
    return relu(node, net, affine(node, net, net.value(node.inputs[0]), alpha, beta), 1.0)


LOWERINGS = {
    "Abs": lower_abs,
    "Clip": lower_clip,
    "HardSigmoid": lower_hard_sigmoid,
    "LeakyRelu": lower_leaky,
    "PRelu": lower_prelu,
    "Relu": lower_relu,
}
