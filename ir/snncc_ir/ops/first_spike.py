"""Neurons of the ttfs code: one spike at most, whose time is the value; and what they compute."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from snncc_ir.ops.base import OnnxWriter, TypeRuleError, expect
from snncc_ir.ops.linear import expect_broadcast
from snncc_ir.ops.models import Model, Relu
from snncc_ir.tensors import Floats, Integers, Tensor
from snncc_ir.types import FirstSpike, Shape, Spikes, Type


def slot_thresholds(steps: int, tau: int, offset: float, unit: float = 1.0) -> Floats:
    """unit · 2^(−(k + offset) / tau) for the slots k = 0 … steps − 1, as float32 has it.

    Powers and products are rounded to float32 one after the other, so that all who compare with
    these numbers (here, in PyTorch, in ONNX) do with the same ones.
    """
    powers = np.exp2(-(np.arange(steps) + offset) / tau).astype(np.float32)
    return (powers * np.float32(unit)).astype(np.float64)


def first_slot(threshold: Floats, potential: Floats | Integers) -> Integers:
    """The first slot whose threshold is reached, or the number of slots.

    threshold: (slots), descending; potential: of any shape.
    """
    reached: Integers = np.searchsorted(threshold[::-1], potential, side="right")
    return len(threshold) - reached


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
        return _spikes(shape, len(table), self.tau, self.constant_bits)

    @property
    def steps(self) -> int:
        """Number of slots."""
        return len(self.threshold.array)

    def slot(self, potential: Floats | Integers) -> Integers:
        """The slot in which each neuron fires; `steps` for one that does not."""
        return first_slot(self.threshold.floats, potential)

    def evaluate(self, drive: Floats) -> Floats:
        return _value(self.slot(drive), self.steps, self.tau)

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        return _to_onnx(writer, drive, self.threshold.floats, self.tau)


@dataclass(frozen=True)
class TtfsRelu(Relu):
    """A ReLU on the levels of a ttfs code, as a network has it that was trained for one (CAT).

    y = ceiling · 2^(−k / tau) for the first slot k with z ≥ theta · 2^(−(k + offset) / tau), k in
    0 … slots − 1, and 0 where there is none. ceiling and theta: one number each; without theta it
    is the ceiling. Lew, Lee and Park 2022.
    """

    theta: Tensor | None = None
    slots: int = 24
    tau: int = 4
    offset: float = 0.0
    name = "ttfs-relu"

    @property
    def unit(self) -> float:
        """theta, or what stands for it."""
        given = self.ceiling if self.theta is None else self.theta
        if given is None:
            raise TypeError("the neurons have no ceiling")
        return float(given.floats.item())

    @property
    def thresholds(self) -> Floats:
        """Of the drive, by slot: float64 numbers that float32 holds."""
        return slot_thresholds(self.slots, self.tau, self.offset, self.unit)

    def output_type(self, shape: Shape) -> Type:
        expect(self.step is None, "there is a step", "none")
        for what, tensor in (("ceiling", self.ceiling), ("theta", self.theta)):
            if tensor is None:
                expect(what == "theta", "there is no ceiling", "one")
                continue
            expect(tensor.array.size == 1, f"{what} has {tensor.array.size} numbers", "one")
            expect_broadcast(what, tensor, shape)
            expect(float(tensor.floats.item()) > 0, f"{what} is {tensor.floats.item()}", "positive")
        expect(0 <= self.offset < 1, f"offset is {self.offset}", "at least 0 and below 1")
        _spikes(shape, self.slots, self.tau)
        return Spikes(shape)

    def evaluate(self, drive: Floats) -> Floats:
        scale = 1.0 if self.ceiling is None else float(self.ceiling.floats.item())
        values = np.append(slot_thresholds(self.slots, self.tau, 0.0, scale), 0.0)
        return values[first_slot(self.thresholds, drive)]

    def to_onnx(self, writer: OnnxWriter, drive: str) -> str:
        scale = 1.0 if self.ceiling is None else float(self.ceiling.floats.item())
        return _to_onnx(writer, drive, self.thresholds, self.tau, scale)


def _spikes(shape: Shape, steps: int, tau: int, constant_bits: int = 0) -> Spikes:
    """Raises TypeRuleError for a code that there is not."""
    try:
        return Spikes(shape, FirstSpike(steps, tau, constant_bits))
    except ValueError as error:
        raise TypeRuleError(str(error)) from None


def _value(slot: Integers, steps: int, tau: int) -> Floats:
    return np.where(slot < steps, np.exp2(-slot / tau), 0.0)


def _to_onnx(
    writer: OnnxWriter, drive: str, threshold: Floats, tau: int, scale: float = 1.0
) -> str:
    """The value of the first slot whose threshold is reached, times `scale`."""
    steps = len(threshold)
    slot = _guessed_slot(writer, drive, threshold, tau)
    if slot is None:
        reached = [
            writer.node("Cast", [writer.node("Less", [drive, _number(writer, least)])], to=_INT32)
            for least in threshold
        ]
        slot = reduce(lambda a, b: writer.node("Add", [a, b]), reached)
    values = np.append(slot_thresholds(steps, tau, 0.0, scale), 0.0)
    return _looked_up(writer, values, slot)


def _guessed_slot(writer: OnnxWriter, drive: str, threshold: Floats, tau: int) -> str | None:
    """The slot, without a comparison with each threshold; None where these are too irregular.

    The logarithm says which slot it is, or the one before it, as it is taken a little too small:
    by what thresholds are too late and logarithms are rounded. That slot's threshold decides.
    """
    steps = len(threshold)
    late = tau * np.log2(threshold[0] / threshold) - np.arange(steps)
    too_small = late.max() + _ROUNDING
    if too_small - late.min() > 1 - _ROUNDING:
        return None
    positive = writer.node("Max", [drive, _number(writer, threshold[-1] / 4)])
    level = writer.node("Mul", [writer.node("Log", [positive]), _number(writer, -tau / np.log(2))])
    # the next whole number: a cast rounds down what is not negative
    shift = _number(writer, 1 + tau * np.log2(threshold[0]) - too_small)
    guess = writer.node("Add", [level, shift])
    guess = writer.node("Clip", [guess, _number(writer, 0.0), _number(writer, float(steps))])
    place = writer.node("Cast", [guess], to=_INT32)
    own = _looked_up(writer, np.append(threshold, -_FAR), place)
    later = writer.node("Cast", [writer.node("Less", [drive, own])], to=_INT32)
    return writer.node("Add", [place, later])


def _looked_up(writer: OnnxWriter, table: Floats, index: str) -> str:
    """Of a flat list `GatherElements` is several times as fast as `Gather`."""
    flat = writer.node("Reshape", [index, writer.constant(np.array([-1]))])
    found = writer.node("GatherElements", [writer.constant(table), flat])
    return writer.node("Reshape", [found, writer.node("Shape", [index])])


def _number(writer: OnnxWriter, value: float) -> str:
    return writer.constant(np.array(value))


_INT32 = 6
"""ONNX's number for the type."""
_ROUNDING = 1 / 64
"""Of slots: by what a float32 logarithm, times tau, is rounded, and more."""
_FAR = 3e38
"""Beyond every drive, and a float32."""
