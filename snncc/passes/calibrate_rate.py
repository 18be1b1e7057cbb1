"""`calibrate-rate`: what a rate code of few steps loses, taken back layer after layer.

Every population is simulated over time on calibration data, fed by the spikes that the layers
before it really send, with all that was done to them. Towards the values of the network as it was:

1. weights: moved by least squares to where they undo the errors that arrive (ridge regression,
   held to the weights as they were; in the manner of the weight calibration of Li et al. 2021, in
   closed form), row by row where that makes the neurons' error smaller on samples that the
   regression has not seen;
2. thresholds and initial potentials: channel by channel the best of a few;
3. biases: `rounds` times moved by what the spikes are off on average (Li et al. 2021);
4. a readout leaves out the first steps where what it reads is then nearer (delayed read-out).

Nothing is retrained: there are no gradients and no labels.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.chains import compress
from snncc.passes.fitting import by_channel, centered, fitted, held_out, rounded_to_bits
from snncc.passes.in_time import Bias, Drive, drive_in_time, fire_in_time
from snncc.passes.layerwise import Layer, Values, rewrite_layers
from snncc_ir import CODED, Factored, Floats, Graph, Rate, f32, fail
from snncc_ir.ops import (
    Conv,
    Dense,
    IntegrateFire,
    Population,
    Readout,
)  # fmt: skip

WEIGHTS = ("best", "fit", "keep")
NEURONS = ("best", "keep")
THRESHOLDS = (0.9, 1.0, 1.1)
STARTS = (0.3, 0.5, 0.7)
"""Tried for each channel: factors of the threshold, and initial potentials in thresholds."""
TRIED_SAMPLES = 64
"""Samples on which thresholds and initial potentials are tried."""
DELAYS = (0, 1 / 8, 1 / 4, 3 / 8)
"""Tried for a readout: shares of the steps that it leaves out."""


@dataclass(frozen=True)
class CalibrateRate(Pass):
    """Weights, thresholds, starts and biases, on up to `samples` calibration samples.

    weights: `best` of kept and fitted, row by row, or one of both. neurons: `best` of a few
    thresholds and starts, or `keep`. rounds: of bias correction.
    """

    weights: str = "best"
    neurons: str = "best"
    rounds: int = 4
    samples: int = 512
    name = "calibrate-rate"
    needs = CODED
    promise = Lossy(why="weights, thresholds and biases move, towards the values as they were")

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise fail("SNN020", f"samples is {self.samples}, should be at least 1")
        if not 0 <= self.rounds <= 64:
            raise fail("SNN020", f"rounds is {self.rounds}, should be 0 to 64")
        for what, value, known in (
            ("weights", self.weights, WEIGHTS),
            ("neurons", self.neurons, NEURONS),
        ):
            if value not in known:
                raise fail("SNN020", f"{what} is '{value}', should be {' or '.join(known)}")

    def run(self, graph: Graph, context: Context) -> Graph:
        if not isinstance(graph.code, Rate):
            raise fail(
                "SNN020",
                f"the code is {graph.code.name if graph.code else 'none'}, should be rate",
                hint="run rate-code before calibrate-rate",
            )
        steps = graph.code.steps

        def rewrite(layer: Layer) -> Population:
            if isinstance(layer.op.model, IntegrateFire):
                return self._spiking(layer, layer.op.model, steps)
            if isinstance(layer.op.model, Readout):
                return self._readout(layer, layer.op.model, steps)
            return layer.op

        return rewrite_layers(graph, context, self.name, self.samples, rewrite, in_time=True)

    def _spiking(self, layer: Layer, model: IntegrateFire, steps: int) -> Population:
        wanted = np.clip(layer.target, 0, model.code.most)
        candidates = [layer.op] if self.weights != "fit" else []
        if self.weights != "keep":
            candidates.append(fitted(layer, centered(layer, layer.op)))
        held = held_out(len(wanted))
        best: _Settled | None = None
        for op in candidates:
            drive = drive_in_time(op, layer.types, layer.arriving)
            bias, off = self._settled(model, drive, _bias(op), wanted, steps)
            settled = _Settled(op, drive, bias, by_channel(np.square(off[held:])))
            best = settled if best is None else best.better(settled)
        if best is None:
            raise AssertionError("there is a candidate")
        bias = best.bias
        if self.neurons == "best":
            model, bias = self._tuned(model, best.drive, bias, wanted, steps)
            bias, _ = self._settled(model, best.drive, bias, wanted, steps)
        return replace(best.op, model=model, bias=f32(compress(bias.astype(np.float64))))

    def _settled(
        self,
        model: IntegrateFire,
        drive: Drive,
        bias: Bias,
        wanted: Values,
        steps: int,
        rounds: int | None = None,
    ) -> tuple[Bias, Values]:
        """The bias after all rounds, and what the values are then off, (N, *shape)."""
        rounds = self.rounds if rounds is None else rounds
        for left in range(rounds, -1, -1):
            sent = fire_in_time(model, drive, bias, steps).sum(axis=0, dtype=np.int32)
            off = wanted - sent / np.float32(steps)
            if left:
                bias = bias + rounded_to_bits(by_channel(off)).reshape(_column(wanted))
        return bias, off

    def _tuned(
        self, model: IntegrateFire, drive: Drive, bias: Bias, wanted: Values, steps: int
    ) -> tuple[IntegrateFire, Bias]:
        """The best threshold and start of each channel."""
        drive, wanted = drive[:, :TRIED_SAMPLES], wanted[:TRIED_SAMPLES]
        shape = _column(wanted)
        theta = np.broadcast_to(model.theta.floats, shape)
        least: Floats | None = None
        chosen, moved = model, bias
        for factor in THRESHOLDS:
            for share in STARTS:
                tried = replace(model, theta=f32(theta * factor), start=f32(theta * factor * share))
                settled, off = self._settled(tried, drive, bias, wanted, steps, rounds=2)
                error = by_channel(np.square(off))
                if least is None:
                    least, chosen, moved = error, tried, settled
                    continue
                better = (error < least).reshape(shape)
                least = np.minimum(error, least)
                moved = np.where(better, settled, moved)
                chosen = replace(
                    model,
                    theta=f32(np.where(better, tried.theta.floats, chosen.theta.floats)),
                    start=f32(np.where(better, tried.start.floats, chosen.start.floats)),
                )
        return chosen, moved

    def _readout(self, layer: Layer, model: Readout, steps: int) -> Population:
        best: tuple[float, Population] | None = None
        held = held_out(len(layer.target))
        for delay in sorted({int(share * steps) for share in DELAYS}):
            candidates = [centered(layer, layer.op, delay)]
            if self.weights != "keep":
                candidates.append(centered(layer, fitted(layer, candidates[0], delay), delay))
            for op in candidates[1:] if self.weights == "fit" else candidates:
                off = layer.target - layer.drive(op, first=delay)
                error = float(np.square(off[held:]).mean(dtype=np.float64))
                if best is None or error < best[0]:
                    best = error, replace(op, model=replace(model, delay=delay))
        if best is None:
            raise AssertionError("there is a delay of 0")
        return best[1]


@dataclass(frozen=True)
class _Settled:
    """A candidate: its drive in time, its bias (C, 1, …) and its error in each channel."""

    op: Population
    drive: Drive
    bias: Bias
    error: Floats

    def better(self, other: "_Settled") -> "_Settled":
        """Of each channel the one whose error is smaller; of all, where weights are shared."""
        ours = self.error <= other.error
        if not _channels_apart(self.op):
            ours = np.full(ours.shape, self.error.sum() <= other.error.sum())
        column = ours.reshape(_column(self.drive[0]))
        maps = []
        for mine, theirs in zip(self.op.maps, other.op.maps, strict=True):
            *moves, last = mine
            if isinstance(last, Conv | Dense) and not isinstance(last.weight, Factored):
                rival = theirs[-1]
                if not isinstance(rival, Conv | Dense):
                    raise AssertionError("candidates have the same maps")
                outputs = len(last.weight.array)
                rows = np.repeat(ours, -(-outputs // len(ours)))[:outputs]
                rows = rows.reshape(-1, *[1] * (last.weight.array.ndim - 1))
                mixed = np.where(rows, last.weight.floats, rival.weight.floats)
                maps.append((*moves, replace(last, weight=f32(mixed))))
            else:
                maps.append(mine)
        return _Settled(
            replace(self.op, maps=tuple(maps)),
            np.where(column, self.drive, other.drive),
            np.where(column, self.bias, other.bias),
            np.where(ours, self.error, other.error),
        )


def _channels_apart(op: Population) -> bool:
    """Whether each output of a map belongs to one channel of the population."""
    weighted = (chain[-1] for chain in op.maps)
    return all(
        len(last.weight.array) == (op.shape[0] if isinstance(last, Conv) else np.prod(op.shape))
        for last in weighted
        if isinstance(last, Conv | Dense)
    )


def _column(values: Values) -> tuple[int, ...]:
    """(C, 1, …), to broadcast one number a channel over (N, C, *spatial)."""
    return (values.shape[1], *[1] * (values.ndim - 2))


def _bias(op: Population) -> Bias:
    """(C, 1, …), or one for each neuron where they differ."""
    shape = (op.shape[0], *[1] * (len(op.shape) - 1))
    bias = op.bias.floats
    each = bias.ndim == len(op.shape) and bias.size not in (1, op.shape[0])
    return np.broadcast_to(bias, op.shape if each else shape).astype(np.float32)
