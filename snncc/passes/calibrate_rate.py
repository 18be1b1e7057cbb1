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

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from snncc.passes.base import Context, Lossy, Pass
from snncc.passes.chains import compress
from snncc.passes.fitting import better_rows, centered, fitted, held_out, rounded_to_bits
from snncc.passes.layerwise import Layer, rewrite_layers
from snncc.passes.sampling import Column, Sampled, sampled
from snncc_ir import CODED, Floats, Graph, Rate, f32, fail
from snncc_ir.ops import IntegrateFire, Population, Readout

WEIGHTS = ("best", "fit", "keep")
NEURONS = ("best", "keep")
THRESHOLDS = (0.9, 1.1)
STARTS = (0.3, 0.7)
"""Tried for each channel: factors of the threshold, then initial potentials in thresholds."""
TRIED_ROUNDS = 2
"""Of bias correction, before an error is measured."""
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
        most = model.code.most
        op = centered(layer, layer.op)
        if self.weights != "keep":
            moved = centered(layer, fitted(layer, op))
            op = moved if self.weights == "fit" else better_rows(layer, op, moved, most)
        wanted = np.clip(layer.target, 0, most)
        some = sampled(op, layer.types, layer.arriving, wanted, steps)
        trial = _Trial.of(op, model, some)
        if self.neurons == "best":
            trial = trial.settled(TRIED_ROUNDS)
            trial = trial.best_of(trial.scaled(np.float32(factor)) for factor in THRESHOLDS)
            trial = trial.best_of(trial.started(np.float32(share)) for share in STARTS)
        trial = trial.settled(self.rounds)
        return trial.applied(op, self.neurons == "best")

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
class _Off:
    """What the values of each channel's neurons are too small by: mean and mean square, (C,)."""

    mean: Floats
    error: Floats


@dataclass(frozen=True)
class _Trial:
    """Thresholds and starts (C, 1), and what is added to biases, (C, 1), tried on some neurons.

    known: what that is off by, as far as it was seen already: channels do not depend on each other.
    """

    some: Sampled
    model: IntegrateFire
    theta: Column
    start: Column
    moved: Column
    known: _Off | None = None

    @staticmethod
    def of(op: Population, model: IntegrateFire, some: Sampled) -> "_Trial":
        """As the population is."""
        channels = len(some.wanted)
        theta, start = (
            np.broadcast_to(value.floats, (channels, *[1] * (len(op.shape) - 1)))
            .reshape(channels, 1)
            .astype(np.float32)
            for value in (model.theta, model.start)
        )
        return _Trial(some, model, theta, start, np.zeros((channels, 1), np.float32))

    def scaled(self, factor: np.float32) -> "_Trial":
        """With thresholds and starts times `factor`."""
        return replace(self, theta=self.theta * factor, start=self.start * factor, known=None)

    def started(self, share: np.float32) -> "_Trial":
        """With starts of `share` thresholds."""
        return replace(self, start=self.theta * share, known=None)

    def off(self) -> _Off:
        """What the values are too small by."""
        if self.known is not None:
            return self.known
        sent = self.some.sent(self.model, self.theta, self.start, self.moved)
        sent /= np.float32(self.some.steps)
        off = np.subtract(self.some.wanted, sent, out=sent)
        mean = off.mean(axis=1, dtype=np.float64)
        return _Off(mean, np.square(off, out=off).mean(axis=1, dtype=np.float64))

    def settled(self, rounds: int) -> "_Trial":
        """With biases corrected so many times."""
        trial = self
        for _ in range(rounds):
            moved = trial.moved + rounded_to_bits(trial.off().mean)[:, None]
            trial = replace(trial, moved=moved, known=None)
        return trial

    def best_of(self, others: Iterable["_Trial"]) -> "_Trial":
        """Of each channel the one whose error is least: this one, or another after some rounds."""
        best, least = self, self.off()
        for other in others:
            trial = other.settled(TRIED_ROUNDS)
            off = trial.off()
            better = off.error < least.error
            column = better[:, None]
            least = _Off(
                np.where(better, off.mean, least.mean), np.where(better, off.error, least.error)
            )
            best = replace(
                best,
                theta=np.where(column, trial.theta, best.theta),
                start=np.where(column, trial.start, best.start),
                moved=np.where(column, trial.moved, best.moved),
            )
        return replace(best, known=least)

    def applied(self, op: Population, tuned: bool) -> Population:
        """The population with what has been found; tuned: thresholds and starts, too."""
        column = (-1, *[1] * (len(op.shape) - 1))
        bias = op.bias.floats + self.moved.reshape(column).astype(np.float64)
        op = replace(op, bias=f32(compress(bias)))
        if not tuned:
            return op
        theta, start = f32(self.theta.reshape(column)), f32(self.start.reshape(column))
        return replace(op, model=replace(self.model, theta=theta, start=start))
