"""What only moves numbers: Reshape, Transpose, Pad, Slice, Concat, … and what does nothing."""

from math import prod

from onnx import TensorProto

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import Shape
from snncc_ir.ops import Concat, Pad, Reshape, Slice, Transpose


def lower_identity(node: OnnxNode, net: Network) -> str:
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
    if axis not in (1, -len(shape)):
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


def lower_pad(node: OnnxNode, net: Network) -> str:
    rank = len(net.shape(node.inputs[0])) + 1
    mode = node.text("mode", "constant")
    if mode != "constant":
        refuse(f"its mode is '{mode}', should be 'constant'", "use zero padding")
    value = node.number("value", 0.0)
    if node.has_input(2):
        value = net.scalar(node, 2, "value")
    if value != 0:
        refuse(f"it pads with {value:g}, should be with 0", "use zero padding")
    given = net.integers(node, 1, "amounts") if node.has_input(1) else node.integers("pads", ())
    axes = net.integers(node, 3, "axes") if node.has_input(3) else tuple(range(rank))
    if len(given) != 2 * len(axes) or not all(-rank <= axis < rank for axis in axes):
        refuse(
            f"it has {len(given)} amounts for axes {list(axes)}, should have two for each axis of "
            f"a value with {rank}",
            "give begins, then ends",
        )
    begins, ends = [0] * rank, [0] * rank
    for position, axis in enumerate(axes):
        begins[axis], ends[axis] = given[position], given[position + len(axes)]
    if min(begins + ends) < 0 or begins[0] or ends[0]:
        refuse(f"its amounts are {list(given)}, should be at least 0 and none for the batch",
               "cut with Slice instead of negative padding")  # fmt: skip
    return net.emit(node, Pad((*begins[1:], *ends[1:])), net.value(node.inputs[0]))


def lower_slice(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    if net.opset < 10:
        starts, ends = node.integers("starts", ()), node.integers("ends", ())
        axes, steps = node.integers("axes", range(len(starts))), (1,) * len(starts)
    else:
        starts, ends = net.integers(node, 1, "starts"), net.integers(node, 2, "ends")
        given = net.integers(node, 3, "axes") if node.has_input(3) else ()
        axes = given or tuple(range(len(starts)))
        steps = net.integers(node, 4, "steps") if node.has_input(4) else (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        refuse(
            f"it has {len(starts)} starts, {len(ends)} ends, {len(axes)} axes and {len(steps)} "
            "steps, should have as many of each",
            "give one of each for every axis that is cut",
        )
    bounds = [(0, size, 1) for size in shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if axis == 0 and start == 0 and step == 1 and end >= (1 << 31) - 1:
            continue  # all of the batch
        if step < 1:
            refuse(f"its step is {step}, should be positive", "do not reverse axes")
        own = net.axis(axis, shape)
        bounds[own] = slice(start, end, step).indices(shape[own])
    op = Slice(
        tuple(b[0] for b in bounds), tuple(b[1] for b in bounds), tuple(b[2] for b in bounds)
    )
    return net.emit(node, op, net.value(node.inputs[0]))


def lower_concat(node: OnnxNode, net: Network) -> str:
    values = [net.value(name) for name in node.inputs]
    return net.emit(
        node, Concat(net.axis(node.integer("axis", 1), net.shape(node.inputs[0]))), *values
    )


def lower_split(node: OnnxNode, net: Network) -> tuple[str, ...]:
    shape = net.shape(node.inputs[0])
    axis = net.axis(node.integer("axis", 0), shape)
    count = len(node.outputs)
    size = -(-shape[axis] // count)
    equal = [min(size, shape[axis] - i * size) for i in range(count)]
    sizes = net.integers(node, 1, "sizes") if node.has_input(1) else node.integers("split", equal)
    if len(sizes) != count or sum(sizes) != shape[axis]:
        refuse(
            f"its parts are {list(sizes)}, should be {count} that add up to {shape[axis]}",
            "export the model again; the sizes do not fit the operand",
        )
    parts, start = [], 0
    for length in sizes:
        starts, ends = [0] * len(shape), list(shape)
        starts[axis], ends[axis] = start, start + length
        op = Slice(tuple(starts), tuple(ends), (1,) * len(shape))
        parts.append(net.emit(node, op, net.value(node.inputs[0])))
        start += length
    return tuple(parts)


LOWERINGS = {
    "Cast": lower_cast,
    "Concat": lower_concat,
    "Dropout": lower_identity,
    "Flatten": lower_flatten,
    "Identity": lower_identity,
    "Pad": lower_pad,
    "Reshape": lower_reshape,
    "Slice": lower_slice,
    "Split": lower_split,
    "Squeeze": lower_squeeze,
    "Transpose": lower_transpose,
    "Unsqueeze": lower_unsqueeze,
}
