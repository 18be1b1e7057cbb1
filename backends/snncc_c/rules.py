"""The limits of the C simulator. A rule's docstring is what the user is told."""

from collections.abc import Iterator

from snncc_backends import Settings, wrong_code
from snncc_ir import Diagnostic, FirstSpike, Graph, Radix, Rate, node_tensors
from snncc_ir.ops import Conv, EventInput, Input, Population, chain_type

LARGEST = 1 << 31


def known_code(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """The network is in a rate code, in the ttfs code or in the radix code."""
    yield from wrong_code(graph, Rate, FirstSpike, Radix)


def inputs_alike(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """In the ttfs code, all inputs have the same number of bits."""
    bits = {
        (node.op.levels or 1).bit_length() for node in graph.inputs if isinstance(node.op, Input)
    }
    if isinstance(graph.code, FirstSpike) and len(bits) > 1:
        yield Diagnostic(
            "SNN041",
            f"the inputs have {sorted(bits)} bits, should have one number",
            ", ".join(str(node.origin) for node in graph.inputs),
            "one quantize-input for all of them; --coding rate takes any",
        )


def events_alone(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """All inputs are streams of events, or none."""
    if len({isinstance(node.op, EventInput) for node in graph.inputs}) > 1:
        yield Diagnostic(
            "SNN041",
            "some inputs are streams of events and others are numbers, should be of one kind",
            ", ".join(str(node.origin) for node in graph.inputs),
            "the numbers as a constant of the network, or events as frames: --events input=frame",
        )


def one_layout(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """All convolutions into one population have the same result shape."""
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        shapes = {
            chain_type(chain, source.type).shape
            for source, chain in zip(graph.operands(node), node.op.maps, strict=True)
            if isinstance(chain[-1], Conv)
        }
        if len(shapes) > 1:
            yield Diagnostic(
                "SNN041",
                f"convolutions of shapes {sorted(shapes)} meet in '{node.name}', should be one",
                str(node.origin),
                "put a ReLU between the convolution and the reshape",
            )


def addressable(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """A population has fewer than 2^31 neurons, and each of its projections as few weights."""
    for node in graph:
        sizes = [node.type.size]
        if isinstance(node.op, Population):
            tensors = node_tensors(node)
            sizes += [t.array.size for name, t in tensors.items() if name.endswith(".weight")]
        if max(sizes) >= LARGEST:
            yield Diagnostic(
                "SNN041",
                f"'{node.name}' has {max(sizes)} neurons or weights, should be under {LARGEST}",
                str(node.origin),
                "a smaller input, or two layers that share its channels",
            )


RULES = (known_code, inputs_alike, events_alone, one_layout, addressable)
