"""`normalize`: every population counts in units of its own largest activation.

With λ the scale of a population (per channel or per layer) and λ' that of its source,

    W ← W · λ' / λ,    b ← b / λ,    threshold 1,

so that an activation of λ is a spike in every time step (data-based normalization: Diehl et al.
2015; robust, by percentile: Rueckauer et al. 2017; per channel: Kim et al. 2020). Values stay what
they are: the population's `scale` says what one unit is worth. The input counts in units of its
largest number. How λ is found:

* `weights`, without data: the largest activation that the weights allow, Σ max(w, 0)·λ' + b (model-
  based normalization, Diehl et al. 2015).
* `max`, `percentile`: of the activations on calibration data.
* `error`: the λ for which a code of `steps` levels, clip(⌊a·steps/λ + 1/2⌋, 0, steps)·λ/steps, has
  the least square error on calibration data: a balance of what is clipped and what is rounded, so
  that few steps get a smaller λ.
* `ecc`: error compensation and current normalization (Wu, Yi and Huang 2021): the maximum of each
  layer, currents (weights and biases) divided by it, BatchNorm folded before with its own epsilon
  (`fold-batchnorm`, "consistency of batch normalization"), and a start at half a threshold
  (`rate-code`, "residual elimination"). Their factor κ of currents and thresholds is here the
  integer scale of `quantize-weights`.

Neurons on a grid (`adopt-grids`), if the code has as many levels (`steps`), have their ceiling for
λ, one for all channels where the grid is, whatever the method. So have neurons that were trained
for a ttfs code (`ttfs-relu`), in every code.

`peak`: spikes a step that an activation of λ is worth; above 1 for graded spikes only, which then
have finer levels and are not clipped at λ. `most`: those that neurons can send; where
activations reach a ceiling (ReLU6), those are worth the ceiling, so that neurons cannot exceed it.

A scale is rounded up to 8 significant bits, so that the last bits of floating-point calibration,
which differ between processors, decide nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from snncc.passes.base import Close, Context, Pass
from snncc.passes.chains import compress
from snncc.passes.extents import extent, rounded_up
from snncc.passes.observation import Histogram, Tail, histograms, observe
from snncc.passes.rescale import rescaled
from snncc.passes.scales import Scales, moves_only, pushed, uniform_nodes
from snncc_ir import MOST_PAYLOAD, NORMAL, Floats, Graph, Node, Shape, Tensor, fail
from snncc_ir.ops import (
    AnyInput,
    Chain,
    Conv,
    Dense,
    EventInput,
    Input,
    MaxPool,
    Output,
    Population,
    Relu,
    Scale,
    TtfsRelu,
)  # fmt: skip

Observed = Callable[[bool], Floats]
"""λ of each channel, (C,); whether channels are to have their own."""

METHODS = ("weights", "max", "percentile", "error", "ecc")
EXTENTS = ("channel", "layer")
LEAST_SCALE = 1 / 256
CANDIDATES = np.exp2(-np.arange(0, 25) / 4)
"""Of method `error`: λ in terms of the largest activation."""


@dataclass(frozen=True)
class Normalize(Pass):
    """Scales of each channel or layer, by one of several methods; see above."""

    method: str = "percentile"
    percentile: float = 99.9
    per: str = "channel"
    steps: int = 0
    peak: float = 1.0
    most: int = 1
    name = "normalize"
    needs = NORMAL
    promise = Close()

    def __post_init__(self) -> None:
        for what, value, known in (("method", self.method, METHODS), ("per", self.per, EXTENTS)):
            if value not in known:
                raise fail("SNN020", f"{what} is '{value}', should be {' or '.join(known)}")
        if not 0 < self.percentile <= 100:
            raise fail("SNN020", f"percentile is {self.percentile}, should be above 0, up to 100")
        if self.method == "error" and not 1 <= self.steps <= 32767:
            raise fail(
                "SNN020",
                f"steps is {self.steps}, should be 1 to 32767 for method error",
                hint="the time steps that the network is compiled for",
            )
        if not 1 / 16 <= self.peak <= 64:
            raise fail("SNN020", f"peak is {self.peak}, should be 1/16 to 64")
        if not 1 <= self.most <= MOST_PAYLOAD:
            raise fail("SNN020", f"most is {self.most}, should be 1 to {MOST_PAYLOAD}")

    def run(self, graph: Graph, context: Context) -> Graph:
        return rescaled(graph, self._scales(graph, context), self.name)

    def _scales(self, graph: Graph, context: Context) -> Scales:
        """What one unit of each node is worth."""
        observed = self._observed(graph, context)
        uniform = uniform_nodes(graph)
        scales: dict[str, Floats] = {}
        peaks: dict[str, Floats] = {}
        for node in graph:
            shape = (1,) * len(node.type.shape)
            match node.op:
                case Input(levels=int()):
                    scale = np.ones(shape)  # a quantized network's own integers
                case Input():
                    samples = context.calibration[node.name]
                    peak = float(np.max(np.abs(samples), initial=0.0)) or 1.0
                    scale = rounded_up(np.array(peak)).reshape(shape)
                case EventInput() as op:  # an event in every time step
                    scale = np.full(shape, op.worth * op.steps / op.scale)
                case MaxPool() | Output():
                    scale = scales[node.inputs[0]]
                case Population(model=Relu(ceiling=ceiling) as model):
                    most = np.inf if ceiling is None else float(ceiling.floats.min())
                    grid = self._grid(model, node.op.shape, node.name in uniform)
                    relayed = None if node.name in uniform else _relayed(graph, node, scales)
                    if grid is not None:
                        scale = grid
                    elif relayed is not None and relayed.max() <= most:
                        scale = relayed
                    else:
                        per = "layer" if self.method == "ecc" else self.per
                        per_channel = per == "channel" and node.name not in uniform
                        reach = _reach(graph, node, node.op, peaks)
                        bound: Floats = np.array(most)
                        if self.method == "weights":
                            bound = bound / self.most
                            found = _reach(graph, node, node.op, peaks, positive=True)
                        else:
                            chosen, largest = observed[node.name]
                            found = chosen(per_channel)
                            bound = _kept(
                                most, largest if per_channel else largest.max(), self.most
                            )
                        scale = rounded_up(_chosen(found, LEAST_SCALE * reach, per_channel))
                        scale = np.minimum(scale / self.peak, bound).reshape(-1, *shape[1:])
                case _:
                    scale = np.ones(shape)
            # float32 holds what is stored; so that weights are scaled by just that
            scales[node.name] = scale.astype(np.float32).astype(np.float64)
            peaks[node.name] = _peak(node, scales[node.name], context)
        return scales

    def _grid(self, model: Relu, shape: Shape, uniform: bool) -> Floats | None:
        """The ceiling of neurons on a grid, if the code has as many levels: then it keeps them."""
        if isinstance(model, TtfsRelu) and model.ceiling is not None:
            return model.ceiling.floats.reshape((1,) * len(shape)) / self.peak
        if model.step is None or model.ceiling is None:
            return None
        if model.levels.max() > self.steps * self.peak:
            return None
        ceiling = compress(np.broadcast_to(model.ceiling.floats, shape)) / self.peak
        if np.all(ceiling == ceiling.flat[0]):
            ceiling = ceiling.reshape(-1)[:1].reshape((1,) * len(shape))
        a_channel = all(size == 1 for size in ceiling.shape[1:])
        return ceiling if a_channel and (ceiling.size == 1 or not uniform) else None

    def _observed(self, graph: Graph, context: Context) -> dict[str, tuple[Observed, Floats]]:
        """What calibration data says of each open population's λ, and largest activations, (C,)."""
        open_nodes = [node.name for node in graph if _is_open(node)]
        if self.method == "weights":
            return {}
        if self.method == "error":
            found = histograms(graph, open_nodes, context)
            return {
                name: (partial(_least_error, seen, self.steps), seen.largest)
                for name, seen in found.items()
            }
        percentile = self.percentile if self.method == "percentile" else 100.0
        tails = observe(graph, open_nodes, percentile, context)
        return {name: (partial(_quantile, tail), tail.largest()) for name, tail in tails.items()}


