"""The limits of the arrays. A rule's docstring is what the user is told."""

from collections.abc import Iterator

from snncc.backends import Settings, wrong_code
from snncc.ir import Diagnostic, Graph, Node, Rate
from snncc_xbar.matrices import projections
from snncc_xbar.settings import MOST_WEIGHT_BITS, XbarSettings
from snncc_xbar.tiling import scheme_of

MOST_ROW_BITS = 24


def rate_code(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """The network is in a rate code; rows get one bit at a time."""
    yield from wrong_code(graph, Rate)


def _nodes(graph: Graph) -> tuple[Node, ...]:
    """Those whose weights are integers; another code is refused by its own rule."""
    return graph.nodes if isinstance(graph.code, Rate) else ()


def few_bits(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Weights on arrays have at most 8 bits, the sign included; a factor a channel is digital."""
    for node in _nodes(graph):
        for projection in projections(graph, node):
            matrix = projection.matrix
            if matrix is not None and matrix.magnitude_bits + 1 > MOST_WEIGHT_BITS:
                yield Diagnostic(
                    "SNN041",
                    f"weights of '{node.name}' have {matrix.magnitude_bits + 1} bits, should have "
                    f"at most {MOST_WEIGHT_BITS}",
                    str(node.origin),
                    "--weight-bits 4, or binary weights",
                )


def channel_on_array(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """All columns of an output channel are on one array, where they are shifted and added."""
    if not isinstance(settings, XbarSettings):
        return
    for node in _nodes(graph):
        for projection in projections(graph, node):
            if projection.matrix is None:
                continue
            scheme = scheme_of(projection.matrix, settings.cells)
            if scheme.outputs(settings.array) < 1:
                yield Diagnostic(
                    "SNN041",
                    f"a weight of '{node.name}' takes {scheme.width(1)} columns, should be at "
                    f"most {settings.array}",
                    str(node.origin),
                    "--set array=128, or fewer --weight-bits",
                )


def exact_rows(graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
    """Numbers at the rows of an array, sums of pools among them, have at most 24 bits."""
    for node in _nodes(graph):
        for projection in projections(graph, node):
            if projection.matrix is not None and projection.feed.bits > MOST_ROW_BITS:
                yield Diagnostic(
                    "SNN041",
                    f"'{node.name}' gets numbers of {projection.feed.bits} bits, should be at "
                    f"most {MOST_ROW_BITS}",
                    str(node.origin),
                    "--set input_bits=8, or a smaller window of the pool before it",
                )


RULES = (rate_code, few_bits, channel_on_array, exact_rows)
