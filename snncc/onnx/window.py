"""The window attributes that Conv and the pools share: strides, pads, auto_pad, dilations."""

from snncc.onnx.context import OnnxNode, refuse
from snncc_ir import Shape
from snncc_ir.ops import Sizes, Window


def window_of(node: OnnxNode, spatial: Shape, kernel: Shape | None = None) -> Window:
    """The window of a node over an operand of the given spatial shape, pads resolved.

    With ceil_mode, pads at the end grow until the last window is whole. Raises `TypeRuleError`
    when the attributes contradict each other.
    """
    given = node.integers("kernel_shape", kernel or ())
    if kernel is not None and given != kernel:
        refuse(
            f"its kernel_shape is {list(given)}, should be {list(kernel)}, as its weight's",
            "export the model again",
        )
    kernel = given
    rank = len(kernel)
    if rank != len(spatial) or rank not in (1, 2):
        refuse(
            f"its window has {rank} dimensions over {len(spatial)} spatial ones, should be 1 or 2",
            "use 1-D or 2-D layers",
        )
    stride = node.integers("strides", (1,) * rank)
    dilation = node.integers("dilations", (1,) * rank)
    window = Window(kernel, stride, node.integers("pads", (0,) * 2 * rank), dilation)
    window.check()
    auto = node.text("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        window = Window(kernel, stride, _same(window, spatial, auto), dilation)
    elif auto == "VALID":
        window = Window(kernel, stride, (0,) * 2 * rank, dilation)
    elif auto != "NOTSET":
        refuse(f"its auto_pad is '{auto}', should be SAME_UPPER, SAME_LOWER or VALID", "set pads")
    if node.integer("ceil_mode", 0):
        window = Window(kernel, stride, _ceiled(window, spatial), dilation)
    return window


def _same(window: Window, spatial: Shape, auto: str) -> Sizes:
    begins, ends = [], []
    for size, extent, stride in zip(spatial, window.extent, window.stride, strict=True):
        total = (-(-size // stride) - 1) * stride + extent - size
        if total < -2:
            refuse(
                f"its auto_pad is '{auto}' and a stride of {stride} skips {-total} numbers at the "
                "ends, where readers of ONNX disagree on which",
                "set explicit pads",
            )
        total = max(total, 0)
        small, large = total // 2, total - total // 2
        begins.append(small if auto == "SAME_UPPER" else large)
        ends.append(large if auto == "SAME_UPPER" else small)
    return (*begins, *ends)


def _ceiled(window: Window, spatial: Shape) -> Sizes:
    rank = window.rank
    ends = []
    for i, size in enumerate(spatial):
        begin, end = window.pads[i], window.pads[i + rank]
        room = size + begin + end - window.extent[i]
        count = -(-room // window.stride[i]) + 1
        if (count - 1) * window.stride[i] >= size + begin:
            count -= 1  # a window has to start before the padding at the end
        ends.append(max((count - 1) * window.stride[i] + window.extent[i] - size - begin, end))
    return (*window.pads[:rank], *ends)
