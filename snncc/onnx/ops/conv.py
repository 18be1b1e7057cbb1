"""Conv: 1-D and 2-D, grouped, depthwise, dilated, strided, every auto_pad."""

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.window import window_of
from snncc_ir.ops import Conv


def lower_conv(node: OnnxNode, net: Network) -> str:
    weight = net.weight(node, 1, "weight")
    if len(weight.shape) not in (3, 4):
        refuse(
            f"its weight has shape {list(weight.shape)}, should be of a 1-D or 2-D convolution",
            "3-D convolutions are not supported; slice the volume, or use 2-D convolutions",
        )
    window = window_of(node, net.shape(node.inputs[0])[1:], weight.shape[2:])
    bias = net.weight(node, 2, "bias") if node.has_input(2) else None
    groups = node.integer("group", 1)
    op = Conv(weight, window.stride, window.pads, window.dilation, groups, bias)
    return net.emit(node, op, net.value(node.inputs[0]))


LOWERINGS = {"Conv": lower_conv}
