"""What NIR can carry. A rule's docstring is what the user is told."""

from collections.abc import Iterator

import numpy as np

from snncc_backends import Settings, wrong_code
from snncc_ir import Diagnostic, Graph, Node, Rate, Shape
from snncc_ir.ops import Input, IntegrateFire, MaxPool, Output, Population, Readout
from snncc_nir.maps import misfits, takes_bias
from snncc_nir.settings import NEURONS, SIGNIFICAND, tie_bits


def _populations(graph: Graph) -> Iterator[tuple[Node, Population]]:
    for node in graph:
        if isinstance(node.op, Population):
            yield node, node.op


def rate_coded(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """The network is in the rate code."""
    yield from wrong_code(graph, Rate)


def exact_numbers(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Thresholds, and biases with what is added to them, are exact in float32."""
    most = 1 << SIGNIFICAND
    for node, op in _populations(graph):
        largest = int(np.abs(op.bias.integers).max(initial=0))
        if isinstance(op.model, IntegrateFire):
            largest <<= tie_bits(op.model.steps)
            largest = max(largest, int(op.model.theta.integers.max(initial=0)))
        if largest >= most:
            yield Diagnostic(
                "SNN041",
                f"a bias or threshold of '{node.name}' is {largest} in the smallest unit, should "
                f"be under {most}",
                str(node.origin),
                "smaller integers: --set weight_bits=6, or fewer --steps",
            )


def plain_neurons(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Neurons are `if` or `hard-if`: NIR has no signed and no graded spikes."""
    for node, op in _populations(graph):
        if op.model.name not in (*NEURONS, Readout.name):
            yield Diagnostic(
                "SNN041",
                f"the neurons of '{node.name}' are {op.model.name}, should be if or hard-if",
                str(node.origin),
                "--set neuron=if",
            )


def starts_at_zero(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Initial potentials are 0: NIR has no others. Biases make up for the half threshold."""
    for node, op in _populations(graph):
        if isinstance(op.model, IntegrateFire) and np.any(op.model.start.integers):
            yield Diagnostic(
                "SNN041",
                f"neurons of '{node.name}' start at a potential, should start at 0",
                str(node.origin),
                "--set start=0 --set tune=keep, the defaults of this target",
            )


def no_max_pools(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """There are no max pools: NIR has none."""
    for node in graph:
        if isinstance(node.op, MaxPool):
            yield Diagnostic(
                "SNN041",
                f"'{node.name}' is a max pool, should be an average pool",
                str(node.origin),
                "train the network with average pools, or with convolutions of stride 2",
            )


def carried_maps(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Convolutions and sum pools are padded alike on both sides, two-dimensional kernels are square
    (nir takes a kernel's first side for both), and what is no flatten is moved only before dense
    layers, into whose weights it goes."""
    for node, op in _populations(graph):
        found = {
            misfit
            for source, chain in zip(graph.operands(node), op.maps, strict=True)
            for misfit in misfits(chain, source.type, op.shape)
        }
        for misfit in sorted(found):
            yield Diagnostic(
                "SNN041",
                f"'{node.name}' has {misfit}, should have what NIR carries",
                str(node.origin),
                "square kernels with even padding, channels first; target c takes everything",
            )


def carried_biases(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Biases are one a channel, unless a dense layer holds them."""
    for node, op in _populations(graph):
        if bias_holder(op) is None:
            yield Diagnostic(
                "SNN041",
                f"no map into '{node.name}' can hold its biases, should be one that does",
                str(node.origin),
                "a convolution or a dense layer before the sum, or --set per=layer",
            )


def outputs_in_order(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Outputs are what a population gives, in its own order."""
    for node in graph.outputs:
        (source,) = graph.operands(node)
        assert isinstance(node.op, Output)
        index = node.op.index
        if isinstance(source.op, Input) or (
            index is not None
            and not np.array_equal(index.integers.reshape(-1), np.arange(source.type.size))
        ):
            yield Diagnostic(
                "SNN041",
                f"the output '{node.name}' is another order of '{source.name}', should be its own",
                str(node.origin),
                "leave out what reorders the network's outputs",
            )


def bias_holder(op: Population) -> int | None:
    """The number of the map whose node holds the biases of a population."""
    kinds = [takes_bias(chain, op.shape) for chain in op.maps]
    wanted = ("neuron", "channel") if _one_a_channel(op.bias.array.shape, op.shape) else ("neuron",)
    return next((i for i, kind in enumerate(kinds) if kind in wanted), None)


def _one_a_channel(bias: Shape, shape: Shape) -> bool:
    padded = (1,) * (len(shape) - len(bias)) + bias
    return all(size == 1 for size in padded[1:])


RULES = (
    rate_coded,
    exact_numbers,
    plain_neurons,
    starts_at_zero,
    no_max_pools,
    carried_maps,
    carried_biases,
    outputs_in_order,
)
