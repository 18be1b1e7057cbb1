"""The limits of the C simulator. A rule's docstring is what the user is told."""

from collections.abc import Iterator

from snncc_backends import Settings
from snncc_ir import Diagnostic, Graph, Rate, node_tensors
from snncc_ir.ops import Conv, Population, chain_type

LARGEST = 1 << 31


def rate_code(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """The network is in a rate code."""
    if not isinstance(graph.code, Rate):
        name = graph.code.name if graph.code else "none"
        yield Diagnostic(
            "SNN041", f"the code is {name}, should be rate", hint="run the pass rate-code"
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
                "split the layer",
            )


RULES = (rate_code, one_layout, addressable)
