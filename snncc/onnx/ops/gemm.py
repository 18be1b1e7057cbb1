"""Gemm and MatMul with constant weights: dense layers; over more axes, 1×1 convolutions."""

from math import prod

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import affine, broadcast, check_size, common_shape, shape_of, shown
from snncc_ir import Array, Shape, f32
from snncc_ir.ops import Add, Conv, Dense, Reshape, Transpose


def lower_gemm(node: OnnxNode, net: Network) -> str:
    if node.integer("transA", 0):
        refuse(
            "it transposes its data (transA), should not, because the batch axis would be summed",
            "export with transA=0",
        )
    shape = net.shape(node.inputs[0])
    if len(shape) != 1:
        refuse(
            f"its data has shape {shown(shape)}, should be N×features", "put a Flatten before it"
        )
    weight = net.weight(node, 1, "weight").array
    if weight.ndim != 2:
        refuse(
            f"its weight has shape {list(weight.shape)}, should have 2 axes", "use a dense layer"
        )
    rows = weight if node.integer("transB", 0) else weight.T
    if node.number("alpha", 1.0) != 1.0:
        rows = rows.astype(np.float64) * node.number("alpha", 1.0)
    bias = None
    if node.has_input(2) and net.is_value(node.inputs[2]):
        made = net.emit(node, Dense(f32(rows)), net.value(node.inputs[0]))
        other = affine(node, net, net.value(node.inputs[2]), node.number("beta", 1.0))
        shape = common_shape(net, [made, other])
        parts = [broadcast(node, net, value, shape) for value in (made, other)]
        return net.emit(node, Add(), *parts)
    if node.has_input(2):
        given = net.floats(node, 2, "bias") * node.number("beta", 1.0)
        outputs = len(rows)
        if given.shape not in ((), (1,), (1, 1), (outputs,), (1, outputs)):
            refuse(
                f"its bias has shape {list(given.shape)}, should be [{outputs}], the same for all "
                "samples",
                "give a bias of one number an output",
            )
        bias = f32(np.broadcast_to(given.reshape(-1), (rows.shape[0],)))
    return net.emit(node, Dense(f32(rows), bias), net.value(node.inputs[0]))


def lower_matmul(node: OnnxNode, net: Network) -> str:
    if net.is_value(node.inputs[0]) and net.is_value(node.inputs[1]):
        refuse(
            "it multiplies two values of the network, should be one with a constant",
            "attention cannot be converted; use convolutions or dense layers",
        )
    if net.is_value(node.inputs[0]):
        return _data_on_the_left(node, net)
    return _data_on_the_right(node, net)


def _data_on_the_left(node: OnnxNode, net: Network) -> str:
    """x @ W, x of (…, features): every place of the axes between has the same weights."""
    shape, weight = net.shape(node.inputs[0]), net.weight(node, 1, "weight").array
    value = net.value(node.inputs[0])
    if weight.ndim < 2:
        weight = weight.reshape(-1, 1)
        if len(shape) < 2:
            refuse(
                f"its weight has shape {list(weight.shape[:1])} for data of {shown(shape)}, should "
                "have 2 axes",
                "give the weight a second axis of size 1",
            )
        made = _over_features(node, net, value, weight)
        return net.emit(node, Reshape(shape[:-1]), made)
    return _over_features(node, net, value, weight)


def _data_on_the_right(node: OnnxNode, net: Network) -> str:
    """W @ x = (xᵀ @ Wᵀ)ᵀ over the last two axes."""
    shape, weight = net.shape(node.inputs[1]), net.weight(node, 0, "weight").array
    if len(shape) < 2 or weight.ndim < 2:
        refuse(
            "its first operand is constant, should be the data, because the batch axis would be "
            "summed",
            "export as x @ W",
        )
    axes = (*range(len(shape) - 2), len(shape) - 1, len(shape) - 2)
    value = net.emit(node, Transpose(axes), net.value(node.inputs[1]))
    made = _over_features(node, net, value, np.swapaxes(weight, -1, -2))
    return net.emit(node, Transpose(axes), made)


def _over_features(node: OnnxNode, net: Network, value: str, weight: Array) -> str:
    """x @ W as one group of a 1×1 convolution for each matrix of W."""
    shape = shape_of(net, value)
    inputs, outputs = weight.shape[-2:]
    if inputs != shape[-1]:
        refuse(
            f"its weight has shape {list(weight.shape)} for data of {shown(shape)}, should have "
            f"{shape[-1]} rows",
            "export the model again",
        )
    if len(shape) == 1 and weight.size == inputs * outputs and weight.ndim == 2:
        return net.emit(node, Dense(f32(weight.T)), value)
    matrices, shape = _matrices(node, weight, shape)
    value = broadcast(node, net, value, shape)
    groups = len(matrices)
    rows = prod(shape[:-1]) // groups
    value = net.emit(node, Reshape((groups, rows, inputs)), value)
    value = net.emit(node, Transpose((0, 2, 1)), value)
    value = net.emit(node, Reshape((groups * inputs, rows)), value)
    kernel = np.swapaxes(matrices, -1, -2).reshape(groups * outputs, inputs, 1)
    value = net.emit(node, Conv(f32(kernel), (1,), (0, 0), (1,), groups), value)
    value = net.emit(node, Reshape((groups, outputs, rows)), value)
    value = net.emit(node, Transpose((0, 2, 1)), value)
    return net.emit(node, Reshape((*shape[:-1], outputs)), value)


def _matrices(node: OnnxNode, weight: Array, shape: Shape) -> tuple[Array, Shape]:
    """The different matrices, one for each place of the axes before the last two.

    And the data's shape, which they may enlarge.
    """
    ahead, between = list(weight.shape[:-2]), shape[:-2]
    while ahead and ahead[0] == 1:
        ahead.pop(0)
    if not ahead:
        return weight.reshape(1, *weight.shape[-2:]), shape
    stack = weight.reshape(*ahead, *weight.shape[-2:])
    try:
        places = np.broadcast_shapes(tuple(ahead), between)
    except ValueError:
        places = ()
    if len(places) != len(between):
        refuse(
            f"its weight has shape {list(weight.shape)} for data of {shown(shape)}, should have "
            "one matrix, or one for each place of the data's own axes",
            "use a weight of 2 axes",
        )
    check_size((*places, *shape[-2:]))
    wide = np.broadcast_to(stack, (*places, *weight.shape[-2:]))
    return wide.reshape(-1, *weight.shape[-2:]), (*places, *shape[-2:])


LOWERINGS = {"Gemm": lower_gemm, "MatMul": lower_matmul}
