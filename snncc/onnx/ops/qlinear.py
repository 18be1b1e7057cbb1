"""Layers in integers (QOperator: QLinearConv, QGemm, …): as in numbers, between two grids."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.grids import grid_of
from snncc.onnx.lower import Lowering, lowerings
from snncc.onnx.ops.quantized import lower_dequantize, lower_quantize
from snncc_ir import Floats

Values = str | tuple[str, ...]


def lower_conv(node: OnnxNode, net: Network) -> Values:
    _need(node, 8)
    x = _real(node, net, 0)
    weight = _real(node, net, 3, axis=0)
    inputs = [x, weight]
    if node.has_input(8):
        inputs.append(_bias(node, net, 8))
    return _quantized(node, net, _float(node, net, "Conv", inputs), 6)


def lower_matmul(node: OnnxNode, net: Network) -> Values:
    _need(node, 8)
    inputs = [_real(node, net, 0), _real(node, net, 3, axis=-1)]
    return _quantized(node, net, _float(node, net, "MatMul", inputs), 6)


def lower_gemm(node: OnnxNode, net: Network) -> Values:
    _need(node, 6)
    axis = 0 if node.integer("transB", 0) else 1
    inputs = [_real(node, net, 0), _real(node, net, 3, axis=axis)]
    if node.has_input(6):
        inputs.append(_bias(node, net, 6, node.number("alpha", 1.0)))
    value = _float(node, net, "Gemm", inputs)
    return _quantized(node, net, value, 7) if node.has_input(7) else value


def lower_binary(node: OnnxNode, net: Network) -> Values:
    _need(node, 8)
    inputs = [_real(node, net, 0), _real(node, net, 3)]
    return _quantized(node, net, _float(node, net, _TWINS[node.op_type], inputs), 6)


def lower_unary(node: OnnxNode, net: Network) -> Values:
    _need(node, 5)
    if node.integer("channels_last", 0):
        refuse("its channels are last, should be first", "export with channels first")
    value = _float(node, net, _TWINS[node.op_type], [_real(node, net, 0)])
    return _quantized(node, net, value, 3)


def lower_concat(node: OnnxNode, net: Network) -> Values:
    _need(node, 5)
    inputs = [_real(node, net, index) for index in range(2, len(node.inputs) - 2, 3)]
    return _quantized(node, net, _float(node, net, "Concat", inputs), 0)


def lower_conv_integer(node: OnnxNode, net: Network) -> Values:
    inputs = [node.inputs[0], _whole(node, net, axis=0)]
    return _float(node, net, "Conv", inputs)


def lower_matmul_integer(node: OnnxNode, net: Network) -> Values:
    inputs = [node.inputs[0], _whole(node, net, axis=-1)]
    return _float(node, net, "MatMul", inputs)


def _whole(node: OnnxNode, net: Network, axis: int) -> str:
    """Name of weights less their zero point, in the units of the integers that they are for."""
    weight = net.floats(node, 1, "weight")
    if weight.ndim < 2:
        refuse(
            f"its weight has shape {list(weight.shape)}, should have 2 axes at least",
            "use a dense layer or a convolution",
        )
    if node.has_input(3):
        zero = net.floats(node, 3, "weight's zero point")
        along = axis % weight.ndim
        if zero.size not in (1, weight.shape[along]):
            refuse(
                f"its weight has {zero.size} zero points, should have 1 or {weight.shape[along]}",
                "quantize the model again",
            )
        weight = weight - zero.reshape(-1, *[1] * (weight.ndim - along - 1))
    zero_is_zero = not (node.has_input(2) and net.floats(node, 2, "zero point").any())
    grid = grid_of(net, net.value(node.inputs[0]), not zero_is_zero)
    if grid is not None:
        if grid.step.array.size != 1:
            refuse("its data have a scale for each channel, should have one", "quantize per tensor")
        weight = weight / grid.step.floats.reshape(())
    return _constant(node, net, 1, weight)


def _need(node: OnnxNode, count: int) -> None:
    missing = [index for index in range(count) if not node.has_input(index)]
    # zero points may be left out, and then are 0
    if [index for index in missing if index + 1 < count or index < 2] or len(missing) > 1:
        refuse(
            f"its inputs {', '.join(str(index + 1) for index in missing)} are missing",
            "quantize the model again",
        )


def _real(node: OnnxNode, net: Network, index: int, axis: int = 1) -> str:
    """ONNX name of an input as the numbers that its integers stand for."""
    name = f"{node.outputs[0]}:{index}"
    inputs = tuple(node.inputs[index : index + 3])
    stand = replace(node, inputs=inputs, outputs=(name,), attributes={"axis": axis})
    value = lower_dequantize(stand, net)
    if isinstance(value, str):
        net.bind(name, value)
    return name


def _bias(node: OnnxNode, net: Network, index: int, factor: float = 1.0) -> str:
    """Name of the bias of which `factor` times both scales is one unit."""
    bias = net.floats(node, index, "bias")
    first, second = net.floats(node, 1, "scale"), net.floats(node, 4, "weight's scale")
    if first.size != 1 or second.size not in (1, bias.size):
        refuse(
            f"its bias has {bias.size} numbers for {first.size} and {second.size} scales, should "
            "have one for each of its weight's",
            "quantize the model again",
        )
    return _constant(
        node, net, index, bias.reshape(-1) * first.item() * second.reshape(-1) * factor
    )


def _constant(node: OnnxNode, net: Network, index: int, array: Floats) -> str:
    name = f"{node.outputs[0]}:{index}"
    net.define_constant(name, array.astype(np.float32))
    return name


def _float(node: OnnxNode, net: Network, op_type: str, inputs: list[str]) -> str:
    """The IR value of the operator in numbers that does the same."""
    table: Mapping[str, Lowering] = lowerings()
    if op_type not in table:
        refuse(
            f"it is a {op_type} of integers, which is not supported",
            "replace it by ReLU and fine-tune; at the end, export the logits",
        )
    value = table[op_type](replace(node, inputs=tuple(inputs)), net)
    return value if isinstance(value, str) else value[0]


def _quantized(node: OnnxNode, net: Network, value: str, index: int) -> Values:
    """An IR value on the grid of inputs `index` and the one behind it."""
    if node.outputs[0] in net.stands_for:
        return value  # it is left out at the end, and so is its grid
    name = f"{node.outputs[0]}:real"
    net.bind(name, value)
    inputs = (name, *node.inputs[index : index + 2])
    return lower_quantize(replace(node, inputs=inputs, attributes={}), net)


_TWINS = {
    "QLinearAdd": "Add",
    "QLinearAveragePool": "AveragePool",
    "QLinearGlobalAveragePool": "GlobalAveragePool",
    "QLinearLeakyRelu": "LeakyRelu",
    "QLinearMul": "Mul",
    "QLinearSigmoid": "Sigmoid",
    "QLinearSoftmax": "Softmax",
}

LOWERINGS: dict[str, Lowering] = {
    "ConvInteger": lower_conv_integer,
    "MatMulInteger": lower_matmul_integer,
    "QLinearConv": lower_conv,
    "QLinearMatMul": lower_matmul,
    "com.microsoft.QGemm": lower_gemm,
    "com.microsoft.QLinearConcat": lower_concat,
    **{
        f"com.microsoft.{name}": lower_binary
        if name in ("QLinearAdd", "QLinearMul")
        else lower_unary
        for name in _TWINS
    },
}
