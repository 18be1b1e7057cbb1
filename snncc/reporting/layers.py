"""Layer by layer: what each is made of, what it keeps in memory, what it does in a sample."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from snncc.inspection.populations import Layer, layers
from snncc_backends import Estimate, Execution
from snncc_ir import Composed, Graph, Node, Tensor
from snncc_ir.ops import Chain, Conv, Dense, Population, Scale

if TYPE_CHECKING:
    import networkx as nx

POTENTIAL_BITS = 32
"""Of a neuron's potential; `quantize-weights` proves that they suffice."""


@dataclass(frozen=True)
class LayerRow:
    """One layer. depth: projections between it and the input, on the longest way.

    weight_bits: of all weights in their number formats; parameter_bits: of biases, thresholds,
    initial potentials and factors; state_bits: of the potentials, one a neuron. spikes,
    synaptic_operations, microjoules: means of a sample, None where they are not counted.
    """

    layer: Layer
    depth: int
    weights: int
    zero_weights: int
    weight_bits: int
    parameter_bits: int
    state_bits: int
    spikes: float | None
    synaptic_operations: float | None
    microjoules: float | None

    @property
    def name(self) -> str:
        return self.layer.name


def layer_rows(
    graph: Graph, execution: Execution, estimate: Estimate | None
) -> tuple[LayerRow, ...]:
    """Of all populations and max pools, in the order of the graph."""
    depths = depths_of(graph)
    found = []
    for layer in layers(graph):
        node = graph[layer.name]
        weights = list(weights_of(node))
        population = isinstance(node.op, Population)
        spikes = execution.spike_counts.get(layer.name)
        operations = execution.synaptic_operations.get(layer.name)
        energies = {} if estimate is None else estimate.layers
        found.append(
            LayerRow(
                layer,
                depths[layer.name],
                sum(weight.array.size for weight in weights),
                sum(int(np.count_nonzero(weight.array == 0)) for weight in weights),
                sum(weight.array.size * weight.bits for weight in weights),
                _parameter_bits(node, weights),
                POTENTIAL_BITS * node.type.size if population else 0,
                None if spikes is None else float(np.mean(spikes)),
                None if operations is None else float(np.mean(operations)),
                energies.get(layer.name),
            )
        )
    return tuple(found)


def layer_graph(graph: Graph) -> "nx.DiGraph[str]":
    """Inputs, populations and max pools, with an edge for each projection."""
    import networkx as nx  # here, since it takes a fifth of a second

    made: nx.DiGraph[str] = nx.DiGraph()
    kept = [node for node in graph if node.op.name != "output"]
    made.add_nodes_from(node.name for node in kept)
    made.add_edges_from((source, node.name) for node in kept for source in node.inputs)
    return made


def depths_of(graph: Graph) -> dict[str, int]:
    """Edges of the longest way from an input to each node."""
    import networkx as nx

    generations = nx.topological_generations(layer_graph(graph))
    return {name: depth for depth, names in enumerate(generations) for name in names}


def weights_of(node: Node) -> list[Tensor]:
    """The weights of a population's maps."""
    chains: tuple[Chain, ...] = node.op.maps if isinstance(node.op, Population) else ()
    return [c[-1].weight for c in chains if isinstance(c[-1], Conv | Dense | Scale)]


def _parameter_bits(node: Node, weights: list[Tensor]) -> int:
    """Of all that a population holds beside its weights; a tensor of one number for all is one."""
    if not isinstance(node.op, Population):
        return 0
    model = node.op.model
    held = [node.op.bias, *(getattr(model, field.name) for field in fields(model))]
    for weight in weights:
        if isinstance(weight, Composed):  # all but the codes, which are the weights
            parts = [getattr(weight, field.name) for field in fields(weight) if field.init]
            held += parts[1:]
    return sum(each.array.size * each.bits for each in held if isinstance(each, Tensor))