def _peak(node: Node, scale: Floats, context: Context) -> Floats:
    """The most that a node is counted with: its scale; of events, whose scale is one in every time
    step, the largest number of a calibration sample."""
    if not isinstance(node.op, EventInput):
        return scale
    frames = node.op.accumulated(context.calibration[node.name])
    peak = float(np.max(np.abs(frames), initial=0.0)) or node.op.worth
    return np.full(scale.shape, peak / node.op.scale)


def _kept(ceiling: float, largest: Floats, most: int) -> Floats:
    """The largest unit in which neurons that send up to `most` keep to a ceiling, (C,) or ().

    Where no activation reaches it, it need not be kept.
    """
    reaches = largest >= ceiling * (1 - 1 / 1024)
    return np.where(reaches, ceiling / most, ceiling)


def _is_open(node: Node) -> bool:
    """Whether a population's scale is still to be chosen."""
    return isinstance(node.op, Population) and isinstance(node.op.model, Relu)


def _quantile(tail: Tail, per_channel: bool) -> Floats:
    """The percentile where it is positive, else the maximum: (C,)."""
    smallest = tail.smallest()
    return np.where(smallest > 0, smallest, tail.largest())


def _least_error(seen: Histogram, steps: int, per_channel: bool) -> Floats:
    """The λ of least square error of a code of `steps` levels: (C,)."""
    used = seen.counts.any(axis=0)
    counts, values, largest = seen.counts[:, used], seen.values[used], seen.largest
    if not per_channel:
        largest = np.full(len(largest), largest.max())
    error = np.zeros((len(CANDIDATES), len(largest)))
    for i, factor in enumerate(CANDIDATES):
        unit = factor * np.where(largest > 0, largest, 1.0)[:, None] / steps
        coded = unit * np.clip(np.floor(values / unit + 0.5), 0, steps)
        error[i] = (counts * np.square(values - coded)).sum(axis=1)
    if not per_channel:
        error = np.broadcast_to(error.sum(axis=1, keepdims=True), error.shape)
    chosen: Floats = CANDIDATES[error.argmin(axis=0)] * largest
    return chosen


