"""Add, Sub, Mul, Div, Sum, Neg: sums of populations, and affine maps by constants."""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import Floats, f32
from snncc_ir.ops import Add, Affine


def lower_add(node: OnnxNode, net: Network) -> str:
    values = [name for name in node.inputs if net.is_value(name)]
    constants = [i for i, name in enumerate(node.inputs) if not net.is_value(name)]
    result = _sum(node, net, values)
    for index in constants:
        offset = _constant(node, net, index, values[0])
        result = net.emit(node, Affine(f32(1.0), f32(offset)), result)
    return result


def lower_sub(node: OnnxNode, net: Network) -> str:
    first, second = node.inputs
    if net.is_value(first) and net.is_value(second):
        _same_shape(node, net, [first, second])
        minus = net.emit(node, Affine(f32(-1.0), f32(0.0)), net.value(second))
        return net.emit(node, Add(), net.value(first), minus)
    if net.is_value(first):
        offset = -_constant(node, net, 1, first)
        return net.emit(node, Affine(f32(1.0), f32(offset)), net.value(first))
    offset = _constant(node, net, 0, second)
    return net.emit(node, Affine(f32(-1.0), f32(offset)), net.value(second))


def lower_mul(node: OnnxNode, net: Network) -> str:
    values = [name for name in node.inputs if net.is_value(name)]
    if len(values) != 1:
        refuse(
            "it multiplies two values of the network, should be one with a constant",
            "spiking neurons add; replace the gate or attention by a sum or a concat",
        )
    factor = _constant(node, net, 1 - node.inputs.index(values[0]), values[0])
    return net.emit(node, Affine(f32(factor), f32(0.0)), net.value(values[0]))


def lower_div(node: OnnxNode, net: Network) -> str:
    if net.is_value(node.inputs[1]):
        refuse("it divides by a value of the network, should be by a constant", "use a constant")
    divisor = _constant(node, net, 1, node.inputs[0])
    if not np.all(divisor):
        refuse("it divides by 0, should be by another number", "look at the exported constant")
    return net.emit(node, Affine(f32(1 / divisor), f32(0.0)), net.value(node.inputs[0]))


def lower_neg(node: OnnxNode, net: Network) -> str:
    return net.emit(node, Affine(f32(-1.0), f32(0.0)), net.value(node.inputs[0]))


def _sum(node: OnnxNode, net: Network, names: list[str]) -> str:
    if len(names) == 1:
        return net.value(names[0])
    _same_shape(node, net, names)
    return net.emit(node, Add(), *map(net.value, names))


def _same_shape(node: OnnxNode, net: Network, names: list[str]) -> None:
    shapes = [net.shape(name) for name in names]
    if len(set(shapes)) > 1:
        shown = ", ".join("N×" + "×".join(map(str, shape)) for shape in shapes)
        refuse(
            f"its operands have shapes {shown}, should be all of one shape",
            "broadcast before the export (expand, or an upsampling layer)",
        )


def _constant(node: OnnxNode, net: Network, index: int, data: str) -> Floats:
    """A constant operand without its batch axis; refuses one that would enlarge the data."""
    array = net.floats(node, index, "constant")
    shape = net.shape(data)
    if array.ndim == len(shape) + 1 and array.shape[0] == 1:
        array = array[0]
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        refuse(
            f"its constant has shape {list(array.shape)}, should broadcast to "
            f"N×{'×'.join(map(str, shape))} without enlarging it",
            "give one number, or one for each channel",
        )
    return array


LOWERINGS = {
    "Add": lower_add,
    "Div": lower_div,
    "Mul": lower_mul,
    "Neg": lower_neg,
    "Sub": lower_sub,
    "Sum": lower_add,
}
