"""ONNX graph to IR graph, node by node; all that is refused is said at once."""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module

import numpy as np
import onnx
from onnx import numpy_helper

import snncc.onnx.ops
from snncc.onnx.context import Network, OnnxNode, Refusal, readable, refuse
from snncc.onnx.quantizers import final_values
from snncc_ir import Current, Diagnostic, Graph, Node, Origin, SnnccError, Source
from snncc_ir.ops import Input, Neuron, Output, Quantize, TypeRuleError

Lowering = Callable[[OnnxNode, Network], str | tuple[str, ...]]
"""Adds IR nodes for an ONNX node; returns the IR values of its outputs. May `refuse`."""

_HINTS = {
    "LeakyRelu": "replace it by ReLU and fine-tune; negative activations need signed neurons",
    "PRelu": "replace it by ReLU and fine-tune; negative activations need signed neurons",
    "Sigmoid": "replace it by ReLU or ReLU6 and fine-tune; at the end, export the logits",
    "Tanh": "replace it by ReLU or ReLU6 and fine-tune",
    "Gelu": "replace it by ReLU and fine-tune",
    "Erf": "this is a GELU; replace it by ReLU and fine-tune",
    "HardSwish": "replace it by ReLU6 and fine-tune",
    "HardSigmoid": "replace it by ReLU6 and fine-tune, or leave the gate out",
    "LSTM": "only feed-forward networks can be converted",
    "GRU": "only feed-forward networks can be converted",
    "LayerNormalization": "use BatchNormalization, which folds into weights",
    "InstanceNormalization": "use BatchNormalization, which folds into weights",
    "LpPool": "use average or max pooling",
    "ArgMax": "export the logits; snncc reads the largest by itself",
    "ConvTranspose": "use nearest-neighbor upsampling and a convolution",
    "DynamicQuantizeMatMul": "quantize statically: quantize_static with QuantFormat.QDQ",
    "MatMulIntegerToFloat": "quantize statically: quantize_static with QuantFormat.QDQ",
    "FloatQuant": "quantize to integers: IntQuant, or FixedPoint quantizers of Brevitas",
    "MultiThreshold": "export before streamlining: brevitas.export.export_qonnx",
}


INTEGERS = (
    onnx.TensorProto.INT8, onnx.TensorProto.UINT8, onnx.TensorProto.INT16, onnx.TensorProto.UINT16,
    onnx.TensorProto.INT4, onnx.TensorProto.UINT4,
)  # fmt: skip


@cache
def lowerings() -> dict[str, Lowering]:
    """Every supported ONNX operator; each module of snncc/onnx/ops has a table LOWERINGS."""
    table: dict[str, Lowering] = {}
    for module in pkgutil.iter_modules(snncc.onnx.ops.__path__):
        table.update(import_module(f"snncc.onnx.ops.{module.name}").LOWERINGS)
    return dict(sorted(table.items()))


def lower(model: onnx.ModelProto, name: str) -> tuple[Graph, tuple[str, ...]]:
    """The graph at stage LOWERED, and notes; raises SNN003 to SNN006 for all that cannot be."""
    proto = model.graph
    constants = {tensor.name: tensor for tensor in proto.initializer}
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
    network = Network(name, constants, opset)
    network.final, network.bare = final_values(proto)
    problems = [*_inputs(proto, network)]
    for node in map(OnnxNode.of, proto.node):
        if node.op_type == "Constant" and not node.domain:
            _constant(node, network)
            continue
        problem = _node(node, network)
        if problem is not None:
            problems.append(problem)
    if not problems:
        problems = [*_outputs(proto, network)]
    if problems:
        raise SnnccError(problems)
    graph = network.builder.graph()
    if not any(_is_activation(node) for node in graph):
        raise SnnccError(
            [
                Diagnostic(
                    "SNN006",
                    "the network has no activation that could become neurons",
                    name,
                    "a spiking network needs at least one ReLU (or ReLU6) between its layers",
                )
            ]
        )
    return graph, tuple(network.notes)


def _is_activation(node: Node) -> bool:
    """Whether a node becomes neurons; a grid from 0 on is a ReLU, too."""
    if isinstance(node.op, Quantize):
        return isinstance(node.type, Current) and node.op.low == 0
    return isinstance(node.op, Neuron)


