"""The limits of the machine. A rule's docstring is what the user is told."""

from collections.abc import Iterator

import numpy as np

from snncc_backends import Settings, wrong_code
from snncc_ir import Diagnostic, FirstSpike, Graph
from snncc_ir.ops import (
    Conv,
    Input,
    MaxPool,
    Population,
    SumPool,
    TimeToFirstSpike,
)  # fmt: skip
from snncc_ttfs28.routes import MOST_SIZE, layouts
from snncc_ttfs28.settings import Ttfs28Settings

MOST_LAYERS = 1 << 16
MOST_CELLS = 1 << 28
MOST_INPUT_BITS = 12


def ttfs_code(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """The network is in the ttfs code, in fixed point."""
    yield from wrong_code(graph, FirstSpike)


def one_layout(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """All convolutions and dense layers into one population have the same result shape."""
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        shapes = set(layouts(graph, node, node.op))
        if len(shapes) > 1:
            yield Diagnostic(
                "SNN041",
                f"layers of shapes {sorted(shapes)} meet in '{node.name}', should be one",
                str(node.origin),
                "put a ReLU between the convolution and the reshape",
            )


def inputs_alike(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """All inputs have the same number of bits, at most 12 for the magnitude."""
    bits = {
        (node.op.levels or 1).bit_length() for node in graph.inputs if isinstance(node.op, Input)
    }
    if len(bits) > 1 or max(bits, default=1) > MOST_INPUT_BITS:
        yield Diagnostic(
            "SNN041",
            f"the inputs have {sorted(bits)} bits, should have one number of at most "
            f"{MOST_INPUT_BITS}",
            hint="--set input_bits=8",
        )


def addressable(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """At most 65536 layers, and 2^28 neurons in all."""
    neurons = sum(node.type.size for node in graph)
    if len(graph.nodes) > MOST_LAYERS or neurons > MOST_CELLS:
        yield Diagnostic(
            "SNN041",
            f"there are {len(graph.nodes)} layers and {neurons} neurons, should be at most "
            f"{MOST_LAYERS} and {MOST_CELLS}",
            hint="a smaller input, or fewer channels; target c has no such limit",
        )


def windows(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Kernels, strides, dilations and pools are at most 4096 wide."""
    for node in graph:
        ops = [node.op]
        if isinstance(node.op, Population):
            ops = [op for chain in node.op.maps for op in chain]
        sizes = [
            size
            for op in ops
            if isinstance(op, Conv | SumPool | MaxPool)
            for size in (*op.window.kernel, *op.window.stride, *op.window.dilation)
        ]
        if max(sizes, default=1) > MOST_SIZE:
            yield Diagnostic(
                "SNN041",
                f"a window of '{node.name}' is {max(sizes)} wide, should be at most {MOST_SIZE}",
                str(node.origin),
                "a stack of smaller windows, or pool before it",
            )


def accumulators(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Biases and thresholds fit the machine's accumulators."""
    if not isinstance(settings, Ttfs28Settings):
        return
    bits = settings.description.accumulator_bits
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        largest = int(np.abs(node.op.bias.floats).max())
        if isinstance(node.op.model, TimeToFirstSpike):
            largest = max(largest, int(node.op.model.threshold.floats[0]))
        if largest >= 1 << (bits - 1):
            yield Diagnostic(
                "SNN041",
                f"a bias or threshold of '{node.name}' is {largest}, should fit {bits} bits",
                str(node.origin),
                "the same accumulator_bits in --set and in --passes",
            )


RULES = (ttfs_code, one_layout, inputs_alike, addressable, windows, accumulators)
