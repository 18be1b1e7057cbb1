"""Conv and ConvTranspose: 1-D and 2-D, grouped, depthwise, dilated, strided, every auto_pad.

A transposed convolution is a view that puts zeros between the numbers, then a convolution with the
mirrored weights.
"""

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import check_size, cut, moved
from snncc.onnx.window import kernel_of, window_of
from snncc_ir import Integers, Shape, Tensor, f32
from snncc_ir.ops import Conv, Sizes, TypeRuleError, Window


def lower_conv(node: OnnxNode, net: Network) -> str:
    weight = _weight(node, net)
    window = window_of(node, net.shape(node.inputs[0])[1:], weight.shape[2:])
    value = net.value(node.inputs[0])
    if min(window.pads) < 0:
        value = moved(node, net, value, lambda index: cut(index, window.pads))
    pads = tuple(max(pad, 0) for pad in window.pads)
    op = Conv(
        weight, window.stride, pads, window.dilation, node.integer("group", 1),
        _bias(node, net),
    )  # fmt: skip
    return net.emit(node, op, value)


def lower_conv_transpose(node: OnnxNode, net: Network) -> str:
    shape, weight = net.shape(node.inputs[0]), _weight(node, net).floats
    groups = node.integer("group", 1)
    rank = weight.ndim - 2
    if len(shape) != rank + 1 or shape[0] != len(weight) or groups < 1 or len(weight) % groups:
        refuse(
            f"its weight of shape {list(weight.shape)} in {groups} groups does not fit data of "
            f"{len(shape)} axes and {shape[0]} channels",
            "the weight should be channels × outputs of a group × kernel; export the model again",
        )
    window, more = transposed_window(node, shape[1:], weight.shape[2:])
    pads = [extent - 1 - pad for extent, pad in zip(window.extent * 2, window.pads, strict=True)]
    ends = [pad + extra for pad, extra in zip(pads[rank:], more, strict=True)]
    pads = [*pads[:rank], *ends]
    check_size((shape[0], *(n * s for n, s in zip(shape[1:], window.stride, strict=True))))
    value = moved(
        node, net, net.value(node.inputs[0]), lambda index: cut(_spread(index, window.stride), pads)
    )
    flipped = np.flip(weight, tuple(range(2, 2 + rank)))
    grouped = flipped.reshape(groups, -1, *weight.shape[1:])
    rows = np.moveaxis(grouped, 1, 2).reshape(-1, len(weight) // groups, *weight.shape[2:])
    op = Conv(
        f32(np.ascontiguousarray(rows)), (1,) * rank, tuple(max(pad, 0) for pad in pads),
        window.dilation, groups, _bias(node, net),
    )  # fmt: skip
    return net.emit(node, op, value)


def transposed_window(node: OnnxNode, spatial: Shape, kernel: Shape) -> tuple[Window, Sizes]:
    """The window of a transposed convolution, pads resolved, and its output padding."""
    rank = len(kernel)
    kernel = kernel_of(node, kernel)
    stride = node.integers("strides", (1,) * rank)
    window = Window(
        kernel, stride, node.integers("pads", (0,) * 2 * rank),
        node.integers("dilations", (1,) * rank),
    )  # fmt: skip
    window.check()
    more = node.integers("output_padding", (0,) * rank)
    wanted = node.integers("output_shape", ())[-rank:]
    auto = node.text("auto_pad", "NOTSET")
    if len(more) != rank or min(more) < 0 or (wanted and len(wanted) != rank):
        raise TypeRuleError(
            f"output_padding is {list(more)} and output_shape {list(wanted)}, should be {rank} "
            "numbers of at least 0"
        )
    if auto == "VALID" and not wanted:
        return Window(kernel, stride, (0,) * 2 * rank, window.dilation), more
    if not wanted and auto == "NOTSET":
        return window, more
    begins, ends, extra = [], [], list(more)
    for i, size in enumerate(spatial):
        natural = stride[i] * (size - 1) + more[i] + window.extent[i]
        total = natural - (wanted[i] if wanted else size * stride[i])
        if total < 0:  # as onnxruntime does: only a size that is asked for adds zeros
            extra[i] -= total if wanted else 0
            total = 0
        half, rest = total // 2, total - total // 2
        begins.append(half if auto == "SAME_UPPER" else rest)
        ends.append(rest if auto == "SAME_UPPER" else half)
    return Window(kernel, stride, (*begins, *ends), window.dilation), tuple(extra)


def _spread(index: Integers, stride: Sizes) -> Integers:
    """Places with stride − 1 zeros between neighbors: (1, C, *spatial)."""
    sizes = [(n - 1) * s + 1 for n, s in zip(index.shape[2:], stride, strict=True)]
    result = np.full((*index.shape[:2], *sizes), -1, np.int64)
    result[(slice(None), slice(None), *(slice(None, None, s) for s in stride))] = index
    return result


def _weight(node: OnnxNode, net: Network) -> Tensor:
    weight = net.weight(node, 1, "weight")
    if len(weight.shape) not in (3, 4):
        refuse(
            f"its weight has shape {list(weight.shape)}, should be of a 1-D or 2-D convolution",
            "3-D convolutions are not supported; slice the volume, or use 2-D convolutions with "
            "the depth as channels",
        )
    return weight


def _bias(node: OnnxNode, net: Network) -> Tensor | None:
    return net.weight(node, 2, "bias") if node.has_input(2) else None


LOWERINGS = {"Conv": lower_conv, "ConvTranspose": lower_conv_transpose}
