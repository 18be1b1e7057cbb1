"""What a sample takes on a processor, about: for choosing among settings, not for clocks."""

from collections.abc import Mapping

from snncc_c.kernels import BY_WEIGHTS, costs, density_of, kernel_of, multiplications
from snncc_ir import FirstSpike, Floats, Graph, Node, Radix
from snncc_ir.ops import Conv, Dense, Input, Population, Scale

# Instructions, as those of kernels.py: of a neuron in a time step, and of each digit or slot that
# it may send; of a weight's product with a spike of one slot, shared by the samples that run
# together; of adding one product.
FOR_A_NEURON = 1.5
FOR_A_DIGIT = 0.5
FOR_A_SLOT = 0.2
FOR_A_PRODUCT = 0.1
FOR_A_SUM = 0.25


def instructions(graph: Graph, spikes: Mapping[str, Floats]) -> float:
    """Of all steps of a sample. spikes: of each neuron of a spiking node, flat, a sample."""
    return sum(
        _of_population(graph, node, node.op, spikes)
        for node in graph
        if isinstance(node.op, Population)
    )


def _of_population(graph: Graph, node: Node, op: Population, spikes: Mapping[str, Floats]) -> float:
    code = graph.code
    steps = code.train if code else 1
    passes = 1 if isinstance(code, Radix | FirstSpike) else steps
    each = FOR_A_NEURON
    if isinstance(code, Radix):
        each += FOR_A_DIGIT * steps
    if isinstance(code, FirstSpike):
        each += FOR_A_SLOT * steps
    total = each * node.type.size * passes
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        last, once = chain[-1], isinstance(source.op, Input)
        if not isinstance(last, Conv | Dense | Scale):
            raise AssertionError("the checker holds that a map ends in conv, dense or scale")
        sent = spikes.get(source.name)
        density = 1.0 if sent is None else density_of(sent, passes)
        by_weights, by_spikes = costs(chain, source.type, density)
        if isinstance(code, FirstSpike):
            products = FOR_A_PRODUCT * last.weight.array.size * steps
            total += products + FOR_A_SUM * density * multiplications(chain, source.type)[2]
            continue
        cost = by_weights if kernel_of(chain, source, density) == BY_WEIGHTS else by_spikes
        total += cost * (1 if once else passes)
    return total
