"""`quantize`: numbers on a grid, as files of quantized networks have them between their layers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from snncc_ir.ops.base import Names, OnnxWriter, Op, Types, Values, expect, operand
from snncc_ir.ops.linear import expect_broadcast
from snncc_ir.tensors import Floats, Tensor
from snncc_ir.types import Type

ROUNDINGS: dict[str, Callable[[Floats], Floats]] = {
    "even": np.rint,
    "floor": np.floor,
    "ceil": np.ceil,
    "down": np.trunc,
    "up": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "half-up": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "half-down": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}
"""How a number becomes an integer: `even` to the nearest, of two the even one; `down` towards zero,
`up` away from it; `half-up` and `half-down` to the nearest, of two the one up or down likewise."""
_OF_MAGNITUDES = {
    "down": ("Floor", 0.0),
    "up": ("Ceil", 0.0),
    "half-up": ("Floor", 0.5),
    "half-down": ("Ceil", -0.5),
}
_OF_NUMBERS = {"even": "Round", "floor": "Floor", "ceil": "Ceil"}


@dataclass(frozen=True)
class Quantize(Op):
    """y = step · clip(round(x / step), low, high), step broadcast over x, low ≤ 0 ≤ high.

    A zero point z of a file is in the limits: low = least integer − z, high = largest − z.
    rounding: a name of ROUNDINGS. Where low is 0, this is a ReLU with a ceiling too.
    """

    step: Tensor
    low: int
    high: int
    rounding: str = "even"
    name = "quantize"

    def output_type(self, operands: Types) -> Type:
        given = operand(operands)
        expect_broadcast("step", self.step, given.shape)
        least = float(self.step.floats.min())
        expect(least > 0, f"the least step is {least}", "positive")
        expect(self.low <= 0 <= self.high, f"limits are {self.low} and {self.high}", "around 0")
        expect(self.rounding in ROUNDINGS, f"rounding is '{self.rounding}'", ", ".join(ROUNDINGS))
        return given

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        step = self.step.floats
        return step * np.clip(ROUNDINGS[self.rounding](x / step), self.low, self.high)

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        step = writer.constant(self.step.floats)
        units = self._rounded(writer, writer.node("Div", [operands[0], step]))
        limits = [writer.constant(np.array(float(n))) for n in (self.low, self.high)]
        return writer.node("Mul", [writer.node("Clip", [units, *limits]), step])

    def _rounded(self, writer: OnnxWriter, x: str) -> str:
        if self.rounding in _OF_NUMBERS:
            return writer.node(_OF_NUMBERS[self.rounding], [x])
        op_type, offset = _OF_MAGNITUDES[self.rounding]
        magnitude = writer.node("Abs", [x])
        if offset:
            magnitude = writer.node("Add", [magnitude, writer.constant(np.array(offset))])
        return writer.node("Mul", [writer.node("Sign", [x]), writer.node(op_type, [magnitude])])
