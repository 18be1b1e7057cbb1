"""`normalize`: every population counts in units of its own largest activation.

With λ the scale of a population (per channel or per layer) and λ' that of its source,

    W ← W · λ' / λ,    b ← b / λ,    threshold 1,

so that an activation of λ is a spike in every time step (data-based normalization: Diehl et al.
2015; robust, by percentile: Rueckauer et al. 2017; per channel: Kim et al. 2020). Values stay what
they are: the population's `scale` says what one unit is worth. The input counts in units of its
largest number.

A scale is rounded up to 8 significant bits, so that the last bits of floating-point calibration,
which differ between processors, decide nothing.
"""

from dataclasses import dataclass

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc.passes.chains import compress
from snncc.passes.extents import extent, rounded_up
from snncc.passes.observation import Tail, observe
from snncc.passes.rescale import rescaled
from snncc.passes.scales import Scales, moves_only, pushed, uniform_nodes
from snncc_ir import NORMAL, Floats, Graph, Node, fail
from snncc_ir.ops import (
    Input,
    MaxPool,
    Output,
    Population,
    Relu,
)  # fmt: skip

METHODS = ("max", "percentile")
EXTENTS = ("channel", "layer")
LEAST_SCALE = 1 / 256


@dataclass(frozen=True)
class Normalize(Pass):
    """Scales from calibration data: the maximum, or a percentile, of each channel or layer."""

    method: str = "percentile"
    percentile: float = 99.9
    per: str = "channel"
    name = "normalize"
    needs = NORMAL
    promise = Close()

    def __post_init__(self) -> None:
        for what, value, known in (("method", self.method, METHODS), ("per", self.per, EXTENTS)):
            if value not in known:
                raise fail("SNN020", f"{what} is '{value}', should be {' or '.join(known)}")
        if not 0 < self.percentile <= 100:
            raise fail("SNN020", f"percentile is {self.percentile}, should be above 0, up to 100")

    def run(self, graph: Graph, context: Context) -> Graph:
        return rescaled(graph, self._scales(graph, context), self.name)

    def _scales(self, graph: Graph, context: Context) -> Scales:
        """What one unit of each node is worth."""
        spiking = [node.name for node in graph if _is_open(node)]
        percentile = 100.0 if self.method == "max" else self.percentile
        tails = observe(graph, spiking, percentile, context)
        uniform = uniform_nodes(graph)
        scales: dict[str, Floats] = {}
        for node in graph:
            shape = (1,) * len(node.type.shape)
            match node.op:
                case Input():
                    samples = context.calibration[node.name]
                    peak = float(np.max(np.abs(samples), initial=0.0)) or 1.0
                    scale = rounded_up(np.array(peak)).reshape(shape)
                case MaxPool() | Output():
                    scale = scales[node.inputs[0]]
                case Population(model=Relu(ceiling)):
                    most = np.inf if ceiling is None else ceiling.floats.min()
                    relayed = None if node.name in uniform else _relayed(graph, node, scales)
                    if relayed is not None and relayed.max() <= most:
                        scale = relayed
                    else:
                        per_channel = self.per == "channel" and node.name not in uniform
                        least = _least(graph, node, node.op, scales)
                        scale = rounded_up(_observed(tails[node.name], least, per_channel))
                        scale = np.minimum(scale, most).reshape(-1, *shape[1:])
                case _:
                    scale = np.ones(shape)
            # float32 holds what is stored; so that weights are scaled by just that
            scales[node.name] = scale.astype(np.float32).astype(np.float64)
        return scales


def _is_open(node: Node) -> bool:
    """Whether a population's scale is still to be chosen."""
    return isinstance(node.op, Population) and isinstance(node.op.model, Relu)


def _observed(tail: Tail, least: Floats, per_channel: bool) -> Floats:
    """The percentile where it is positive, else the maximum, else the layer's; 1 when all is 0.

    At least `least`. Both it and the result are (C,), the result (1,) for a whole layer.
    """
    smallest, largest = tail.smallest(), tail.largest()
    scale = np.where(smallest > 0, smallest, largest)
    layer = scale.max() if scale.max() > 0 else 1.0
    if not per_channel:
        return np.full(1, max(layer, least.max()))
    return np.maximum(np.where(scale > 0, scale, layer), least)


def _least(graph: Graph, node: Node, op: Population, scales: Scales) -> Floats:
    """The least scale of each channel, (C,): LEAST_SCALE of what its neurons can get in a step.

    A channel that hardly ever responds on calibration data would otherwise be amplified until
    nothing but noise, and no fixed-point potential, could follow.
    """
    reach = np.abs(np.broadcast_to(op.bias.floats, op.shape))
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        largest = np.broadcast_to(scales[source.name], source.type.shape)
        reach = reach + extent(chain, largest, op.shape).drive
    least: Floats = LEAST_SCALE * reach.reshape(len(reach), -1).max(axis=1)
    return least


def _relayed(graph: Graph, node: Node, scales: Scales) -> Floats | None:
    """The sources' own scales for a population that hands their spikes on unchanged, else None."""
    if not isinstance(node.op, Population) or node.op.bias.array.any():
        return None
    total, fed = np.zeros(node.op.shape), np.zeros(node.op.shape)
    for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
        if isinstance(source.op, Input) or not moves_only(chain):
            return None
        scale = pushed(chain[:-1], scales[source.name], source.type)
        if scale is None:
            return None
        total += scale.reshape(node.op.shape)
        fed += (scale != 0).reshape(node.op.shape)
    scale = compress(total)
    one_a_channel = all(size == 1 for size in scale.shape[1:])
    return scale if one_a_channel and bool(np.all(fed == 1)) else None
