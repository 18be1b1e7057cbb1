"""Relu, Clip from 0 (ReLU6), and Max with 0: what becomes neurons."""

import math

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import f32
from snncc_ir.ops import Neuron, Relu


def lower_relu(node: OnnxNode, net: Network) -> str:
    return net.emit(node, Neuron(Relu()), net.value(node.inputs[0]))


def lower_clip(node: OnnxNode, net: Network) -> str:
    low, high = node.number("min", -math.inf), node.number("max", math.inf)
    if node.has_input(1):
        low = net.scalar(node, 1, "minimum")
    if node.has_input(2):
        high = net.scalar(node, 2, "maximum")
    if low != 0 or not high > 0:
        refuse(
            f"it clips to {low:g}..{high:g}, should be from 0 to a positive number",
            "use ReLU or ReLU6",
        )
    ceiling = None if math.isinf(high) or high > 3e38 else f32(high)
    return net.emit(node, Neuron(Relu(ceiling)), net.value(node.inputs[0]))


def lower_max(node: OnnxNode, net: Network) -> str:
    """As exporters write `clamp(min=0)`."""
    values = [name for name in node.inputs if net.is_value(name)]
    constants = [i for i, name in enumerate(node.inputs) if not net.is_value(name)]
    if len(values) != 1 or any(net.floats(node, i, "constant").any() for i in constants):
        refuse(
            "it takes the maximum of something else than one value and 0",
            "use ReLU, or max pooling",
        )
    return net.emit(node, Neuron(Relu()), net.value(values[0]))


LOWERINGS = {"Clip": lower_clip, "Max": lower_max, "Relu": lower_relu}
