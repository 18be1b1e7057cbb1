"""Add, Sub, Sum, Mean, Mul, Div, Neg: sums of populations, and affine maps by constants."""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import (
    affine,
    broadcast,
    common_shape,
    constant_operand,
    fitted,
    minus,
    shape_of,
)  # fmt: skip
from snncc_ir.ops import Add


def lower_add(node: OnnxNode, net: Network) -> str:
    result = _sum(node, net, [net.value(name) for name in node.inputs if net.is_value(name)])
    for index, name in enumerate(node.inputs):
        if not net.is_value(name):
            offset = constant_operand(node, net, index, shape_of(net, result))
            result = affine(node, net, fitted(node, net, result, offset), 1.0, offset)
    return result


def lower_mean(node: OnnxNode, net: Network) -> str:
    return affine(node, net, lower_add(node, net), 1.0 / len(node.inputs))


def lower_sub(node: OnnxNode, net: Network) -> str:
    first, second = node.inputs
    if net.is_value(first) and net.is_value(second):
        shape = common_shape(net, [net.value(first), net.value(second)])
        left, right = (broadcast(node, net, net.value(n), shape) for n in (first, second))
        return minus(node, net, left, right)
    data, sign = (first, 1.0) if net.is_value(first) else (second, -1.0)
    offset = constant_operand(node, net, node.inputs.index(data) ^ 1, net.shape(data))
    value = fitted(node, net, net.value(data), offset)
    return affine(node, net, value, sign, -sign * offset)


def lower_mul(node: OnnxNode, net: Network) -> str:
    values = [name for name in node.inputs if net.is_value(name)]
    if len(values) != 1:
        refuse(
            "it multiplies two values of the network, should be one with a constant",
            "replace the gate or attention by a sum or a concat, or the gate's layer "
            "(x·sigmoid(x)) by ReLU and fine-tune; spiking neurons add",
        )
    factor = constant_operand(node, net, 1 - node.inputs.index(values[0]), net.shape(values[0]))
    value = fitted(node, net, net.value(values[0]), factor)
    return affine(node, net, value, factor)


def lower_div(node: OnnxNode, net: Network) -> str:
    if net.is_value(node.inputs[1]):
        refuse(
            "it divides by a value of the network, should be by a constant",
            "neurons cannot divide; where that is a normalization, use BatchNormalization, which "
            "divides by constants",
        )
    divisor = constant_operand(node, net, 1, net.shape(node.inputs[0]))
    if not np.all(divisor):
        refuse("it divides by 0, should be by another number", "look at the exported constant")
    value = fitted(node, net, net.value(node.inputs[0]), divisor)
    return affine(node, net, value, 1 / divisor)


def lower_neg(node: OnnxNode, net: Network) -> str:
    return affine(node, net, net.value(node.inputs[0]), -1.0)


def _sum(node: OnnxNode, net: Network, values: list[str]) -> str:
    shape = common_shape(net, values)
    values = [broadcast(node, net, value, shape) for value in values]
    return values[0] if len(values) == 1 else net.emit(node, Add(), *values)


LOWERINGS = {
    "Add": lower_add,
    "Div": lower_div,
    "Mean": lower_mean,
    "Mul": lower_mul,
    "Neg": lower_neg,
    "Sub": lower_sub,
    "Sum": lower_add,
}
