"""Neuron models: what a population does with the current that it receives.

A model is an attribute of `neuron` and `population`. Before a time code is chosen it is a function
(`relu`, `readout`); after it, a dynamical system over integers (`if`, `signed-if`, `hard-if`,
`ttfs`, `radix`, `readout`).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from snncc_ir.ops.base import OnnxWriter, TypeRuleError, expect
from snncc_ir.ops.linear import expect_broadcast
from snncc_ir.tensors import UNIT, Floats, Integers, Tensor
from snncc_ir.types import Code, Current, Radix, Rate, Shape, Spikes, Type

LEAST_CURRENT = 2.0**-40
"""Of `hard-if`, in thresholds: with less, it does not fire in the steps that there can be."""


@dataclass(frozen=True)
class Model:
    """Base of all neuron models."""

    name: ClassVar[str]

    def output_type(self, shape: Shape) -> Type:
        """Type of what the neurons send; raises `TypeRuleError` for parameters that do not fit."""
        raise NotImplementedError

    def evaluate(self, drive: Floats) -> Floats:
        """Value semantics. drive: mean current a time step, (N, *shape). Result: value in units."""
        raise NotImplementedError

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        """`evaluate`, as ONNX nodes."""
        raise NotImplementedError


@dataclass(frozen=True)
class Relu(Model):
    """y = max(0, z), and at most `ceiling` if there is one (ReLU6).

    With a `step`, on a grid: y = step · min(round(max(0, z) / step), ceiling / step), half to even,
    as the neurons of a quantized network have it; there is a ceiling then, a multiple of the step.
    """

    ceiling: Tensor | None = None
    step: Tensor | None = None
    name = "relu"

    @property
    def levels(self) -> Floats:
        """The largest number of steps, broadcastable to the shape; only where there is a step."""
        if self.ceiling is None or self.step is None:
            raise TypeError("the neurons have no grid")
        most: Floats = np.rint(self.ceiling.floats / self.step.floats)
        return most

    def output_type(self, shape: Shape) -> Type:
        if self.ceiling is not None:
            expect_broadcast("ceiling", self.ceiling, shape)
        if self.step is not None:
            expect_broadcast("step", self.step, shape)
            expect(self.ceiling is not None, "there is a step and no ceiling", "both")
            least = float(self.step.floats.min())
            expect(least > 0, f"the least step is {least}", "positive")
        return Spikes(shape)

    def evaluate(self, drive: Floats) -> Floats:
        result = np.maximum(drive, 0.0)
        if self.step is not None:
            step = self.step.floats
            return step * np.minimum(np.rint(result / step), self.levels)
        return result if self.ceiling is None else np.minimum(result, self.ceiling.floats)

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        result = writer.node("Relu", [drive])
        if self.step is not None:
            step = writer.constant(self.step.floats)
            units = writer.node("Round", [writer.node("Div", [result, step])])
            clipped = writer.node("Min", [units, writer.constant(self.levels)])
            return writer.node("Mul", [clipped, step])
        if self.ceiling is not None:
            result = writer.node("Min", [result, writer.constant(self.ceiling.floats)])
        return result


@dataclass(frozen=True)
class Readout(Model):
    """Neurons that never fire: v += z in every step, and y = v / (theta · steps) at the end.

    The first `delay` steps are left out (rate code), for neurons before it that have not settled
    yet: y = v / (theta · (steps − delay)). Until then the result is 0.
    In the radix code v ← 2v + z, and y = v / (theta · (2^steps − 1)).
    """

    theta: Tensor = UNIT
    delay: int = 0
    name = "readout"

    def output_type(self, shape: Shape) -> Type:
        expect_broadcast("theta", self.theta, shape)
        expect(self.delay >= 0, f"delay is {self.delay}", "at least 0")
        return Current(shape)

    def counted(self, steps: int) -> int:
        """Of so many first steps, those that are not left out; at least 1, to divide by."""
        return max(steps - self.delay, 1)

    def evaluate(self, drive: Floats) -> Floats:
        return drive / self.theta.floats

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        return writer.node("Div", [drive, writer.constant(self.theta.floats)])


@dataclass(frozen=True)
class Counting(Model):
    """Base of neurons that send a number of thresholds: clip(⌊(L·z + start) / theta⌋, 0, largest).

    L is the code's `levels`, z the mean drive; value semantics is that number divided by L.
    """

    steps: int
    theta: Tensor
    start: Tensor

    @property
    def code(self) -> Code:
        """The code in which the number is sent; raises ValueError for steps that it cannot have."""
        raise NotImplementedError

    @property
    def largest(self) -> int:
        """The largest number that can be sent: L, or more in graded spikes."""
        return self.code.levels

    def output_type(self, shape: Shape) -> Type:
        for what, tensor in (("theta", self.theta), ("start", self.start)):
            expect_broadcast(what, tensor, shape)
        least = float(self.theta.floats.min())
        expect(least > 0, f"the least theta is {least}", "positive")
        try:
            code = self.code
        except ValueError as error:
            raise TypeRuleError(str(error)) from None
        return Spikes(shape, code)

    def evaluate(self, drive: Floats) -> Floats:
        levels = self.code.levels
        potential = levels * drive + self.start.floats
        fired = np.floor(potential / self.theta.floats)
        return np.clip(fired, 0, self.largest) / levels

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        def number(value: Floats | float) -> str:
            return writer.constant(np.asarray(value, np.float64))

        levels, theta = self.code.levels, self.theta.floats
        gained = writer.node("Mul", [drive, number(levels / theta)])
        potential = writer.node("Add", [gained, number(self.start.floats / theta)])
        fired = writer.node("Floor", [potential])
        clipped = writer.node("Clip", [fired, number(0.0), number(self.largest)])
        return writer.node("Mul", [clipped, number(1 / levels)])


@dataclass(frozen=True)
class IntegrateFire(Counting):
    """Integrate and fire with reset by subtraction (soft reset), rate code.

    v[0] = start; in each step v += z; then the neuron sends n = clip(⌊v / theta⌋, least, most)
    spikes, and v −= n·theta. Here most is 1 and least is 0: a neuron with v ≥ theta fires.
    Value semantics is the closed form clip(⌊(steps·z + start) / theta⌋, 0, steps·most) / steps,
    which is what the neuron sends when its current is even over time (Wu, Yi and Huang 2021).
    """

    name = "if"
    signed: ClassVar[bool] = False

    @property
    def code(self) -> Rate:
        """What the neurons send; its `most` is the largest payload of a spike."""
        return Rate(self.steps, self.signed)

    @property
    def largest(self) -> int:
        return self.steps * self.code.most

    def fire(self, potential: Integers, count: Integers) -> Integers:
        """Spikes of one step; `potential` and `count` (net spikes so far) are updated in place."""
        theta, most = self.theta.integers, self.code.most
        least = -np.minimum(count, most) if self.signed else 0
        spikes: Integers = np.clip(potential // theta, least, most)
        potential -= theta * spikes
        count += spikes
        return spikes


@dataclass(frozen=True)
class HardIntegrateFire(IntegrateFire):
    """As `if`, with reset to zero: v = 0 after a spike. What v was above theta is lost.

    With an even current z > 0 it fires first in step k = max(1, ⌈(theta − start) / z⌉), and then
    every p = ⌈theta / z⌉ steps; value semantics is their number, ⌊(steps − k) / p⌋ + 1 or 0, over
    steps.
    """

    name = "hard-if"

    def evaluate(self, drive: Floats) -> Floats:
        theta, start = self.theta.floats, self.start.floats
        current = np.maximum(drive, theta * LEAST_CURRENT)
        first = np.maximum(np.ceil((theta - start) / current), 1.0)
        fired = np.floor((self.steps - first) / np.ceil(theta / current)) + 1.0
        return np.where(drive > 0, np.clip(fired, 0, self.largest), 0.0) / self.steps

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        def number(value: Floats | float) -> str:
            return writer.constant(np.asarray(value, np.float64))

        theta, start = self.theta.floats, self.start.floats
        current = writer.node("Max", [drive, number(theta * LEAST_CURRENT)])
        way = writer.node("Div", [number(theta - start), current])
        first = writer.node("Max", [writer.node("Ceil", [way]), number(1.0)])
        period = writer.node("Ceil", [writer.node("Div", [number(theta), current])])
        left = writer.node("Sub", [number(self.steps), first])
        fired = writer.node("Floor", [writer.node("Div", [left, period])])
        counted = writer.node("Add", [fired, number(1.0)])
        clipped = writer.node("Clip", [counted, number(0.0), number(self.largest)])
        fires = writer.node("Greater", [drive, number(0.0)])
        sent = writer.node("Where", [fires, clipped, number(0.0)])
        return writer.node("Mul", [sent, number(1 / self.steps)])

    def fire(self, potential: Integers, count: Integers) -> Integers:
        spikes: Integers = (potential >= self.theta.integers).astype(np.int64)
        potential *= 1 - spikes
        count += spikes
        return spikes


@dataclass(frozen=True)
class SignedIntegrateFire(IntegrateFire):
    """As `if` with least = −1 for a neuron that has fired more 1 than −1, else 0: with v < 0 it
    takes a spike back, which came too early because currents are uneven over time."""

    name = "signed-if"
    signed: ClassVar[bool] = True


@dataclass(frozen=True)
class GradedIntegrateFire(IntegrateFire):
    """As `if`, with up to `most` spikes at once: one graded spike that carries their number."""

    most: int = 7
    name = "graded"

    @property
    def code(self) -> Rate:
        return Rate(self.steps, self.signed, self.most)


@dataclass(frozen=True)
class SignedGradedIntegrateFire(GradedIntegrateFire):
    """As `graded`, with least = −min(net spikes sent so far, most): it takes back what came early.

    After every step it has then sent what its closed form says, unless `most` stands in the way.
    """

    name = "signed-graded"
    signed: ClassVar[bool] = True


@dataclass(frozen=True)
class RadixFire(Counting):
    """Integrates the digits of a number, then sends the digits of one; radix code.

    First v ← 2v + z in each of `steps` steps, from 0 (Horner's rule), then v += start. Then, in
    step t, a neuron with v ≥ 2^(steps−1−t)·theta fires 1 and is reset by subtracting that much. So
    it sends clip(⌊v / theta⌋, 0, 2^steps − 1) in binary, most significant digit first. Known as
    weighted spikes, or phase coding (Kim et al. 2018), and as radix encoding (Wang et al. 2021).
    """

    name = "radix"

    @property
    def code(self) -> Code:
        return Radix(self.steps)

    def fire(self, potential: Integers, step: int) -> Integers:
        """Spikes of one step; `potential` (start included) is updated in place."""
        threshold = self.theta.integers << (self.steps - 1 - step)
        spikes = (potential >= threshold).astype(np.int64)
        potential -= threshold * spikes
        return spikes
