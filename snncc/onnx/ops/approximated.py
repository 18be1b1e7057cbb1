"""On request (`--approximate`): sums of clipped ramps, each a population with a ceiling."""

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.curves import APPROXIMATED
from snncc.onnx.hints import HINTS
from snncc.onnx.ops.ending import ends, lower_squashing


def lower_on_request(node: OnnxNode, net: Network) -> str:
    """What `curves.follow` has not taken: it was not asked for, or the node has odd operands."""
    if net.approximate:
        refuse("its operands are constants of several numbers, should be one value", "use scalars")
    refuse(
        f"operator {node.op_type} is not supported, but as an approximation, on request",
        HINTS[node.op_type.removeprefix("QLinear")],
        "SNN003",
    )


def lower_sigmoid(node: OnnxNode, net: Network) -> str:
    return lower_squashing(node, net) if ends(node, net) else lower_on_request(node, net)


LOWERINGS = {**dict.fromkeys(APPROXIMATED, lower_on_request), "Sigmoid": lower_sigmoid}
