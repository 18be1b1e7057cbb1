"""Softmax and LogSoftmax at the end: left out, as they do not change which class is largest."""

from snncc.onnx.context import Network, OnnxNode, refuse


def lower_softmax(node: OnnxNode, net: Network) -> str:
    if node.outputs[0] not in net.final:
        refuse(
            f"{node.op_type} stands inside the network, should be at its end",
            "attention cannot be converted; use convolutions",
        )
    net.axis(node.integer("axis", -1 if net.opset >= 13 else 1), net.shape(node.inputs[0]))
    net.notes.append(
        f"{node.op_type} '{node.name}' at the end is left out: the outputs are logits, and the "
        "same class is the largest"
    )
    return net.value(node.inputs[0])


LOWERINGS = {"LogSoftmax": lower_softmax, "Softmax": lower_softmax}
