"""MaxPool, AveragePool, their global forms, and ReduceMean, ReduceSum, ReduceMax over axes."""

from math import prod

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.window import window_of
from snncc_ir import Analog, Shape
from snncc_ir.ops import AvgPool, MaxPool, Op, Reshape, Sizes, SumPool, Transpose


def lower_maxpool(node: OnnxNode, net: Network) -> str:
    window = window_of(node, net.shape(node.inputs[0])[1:])
    if any(step != 1 for step in window.dilation):
        refuse("it is dilated, should not be", "use a dense window")
    if len([name for name in node.outputs if name]) > 1:
        refuse("its second output (indices) is used, should not be", "unpool by upsampling")
    return _max(node, net, MaxPool(window.kernel, window.stride, window.pads), node.inputs[0])


def lower_averagepool(node: OnnxNode, net: Network) -> str:
    window = window_of(node, net.shape(node.inputs[0])[1:])
    if any(step != 1 for step in window.dilation):
        refuse("it is dilated, should not be", "use a dense window")
    count_pad = bool(node.integer("count_include_pad", 0))
    explicit = node.integers("pads", (0,) * len(window.pads))
    if count_pad and node.integer("ceil_mode", 0) and window.pads != explicit:
        refuse(
            "ceil_mode and count_include_pad together need a window past the padding",
            "set ceil_mode=False, or count_include_pad=False",
        )
    op = AvgPool(window.kernel, window.stride, window.pads, count_pad)
    return net.emit(node, op, net.value(node.inputs[0]))


def lower_global_average(node: OnnxNode, net: Network) -> str:
    return _over_all(node, net, AvgPool, net.shape(node.inputs[0]), net.value(node.inputs[0]))


def lower_global_max(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    _refuse_analog(net, node.inputs[0])
    return _over_all(node, net, MaxPool, shape, net.value(node.inputs[0]))


def lower_reduce_mean(node: OnnxNode, net: Network) -> str:
    return _reduce(node, net, AvgPool)


def lower_reduce_sum(node: OnnxNode, net: Network) -> str:
    return _reduce(node, net, SumPool)


def lower_reduce_max(node: OnnxNode, net: Network) -> str:
    _refuse_analog(net, node.inputs[0])
    return _reduce(node, net, MaxPool)


def _reduce(
    node: OnnxNode, net: Network, pool: type[AvgPool] | type[SumPool] | type[MaxPool]
) -> str:
    """As a pool over everything of (kept, reduced…), whatever the order of the axes was."""
    shape, value = net.shape(node.inputs[0]), net.value(node.inputs[0])
    given = net.integers(node, 1, "axes") if node.has_input(1) else node.integers("axes", ())
    if not given:
        refuse("it reduces all axes, the batch too, should name its axes", "give the axes")
    reduced = sorted({net.axis(axis, shape) for axis in given})
    kept = [axis for axis in range(len(shape)) if axis not in reduced]
    sizes = tuple(shape[axis] for axis in kept)
    if kept + reduced != list(range(len(shape))):
        value = net.emit(node, Transpose((*kept, *reduced)), value)
    flat = (prod(sizes), prod(shape[axis] for axis in reduced))
    value = net.emit(node, Reshape(flat), value)
    value = _over_all(node, net, pool, flat, value)
    if node.integer("keepdims", 1):
        sizes = tuple(1 if axis in reduced else size for axis, size in enumerate(shape))
    return net.emit(node, Reshape(sizes or (1,)), value)


def _over_all(
    node: OnnxNode,
    net: Network,
    pool: type[AvgPool] | type[SumPool] | type[MaxPool],
    shape: Shape,
    value: str,
) -> str:
    kernel: Sizes = shape[1:]
    if not kernel:
        refuse("its operand has no spatial axes, should have", "leave the layer out")
    return net.emit(node, pool(kernel, (1,) * len(kernel), (0,) * 2 * len(kernel)), value)


def _max(node: OnnxNode, net: Network, op: Op, operand: str) -> str:
    _refuse_analog(net, operand)
    return net.emit(node, op, net.value(operand))


def _refuse_analog(net: Network, operand: str) -> None:
    if isinstance(net.type(operand), Analog):
        refuse(
            "it takes the maximum of the network's input, should be of neurons",
            "put a convolution with ReLU before it, or pool the data before the network",
        )


LOWERINGS = {
    "AveragePool": lower_averagepool,
    "GlobalAveragePool": lower_global_average,
    "GlobalMaxPool": lower_global_max,
    "MaxPool": lower_maxpool,
    "ReduceMax": lower_reduce_max,
    "ReduceMean": lower_reduce_mean,
    "ReduceSum": lower_reduce_sum,
}
