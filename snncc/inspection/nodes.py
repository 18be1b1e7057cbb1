"""What each node of the user's file becomes: a population, a part of a projection, or nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from snncc.inspection.populations import operations
from snncc.onnx.survey import FileNode
from snncc_ir import Diagnostic, Graph, Node, Shape, Source
from snncc_ir.ops import (
    Add,
    Affine,
    AvgPool,
    Concat,
    Conv,
    Dense,
    MaxPool,
    Neuron,
    Op,
    Pad,
    Population,
    Readout,
    Reshape,
    Slice,
    SumPool,
    Transpose,
    View,
)  # fmt: skip

NAMED = 2
"""Populations that are named of those that a node is a part of."""
MOVES = (Reshape, Transpose, Pad, Slice, View)
ROLES: tuple[tuple[type[Op] | tuple[type[Op], ...], str], ...] = (
    ((Conv, Dense), "projection into"),
    ((AvgPool, SumPool), "average in a projection into"),
    (Affine, "folded into"),
    (Add, "sum in"),
    (Concat, "sources of"),
)


@dataclass(frozen=True)
class NodeRow:
    """A node of the file. becomes: in words; empty where a problem keeps that from being known.

    shape: of its first output. parameters: numbers in its constant inputs. macs: multiply-adds of
    its weights, without those on padding. problems: indices into the inspection's problems.
    """

    name: str
    operator: str
    short: str
    shape: Shape | None
    parameters: int
    macs: int
    becomes: str
    problems: tuple[int, ...] = ()


def node_rows(
    nodes: Iterable[FileNode],
    lowered: Graph | None,
    normal: Graph | None,
    problems: Sequence[Diagnostic],
) -> tuple[NodeRow, ...]:
    """lowered, normal: the graph at these stages, None where problems keep it from them."""
    first, last = _by_source(lowered), _by_source(normal)
    rows = []
    for node in nodes:
        made, kept = first.get(node.source, []), last.get(node.source, [])
        found = tuple(i for i, each in enumerate(problems) if str(node.source) in each.place)
        rows.append(
            NodeRow(
                node.source.name,
                node.source.op_type,
                node.short,
                node.shape if node.shape or not made else made[-1].type.shape,
                node.parameters,
                node.macs if lowered is None else _macs(lowered, made),
                "" if normal is None else _role(node.source, made, kept),
                found,
            )
        )
    return tuple(rows)


def _by_source(graph: Graph | None) -> Mapping[Source, list[Node]]:
    found: dict[Source, list[Node]] = defaultdict(list)
    for node in graph or ():
        for source in node.origin.sources:
            found[source].append(node)
    return found


def _macs(lowered: Graph, made: Iterable[Node]) -> int:
    return sum(
        operations((node.op,), lowered.operands(node)[0].type)
        for node in made
        if isinstance(node.op, Conv | Dense)
    )


def _role(source: Source, made: Sequence[Node], kept: Sequence[Node]) -> str:
    """made: what it was lowered to; kept: what has it among its origins in normal form."""
    if not made:
        return "left out"
    ops = [node.op for node in made]
    moves = all(isinstance(op, MOVES) for op in ops)
    if not kept:
        return "order of an output" if moves else "left out: no result needs it"
    own = [node for node in kept if node.origin.sources[-1] == source]
    pools = [node for node in kept if isinstance(node.op, MaxPool)]
    if any(isinstance(op, MaxPool) for op in ops) and pools:
        return f"max pool {_names(pools)}"
    if any(isinstance(op, Neuron) for op in ops) and own:
        return f"population {_names(own)}"
    read = [n for n in own if isinstance(n.op, Population) and isinstance(n.op.model, Readout)]
    if read and not moves:
        return f"readout {_names(read)}"
    if moves:
        still = any(
            isinstance(op, View)
            for node in kept
            if isinstance(node.op, Population)
            for chain in node.op.maps
            for op in chain
        )
        return f"view in a projection into {_names(kept)}" if still else "nothing moves"
    for kinds, role in ROLES:
        if isinstance(ops[0], kinds):
            return f"{role} {_names(kept)}"
    return f"part of {_names(kept)}"


def _names(nodes: Sequence[Node]) -> str:
    names = list(dict.fromkeys(node.name for node in nodes))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
