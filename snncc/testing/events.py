"""Networks of the family whose inputs are streams of events, and events for them."""

from dataclasses import replace

import numpy as np

from snncc.testing.builder import STEPS
from snncc_ir import MOST_PAYLOAD, Array, Graph, Node
from snncc_ir.ops import EventInput, Input


def taking_events(graph: Graph, most: int, signed: bool) -> Graph:
    """A network of a rate code whose inputs are streams of events, up to `most` at a place."""

    def rewrite(node: Node) -> Node:
        if not isinstance(node.op, Input):
            return node
        worth = 0.125
        op = EventInput(node.op.shape, worth * STEPS, STEPS, worth, most, signed)
        return replace(node, op=op)

    return graph.rewritten(rewrite)


def random_events(op: EventInput, count: int, random: np.random.Generator) -> Array:
    """At about half of all places in a step."""
    limit = min(op.most + 2, MOST_PAYLOAD)
    numbers = random.integers(-limit if op.signed else 0, limit + 1, (count, op.steps, *op.shape))
    return (numbers * random.integers(0, 2, numbers.shape)).astype(np.int8)
