"""ONNX graph to IR graph, node by node; all that is refused is said at once."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import prod

import numpy as np
import onnx
from onnx import TensorProto

import snncc.onnx.ops
from snncc.onnx.constants import Constants
from snncc.onnx.context import LARGEST, STANDARD, Network, OnnxNode, Refusal, readable, refuse
from snncc.onnx.ops.ending import KEEP_ORDER, final_values, lower_choice
from snncc_ir import Diagnostic, Graph, Origin, Shape, SnnccError, Source
from snncc_ir.ops import (
    Input,
    Neuron,
    Output,
    Pad,
    Relu,
    Reshape,
    Slice,
    Transpose,
    TypeRuleError,
    View,
)  # fmt: skip

Lowering = Callable[[OnnxNode, Network], str | tuple[str, ...]]
"""Adds IR nodes for an ONNX node; returns the IR values of its outputs. May `refuse`."""

_HINTS = {
    "LeakyRelu": "replace it by ReLU and fine-tune; negative activations need signed neurons",
    "PRelu": "replace it by ReLU and fine-tune; negative activations need signed neurons",
    "Sigmoid": "replace it by ReLU or ReLU6 and fine-tune; at the end, export the logits",
    "Tanh": "replace it by ReLU or ReLU6 and fine-tune",
    "Gelu": "replace it by ReLU and fine-tune",
    "Exp": "a chip has no exponentials; at the end, export the logits",
    "Erf": "this is a GELU; replace it by ReLU and fine-tune",
    "HardSwish": "replace it by ReLU6 and fine-tune",
    "HardSigmoid": "replace it by ReLU6 and fine-tune, or leave the gate out",
    "LSTM": "only feed-forward networks can be converted",
    "GRU": "only feed-forward networks can be converted",
    "LayerNormalization": "use BatchNormalization, which folds into weights",
    "InstanceNormalization": "use BatchNormalization, which folds into weights",
    "LpPool": "use average or max pooling",
    "ConvTranspose": "use nearest-neighbor upsampling and a convolution",
    "QLinearConv": "export the float network; snncc quantizes it for the target",
    "QuantizeLinear": "export the float network; snncc quantizes it for the target",
    "DequantizeLinear": "export the float network; snncc quantizes it for the target",
}


@cache
def lowerings() -> dict[str, Lowering]:
    """Every supported ONNX operator; each module of snncc/onnx/ops has a table LOWERINGS."""
    table: dict[str, Lowering] = {}
    for module in pkgutil.iter_modules(snncc.onnx.ops.__path__):
        table.update(import_module(f"snncc.onnx.ops.{module.name}").LOWERINGS)
    return dict(sorted(table.items()))


@dataclass(frozen=True)
class Lowered:
    """graph: at stage LOWERED. results: the value of the model that each output of it stands for;
    it is another than the model's own output where a softmax or a choice of the largest is left
    out. notes: for the user."""

    graph: Graph
    results: tuple[str, ...]
    notes: tuple[str, ...]


def lower(
    model: onnx.ModelProto, constants: Constants, name: str, needs_neurons: bool = True
) -> Lowered:
    """The graph of a model; raises SNN001 to SNN006 for all that cannot be, at once."""
    proto = model.graph
    for tensor in proto.initializer:
        constants.define(tensor.name, tensor)
    network = Network(name, constants)
    network.final = final_values(proto)
    inferred = _inferred(proto)
    constants.shapes.update(inferred)
    problems = [*_inputs(proto, network)]
    for node_proto in proto.node:
        node = OnnxNode.of(node_proto)
        if node.op_type == "Constant" and not node.domain:
            _constant(node, network)
        elif node.inputs and all(not n or n in constants for n in node.inputs):
            constants.define_computed(node_proto)
        else:
            problem = _node(node, network)
            problems += [problem] if problem else []
            _stand_in(node, network, inferred)
    if not problems:
        results, problems = _outputs(proto, network, needs_neurons)
    if problems:
        raise SnnccError(problems)
    graph = network.builder.graph()
    if needs_neurons and not any(isinstance(node.op, Neuron) for node in graph):
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
    return Lowered(graph, tuple(results), tuple(network.notes))


def _inferred(proto: onnx.GraphProto) -> dict[str, Shape]:
    """The shapes that inference knows, batch axis included, -1 where a size is dynamic."""
    return {
        value.name: tuple(
            dim.dim_value if dim.HasField("dim_value") else -1
            for dim in value.type.tensor_type.shape.dim
        )
        for value in (*proto.value_info, *proto.output)
        if value.type.tensor_type.HasField("shape")
    }


def _stand_in(node: OnnxNode, network: Network, inferred: Mapping[str, Shape]) -> None:
    """Gives types to results that a refused node left out, so that what follows is looked at."""
    for name in filter(None, node.outputs):
        sizes = inferred.get(name, ())
        if network.knows(name):
            continue
        if len(sizes) > 1 and min(sizes[1:]) > 0 and prod(sizes[1:]) <= LARGEST:
            given = network.builder.unique(f"in place of {node.name}")
            network.builder.add(given, Input(sizes[1:]), [])
            spiking = network.builder.unique(f"neurons in place of {node.name}")
            network.builder.add(spiking, Neuron(Relu()), [given])
            network.bind(name, spiking)


def _inputs(proto: onnx.GraphProto, network: Network) -> list[Diagnostic]:
    problems = []
    for given in proto.input:
        if given.name in network.constants:
            continue
        place = f"input '{given.name}'"
        kind = given.type.tensor_type.elem_type
        if kind not in _NUMBERS:
            known = kind in TensorProto.DataType.values()
            found = (
                TensorProto.DataType.Name(TensorProto.DataType.ValueType(kind)) if known else "?"
            )
            problems.append(
                Diagnostic(
                    "SNN005",
                    f"{place} has type {found}, should be a tensor of numbers",
                    place,
                    "cut the model before the first layer that takes numbers",
                )
            )
            continue
        dims = given.type.tensor_type.shape.dim
        sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]
        shape = tuple(size for size in sizes[1:] if size is not None and size > 0)
        if len(sizes) < 2 or len(shape) < len(sizes) - 1 or prod(shape) > LARGEST:
            shown = "×".join("?" if s is None else str(s) for s in sizes) or "unknown"
            problems.append(
                Diagnostic(
                    "SNN005",
                    f"{place} has shape {shown}, should have a batch axis and then fixed sizes",
                    place,
                    "export with fixed sizes; only the batch axis may be dynamic",
                )
            )
            continue
        network.batch = sizes[0]
        name = network.builder.unique(readable(given.name, "", "input"))
        network.builder.add(name, Input(shape), [], Origin((Source("Input", given.name),)))
        network.bind(given.name, name)
    return problems


_NUMBERS = frozenset(
    {
        TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16,
        TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16, TensorProto.INT16,
        TensorProto.UINT32, TensorProto.INT32, TensorProto.UINT64, TensorProto.INT64,
    }
)  # fmt: skip


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
            network.define_constant(node.outputs[0], np.array(node.attributes[key], dtype))


def _node(node: OnnxNode, network: Network) -> Diagnostic | None:
    table = lowerings()
    unknown = [name for name in node.inputs if name and not network.knows(name)]
    try:
        if node.operator not in table:
            raise Refusal(
                "SNN003",
                f"operator {node.operator} is not supported",
                _HINTS.get(node.op_type, f"the operators are {', '.join(table)}"),
            )
        if unknown:
            return None  # it hangs on a node that was refused already
        _require_inputs(node, network.opset)
        chosen = node.op_type in KEEP_ORDER and not network.choices.isdisjoint(node.inputs)
        values = (lower_choice if chosen else table[node.operator])(node, network)
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
    if node.op_type in KEEP_ORDER and node.inputs[0] in network.stands_for:
        network.stands_for[outputs[0]] = network.stands_for[node.inputs[0]]
    return None


def _require_inputs(node: OnnxNode, opset: int) -> None:
    """Refuses a node without an input that its operator has to have."""
    if node.domain not in STANDARD:
        return
    schema = onnx.defs.get_schema(node.op_type, opset)
    for index, formal in enumerate(schema.inputs):
        needed = formal.option != onnx.defs.OpSchema.FormalParameterOption.Optional
        if needed and not node.has_input(index):
            refuse(
                f"its input {index + 1} ({formal.name}) is missing, should be given",
                "export the model again",
            )


def _outputs(
    proto: onnx.GraphProto, network: Network, needs_neurons: bool
) -> tuple[list[str], list[Diagnostic]]:
    """Adds outputs; the value of the model that each stands for, and problems."""
    values: dict[str, str] = {}
    problems, results = [], []
    for result in proto.output:
        place = f"output '{result.name}'"
        hint = "remove it from the model's outputs"
        try:
            if not network.is_value(result.name):
                refuse(f"{place} does not depend on the input", hint)
            value = network.value(result.name)
            if needs_neurons and _is_given(network, value):
                refuse(f"{place} is nothing but the input, should be of neurons", hint)
            values[result.name] = value
        except Refusal as refusal:
            problems.append(Diagnostic(refusal.code, refusal.message, place, refusal.hint))
    scores = {value for name, value in values.items() if name not in network.choices}
    for name, value in values.items():
        if name in network.choices and value in scores:
            network.notes.append(
                f"output '{name}' is left out: it says which number of another output is the "
                "largest"
            )
            continue
        scores.add(value)
        results.append(network.stands_for.get(name, name))
        unique = network.builder.unique(readable(name, "", "output"))
        network.builder.add(unique, Output(), [value], Origin((Source("Output", name),)))
    return results, problems


def _is_given(network: Network, value: str) -> bool:
    """Whether a value is the network's input, perhaps in another order."""
    node = network.builder[value]
    while isinstance(node.op, Reshape | Transpose | Slice | Pad | View):
        node = network.builder[node.inputs[0]]
    return isinstance(node.op, Input)


def _place(node: OnnxNode, network: Network) -> str:
    operands = []
    for name in node.inputs:
        if network.is_value(name):
            operands.append(f"{name}: N×{'×'.join(map(str, network.shape(name)))}")
        elif name:
            sizes = network.constant_shape(name)
            shape = "unknown" if sizes is None else "×".join(map(str, sizes)) or "scalar"
            operands.append(f"{name}: {shape}")
    return f"{node.op_type} '{node.name}' ({', '.join(operands)}){node.written}"
