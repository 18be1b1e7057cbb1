"""The window attributes that Conv and the pools share: strides, pads, auto_pad, dilations."""

from snncc.onnx.context import OnnxNode, refuse
from snncc_ir import Shape
from snncc_ir.ops import Sizes, Window


def window_of(node: OnnxNode, spatial: Shape, kernel: Shape | None = None) -> Window:
    """The window of a node over an operand of the given spatial shape, pads resolved.

    Pads are negative where auto_pad skips numbers before the first window, as onnxruntime's
    convolutions do under a stride that is longer than the kernel. `ceil_mode` is left to pools.
    Raises `TypeRuleError` when the attributes contradict each other.
    """
    given = kernel_of(node, kernel)
    rank = len(given)
    if rank != len(spatial) or rank < 1:
        refuse(
            f"its window has {rank} dimensions over {len(spatial)} spatial ones, should be as many",
            "export the model again",
        )
    stride = node.integers("strides", (1,) * rank)
    dilation = node.integers("dilations", (1,) * rank)
    window = Window(given, stride, node.integers("pads", (0,) * 2 * rank), dilation)
    window.check_sizes()
    auto = node.text("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        return Window(given, stride, _same(window, spatial, auto), dilation)
    if auto == "VALID":
        return Window(given, stride, (0,) * 2 * rank, dilation)
    if auto != "NOTSET":
        refuse(f"its auto_pad is '{auto}', should be SAME_UPPER, SAME_LOWER or VALID", "set pads")
    return window


def kernel_of(node: OnnxNode, kernel: Shape | None) -> Shape:
    """The kernel's sizes: `kernel`, those of a weight, where there is one."""
    given = node.integers("kernel_shape", kernel or ())
    if kernel is not None and given != kernel:
        refuse(
            f"its kernel_shape is {list(given)}, should be {list(kernel)}, as its weight's",
            "export the model again",
        )
    return given


def _same(window: Window, spatial: Shape, auto: str) -> Sizes:
    begins, ends = [], []
    for size, extent, stride in zip(spatial, window.extent, window.stride, strict=True):
        total = (-(-size // stride) - 1) * stride + extent - size
        if total < 0:
            # what onnxruntime does, where ONNX says nothing and its reference does otherwise
            skipped = (-total - (1 if auto == "SAME_UPPER" else 2)) // 2
            begins.append(-max(skipped, 0))
            ends.append(total + max(skipped, 0))
            continue
        small, large = total // 2, total - total // 2
        begins.append(small if auto == "SAME_UPPER" else large)
        ends.append(large if auto == "SAME_UPPER" else small)
    return (*begins, *ends)


def ceiled(window: Window, spatial: Shape) -> Window:
    """With pads at the end grown until the last window is whole, as ceil_mode has it."""
    rank = window.rank
    ends = []
    for i, size in enumerate(spatial):
        begin, end = window.pads[i], window.pads[i + rank]
        room = size + begin + end - window.extent[i]
        count = -(-room // window.stride[i]) + 1
        if (count - 1) * window.stride[i] >= size + begin:
            count -= 1  # a window has to start before the padding at the end
        ends.append(max((count - 1) * window.stride[i] + window.extent[i] - size - begin, end))
    return Window(window.kernel, window.stride, (*window.pads[:rank], *ends), window.dilation)
