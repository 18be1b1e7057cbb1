"""The network's inputs: `input` (numbers) and `event-input` (a stream of events)."""

from dataclasses import dataclass

import numpy as np

from snncc_ir.ops.base import Names, OnnxWriter, Op, TypeRuleError, Types, Values, expect
from snncc_ir.ops.window import Sizes
from snncc_ir.tensors import Array, Floats, Integers
from snncc_ir.types import Analog, Rate, Spikes, Type


@dataclass(frozen=True)
class AnyInput(Op):
    """Base of the network's inputs: what they are given is worth `scale` a unit."""

    shape: Sizes
    scale: float = 1.0
    arity = 0

    def _expect_sizes(self) -> None:
        expect(min(self.shape, default=0) >= 1, f"shape is {list(self.shape)}", "positive")
        expect(self.scale > 0, f"scale is {self.scale}", "positive")


@dataclass(frozen=True)
class Input(AnyInput):
    """The network's input, numbers that are held constant over time.

    With `levels` L, the chip gets integers clip(round(x / scale), −L, L), half to even;
    what follows then counts in units of `scale`.
    """

    levels: int | None = None
    name = "input"

    def output_type(self, operands: Types) -> Type:
        self._expect_sizes()
        return Analog(self.shape)

    def quantize(self, x: Floats) -> Integers:
        """The integers that the chip gets, (N, *shape). The division is done in float64."""
        if self.levels is None:
            raise TypeError("the input has no levels yet")
        units = np.rint(x.astype(np.float64) / self.scale)
        return np.clip(units, -self.levels, self.levels).astype(np.int64)

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        return x / self.scale if self.levels is None else self.quantize(x).astype(np.float64)

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        units = operands[0]
        if self.scale != 1.0:
            units = writer.node("Div", [units, writer.constant(np.array(self.scale))])
        if self.levels is None:
            return units
        limits = [writer.constant(np.array(float(n))) for n in (-self.levels, self.levels)]
        return writer.node("Clip", [writer.node("Round", [units]), *limits])


@dataclass(frozen=True)
class EventInput(AnyInput):
    """The network's input as a stream of events: a spike train, not a number that is held.

    In time step t of `steps`, a place sends its events n[t] as one spike that carries their number,
    clipped to ±most; it is never negative unless `signed`, where an event may count −1. An event is
    `worth` a number in the user's network, which takes the accumulated frame x = worth · Σ n[t];
    y = x / scale. From `normalize` on, scale = worth · steps, so that y = Σ n[t] / steps, as of all
    spikes of a rate code.
    """

    steps: int = 1
    worth: float = 1.0
    most: int = 1
    signed: bool = False
    name = "event-input"

    def output_type(self, operands: Types) -> Type:
        self._expect_sizes()
        expect(self.worth > 0, f"worth is {self.worth}", "positive")
        try:
            return Spikes(self.shape, Rate(self.steps, self.signed, self.most))
        except ValueError as error:
            raise TypeRuleError(str(error)) from None

    def is_train(self, samples: Array) -> bool:
        """Whether samples are counts in time steps, (N, steps, *shape), not frames (N, *shape)."""
        return samples.ndim == len(self.shape) + 2

    def accumulated(self, samples: Array) -> Floats:
        """The frames x, (N, *shape), of counts (N, steps, *shape); frames stay as they are."""
        if not self.is_train(samples):
            return samples.astype(np.float64)
        total: Floats = self.worth * samples.sum(axis=1, dtype=np.int64).astype(np.float64)
        return total

    def sent(self, counts: Array) -> Integers:
        """Spikes of all steps, (N, steps, *shape), for the counts of events that there are."""
        least = -self.most if self.signed else 0
        return np.clip(counts.astype(np.int64), least, self.most)

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        return x / self.scale

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        if self.scale == 1.0:
            return operands[0]
        return writer.node("Div", [operands[0], writer.constant(np.array(self.scale))])