def _chosen(found: Floats, least: Floats, per_channel: bool) -> Floats:
    """λ of each channel, or (1,) of a layer: at least `least`, 1 where there is no activation.

    A channel without any gets the layer's. One that hardly ever responds on calibration data would
    without the bound be amplified until nothing but noise, and no fixed-point potential, could
    follow.
    """
    layer = found.max() if found.max() > 0 else 1.0
    if not per_channel:
        return np.full(1, max(layer, least.max()))
    return np.maximum(np.where(found > 0, found, layer), least)


def _reach(
    graph: Graph, node: Node, op: Population, peaks: Scales, positive: bool = False
) -> Floats:
    """The most that any neuron of each channel can get in a step, (C,).

    peaks: of each source. As a sum of absolute values; or `positive`: of what raises the potential
    alone.
    """
    bias = np.broadcast_to(op.bias.floats, op.shape)
    reach = np.maximum(bias, 0.0) if positive else np.abs(bias)
    for source, chain in zip(graph.operands(node), op.maps, strict=True):
        levels = source.op.levels if isinstance(source.op, Input) else None
        largest = np.broadcast_to(peaks[source.name] * (levels or 1), source.type.shape)
        if positive and not isinstance(source.op, AnyInput):
            chain = _positive(chain)
        reach = reach + extent(chain, largest, op.shape).drive
    most: Floats = reach.reshape(len(reach), -1).max(axis=1)
    return most


def _positive(chain: Chain) -> Chain:
    """The map without its negative weights."""
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    return (*moves, replace(last, weight=Tensor(np.maximum(last.weight.array, 0))))


def _relayed(graph: Graph, node: Node, scales: Scales) -> Floats | None:
    """The sources' own scales for a population that hands their spikes on unchanged, else None."""
    if not isinstance(node.op, Population) or node.op.bias.array.any():
        return None
    total, fed = np.zeros(node.op.shape), np.zeros(node.op.shape)
    for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
        if isinstance(source.op, AnyInput) or not moves_only(chain):
            return None
        scale = pushed(chain[:-1], scales[source.name], source.type)
        if scale is None:
            return None
        total += scale.reshape(node.op.shape)
        fed += (scale != 0).reshape(node.op.shape)
    scale = compress(total)
    one_a_channel = all(size == 1 for size in scale.shape[1:])
    return scale if one_a_channel and bool(np.all(fed == 1)) else None
