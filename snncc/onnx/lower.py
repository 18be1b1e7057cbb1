"""ONNX graph to IR graph, node by node; all that is refused is said at once."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import prod

import numpy as np
import onnx

import snncc.onnx.ops
from snncc.onnx.constants import Constants
from snncc.onnx.context import LARGEST, Network, OnnxNode, Refusal, refuse
from snncc.onnx.curves import FUNCTIONS, follow
from snncc.onnx.domains import STANDARD
from snncc.onnx.ends import Result, add_inputs, add_outputs
from snncc.onnx.hints import HINTS
from snncc.onnx.ops import qonnx, quantized, trained
from snncc.onnx.ops.ending import ends, final_values, follows_end, lower_behind
from snncc_ir import Current, Diagnostic, Graph, Node, Shape, SnnccError, nearest
from snncc_ir.ops import Input, MaxPool, Neuron, Quantize, Relu, TypeRuleError

Trained = Mapping[str, Mapping[str, int | float | str]]
Lowering = Callable[[OnnxNode, Network], str | tuple[str, ...]]
"""Adds IR nodes for an ONNX node; returns the IR values of its outputs. May `refuse`."""


_QUANTIZERS = frozenset({**qonnx.LOWERINGS, **quantized.LOWERINGS, **trained.LOWERINGS})
"""Operators whose lowering computes constants by itself."""


_LISTED = "replace it by operators of docs/operators.md, or cut the model before it"


@cache
def lowerings() -> dict[str, Lowering]:
    """Every supported ONNX operator; each module of snncc/onnx/ops has a table LOWERINGS."""
    table: dict[str, Lowering] = {}
    for module in pkgutil.iter_modules(snncc.onnx.ops.__path__):
        found = import_module(f"snncc.onnx.ops.{module.name}").LOWERINGS
        assert table.keys().isdisjoint(found), module.name
        table.update(found)
    return dict(sorted(table.items()))


@dataclass(frozen=True)
class Lowered:
    """graph: at stage LOWERED. results: what each output of it stands for. notes: for the user.

    trained: by coding, settings that the network was trained for.
    """

    graph: Graph
    results: tuple[Result, ...]
    notes: tuple[str, ...]
    trained: Trained


def lower(
    model: onnx.ModelProto,
    constants: Constants,
    name: str,
    approximate: bool = False,
    needs_neurons: bool = True,
) -> Lowered:
    """The graph of a model; raises SNN001 to SNN006 for all that cannot be, at once.

    approximate: activations that are no sums of ReLUs become such by approximation. needs_neurons:
    a network without any is refused.
    """
    proto = model.graph
    for tensor in proto.initializer:
        constants.define(tensor.name, tensor)
    network = Network(name, constants)
    network.approximate = approximate
    network.final = final_values(proto)
    inferred = _inferred(proto)
    constants.shapes.update(inferred)
    problems = [*add_inputs(proto, network)]
    for node_proto in proto.node:
        node = OnnxNode.of(node_proto)
        if node.op_type == "Constant" and not node.domain:
            _constant(node, network)
        elif _is_constant(node_proto, constants) and node.operator not in _QUANTIZERS:
            constants.define_computed(node_proto)
        else:
            problem = _node(node, network)
            problems += [problem] if problem else []
            if problems:
                _stand_in(node, network, inferred)
    if not problems:
        results, problems = add_outputs(proto, network, needs_neurons)
    if problems:
        raise SnnccError(problems)
    graph = network.builder.graph()
    if needs_neurons and not any(_is_activation(node) for node in graph):
        raise SnnccError(
            [
                Diagnostic(
                    "SNN006",
                    "the network has no activation that could become neurons",
                    name,
                    "put a ReLU (or ReLU6) between its layers",
                )
            ]
        )
    return Lowered(graph, tuple(results), tuple(network.notes), network.trained)


def _is_activation(node: Node) -> bool:
    """Whether a node becomes neurons; a grid from 0 on is a ReLU, too."""
    if isinstance(node.op, Quantize):
        return isinstance(node.type, Current) and node.op.low == 0
    return isinstance(node.op, Neuron | MaxPool)


def _is_constant(node: onnx.NodeProto, constants: Constants) -> bool:
    """Whether a node's results are constants; the body of a loop may read what is none."""
    has_body = any(a.HasField("g") or a.graphs for a in node.attribute)
    known = all(not name or name in constants for name in node.input)
    return bool(node.input) and known and not has_body


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
        followed = network.approximate and node.op_type in FUNCTIONS and not ends(node, network)
        if followed and (unknown or follow(node, network)):
            return None
        if node.operator not in table:
            raise Refusal(
                "SNN003",
                f"operator {node.operator} is not supported",
                HINTS.get(node.op_type, nearest(node.op_type, table, _LISTED)),
            )
        if unknown:
            return None  # it hangs on a node that was refused already
        _require_inputs(node, network.opset)
        lowering = table[node.operator]
        if follows_end(node, network):
            values = lower_behind(node, network, lowering)
        else:
            values = lowering(node, network)
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
    results = (values,) if isinstance(values, str) else values
    for name, value in zip(node.outputs, results, strict=False):
        if name:
            network.bind(name, value)
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
