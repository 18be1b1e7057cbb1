"""Softmax, LogSoftmax, Sigmoid, ArgMax, … at the end: left out, as logits say the same.

They do not change which class is the largest, and a chip has no exponentials; the import's notes
say what was left out.
"""

from collections.abc import Callable, Mapping
from typing import NoReturn

import numpy as np
import onnx

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc.onnx.emit import affine

KEEP_ORDER = frozenset({"Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
"""Operators that leave numbers in their row-major order."""


def final_values(graph: onnx.GraphProto) -> frozenset[str]:
    """Values behind which nothing is computed: results, and what only ending operators read."""
    makers = {name: node for node in graph.node for name in node.output}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    final: set[str] = set()
    for node in reversed(graph.node):
        for name in node.output:
            if all(
                final.issuperset(user.output)
                and (user.op_type in _ENDINGS or _of_two_classes(user, makers))
                for user in readers.get(name, [])
            ):
                final.add(name)
    return frozenset(final)


def _of_two_classes(node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]) -> bool:
    """1 − σ(z), or [1 − σ(z), σ(z)]: the two classes of a sigmoid, as scikit-learn writes them."""
    made = [makers[name] for name in node.input if name in makers]
    match node.op_type:
        case "Sub":
            return [maker.op_type for maker in made] == ["Sigmoid"]
        case "Concat":
            return len(made) == len(node.input) and all(
                maker.op_type == "Sigmoid" or _of_two_classes(maker, makers) for maker in made
            )
    return False


def ends(node: OnnxNode, net: Network) -> bool:
    """Whether the node is one that can be left out, and nothing is computed behind it."""
    return node.op_type in _ENDINGS and net.final.issuperset(filter(None, node.outputs))


def follows_end(node: OnnxNode, net: Network) -> bool:
    """Whether the node reads what is not computed, because something is left out before it."""
    return any(name in net.choices or name in net.stands_for for name in node.inputs)


def lower_behind(
    node: OnnxNode, net: Network, usual: Callable[[OnnxNode, Network], str | tuple[str, ...]]
) -> str | tuple[str, ...]:
    """A node behind one that is left out: it chooses, keeps the order, or makes two classes.

    usual: how it is lowered elsewhere.
    """
    operands = [name for name in node.inputs if net.is_value(name)]
    chosen = not net.choices.isdisjoint(operands)
    if node.op_type in _CHOOSING or (chosen and node.op_type in KEEP_ORDER):
        return lower_choice(node, net)
    if not chosen and node.op_type in _GRIDS:
        net.stands_for[node.outputs[0]] = net.stands_for[operands[0]]
        return net.value(operands[0])
    if not chosen and node.op_type in KEEP_ORDER:
        net.stands_for[node.outputs[0]] = net.stands_for[operands[0]]
        return usual(node, net)
    if not net.sigmoids.issuperset(operands):
        _refuse_inside(node)
    net.sigmoids.add(node.outputs[0])
    net.stands_for[node.outputs[0]] = None
    if node.op_type == "Concat":
        return usual(node, net)
    if node.op_type == "Sub" and operands == [node.inputs[1]]:
        if np.all(net.floats(node, 0, "constant") == 1):
            return affine(node, net, net.value(operands[0]), -1.0)  # 1 − σ(z) = σ(−z)
    _refuse_inside(node)


def lower_softmax(node: OnnxNode, net: Network) -> str:
    net.axis(node.integer("axis", -1 if net.opset >= 13 else 1), net.shape(node.inputs[0]))
    return lower_squashing(node, net)


def lower_squashing(node: OnnxNode, net: Network) -> str:
    """A function that grows with its operand, at the end."""
    if not ends(node, net):
        _refuse_inside(node)
    net.notes.append(
        f"{node.op_type} '{node.name}' at the end is left out: the outputs are logits, and the "
        "same class is the largest"
    )
    if node.op_type == "Sigmoid":
        net.sigmoids.add(node.outputs[0])
    net.stands_for[node.outputs[0]] = None if node.domain else node.inputs[0]
    return net.value(node.inputs[0])


def lower_choice(node: OnnxNode, net: Network) -> tuple[str, ...]:
    """Which number is the largest, and what is said of it."""
    if not ends(node, net):
        _refuse_inside(node)
    operand = next(name for name in node.inputs if net.is_value(name))
    if operand not in net.choices:
        net.notes.append(
            f"{node.op_type} '{node.name}' at the end is left out: the outputs are the numbers of "
            "which it takes the largest"
        )
    results = list(filter(None, node.outputs))
    net.choices.update(results)
    net.stands_for.update(dict.fromkeys(results, net.stands_for.get(operand, operand)))
    return (net.value(operand),) * len(node.outputs)


def _refuse_inside(node: OnnxNode) -> NoReturn:
    refuse(
        f"{node.op_type} stands inside the network, or behind what does, should be at its end",
        "attention and gates cannot be converted; use convolutions",
    )


_CHOOSING = frozenset(
    {"ArgMax", "ArrayFeatureExtractor", "Binarizer", "LabelEncoder", "Normalizer", "ZipMap"}
)
LOWERINGS = {
    "ArgMax": lower_choice,
    "LogSoftmax": lower_softmax,
    "Softmax": lower_softmax,
    "ai.onnx.ml.ArrayFeatureExtractor": lower_choice,
    "ai.onnx.ml.Binarizer": lower_choice,
    "ai.onnx.ml.LabelEncoder": lower_choice,
    "ai.onnx.ml.ZipMap": lower_choice,
}
_GRIDS = frozenset({"DequantizeLinear", "QuantizeLinear"})
_SQUASHING = {"LogSoftmax", "QLinearSigmoid", "QLinearSoftmax", "Sigmoid", "Softmax"}
_ENDINGS = KEEP_ORDER | _CHOOSING | _GRIDS | _SQUASHING
