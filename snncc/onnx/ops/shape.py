"""Reshape, Flatten, Squeeze, Unsqueeze, Transpose: other axes; and what does nothing."""

from math import prod

import numpy as np
from onnx import TensorProto

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import Shape
from snncc_ir.ops import Reshape, Transpose


def lower_identity(node: OnnxNode, net: Network) -> str:
    return net.value(node.inputs[0])


def lower_dropout(node: OnnxNode, net: Network) -> str:
    training = net.constant(node.inputs[2]) if node.has_input(2) else None
    trains = bool(np.any(training)) if training is not None else node.has_input(2)
    if trains or len([name for name in node.outputs if name]) > 1:
        refuse(
            "it is in training mode or its mask is used, should only hand its data on",
            "call model.eval() before the export",
        )
    return net.value(node.inputs[0])


def lower_cast(node: OnnxNode, net: Network) -> str:
    target = node.integer("to", TensorProto.FLOAT)
    if target not in _FLOATS:
        refuse(
            f"it casts to {_type_name(target)}, should be to a float type",
            "leave rounding and comparisons out of the network",
        )
    return net.value(node.inputs[0])


_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)


def _type_name(number: int) -> str:
    known = number in TensorProto.DataType.values()
    return TensorProto.DataType.Name(TensorProto.DataType.ValueType(number)) if known else "?"


def lower_flatten(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    axis = node.integer("axis", 1)
    own = axis + len(shape) + 1 if axis < 0 else axis
    if own < 1 or prod(shape[: own - 1]) != 1:
        refuse(f"its axis is {axis}, should be 1, so that the batch axis stays", "flatten from 1")
    return _reshape(node, net, (prod(shape),))


def lower_reshape(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    wanted = list(
        net.integers(node, 1, "shape") if node.has_input(1) else node.integers("shape", ())
    )
    zero_copies = not node.integer("allowzero", 0)
    sizes = [
        shape[i - 1] if size == 0 and zero_copies and 0 < i <= len(shape) else size
        for i, size in enumerate(wanted)
    ]
    if len(sizes) < 2 or not _keeps_batch(sizes, shape, net.batch):
        refuse(
            f"it makes {wanted} of N×{'×'.join(map(str, shape))}, should keep the batch axis first",
            "reshape with a first size of 0 or -1, or use Flatten",
        )
    rest = sizes[1:]
    known = prod(size for size in rest if size != -1)
    if -1 in rest and known > 0:
        rest[rest.index(-1)] = prod(shape) // known
    return _reshape(node, net, tuple(rest))


def _keeps_batch(sizes: list[int], shape: Shape, batch: int | None) -> bool:
    rest = sizes[1:]
    if sizes[0] == -1:
        return -1 not in rest and prod(rest) == prod(shape)
    return sizes[0] in (0, batch)


def lower_squeeze(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    given = net.integers(node, 1, "axes") if node.has_input(1) else node.integers("axes", ())
    gone = {net.axis(axis, shape) for axis in given} or {
        axis for axis, size in enumerate(shape) if size == 1
    }
    rest = tuple(size for axis, size in enumerate(shape) if axis not in gone)
    return _reshape(node, net, rest or (1,))


def lower_unsqueeze(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    given = net.integers(node, 1, "axes") if node.has_input(1) else node.integers("axes", ())
    longer = (1,) * (len(shape) + len(given))
    added = {net.axis(axis, longer) for axis in given}
    if len(added) != len(given):
        refuse(f"its axes are {list(given)}, should be different ones", "name each axis once")
    sizes = iter(shape)
    return _reshape(
        node, net, tuple(1 if axis in added else next(sizes) for axis in range(len(longer)))
    )


def _reshape(node: OnnxNode, net: Network, shape: Shape) -> str:
    return net.emit(node, Reshape(shape), net.value(node.inputs[0]))


def lower_transpose(node: OnnxNode, net: Network) -> str:
    rank = len(net.shape(node.inputs[0])) + 1
    perm = node.integers("perm", tuple(reversed(range(rank))))
    if sorted(perm) != list(range(rank)) or perm[0] != 0:
        refuse(
            f"its perm is {list(perm)}, should begin with 0, the batch axis, and be an order of "
            f"0..{rank - 1}",
            "keep the batch axis first",
        )
    return net.emit(
        node, Transpose(tuple(axis - 1 for axis in perm[1:])), net.value(node.inputs[0])
    )


LOWERINGS = {
    "Cast": lower_cast,
    "Dropout": lower_dropout,
    "Flatten": lower_flatten,
    "Identity": lower_identity,
    "Reshape": lower_reshape,
    "Squeeze": lower_squeeze,
    "Transpose": lower_transpose,
    "Unsqueeze": lower_unsqueeze,
}
