"""`align-scales`: scales along residual streams, so that shortcuts are exact on a logarithmic grid.

A one-to-one map between populations (a shortcut) has weight w·λ'/λ in units of its source λ' and
target λ. Where that is a power of 2^(1/resolution), logarithmic weights hold it exactly. So the
channels that shortcuts connect share one phase:

    λ_channel = base · 2^(j / resolution),    j an integer of each population's own

with the base of the first population of the stream, and the j nearest to the calibrated scale. A
network with scales that it was trained with (`ttfs-relu`) keeps them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc.passes.rescale import rescaled
from snncc.passes.scales import pushed, uniform_nodes
from snncc_ir import NORMAL, RESOLUTIONS, Floats, Graph, Node, fail
from snncc_ir.ops import MaxPool, Output, Population, Relu, Scale, SumPool, TtfsRelu

Channel = tuple[str, int]


@dataclass(frozen=True)
class AlignScales(Pass):
    """Makes one-to-one weights powers of 2^(1/resolution)."""

    resolution: int = 2
    name = "align-scales"
    needs = NORMAL
    promise = Close()

    def __post_init__(self) -> None:
        if self.resolution not in RESOLUTIONS:
            raise fail("SNN020", f"resolution is {self.resolution}, should be 1, 2 or 4")

    def run(self, graph: Graph, context: Context) -> Graph:
        if any(_is_trained(node) for node in graph):
            return graph  # scales that weights were trained with
        streams = _Streams(self.resolution)
        uniform = uniform_nodes(graph)
        for node in graph:
            if isinstance(node.op, Population):
                for channel, other, weight in _links(graph, node, node.op, uniform):
                    streams.link(channel, other, weight)
        if not streams.parent:
            return graph
        factors: dict[str, Floats] = {}
        for node in graph:
            if isinstance(node.op, MaxPool | Output):
                factors[node.name] = factors[node.inputs[0]]
                continue
            shared = node.name in uniform or not isinstance(node.op, Population)
            channels = range(1 if shared else node.type.shape[0])
            each = [streams.factor((node.name, c), _most(node)) for c in channels]
            shape = (-1, *[1] * (len(node.type.shape) - 1))
            # float32 holds what is stored; so that weights are scaled by just that
            factors[node.name] = np.array(each, np.float32).astype(np.float64).reshape(shape)
        return rescaled(graph, factors, self.name)


class _Streams:
    """Union of channels, each with its phase against the first one: log2 of a scale, mod 1/z."""

    def __init__(self, resolution: int) -> None:
        self._resolution = resolution
        self.parent: dict[Channel, tuple[Channel, float]] = {}

    def _find(self, channel: Channel) -> tuple[Channel, float]:
        phase = 0.0
        while channel in self.parent:
            channel, step = self.parent[channel]
            phase += step
        return channel, phase

    def link(self, source: Channel, target: Channel, weight: float) -> None:
        """target's scale shall be source's times `weight` times a power of 2^(1/z).

        When both are in one stream already, as in a ring of shortcuts, they stay as they are.
        """
        (first, ours), (second, theirs) = self._find(source), self._find(target)
        if first != second:
            self.parent[second] = (first, ours + float(np.log2(weight)) - theirs)

    def factor(self, channel: Channel, most: float) -> float:
        """What the channel's scale is multiplied by: between 2^(−1/2z) and 2^(1/2z).

        One step of 2^(1/z) less where that is beyond `most`, which is at least 1.
        """
        _, phase = self._find(channel)
        steps = phase * self._resolution
        factor = float(np.exp2((steps - np.rint(steps)) / self._resolution))
        return factor if factor <= most else factor * 2 ** (-1 / self._resolution)


def _is_trained(node: Node) -> bool:
    return isinstance(node.op, Population) and isinstance(node.op.model, TtfsRelu)


def _most(node: Node) -> float:
    """The largest scale, in units of now, that a ceiling (ReLU6) leaves to a population."""
    if not isinstance(node.op, Population) or not isinstance(node.op.model, Relu):
        return np.inf
    ceiling = node.op.model.ceiling
    return np.inf if ceiling is None else float(ceiling.floats.min())


def _links(
    graph: Graph, node: Node, op: Population, uniform: frozenset[str]
) -> Iterator[tuple[Channel, Channel, float]]:
    """(source channel, channel of `node`, |weight|) of its one-to-one maps."""
    for operand, chain in zip(graph.operands(node), op.maps, strict=True):
        *moves, last = chain
        source = operand
        while isinstance(source.op, MaxPool):
            (source,) = graph.operands(source)
        if not isinstance(last, Scale) or not isinstance(source.op, Population):
            continue
        shape = (-1, *[1] * (len(source.type.shape) - 1))
        numbered = np.arange(1.0, source.type.shape[0] + 1).reshape(shape)
        behind = pushed(tuple(moves), numbered, operand.type)
        if behind is None or any(isinstance(move, SumPool) for move in moves):
            continue
        weights = np.broadcast_to(np.abs(last.weight.floats), behind.shape)
        for channel, (came, weight) in enumerate(
            zip(behind.reshape(op.shape[0], -1), weights.reshape(op.shape[0], -1), strict=True)
        ):
            used = (came > 0) & (weight > 0)
            pairs = set(zip(came[used].tolist(), weight[used].tolist(), strict=True))
            if len(pairs) == 1:
                ((number, size),) = pairs
                first = 0 if source.name in uniform else int(number) - 1
                second = 0 if node.name in uniform else channel
                yield (source.name, first), (node.name, second), size
