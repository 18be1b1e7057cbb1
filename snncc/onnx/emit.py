"""What many lowerings are made of: affine maps, neurons, views, and broadcasting."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import Analog, Floats, Integers, Shape, Tensor, f32
from snncc_ir.ops import Add, Affine, Neuron, Relu, View

LARGEST_VIEW = 1 << 26
"""Elements of a view's index; a damaged file may ask for any number."""


def shown(shape: Shape) -> str:
    """N×C×H×W, for messages."""
    return "×".join(["N", *map(str, shape)])


def shape_of(net: Network, value: str) -> Shape:
    """Of an IR value."""
    return net.builder[value].type.shape


def affine(
    node: OnnxNode, net: Network, value: str, scale: Floats | float, offset: Floats | float = 0.0
) -> str:
    """scale · x + offset, both broadcast over the value; the value itself where that is x."""
    if np.all(np.asarray(scale) == 1) and not np.any(offset):
        return value
    return net.emit(node, Affine(f32(scale), f32(offset)), value)


def relu(node: OnnxNode, net: Network, value: str, ceiling: float | None = None) -> str:
    """max(0, x), and at most `ceiling`."""
    return net.emit(node, Neuron(Relu(None if ceiling is None else f32(ceiling))), value)


def minus(node: OnnxNode, net: Network, first: str, second: str) -> str:
    return net.emit(node, Add(), first, affine(node, net, second, -1.0))


def largest(node: OnnxNode, net: Network, first: str, second: str) -> str:
    """max(a, b) = b + relu(a − b): exact, and one population."""
    more = relu(node, net, minus(node, net, first, second))
    return net.emit(node, Add(), second, more)


def smallest(node: OnnxNode, net: Network, first: str, second: str) -> str:
    """min(a, b) = a − relu(a − b)."""
    more = relu(node, net, minus(node, net, first, second))
    return minus(node, net, first, more)


def numbered(shape: Shape) -> Integers:
    """The place of each element of a value, with a batch axis of 1: what a view is made of."""
    index: Integers = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(1, *shape)
    return index


def moved(
    node: OnnxNode, net: Network, value: str, move: Callable[[Integers], NDArray[np.integer]]
) -> str:
    """A view of `value`, as `move` makes it of its elements' places; −1 is 0.

    `move` sees a batch axis of 1 and has to keep it.
    """
    shape = shape_of(net, value)
    index = move(numbered(shape))
    if index.ndim < 2 or index.shape[0] != 1:
        refuse(
            f"it moves numbers along the batch axis of a value of shape {shown(shape)}, should "
            "keep each sample to itself",
            "keep the batch axis first, and out of it",
        )
    return view(node, net, value, index[0])


def view(node: OnnxNode, net: Network, value: str, index: NDArray[np.integer]) -> str:
    """The elements of `value` at the places of `index`, −1 is 0; the value itself where equal."""
    shape = shape_of(net, value)
    if index.size == 0:
        refuse("its result has no elements, should have some", "leave the layer out")
    if index.shape == shape and np.array_equal(index, numbered(shape)[0]):
        return value
    return net.emit(node, View(Tensor(np.ascontiguousarray(index, np.int32))), value)


def check_size(shape: Shape) -> None:
    """Refuses a result that no chip could hold, before its index is made."""
    size = 1
    for length in shape:
        size *= max(length, 0)
    if size > LARGEST_VIEW:
        refuse(
            f"its result of shape {shown(shape)} has {size} elements, should have at most "
            f"{LARGEST_VIEW}",
            "look at the sizes that the layer is given",
        )


def broadcast(node: OnnxNode, net: Network, value: str, shape: Shape) -> str:
    """`value` repeated to `shape`, as ONNX broadcasts values that have a batch axis each."""
    own = shape_of(net, value)
    if own == shape:
        return value
    check_size(shape)
    return moved(node, net, value, lambda index: np.broadcast_to(index, (1, *shape)))


def common_shape(net: Network, values: list[str]) -> Shape:
    """The shape to which values of the network broadcast; refuses others."""
    shapes = [shape_of(net, value) for value in values]
    if len({len(shape) for shape in shapes}) == 1:
        try:
            return np.broadcast_shapes(*shapes)
        except ValueError:
            pass
    refuse(
        f"its operands have shapes {', '.join(map(shown, shapes))}, should be of one shape, or "
        "broadcast to one along other axes than the batch axis",
        "give both as many axes (unsqueeze), of the same size or of size 1",
    )


def constant_operand(node: OnnxNode, net: Network, index: int, data: Shape) -> Floats:
    """A constant operand without its batch axis, which broadcasts with a value of shape `data`.

    It may enlarge the data. Refuses a constant that is another for each sample.
    """
    return without_batch(net.floats(node, index, "constant"), data)


def without_batch(array: Floats, data: Shape) -> Floats:
    """A constant that goes with a value of N×`data`, without its batch axis."""
    found = list(array.shape)
    if array.ndim == len(data) + 1 and array.shape[0] == 1:
        array = array[0]
    try:
        np.broadcast_shapes(array.shape, data)
        fits = array.ndim <= len(data)
    except ValueError:
        fits = False
    if not fits:
        refuse(
            f"its constant has shape {found}, should broadcast to {shown(data)} and be the same "
            "for all samples",
            "give one number, or one for each channel",
        )
    return array


def fitted(node: OnnxNode, net: Network, value: str, constant: Floats) -> str:
    """`value`, repeated where a constant that goes with it is larger."""
    return broadcast(node, net, value, np.broadcast_shapes(shape_of(net, value), constant.shape))


def current(node: OnnxNode, net: Network, value: str) -> str:
    """The value as a current, where it is the network's input: what a maximum can be taken over."""
    if isinstance(net.builder[value].type, Analog):
        return net.emit(node, Affine(f32(1.0), f32(0.0)), value)
    return value


def cut(index: Integers, pads: Sequence[int]) -> Integers:
    """Without what negative pads cut off: (1, C, *spatial)."""
    rank = len(pads) // 2
    slices = [slice(None), slice(None)]
    for i, size in enumerate(index.shape[2:]):
        slices.append(slice(max(-pads[i], 0), size - max(-pads[i + rank], 0)))
    return index[tuple(slices)]
