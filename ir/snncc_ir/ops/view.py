"""Ops that only move numbers: `reshape`, `transpose`, `pad`, `slice`, `concat`, and `view`.

Any chain of them is one `view`; the fusion into normal form makes it.
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from snncc_ir.ops.base import Names, OnnxWriter, Op, Types, Values, common_kind, expect, operand
from snncc_ir.ops.window import Sizes
from snncc_ir.tensors import Floats, Tensor
from snncc_ir.types import Type


@dataclass(frozen=True)
class Reshape(Op):
    """The same elements in row-major order, in another shape."""

    shape: Sizes
    name = "reshape"

    def output_type(self, operands: Types) -> Type:
        given = operand(operands)
        expect(
            prod(self.shape) == given.size,
            f"the operand has {given.size} elements",
            f"{prod(self.shape)}",
        )
        return given.with_shape(self.shape)

    def evaluate(self, operands: Values) -> Floats:
        return operands[0].reshape(-1, *self.shape)

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        return reshape(writer, operands[0], self.shape)


@dataclass(frozen=True)
class Transpose(Op):
    """y[i_perm[0], i_perm[1], …] = x[i_0, i_1, …]; `perm` is without the batch axis."""

    perm: Sizes
    name = "transpose"

    def output_type(self, operands: Types) -> Type:
        given = operand(operands)
        expect(
            sorted(self.perm) == list(range(len(given.shape))),
            f"perm is {list(self.perm)}",
            f"an order of 0..{len(given.shape) - 1}",
        )
        return given.with_shape(tuple(given.shape[axis] for axis in self.perm))

    def evaluate(self, operands: Values) -> Floats:
        return operands[0].transpose(self._batched)

    @property
    def _batched(self) -> Sizes:
        return (0, *(axis + 1 for axis in self.perm))

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        return writer.node("Transpose", [operands[0]], perm=self._batched)


@dataclass(frozen=True)
class Pad(Op):
    """Zeros before and after each axis: `pads` has all begins, then all ends."""

    pads: Sizes
    name = "pad"

    def output_type(self, operands: Types) -> Type:
        given = operand(operands)
        rank = len(given.shape)
        expect(
            len(self.pads) == 2 * rank and min(self.pads, default=0) >= 0,
            f"pads is {list(self.pads)}",
            f"{2 * rank} numbers of at least 0",
        )
        return given.with_shape(
            tuple(n + self.pads[i] + self.pads[i + rank] for i, n in enumerate(given.shape))
        )

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        rank = x.ndim - 1
        return np.pad(x, [(0, 0), *((self.pads[i], self.pads[i + rank]) for i in range(rank))])

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        rank = len(self.pads) // 2
        pads = np.array([0, *self.pads[:rank], 0, *self.pads[rank:]], np.int64)
        return writer.node("Pad", [operands[0], writer.constant(pads)])


@dataclass(frozen=True)
class Slice(Op):
    """y = x[starts[0] : ends[0] : steps[0], …], steps positive, one triple for every axis."""

    starts: Sizes
    ends: Sizes
    steps: Sizes
    name = "slice"

    def output_type(self, operands: Types) -> Type:
        given = operand(operands)
        rank = len(given.shape)
        for what, numbers in (("starts", self.starts), ("ends", self.ends), ("steps", self.steps)):
            expect(len(numbers) == rank, f"{what} has {len(numbers)} numbers", f"{rank}")
        for size, start, end, step in zip(
            given.shape, self.starts, self.ends, self.steps, strict=True
        ):
            expect(
                0 <= start < end <= size and step >= 1,
                f"the range is {start}:{end}:{step}",
                f"not empty and inside 0:{size}, with a positive step",
            )
        return given.with_shape(tuple(len(range(*s.indices(s.stop))) for s in self._slices))

    @property
    def _slices(self) -> tuple[slice, ...]:
        return tuple(
            slice(*bounds) for bounds in zip(self.starts, self.ends, self.steps, strict=True)
        )

    def evaluate(self, operands: Values) -> Floats:
        return operands[0][(slice(None), *self._slices)]

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        axes = range(1, len(self.starts) + 1)
        numbers = (self.starts, self.ends, tuple(axes), self.steps)
        constants = [writer.constant(np.array(n, np.int64)) for n in numbers]
        return writer.node("Slice", [operands[0], *constants])


@dataclass(frozen=True)
class Concat(Op):
    """The operands one after the other along `axis` (without the batch axis)."""

    axis: int
    name = "concat"
    arity = None

    def output_type(self, operands: Types) -> Type:
        first = operands[0].shape
        expect(0 <= self.axis < len(first), f"axis is {self.axis}", f"0 to {len(first) - 1}")
        for other in operands[1:]:
            fits = len(other.shape) == len(first) and all(
                mine == theirs or i == self.axis
                for i, (mine, theirs) in enumerate(zip(first, other.shape, strict=True))
            )
            expect(
                fits,
                f"an operand has shape {list(other.shape)}",
                f"{list(first)} but for axis {self.axis}",
            )
        length = sum(other.shape[self.axis] for other in operands)
        return common_kind(operands, (*first[: self.axis], length, *first[self.axis + 1 :]))

    def evaluate(self, operands: Values) -> Floats:
        return np.concatenate(operands, axis=self.axis + 1)

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        return writer.node("Concat", operands, axis=self.axis + 1)


@dataclass(frozen=True)
class View(Op):
    """y.flat[i] = x.flat[index.flat[i]], or 0 where the index is -1. index: int32 of y's shape."""

    index: Tensor
    name = "view"

    def output_type(self, operands: Types) -> Type:
        given = operand(operands)
        index = self.index.integers
        expect(index.size > 0, "the index is empty", "at least one number")
        expect(
            int(index.min()) >= -1 and int(index.max()) < given.size,
            f"the index goes from {index.min()} to {index.max()}",
            f"from -1 to {given.size - 1}",
        )
        return given.with_shape(self.index.shape)

    def is_reshape(self, operand: Type) -> bool:
        """Whether each element of the operand stays at its row-major place."""
        return bool(np.array_equal(self.index.integers.reshape(-1), np.arange(operand.size)))

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        flat = x.reshape(len(x), -1)
        index = self.index.integers
        # index -1 takes the appended zero
        padded: Floats = np.concatenate([flat, np.zeros((len(x), 1))], axis=1)
        taken: Floats = np.take(padded, index, axis=1)
        return taken

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        shape = types[0].shape
        flat = reshape(writer, operands[0], (prod(shape),))
        index = self.index.integers
        if index.min() < 0:
            flat = writer.node("Pad", [flat, writer.constant(np.array([0, 0, 0, 1], np.int64))])
            index = np.where(index < 0, prod(shape), index)
        gathered = writer.node("Gather", [flat, writer.constant(index.reshape(-1))], axis=1)
        return reshape(writer, gathered, self.index.shape)


def reshape(writer: OnnxWriter, name: str, shape: Sizes) -> str:
    """The value as (N, *shape)."""
    return writer.node("Reshape", [name, writer.constant(np.array([-1, *shape], np.int64))])


def index_of(op: Op, operands: Types, which: int = 0) -> Floats:
    """Where each element of a moving op's result comes from: index into operand `which`, or -1."""
    numbered = tuple(
        np.arange(1.0, other.size + 1).reshape(1, *other.shape)
        if i == which
        else np.zeros((1, *other.shape))
        for i, other in enumerate(operands)
    )
    index: Floats = op.evaluate(numbered)[0] - 1
    return index
