"""What a graph has to obey at each stage of its way; every violation is said at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from snncc_ir.composed import Log2
from snncc_ir.diagnostics import Diagnostic, SnnccError
from snncc_ir.graph import Graph, GraphBuilder, Node
from snncc_ir.ops import (
    AnyInput,
    Conv,
    Counting,
    Dense,
    EventInput,
    Input,
    MaxPool,
    Neuron,
    Op,
    Output,
    Population,
    Readout,
    Relu,
    Scale,
    SumPool,
    TimeToFirstSpike,
    View,
)  # fmt: skip
from snncc_ir.printer import node_tensors
from snncc_ir.types import FirstSpike, Rate, Spikes


@dataclass(frozen=True)
class Stage:
    """How far a graph has come. Each stage includes the promises of the ones before it."""

    name: str
    rank: int


LOWERED = Stage("lowered", 0)
"""As the front end leaves it: linear ops and neurons."""
NORMAL = Stage("normal", 1)
"""Normal form: input, population, maxpool, output."""
CODED = Stage("coded", 2)
"""Every population spikes in a time code, or is read out."""
INTEGER = Stage("integer", 3)
"""Weights, biases, thresholds and potentials are integers: what backends eat."""

STAGES = {stage.name: stage for stage in (LOWERED, NORMAL, CODED, INTEGER)}


SAME_SCALE = 1e-6
"""Relative: scales are rounded to float32."""


def check(graph: Graph, stage: Stage = LOWERED) -> None:
    """Raises SNN010 with every violation, or returns."""
    found = list(violations(graph, stage))
    if found:
        raise SnnccError(found)


def violations(graph: Graph, stage: Stage) -> Iterator[Diagnostic]:
    """All that keeps `graph` from being well formed at `stage`."""
    yield from _types(graph)
    for node in graph:
        place = f"{node.op.name} '{node.name}', from {node.origin}"
        for name, tensor in node_tensors(node).items():
            if not tensor.is_finite:
                yield Diagnostic(
                    "SNN010",
                    f"tensor '{name}' has values that are not finite, should have none",
                    place,
                    "look whether training diverged; products of these weights leave float32",
                )
        for message, hint in _node(graph, node, stage):
            yield Diagnostic("SNN010", message, place, hint)
    for what, nodes in (("input", graph.inputs), ("output", graph.outputs)):
        if not nodes:
            message = f"the graph has no {what}, should have one at least"
            yield Diagnostic("SNN010", message, graph.name, f"add an {what} node")


def _types(graph: Graph) -> Iterator[Diagnostic]:
    builder = GraphBuilder(graph.name)
    for node in graph:
        try:
            inferred = builder.add(node.name, node.op, node.inputs, node.origin)
        except SnnccError as error:
            yield from error.diagnostics
            return
        if inferred.type != node.type:
            yield Diagnostic(
                "SNN010",
                f"type of '{node.name}' is {node.type}, should be {inferred.type}",
                str(node.origin),
                "infer types anew: Graph.rewritten, or a GraphBuilder",
            )


_FUSE = "run the pass fuse"
_CODE = "run quantize-input, then rate-code, ttfs-code or radix-code"
_INTEGERS = "run quantize-weights; in the ttfs code quantize-log2, then quantize-potentials"
_Found = Iterator[tuple[str, str]]
"""Messages, each with a hint."""


def _node(graph: Graph, node: Node, stage: Stage) -> _Found:
    if any(isinstance(source.op, Output) for source in graph.operands(node)):
        yield (
            "an operand is an output, should be a value of the network",
            "take what the output takes",
        )
    if stage.rank >= NORMAL.rank:
        yield from _normal(graph, node)
    if stage.rank >= CODED.rank:
        yield from _coded(graph, node)
    if stage.rank >= INTEGER.rank:
        yield from _integer(graph, node)


_STRUCTURAL = (View, SumPool)
_WEIGHTED = (Conv, Dense, Scale)


def _normal(graph: Graph, node: Node) -> _Found:
    match node.op:
        case Population():
            for chain in node.op.maps:
                yield from _chain(chain)
        case MaxPool():
            if not isinstance(node.type, Spikes):
                yield (
                    "a maximum is taken over currents, should be over spikes",
                    "run hoist-neurons before fuse",
                )
        case AnyInput() | Output():
            pass
        case Neuron():
            yield "a neuron stands outside a population, should be in one", _FUSE
        case _:
            yield f"{node.op.name} is left, should be a map of a population", _FUSE
    if isinstance(node.op, Output):
        (source,) = graph.operands(node)
        if isinstance(source.op, AnyInput):
            yield "the output is fed by the input, should be by neurons", "a layer between them"


def _chain(chain: tuple[Op, ...]) -> _Found:
    *before, last = chain or (None,)
    if not isinstance(last, _WEIGHTED):
        yield (
            f"a map ends in {last.name if last else 'nothing'}, should be conv, dense or scale",
            "scale{weight=f32<1>(1.0)} where nothing is weighted",
        )
    for op in before:
        if not isinstance(op, _STRUCTURAL):
            yield (
                f"a map has {op.name if op else 'nothing'} inside, should be view or sumpool",
                _FUSE,
            )
    if isinstance(last, Conv | Dense) and last.bias is not None:
        yield (
            f"{last.name} has a bias in a map, should be in the population",
            "the population's own bias",
        )


def _coded(graph: Graph, node: Node) -> _Found:
    match node.op:
        case Population(model=Relu()):
            yield "the neurons have no time code, should have one", _CODE
        case Input(levels=None):
            yield (
                "the input has no levels, should be quantized",
                "run quantize-input before the pass that makes the time code",
            )
        case EventInput() as op if abs(op.scale / (op.worth * op.steps) - 1) > SAME_SCALE:
            yield (
                f"the scale is {op.scale:g}, should be worth · steps, {op.worth * op.steps:g}",
                "run normalize before the pass that makes the time code",
            )
        case _:
            kind = node.type
            if isinstance(kind, Spikes) and kind.code != graph.code and not _in_step(graph, node):
                yield (
                    f"the code is {kind.code}, should be {graph.code} as elsewhere",
                    "one code in the whole network",
                )


def _in_step(graph: Graph, node: Node) -> bool:
    """Whether a node hands on events, whose spikes carry other numbers, in the network's steps."""
    while isinstance(node.op, MaxPool):
        (node,) = graph.operands(node)
    op, code = node.op, graph.code
    return isinstance(op, EventInput) and isinstance(code, Rate) and op.steps == code.steps


def _integer(graph: Graph, node: Node) -> _Found:
    if not isinstance(node.op, Population):
        return
    tensors = {name: t for name, t in node_tensors(node).items() if not name.endswith(".scale")}
    for name, tensor in tensors.items():
        if tensor.array.dtype.kind != "i":
            yield (
                f"tensor '{name}' has format {tensor.format}, should be an integer format",
                _INTEGERS,
            )
    if not isinstance(node.op.model, Counting | TimeToFirstSpike | Readout):
        yield (
            f"the neuron model is {node.op.model.name}, should be one with integer dynamics",
            _CODE,
        )
    if isinstance(graph.code, FirstSpike):
        if not graph.code.constant_bits:
            yield "the code has no constant_bits, should have some", _INTEGERS
        for chain in node.op.maps:
            last = chain[-1]
            if isinstance(last, _WEIGHTED) and not isinstance(last.weight, Log2):
                yield (
                    f"the weights of a map are {last.weight.format}, should be log2",
                    "run quantize-log2",
                )
