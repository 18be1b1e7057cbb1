"""Max and Min of values and constants: max(a, b) = b + relu(a − b), one population each."""

from functools import reduce

import numpy as np

from snncc.onnx.context import Network, OnnxNode
from snncc.onnx.emit import (
    affine,
    broadcast,
    common_shape,
    constant_operand,
    fitted,
    largest,
    relu,
    shape_of,
    smallest,
)  # fmt: skip
from snncc_ir import Floats, f32
from snncc_ir.ops import Neuron, Relu


def lower_max(node: OnnxNode, net: Network) -> str:
    value, constant = _operands(node, net, largest=True)
    if constant is None:
        return value
    if isinstance(net.builder[value].op, Neuron) and np.all(constant <= 0):
        return value  # neurons send nothing below 0
    return affine(
        node, net, relu(node, net, affine(node, net, value, 1.0, -constant)), 1.0, constant
    )


def lower_min(node: OnnxNode, net: Network) -> str:
    value, constant = _operands(node, net, largest=False)
    if constant is None:
        return value
    below = net.builder[value]
    match below.op:
        case Neuron(model=Relu(None, None) as plain) if constant.min() == constant.max() > 0:
            # a ReLU with a largest value, as tf2onnx writes it: the ceiling of its neurons
            if type(plain) is Relu:
                neurons = Neuron(Relu(f32(float(constant.max()))))
                return net.emit(node, neurons, *below.inputs, instead=value)
    left = relu(node, net, affine(node, net, value, -1.0, constant))
    return affine(node, net, left, -1.0, constant)


def _operands(node: OnnxNode, net: Network, largest: bool) -> tuple[str, Floats | None]:
    """The extreme of all values of the network, and that of all constants."""
    value = _of_values(node, net, [n for n in node.inputs if net.is_value(n)], largest)
    shape = shape_of(net, value)
    constants = [
        constant_operand(node, net, i, shape)
        for i, name in enumerate(node.inputs)
        if not net.is_value(name)
    ]
    if not constants:
        return value, None
    constant = reduce(np.maximum if largest else np.minimum, constants)
    return fitted(node, net, value, constant), constant


def _of_values(node: OnnxNode, net: Network, names: list[str], largest_of: bool) -> str:
    values = [net.value(name) for name in names]
    shape = common_shape(net, values)
    values = [broadcast(node, net, value, shape) for value in dict.fromkeys(values)]
    return reduce(lambda a, b: (largest if largest_of else smallest)(node, net, a, b), values)


LOWERINGS = {"Max": lower_max, "Min": lower_min}
