"""Pad, Slice, Gather, Split, Concat, Tile, Expand, DepthToSpace, SpaceToDepth: numbers elsewhere.

What repeats numbers is a view, which costs no neurons: each target reads the neuron it needs.
"""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import affine, check_size, moved, numbered, shown, view
from snncc.onnx.single import places_by_reference
from snncc_ir import Integers, Shape
from snncc_ir.ops import Concat, Pad, Slice

_END = 1_000_000
"""A slice of the batch that ends here or beyond takes all of it; TensorFlow writes 10^9."""
PAD_MODES = ("constant", "reflect", "edge", "wrap")


def lower_pad(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    mode = node.text("mode", "constant")
    if mode not in PAD_MODES:
        refuse(f"its mode is '{mode}', should be {', '.join(PAD_MODES)}", "use zero padding")
    number = node.number("value", 0.0)
    if node.has_input(2):
        number = net.scalar(node, 2, "value")
    if not np.isfinite(number):
        refuse(
            f"it pads with {number:g}, should be with a finite number",
            "before max pooling, give the pool its own pads; else use zero padding",
        )
    begins, ends = _amounts(node, net, shape)
    value = net.value(node.inputs[0])
    wide = (s + max(b, 0) + max(e, 0) for s, b, e in zip(shape, begins, ends, strict=True))
    check_size(tuple(wide))
    if mode != "constant":
        return moved(node, net, value, lambda index: _padded(index, begins, ends, mode))
    value = affine(node, net, value, 1.0, -number)
    if min(*begins, *ends) < 0:
        value = moved(node, net, value, lambda index: _padded(index, begins, ends, mode))
    else:
        value = net.emit(node, Pad((*begins, *ends)), value)
    return affine(node, net, value, 1.0, number)


def _amounts(node: OnnxNode, net: Network, shape: Shape) -> tuple[list[int], list[int]]:
    """Begins and ends, without the batch axis."""
    rank = len(shape) + 1
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
    if begins[0] or ends[0]:
        refuse(f"its amounts are {list(given)}, should be 0 for the batch axis",
               "keep the batch axis out of it")  # fmt: skip
    return begins[1:], ends[1:]


def _padded(index: Integers, begins: list[int], ends: list[int], mode: str) -> Integers:
    widths = [(0, 0), *((max(b, 0), max(e, 0)) for b, e in zip(begins, ends, strict=True))]
    if mode == "constant":
        wide = np.pad(index, widths, constant_values=-1)
    elif mode == "edge":
        wide = np.pad(index, widths, mode="edge")
    else:
        wide = np.pad(index, widths, mode="reflect" if mode == "reflect" else "wrap")
    cuts = [slice(None)]
    for size, begin, end in zip(wide.shape[1:], begins, ends, strict=True):
        cuts.append(slice(max(-begin, 0), size - max(-end, 0)))
    return wide[tuple(cuts)]


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
    if 0 in steps:
        refuse(f"its steps are {list(steps)}, should not be 0", "export the model again")
    cuts = [slice(0, size, 1) for size in shape]
    whole = _END if net.batch is None else net.batch
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if axis in (0, -len(shape) - 1) and start == 0 and step == 1 and end >= whole:
            continue  # all of the batch
        own = net.axis(axis, shape)
        if step < 0:  # before the first place is the first place, in ONNX but not in Python
            start = max(start, -shape[own])
        first, last, _ = slice(start, end, step).indices(shape[own])
        cuts[own] = slice(first, last, step)
    if min(steps, default=1) < 0:
        index = numbered(shape)[0]
        for own, cut in enumerate(cuts):
            index = np.take(index, list(range(cut.start, cut.stop, cut.step)), own)
        return view(node, net, net.value(node.inputs[0]), index)
    op = Slice(
        tuple(c.start for c in cuts), tuple(c.stop for c in cuts), tuple(c.step for c in cuts)
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


def lower_gather(node: OnnxNode, net: Network) -> str:
    shape = net.shape(node.inputs[0])
    net.axis(node.integer("axis", 0), shape)
    index = _by_reference(node, net, shape)
    value = view(node, net, net.value(node.inputs[0]), index[0].reshape(index.shape[1:] or (1,)))
    return value


def lower_tile(node: OnnxNode, net: Network) -> str:
    shape, repeats = net.shape(node.inputs[0]), net.integers(node, 1, "repeats")
    if len(repeats) != len(shape) + 1 or repeats[0] != 1:
        refuse(
            f"its repeats are {list(repeats)} for data of {shown(shape)}, should be 1 for the "
            "batch axis, and one for each other axis",
            "repeat along other axes",
        )
    check_size(tuple(s * r for s, r in zip(shape, repeats[1:], strict=True)))
    index = _by_reference(node, net, shape)
    return view(node, net, net.value(node.inputs[0]), index[0])


def lower_expand(node: OnnxNode, net: Network) -> str:
    shape, wanted = net.shape(node.inputs[0]), list(net.integers(node, 1, "shape"))
    own = [1] * (len(shape) + 1 - len(wanted)) + wanted
    if len(own) != len(shape) + 1 or own[0] not in (1, net.batch):
        refuse(
            f"it makes {wanted} of {shown(shape)}, should keep the batch axis first",
            "expand along other axes",
        )
    check_size(tuple(own[1:]))
    try:
        target = np.broadcast_shapes(shape, tuple(own[1:]))
    except ValueError:
        refuse(f"it makes {wanted} of {shown(shape)}, should repeat axes of size 1",
               "use Tile or Resize")  # fmt: skip
    return moved(
        node, net, net.value(node.inputs[0]), lambda index: np.broadcast_to(index, (1, *target))
    )


def lower_blocks(node: OnnxNode, net: Network) -> str:
    """DepthToSpace and SpaceToDepth."""
    shape = net.shape(node.inputs[0])
    index = _by_reference(node, net, shape)
    return view(node, net, net.value(node.inputs[0]), index[0])


def _by_reference(node: OnnxNode, net: Network, shape: Shape) -> Integers:
    index = places_by_reference(node, net, shape)
    if index.ndim < 1 or index.shape[0] != 1:
        refuse("it moves numbers along the batch axis, should not", "keep the batch axis first")
    return index.astype(np.int64)


LOWERINGS = {
    "Concat": lower_concat,
    "DepthToSpace": lower_blocks,
    "Expand": lower_expand,
    "Gather": lower_gather,
    "Pad": lower_pad,
    "Slice": lower_slice,
    "SpaceToDepth": lower_blocks,
    "Split": lower_split,
    "Tile": lower_tile,
}
