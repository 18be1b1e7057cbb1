"""What a model's nodes are, whether or not the model can be lowered: for `snncc inspect`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
import onnx

from snncc.onnx.constants import Constants
from snncc.onnx.context import OnnxNode, readable
from snncc.onnx.lower import Trained, lower
from snncc.onnx.reader import read_model
from snncc.onnx.simplify import simplify
from snncc_ir import LOWERED, Diagnostic, Graph, Shape, SnnccError, Source, check

_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_PASSING = ("Identity", "Dropout")
_FLOATS = (
    onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16,
    onnx.TensorProto.DOUBLE,
)  # fmt: skip


@dataclass(frozen=True)
class FileNode:
    """A node of the simplified file. short: a name for people. shape: of its first output, without
    the batch axis; None where it is not known. parameters: numbers in its constant inputs, scalars
    aside. macs: of its weights at all positions, paddings among them, 0 for other operators."""

    source: Source
    short: str
    shape: Shape | None
    parameters: int
    macs: int


@dataclass(frozen=True)
class Survey:
    """graph: at stage LOWERED, None when `problems` keep the model from it. constants: nodes of the
    file that were computed at import, or that no result needs. trained: as of `Imported`."""

    nodes: tuple[FileNode, ...]
    constants: int
    graph: Graph | None
    notes: tuple[str, ...]
    problems: tuple[Diagnostic, ...]
    trained: Trained = field(default_factory=dict)


def survey(path: Path, approximate: bool = False) -> Survey:
    """As `import_model`, with a list of nodes, and what is refused as a result.

    Raises SNN001 and SNN002 for a file that has no nodes to be listed.
    """
    with np.errstate(all="ignore"):  # numbers that overflow are found by the checker, with a place
        read = read_model(path)
        model, notes = simplify(read.proto, read.stored)
        tensors = {name: stored.stub for name, stored in read.stored.items()}
        nodes = _with_vanished(_nodes(model, tensors), read.proto.graph)
        constants = max(len(read.proto.graph.node) - len(nodes), 0)
        try:
            lowered = lower(model, Constants(read.opset, read.stored), path.stem, approximate)
            check(lowered.graph, LOWERED)
        except SnnccError as error:
            return Survey(nodes, constants, None, notes, error.diagnostics)
    notes = (*notes, *lowered.notes)
    return Survey(nodes, constants, lowered.graph, notes, (), lowered.trained)


def _nodes(model: onnx.ModelProto, stored: Mapping[str, onnx.TensorProto]) -> tuple[FileNode, ...]:
    sizes = {**stored, **{tensor.name: tensor for tensor in model.graph.initializer}}
    shapes: dict[str, Shape | None] = {}
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        shapes[value.name] = _shape(value)
    found = []
    for proto in model.graph.node:
        if proto.op_type == "Constant" and not proto.domain:
            continue
        node = OnnxNode.of(proto)
        shape = shapes.get(node.outputs[0]) if node.outputs else None
        found.append(
            FileNode(
                node.source,
                readable(node.wish, node.op_type, node.name),
                shape,
                sum(
                    prod(sizes[name].dims)
                    for name in node.inputs
                    if name in sizes and sizes[name].dims and sizes[name].data_type in _FLOATS
                ),
                _macs(node, shape, sizes, shapes),
            )
        )
    return tuple(found)


def _with_vanished(nodes: Sequence[FileNode], graph: onnx.GraphProto) -> tuple[FileNode, ...]:
    """With the nodes of the file that pass their operand on, which simplifying takes out; each
    behind the last one before it that is still there."""
    kept = {node.source: i for i, node in enumerate(nodes)}
    behind: dict[int, list[FileNode]] = {}
    shapes: dict[str, Shape | None] = {value.name: _shape(value) for value in graph.input}
    last = -1
    for node in map(OnnxNode.of, graph.node):
        if node.source in kept:
            last = kept[node.source]
            shapes[node.outputs[0]] = nodes[last].shape
        elif node.op_type in _PASSING and node.inputs and node.inputs[0] in shapes:
            shape = shapes[node.inputs[0]]
            shapes[node.outputs[0]] = shape
            short = readable(node.wish, node.op_type, node.name)
            behind.setdefault(last, []).append(FileNode(node.source, short, shape, 0, 0))
    found = list(behind.get(-1, []))
    for i, each in enumerate(nodes):
        found += [each, *behind.get(i, [])]
    return tuple(found)


def _shape(value: onnx.ValueInfoProto) -> Shape | None:
    dims = value.type.tensor_type.shape.dim
    sizes = tuple(dim.dim_value for dim in dims[1:])
    return None if not dims or min(sizes, default=1) < 1 else sizes


def _macs(
    node: OnnxNode,
    shape: Shape | None,
    constants: Mapping[str, onnx.TensorProto],
    shapes: Mapping[str, Shape | None],
) -> int:
    """Every weight once for each position of the result (of a transposed convolution: of its
    operand)."""
    weights = [
        list(map(int, constants[name].dims)) for name in node.inputs[1:2] if name in constants
    ]
    if node.op_type not in _WEIGHTED or not weights:
        return 0
    over = shapes.get(node.inputs[0]) if node.op_type == "ConvTranspose" else shape
    if over is None:
        return 0
    if node.op_type == "MatMul":
        return prod(over[:-1]) * prod(weights[0])
    return prod(over[1:]) * prod(weights[0])
