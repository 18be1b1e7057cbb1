"""The neuron model of the ttfs code: one spike at most, whose time is the value."""

from dataclasses import dataclass

import numpy as np

from snncc_ir.ops.base import OnnxWriter, TypeRuleError, expect
from snncc_ir.ops.models import Model
from snncc_ir.tensors import Floats, Integers, Tensor
from snncc_ir.types import FirstSpike, Shape, Spikes, Type


@dataclass(frozen=True)
class TimeToFirstSpike(Model):
    """Fires once at most: in the first slot k with v ≥ threshold[k], v the sum of all that came.

    threshold: (steps), the same for all neurons; threshold[k] ∝ 2^(−(k + r) / tau), where r = 0 is
    the published rule (Lew, Lee and Park 2022), which rounds a value down to a level of the code,
    and r = 1/2 rounds to the nearest level in the logarithmic domain. Value semantics is
    2^(−k / tau), or 0 for a neuron that does not fire.
    """

    tau: int
    threshold: Tensor
    constant_bits: int = 0
    name = "ttfs"

    def output_type(self, shape: Shape) -> Type:
        table = self.threshold.floats
        expect(table.ndim == 1, f"threshold has shape {list(table.shape)}", "one number a slot")
        expect(bool(np.all(np.diff(table) <= 0)), "threshold ascends", "descending")
        expect(table.size > 0 and table[-1] > 0, "the last threshold is not positive", "positive")
        try:
            code = FirstSpike(len(table), self.tau, self.constant_bits)
        except ValueError as error:
            raise TypeRuleError(str(error)) from None
        return Spikes(shape, code)

    @property
    def steps(self) -> int:
        """Number of slots."""
        return len(self.threshold.array)

    def slot(self, potential: Floats | Integers) -> Integers:
        """The slot in which each neuron fires; `steps` for one that does not."""
        ascending = self.threshold.floats[::-1]
        reached: Integers = np.searchsorted(ascending, potential, side="right")
        return self.steps - reached

    def evaluate(self, drive: Floats) -> Floats:
        slot = self.slot(drive)
        return np.where(slot < self.steps, np.exp2(-slot / self.tau), 0.0)

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        def number(value: float) -> str:
            return writer.constant(np.array(value))

        # a comparison with each threshold would cost as many nodes as there are slots; the
        # logarithm costs six, and differs only within rounding of a threshold
        table = self.threshold.floats
        shift = self.tau * np.log2(table[0])
        positive = writer.node("Max", [drive, number(table[-1] / 4)])
        level = writer.node("Mul", [writer.node("Log", [positive]), number(-self.tau / np.log(2))])
        slot = writer.node("Ceil", [writer.node("Add", [level, number(shift)])])
        clipped = writer.node("Max", [slot, number(0.0)])
        value = writer.node("Exp", [writer.node("Mul", [clipped, number(-np.log(2) / self.tau)])])
        fires = writer.node("Less", [clipped, number(self.steps - 0.5)])
        return writer.node("Where", [fires, value, number(0.0)])
