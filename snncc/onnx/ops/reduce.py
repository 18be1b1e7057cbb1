"""ReduceMean, ReduceSum, ReduceMax and ReduceMin over axes: pools over everything that goes."""

from math import prod

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import affine, current
from snncc.onnx.ops.pool import over_all
from snncc_ir.ops import AvgPool, MaxPool, Reshape, SumPool, Transpose


def lower_reduce_mean(node: OnnxNode, net: Network) -> str:
    return _reduce(node, net, AvgPool, net.value(node.inputs[0]))


def lower_reduce_sum(node: OnnxNode, net: Network) -> str:
    return _reduce(node, net, SumPool, net.value(node.inputs[0]))


def lower_reduce_max(node: OnnxNode, net: Network) -> str:
    return _reduce(node, net, MaxPool, current(node, net, net.value(node.inputs[0])))


def lower_reduce_min(node: OnnxNode, net: Network) -> str:
    """−max(−x)."""
    negative = affine(node, net, net.value(node.inputs[0]), -1.0)
    return affine(node, net, _reduce(node, net, MaxPool, negative), -1.0)


def _reduce(
    node: OnnxNode, net: Network, pool: type[AvgPool] | type[SumPool] | type[MaxPool], value: str
) -> str:
    """As a pool over everything of (kept, reduced…), whatever the order of the axes was."""
    shape = net.shape(node.inputs[0])
    given = net.integers(node, 1, "axes") if node.has_input(1) else node.integers("axes", ())
    if not given and node.integer("noop_with_empty_axes", 0):
        return net.value(node.inputs[0])
    if not given:
        refuse(
            "it reduces all axes, the batch too, should name its axes",
            "name them in the model: x.mean(dim=(1, 2, 3)), say, in place of x.mean()",
        )
    reduced = sorted({net.axis(axis, shape) for axis in given})
    kept = [axis for axis in range(len(shape)) if axis not in reduced]
    sizes = tuple(shape[axis] for axis in kept)
    if kept + reduced != list(range(len(shape))):
        value = net.emit(node, Transpose((*kept, *reduced)), value)
    flat = (prod(sizes), prod(shape[axis] for axis in reduced))
    value = over_all(node, net, pool, net.emit(node, Reshape(flat), value))
    if node.integer("keepdims", 1):
        sizes = tuple(1 if axis in reduced else size for axis, size in enumerate(shape))
    return net.emit(node, Reshape(sizes or (1,)), value)


LOWERINGS = {
    "ReduceMax": lower_reduce_max,
    "ReduceMean": lower_reduce_mean,
    "ReduceMin": lower_reduce_min,
    "ReduceSum": lower_reduce_sum,
}
