"""Quantizers before anything else looks at a model: of constants, of data, and behind its end."""

import onnx
from onnx import helper

from snncc.onnx.context import Network, OnnxNode, Refusal
from snncc.onnx.ops import qonnx, quantized
from snncc_ir import SnnccError

DYNAMIC = "DynamicQuantizeLinear"
ROUNDS = ("DequantizeLinear", "QuantizeLinear")
ENDS = ("LogSoftmax", "QLinearSigmoid", "QLinearSoftmax", "Softmax")
"""Operators that lowering leaves out at the end, so that no grid of their results is left."""


def settled(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with quantized constants computed, so that what moves them can be, too.

    The scale of DynamicQuantizeLinear, which depends on the sample, becomes 1 (and a note follows
    from what it leaves); a quantizer that cannot be lowered stays for lowering to say so.
    """
    functions = {**qonnx.LOWERINGS, **quantized.LOWERINGS}
    if not any(_key(node) in functions for node in model.graph.node):
        return model
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    net = Network("constants", constants, 0)
    kept = []
    for proto in model.graph.node:
        if proto.op_type == "Constant" and not proto.domain:
            for attribute in proto.attribute:
                if attribute.name == "value":
                    net.define_constant(proto.output[0], attribute.t)
        elif proto.op_type == DYNAMIC and proto.input and proto.output and not proto.domain:
            kept += _static(proto)
            continue
        elif _key(proto) in functions and proto.output and _constant(proto, net):
            try:
                functions[_key(proto)](OnnxNode.of(proto), net)
            except (Refusal, SnnccError):
                kept.append(proto)
                continue
            tensor = net.tensor(proto.output[0])
            tensor.name = proto.output[0]
            model.graph.initializer.append(tensor)
            continue
        kept.append(proto)
    graph = onnx.GraphProto()
    graph.node.extend(kept)
    del model.graph.node[:]
    model.graph.node.extend(graph.node)
    return model


def is_dynamic(model: onnx.ModelProto) -> bool:
    """Whether scales depend on the sample."""
    return any(node.op_type == DYNAMIC for node in model.graph.node)


def final_values(graph: onnx.GraphProto) -> tuple[frozenset[str], frozenset[str]]:
    """Results of the model that no node reads; and grids behind an operator of ENDS.

    A value of which only grids are left to the end counts as a result, too.
    """
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    final = {output.name for output in graph.output if output.name not in users}
    bare: set[str] = set()
    for node in reversed(graph.node):
        if node.op_type in ROUNDS and node.output and node.output[0] in final:
            if node.input and len(users.get(node.input[0], [])) == 1:
                final.add(node.input[0])
    for node in graph.node:
        if node.op_type in ENDS and node.output and node.output[0] in final:
            bare.add(node.output[0])
        elif node.op_type in ROUNDS and node.input and node.input[0] in bare:
            bare.update(node.output)
    return frozenset(final), frozenset(bare)


def _key(node: onnx.NodeProto) -> str:
    own = node.domain in ("", "ai.onnx")
    return node.op_type if own else f"{node.domain}.{node.op_type}"


def _constant(node: onnx.NodeProto, net: Network) -> bool:
    return bool(node.input) and all(not name or net.knows(name) for name in node.input)


def _static(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    """The data as they are, with scale 1 and zero point 0."""
    results = [
        helper.make_node("Identity", [node.input[0]], [node.output[0]], node.name or node.output[0])
    ]
    for name, number, kind in zip(
        node.output[1:], (1.0, 0), (onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8), strict=False
    ):
        if name:
            value = helper.make_tensor(name, kind, [], [number])
            results.append(helper.make_node("Constant", [], [name], value=value))
    return results
