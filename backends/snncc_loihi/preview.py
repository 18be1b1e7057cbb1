"""What target loihi says of a network before it is compiled: cores, cut or bounded, and misfits.

Cutting needs every synapse. Where these are too many for a look, there is a bound from below: what
cores hold at least, whatever the cut.
"""

from collections.abc import Iterator
from math import ceil, prod

import numpy as np

from snncc_backends import ABOUT, AT_LEAST, Figure, Preview, projected
from snncc_ir import Diagnostic, Graph, SnnccError, Type
from snncc_ir.ops import Chain, Conv, Dense, Input, Population, SumPool, chain_type
from snncc_loihi.chip import Chip
from snncc_loihi.layers import Layer, make_layers, make_network
from snncc_loihi.mapping import cut, first_guess
from snncc_loihi.misfit import no_cut, too_many
from snncc_loihi.partition import least_cores

QUICK = 1 << 22
"""Synapses that are cut in a second or two."""
MOST = 1 << 28
"""Synapses that a thorough look is ready to hold in memory."""


def look_at(graph: Graph, chip: Chip, thorough: bool) -> Preview:
    """graph: a draft that obeys the rules."""
    if projected(graph) > (MOST if thorough else QUICK):
        return _bounded(graph, chip)
    network = make_network(graph, chip)
    spikes = {
        i: np.ones(layer.size) for i, layer in enumerate(network.layers) if layer.model != "readout"
    }
    try:
        segments = cut(network, first_guess(network, spikes, chip), chip)
    except SnnccError as error:
        return Preview(error.diagnostics)
    cores = sum(segment.cores for segment in segments)
    synapses = sum(link.synapses.count for link in network.links)
    how = "cut, every neuron sends one spike"
    return Preview(
        (),
        (
            Figure("cores", cores, "", ABOUT, how),
            Figure("chips", ceil(cores / chip.mesh.cores), "", ABOUT),
            _compartments(network.layers),
            Figure("synapses", synapses, "", ABOUT),
        ),
    )


def _bounded(graph: Graph, chip: Chip) -> Preview:
    """By compartments alone, which is sure."""
    compartments = _compartments(tuple(make_layers(graph, chip).values()))
    cores = least_cores(chip, int(compartments.value))
    findings = list(_too_wide(graph, chip))
    if not findings and cores > chip.most_cores:
        findings.append(too_many(cores, chip))
    if findings:
        return Preview(tuple(findings))
    how = "by compartments; too many synapses to cut"
    if projected(graph) <= MOST:
        how += " in a moment, --thorough cuts them"
    return Preview(
        (),
        (
            Figure("cores", cores, "", AT_LEAST, how),
            Figure("chips", ceil(cores / chip.mesh.cores), "", AT_LEAST),
            compartments,
            Figure("synapses", projected(graph), "", ABOUT, "with those on padding"),
        ),
    )


def _compartments(layers: tuple[Layer, ...]) -> Figure:
    return Figure("compartments", sum(layer.size * layer.width for layer in layers), "")


def _too_wide(graph: Graph, chip: Chip) -> Iterator[Diagnostic]:
    """Layers of which a single neuron hears more than a core can."""
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        heard: dict[str, int] = {}
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
            if not isinstance(source.op, Input) or chip.features.held_currents:
                most = _sources(chain, source.type)
                heard[source.name] = max(heard.get(source.name, 0), most)
        used = sum(heard.values())
        if used > chip.limits.input_axons:
            yield no_cut(node.name, str(node.origin), "input_axons", used, chip)


def _sources(chain: Chain, source: Type) -> int:
    """Neurons of a source that one neuron hears at least, if it hears most."""
    *moves, last = chain
    if not isinstance(last, Conv | Dense) or any(not isinstance(op, SumPool) for op in moves):
        return 1
    if any(isinstance(op, SumPool) and (op.kernel != op.stride or any(op.pads)) for op in moves):
        return 1
    weight = last.weight.array
    each = int(np.count_nonzero(weight.reshape(len(weight), -1), axis=1).max())
    if isinstance(last, Conv):
        behind = chain_type(tuple(moves), source).shape[1:]
        whole = last.window.slide(np.ones((1, 1, *behind)))
        taps = tuple(range(whole.ndim - last.window.rank, whole.ndim))
        if whole.sum(axis=taps).max() < prod(last.window.kernel):
            return 1
    return each * prod(prod(op.kernel) for op in moves if isinstance(op, SumPool))
