"""The metrics of NeuroBench (Yik et al. 2025) by their names, from the network and its spikes.

Their definitions are those of the benchmark's algorithm track; docs/report.md says how ours are
computed.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.reporting.layers import LayerRow
from snncc_backends import Execution
from snncc_ir import Batch, Floats, Graph, Node, NodeRunner, Spikes, Type, f32
from snncc_ir.ops import Chain, Conv, Dense, EventInput, Input, Output, Population, Scale


@dataclass(frozen=True)
class NeuroBench:
    """footprint: bytes. Sparsities: shares of zeros, 0 to 1. Operations: means of a sample.

    activation_sparsity and the effective operations are of `samples` samples.
    """

    footprint: float
    connection_sparsity: float
    activation_sparsity: float
    effective_macs: float
    effective_acs: float
    dense: float
    samples: int


def neurobench(
    graph: Graph, rows: tuple[LayerRow, ...], recorded: Execution, inputs: Batch
) -> NeuroBench:
    """recorded: a run with its spikes; inputs: its samples, in the network's numbers."""
    weights = sum(row.weights for row in rows)
    bits = sum(row.weight_bits + row.parameter_bits + row.state_bits for row in rows)
    events = events_of(graph, recorded, inputs)
    macs, acs, dense = operations(graph, events)
    sent = [recorded.spikes[name] for name in recorded.spikes if _is_neurons(graph[name])]
    fired, places = sum(map(np.count_nonzero, sent)), sum(train.size for train in sent)
    return NeuroBench(
        bits / 8,
        sum(row.zero_weights for row in rows) / max(weights, 1),
        1 - fired / max(places, 1),
        macs,
        acs,
        dense,
        len(next(iter(inputs.values()))),
    )


def events_of(graph: Graph, recorded: Execution, inputs: Batch) -> dict[str, Floats]:
    """How often each neuron sends anything but 0 in a sample, on average; numbers do so once."""
    found: dict[str, Floats] = {}
    for node in graph.inputs:
        if isinstance(node.op, Input):
            numbers = node.op.quantize(inputs[node.name].astype(np.float64))
            found[node.name] = np.mean(numbers != 0, axis=0)
        elif isinstance(node.op, EventInput):
            sent = node.op.sent(inputs[node.name])
            found[node.name] = np.count_nonzero(sent, axis=(0, 1)) / len(sent)
    for name, train in recorded.spikes.items():
        found[name] = np.count_nonzero(train, axis=(0, 1)) / len(train)
    return found


def operations(graph: Graph, events: dict[str, Floats]) -> tuple[float, float, float]:
    """(effective MACs, effective ACs, dense) of a sample.

    An effective operation is a weight that is not 0 and an activation that is not 0; it is an
    accumulation where activations are spikes of ±1, else a multiplication and accumulation. Dense
    counts them all, in every step; numbers are multiplied once, as they are constant over time.
    """
    macs = acs = dense = 0.0
    steps = graph.code.train if graph.code else 1
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
            kind = source.type
            effective = reached(chain, kind, events[source.name], True)
            every = reached(chain, kind, np.ones(kind.shape), False)
            dense += every * (steps if isinstance(kind, Spikes) else 1)
            if isinstance(kind, Spikes) and kind.code.most == 1:
                acs += effective
            else:
                macs += effective
    return macs, acs, dense


def reached(chain: Chain, kind: Type, events: Floats, effective: bool) -> float:
    """Pairs of a weight and an event that meet in a map. effective: weights of 0 do not count."""
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    weight = last.weight.array != 0 if effective else np.ones(last.weight.shape)
    counting = [*moves, replace(last, weight=f32(weight.astype(np.float32)))]
    found = NodeRunner(counting, [kind]).run([events[None].astype(np.float32)])
    return float(found.sum(dtype=np.float64))


def _is_neurons(node: Node) -> bool:
    return isinstance(node.op, Population) and not isinstance(node.op, Output)
