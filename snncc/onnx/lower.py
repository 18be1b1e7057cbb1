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
from snncc.onnx.curves import FUNCTIONS, follow
from snncc.onnx.hints import HINTS
from snncc_ir import Diagnostic, Graph, Origin, SnnccError, Source
from snncc_ir.ops import Input, MaxPool, Neuron, Output, TypeRuleError

Lowering = Callable[[OnnxNode, Network], str | tuple[str, ...]]
"""Adds IR nodes for an ONNX node; returns the IR values of its outputs. May `refuse`."""


@cache
def lowerings() -> dict[str, Lowering]:
    """Every supported ONNX operator; each module of snncc/onnx/ops has a table LOWERINGS."""
    table: dict[str, Lowering] = {}
    for module in pkgutil.iter_modules(snncc.onnx.ops.__path__):
        table.update(import_module(f"snncc.onnx.ops.{module.name}").LOWERINGS)
    return dict(sorted(table.items()))


def lower(
    model: onnx.ModelProto, name: str, approximate: bool = False, neurons: bool = True
) -> tuple[Graph, tuple[str, ...]]:
    """The graph at stage LOWERED, and notes; raises SNN003 to SNN006 for all that cannot be.

    approximate: activations that are no sums of ReLUs become such by approximation. neurons: a
    network without any is refused.
    """
    proto = model.graph
    constants = {tensor.name: tensor for tensor in proto.initializer}
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 1)
    network = Network(name, constants, opset)
    network.approximate = approximate
    read = {operand for node in proto.node for operand in node.input}
    network.final = frozenset(output.name for output in proto.output) - read
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
    if neurons and not any(isinstance(node.op, Neuron | MaxPool) for node in graph):
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
        if network.approximate and node.op_type in FUNCTIONS and (unknown or follow(node, network)):
            return None
        if node.domain not in ("", "ai.onnx") or node.op_type not in table:
            raise Refusal(
                "SNN003",
                f"operator {node.domain + '.' if node.domain else ''}{node.op_type} is not "
                "supported",
                HINTS.get(node.op_type, f"the operators are {', '.join(table)}"),
            )
        if unknown:
            return None  # it hangs on a node that was refused already
        _require_inputs(node, network.opset)
        values = table[node.op_type](node, network)
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
        try:
            value = network.value(result.name)
        except Refusal as refusal:  # of a function that is approximated only where it is read
            place = f"output '{result.name}'"
            problems.append(Diagnostic(refusal.code, refusal.message, place, refusal.hint))
            continue
        name = network.builder.unique(readable(result.name, "", "output"))
        origin = Origin((Source("Output", result.name),))
        network.builder.add(name, Output(), [value], origin)
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
