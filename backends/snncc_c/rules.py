"""The limits of the C simulator. A rule's docstring is what the user is told."""

from collections.abc import Iterator

from snncc_ir import Diagnostic, Graph, Rate
from snncc_ir.ops import Conv, Population, chain_type

LARGEST_STATE = 1 << 31


def rate_code(graph: Graph) -> Iterator[Diagnostic]:
    """The network is in a rate code."""
    if not isinstance(graph.code, Rate):
        name = graph.code.name if graph.code else "none"
        yield Diagnostic(
            "SNN041", f"the code is {name}, should be rate", hint="run the pass rate-code"
        )


def one_layout(graph: Graph) -> Iterator[Diagnostic]:
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


def addressable(graph: Graph) -> Iterator[Diagnostic]:
    """A population has fewer than 2^31 neurons, and weights, of any projection."""
    for node in graph:
        sizes = [node.type.size]
        if isinstance(node.op, Population):
            sizes += [
                op.weight.array.size for chain in node.op.maps for op in chain
                if hasattr(op, "weight")
            ]  # fmt: skip
        if max(sizes) >= LARGEST_STATE:
            yield Diagnostic(
                "SNN041",
                f"'{node.name}' has {max(sizes)} neurons or weights, should be under 2^31",
                str(node.origin),
                "split the layer",
            )


RULES = (rate_code, one_layout, addressable)
