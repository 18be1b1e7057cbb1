"""MaxPool, AveragePool and their global forms, 1-D to 3-D, dilated, with every padding.

What the IR's pools do not have (dilation, three dimensions) is a view that gathers the windows,
then a pool over each.
"""

from math import prod

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import affine, check_size, current, cut, moved, shape_of, view
from snncc.onnx.window import ceiled, window_of
from snncc_ir import Floats, Integers, Shape
from snncc_ir.ops import AvgPool, MaxPool, Reshape, Sizes, SumPool, Window

PLANES = 2
"""Dimensions of the IR's windows."""


def lower_maxpool(node: OnnxNode, net: Network) -> str:
    if len([name for name in node.outputs if name]) > 1:
        refuse("its second output (indices) is used, should not be", "unpool by upsampling")
    value, window, _ = _window(node, net)
    value, shape = current(node, net, value), shape_of(net, value)
    if _is_plain(window):
        return net.emit(node, MaxPool(window.kernel, window.stride, window.pads), value)
    taps = _taps(window, shape[1:])
    taken = np.where(taps < 0, taps.max(axis=-1, keepdims=True), taps)
    if taken.min() < 0:
        refuse("a window lies in the padding, should see a number", "use smaller pads")
    flat = _gathered(node, net, value, taken)
    kernel = (taken.shape[-1],)
    pooled = net.emit(node, MaxPool(kernel, kernel, (0, 0)), flat)
    return net.emit(node, Reshape((shape[0], *taken.shape[:-1])), pooled)


def lower_averagepool(node: OnnxNode, net: Network) -> str:
    value, window, explicit = _window(node, net)
    shape = shape_of(net, value)
    count_pad = bool(node.integer("count_include_pad", 0))
    narrow = all(pad < size for pad, size in zip(window.pads, window.kernel * 2, strict=True))
    plain = _is_plain(window) and narrow
    if plain and not (count_pad and window.pads != explicit):
        return net.emit(node, AvgPool(window.kernel, window.stride, window.pads, count_pad), value)
    taps = _taps(window, shape[1:])
    counts = _counts(window, shape[1:], explicit if count_pad else (0,) * len(explicit))
    if counts.min() <= 0:
        refuse("a window lies in the padding, should see a number", "use smaller pads")
    if plain:
        total = net.emit(node, SumPool(window.kernel, window.stride, window.pads), value)
    else:
        kernel = (taps.shape[-1],)
        flat = _gathered(node, net, value, taps)
        total = net.emit(node, SumPool(kernel, kernel, (0, 0)), flat)
        total = net.emit(node, Reshape((shape[0], *taps.shape[:-1])), total)
    return affine(node, net, total, 1 / counts[None])


def lower_global_average(node: OnnxNode, net: Network) -> str:
    return _global(node, net, AvgPool)


def lower_global_max(node: OnnxNode, net: Network) -> str:
    return _global(node, net, MaxPool)


def _global(node: OnnxNode, net: Network, pool: type[AvgPool] | type[MaxPool]) -> str:
    shape, value = net.shape(node.inputs[0]), net.value(node.inputs[0])
    if pool is MaxPool:
        value = current(node, net, value)
    kept = (shape[0], *[1] * (len(shape) - 1))
    if len(shape) - 1 > PLANES:
        value = net.emit(node, Reshape((shape[0], prod(shape[1:]))), value)
    value = over_all(node, net, pool, value)
    return value if shape_of(net, value) == kept else net.emit(node, Reshape(kept), value)


def over_all(
    node: OnnxNode, net: Network, pool: type[AvgPool] | type[SumPool] | type[MaxPool], value: str
) -> str:
    """A pool over everything but the first axis; all axes stay, of size 1."""
    kernel: Sizes = shape_of(net, value)[1:]
    if not kernel:
        refuse("its operand has no spatial axes, should have", "leave the layer out")
    return net.emit(node, pool(kernel, (1,) * len(kernel), (0,) * 2 * len(kernel)), value)


def _window(node: OnnxNode, net: Network) -> tuple[str, Window, Sizes]:
    """The operand, the window with ceil_mode's pads, and the pads without them."""
    value, shape = net.value(node.inputs[0]), net.shape(node.inputs[0])
    window = window_of(node, shape[1:])
    if min(window.pads) < 0:
        value = moved(node, net, value, lambda index: cut(index, window.pads))
        pads = tuple(max(pad, 0) for pad in window.pads)
        window = Window(window.kernel, window.stride, pads, window.dilation)
    whole = ceiled(window, shape_of(net, value)[1:]) if node.integer("ceil_mode", 0) else window
    return value, whole, window.pads


def _is_plain(window: Window) -> bool:
    return window.rank <= PLANES and all(step == 1 for step in window.dilation)


def _taps(window: Window, spatial: Shape) -> Integers:
    """The place of each number of each window, −1 in the padding: (*output, taps)."""
    for extent, size, begin, end in zip(
        window.extent, spatial, window.pads[: window.rank], window.pads[window.rank :], strict=True
    ):
        if extent > size + begin + end:
            refuse(
                f"its window is {extent} wide over {size + begin + end} padded numbers, should fit",
                "use a smaller window, or larger pads",
            )
    rank = window.rank
    check_size(tuple(n + window.pads[i] + window.pads[i + rank] for i, n in enumerate(spatial)))
    places = np.arange(float(prod(spatial))).reshape(1, 1, *spatial)
    windows = window.slide(places, -1.0)[0, 0]
    check_size(windows.shape)
    taps: Integers = windows.reshape(*windows.shape[: window.rank], -1).astype(np.int64)
    return taps


def _counts(window: Window, spatial: Shape, counted: Sizes) -> Floats:
    """How many numbers, and how much of the padding `counted`, each window holds: (*output)."""
    rank = window.rank
    ones = np.ones((1, 1, *spatial))
    both = [(counted[i], counted[i + rank]) for i in range(rank)]
    rest = tuple(pad - part for pad, part in zip(window.pads, counted, strict=True))
    padded = np.pad(ones, [(0, 0), (0, 0), *both], constant_values=1.0)
    wider = Window(window.kernel, window.stride, rest, window.dilation)
    counts: Floats = wider.slide(padded)[0, 0].sum(axis=tuple(range(rank, 2 * rank)))
    return counts


def _gathered(node: OnnxNode, net: Network, value: str, taps: Integers) -> str:
    """The numbers of all windows one after the other, channel by channel: (C, windows · taps)."""
    channels, *spatial = shape_of(net, value)
    check_size((channels, taps.size))
    first = np.arange(channels)[:, None] * prod(spatial)
    flat = taps.reshape(-1)
    return view(node, net, value, np.where(flat < 0, -1, first + flat))


LOWERINGS = {
    "AveragePool": lower_averagepool,
    "GlobalAveragePool": lower_global_average,
    "GlobalMaxPool": lower_global_max,
    "MaxPool": lower_maxpool,
}
