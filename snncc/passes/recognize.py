"""Weights of a special kind, recognized by their numbers alone, in the format of that kind."""

from collections.abc import Callable
from dataclasses import replace

from snncc_ir import Composed, Graph, Node, Tensor
from snncc_ir.ops import Chain, Conv, Dense, Population

Recognize = Callable[[Tensor], Composed | None]
"""Weights (O, …) of a layer in another format, that stands for the same; None where they are none
of the kind."""


def recognized(graph: Graph, recognize: Recognize, by: str) -> Graph:
    """The graph with all weights of convolutions and dense layers that `recognize` takes."""
    found: dict[str, Node] = {}
    for node in graph:
        if isinstance(node.op, Population):
            maps = tuple(_map(chain, recognize) for chain in node.op.maps)
            if any(new is not old for new, old in zip(maps, node.op.maps, strict=True)):
                op = replace(node.op, maps=maps)
                found[node.name] = replace(node, op=op, origin=node.origin.by(by))
    return graph.rewritten(lambda node: found.get(node.name, node)) if found else graph


def _map(chain: Chain, recognize: Recognize) -> Chain:
    *moves, last = chain
    if not isinstance(last, Conv | Dense) or isinstance(last.weight, Composed):
        return chain
    weight = recognize(last.weight)
    return chain if weight is None else (*moves, replace(last, weight=weight))