def _inputs(proto: onnx.GraphProto, network: Network) -> list[Diagnostic]:
    problems = []
    constants = {tensor.name for tensor in proto.initializer}
    for given in proto.input:
        if given.name in constants:
            continue
        dims = given.type.tensor_type.shape.dim
        sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
        shape = tuple(size for size in sizes[1:] if size is not None and size > 0)
        if len(sizes) < 2 or len(shape) < len(sizes) - 1:
            shown = "×".join("?" if s is None else str(s) for s in sizes) or "unknown"
            problems.append(
                Diagnostic(
                    "SNN005",
                    f"input '{given.name}' has shape {shown}, should have a batch axis and then "
                    "fixed sizes",
                    f"input '{given.name}'",
                    "export with fixed sizes; only the batch axis may be dynamic",
                )
            )
            continue
        network.batch = sizes[0]
        name = network.builder.unique(readable(given.name, "", "input"))
        network.builder.add(name, Input(shape), [], Origin((Source("Input", given.name),)))
        network.bind(given.name, name)
    return problems


def _constant(node: OnnxNode, network: Network) -> None:
    value = node.attributes.get("value")
    if isinstance(value, onnx.TensorProto):
        network.define_constant(node.outputs[0], value)
        return
    for key, dtype in (
        ("value_float", np.float32),
        ("value_floats", np.float32),
        ("value_int", np.int64),
        ("value_ints", np.int64),
    ):
        if key in node.attributes:
            array = np.array(node.attributes[key], dtype)
            network.define_constant(node.outputs[0], numpy_helper.from_array(array))


def _node(node: OnnxNode, network: Network) -> Diagnostic | None:
    table = lowerings()
    unknown = [name for name in node.inputs if name and not network.knows(name)]
    try:
        if node.key not in table:
            raise Refusal(
                "SNN003",
                f"operator {node.domain + '.' if node.domain else ''}{node.op_type} is not "
                "supported",
                _HINTS.get(node.op_type, f"the operators are {', '.join(table)}"),
            )
        if unknown:
            return None  # it hangs on a node that was refused already
        _require_inputs(node, network.opset)
        values = table[node.key](node, network)
    except Refusal as refusal:
        return Diagnostic(refusal.code, refusal.message, _place(node, network), refusal.hint)
    except (SnnccError, TypeRuleError) as error:
        message = str(error)
        if isinstance(error, SnnccError):
            first = error.diagnostics[0]
            message = first.message.partition(": ")[2] or first.message
        return Diagnostic(
            "SNN004", message, _place(node, network), "look at this layer's attributes and shapes"
        )
    outputs = [name for name in node.outputs if name]
    for name, value in zip(outputs, (values,) if isinstance(values, str) else values, strict=False):
        network.bind(name, value)
    return None


def _require_inputs(node: OnnxNode, opset: int) -> None:
    """Refuses a node without an input that its operator has to have, by ONNX's own operators."""
    if node.key != node.op_type:
        return
    schema = onnx.defs.get_schema(node.op_type, opset)
    for index, formal in enumerate(schema.inputs):
        needed = formal.option != onnx.defs.OpSchema.FormalParameterOption.Optional
        if needed and not node.has_input(index):
            refuse(
                f"its input {index + 1} ({formal.name}) is missing, should be given",
                "export the model again",
            )


def _outputs(proto: onnx.GraphProto, network: Network) -> list[Diagnostic]:
    problems = []
    for result in proto.output:
        if not network.is_value(result.name):
            problems.append(
                Diagnostic(
                    "SNN004",
                    f"output '{result.name}' does not depend on the input",
                    f"output '{result.name}'",
                    "remove it from the model's outputs",
                )
            )
            continue
        if result.type.tensor_type.elem_type in INTEGERS:
            network.notes.append(
                f"output '{result.name}' has the numbers that its integers stand for, not these"
            )
        name = network.builder.unique(readable(result.name, "", "output"))
        origin = Origin((Source("Output", result.name),))
        network.builder.add(name, Output(), [network.value(result.name)], origin)
    return problems


def _place(node: OnnxNode, network: Network) -> str:
    operands = []
    for name in node.inputs:
        if network.is_value(name):
            operands.append(f"{name}: N×{'×'.join(map(str, network.shape(name)))}")
        elif name:
            sizes = network.constant_shape(name)
            shape = "unknown" if sizes is None else "×".join(map(str, sizes)) or "scalar"
            operands.append(f"{name}: {shape}")
    return f"{node.op_type} '{node.name}' ({', '.join(operands)})"
