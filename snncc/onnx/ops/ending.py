"""Softmax, LogSoftmax, Sigmoid, ArgMax, … at the end: left out, as logits say the same.

They do not change which class is the largest, and a chip has no exponentials; the import's notes
say what was left out.
"""

import onnx

from snncc.onnx.context import Network, OnnxNode, refuse

KEEP_ORDER = frozenset({"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators that leave numbers in their row-major order."""


def final_values(graph: onnx.GraphProto) -> frozenset[str]:
    """Values behind which nothing is computed: results, and what only ending operators read."""
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    final: set[str] = set()
    for node in reversed(graph.node):
        for name in node.output:
            if all(
                _ends(reader) and final.issuperset(reader.output)
                for reader in readers.get(name, [])
            ):
                final.add(name)
    return frozenset(final)


def _ends(node: onnx.NodeProto) -> bool:
    return node.op_type in _ENDINGS


def ends(node: OnnxNode, net: Network) -> bool:
    """Whether the node is one that can be left out, and nothing is computed behind it."""
    return node.op_type in _ENDINGS and net.final.issuperset(filter(None, node.outputs))


def lower_softmax(node: OnnxNode, net: Network) -> str:
    net.axis(node.integer("axis", -1 if net.opset >= 13 else 1), net.shape(node.inputs[0]))
    return lower_squashing(node, net)


def lower_squashing(node: OnnxNode, net: Network) -> str:
    """A function that grows with its operand, at the end."""
    _expect_end(node, net)
    net.notes.append(
        f"{node.op_type} '{node.name}' at the end is left out: the outputs are logits, and the "
        "same class is the largest"
    )
    return _left_out(node, net, node.inputs[0])


def lower_choice(node: OnnxNode, net: Network) -> tuple[str, ...]:
    """Which number is the largest, and what is said of it."""
    _expect_end(node, net)
    operand = next(name for name in node.inputs if net.is_value(name))
    if operand not in net.choices:
        net.notes.append(
            f"{node.op_type} '{node.name}' at the end is left out: the outputs are the numbers of "
            "which it takes the largest"
        )
    net.choices.update(filter(None, node.outputs))
    return (_left_out(node, net, operand),) * len(node.outputs)


def _left_out(node: OnnxNode, net: Network, operand: str) -> str:
    for name in filter(None, node.outputs):
        net.stands_for[name] = net.stands_for.get(operand, operand)
    return net.value(operand)


def _expect_end(node: OnnxNode, net: Network) -> None:
    if not ends(node, net):
        refuse(
            f"{node.op_type} stands inside the network, should be at its end",
            "attention and gates cannot be converted; use convolutions",
        )


LOWERINGS = {
    "ArgMax": lower_choice,
    "LogSoftmax": lower_softmax,
    "Softmax": lower_softmax,
    "ai.onnx.ml.ArrayFeatureExtractor": lower_choice,
    "ai.onnx.ml.ZipMap": lower_choice,
}
_ENDINGS = KEEP_ORDER | {"Sigmoid", *(name.rpartition(".")[2] for name in LOWERINGS)}
