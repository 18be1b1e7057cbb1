"""The ops around neurons: `neuron`, `population`, `output`; inputs are in `inputs`."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from snncc_ir.ops.base import Names, OnnxWriter, Op, TypeRuleError, Types, Values, expect, operand
from snncc_ir.ops.linear import expect_broadcast
from snncc_ir.ops.models import Model
from snncc_ir.ops.view import reshape
from snncc_ir.ops.window import Sizes
from snncc_ir.tensors import UNIT, Floats, Tensor
from snncc_ir.types import Current, Type

Chain = tuple[Op, ...]


@dataclass(frozen=True)
class Neuron(Op):
    """An activation that becomes a spiking population: y = model(x)."""

    model: Model
    name = "neuron"

    def output_type(self, operands: Types) -> Type:
        return self.model.output_type(operand(operands).shape)

    def evaluate(self, operands: Values) -> Floats:
        return self.model.evaluate(operands[0])

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        return self.model.to_onnx(writer, operands[0])


@dataclass(frozen=True)
class Population(Op):
    """Neurons of one model, fed by projections: z = bias + Σ_j maps[j](x_j), y = model(z).

    maps[j] is a chain of linear ops without bias, applied in order to operand j: any number of
    `view` and `sumpool`, then one `conv`, `dense` or `scale`. bias broadcasts to `shape`; the
    result of a chain is taken in row-major order. One unit of y is worth `scale` in the
    user's network.
    """

    shape: Sizes
    maps: tuple[Chain, ...]
    bias: Tensor
    model: Model
    scale: Tensor = UNIT
    name = "population"
    arity = None

    def output_type(self, operands: Types) -> Type:
        expect(
            len(self.maps) == len(operands),
            f"there are {len(self.maps)} maps for {len(operands)} sources",
            "one for each",
        )
        size = int(np.prod(self.shape))
        for source, chain in zip(operands, self.maps, strict=True):
            expect(not isinstance(source, Current), "a source is a current", "spikes or analog")
            result = chain_type(chain, source)
            expect(result.size == size, f"a map gives {result.size} elements", f"{size}")
        expect_broadcast("bias", self.bias, self.shape)
        expect_broadcast("scale", self.scale, self.shape)
        return self.model.output_type(self.shape)

    def drive(self, operands: Values) -> Floats:
        """Σ_j maps[j](x_j), without the bias: (N, *shape)."""
        parts = (
            reduce(lambda value, op: op.evaluate((value,)), chain, x).reshape(-1, *self.shape)
            for x, chain in zip(operands, self.maps, strict=True)
        )
        return reduce(np.add, parts)

    def evaluate(self, operands: Values) -> Floats:
        return self.model.evaluate(self.drive(operands) + self.bias.floats)

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        total = None
        for value, source, chain in zip(operands, types, self.maps, strict=True):
            kind: Type = source
            for op in chain:
                value = op.to_onnx(writer, (value,), (kind,))
                kind = op.output_type((kind,))
            if kind.shape != self.shape:
                value = reshape(writer, value, self.shape)
            total = value if total is None else writer.node("Add", [total, value])
        if total is None:
            raise TypeRuleError("the population has no source, should be fed by at least one")
        drive = writer.node("Add", [total, writer.constant(self.bias.floats)])
        return self.model.to_onnx(writer, drive)


@dataclass(frozen=True)
class Output(Op):
    """A result of the network: `scale` · x, in the order of `index` (as in `view`) if given."""

    scale: Tensor = UNIT
    index: Tensor | None = None
    name = "output"

    def output_type(self, operands: Types) -> Type:
        given = operand(operands)
        expect_broadcast("scale", self.scale, given.shape)
        if self.index is None:
            return given
        order = self.index.integers
        expect(
            order.size > 0 and order.min() >= 0 and order.max() < given.size,
            "the index points outside",
            f"0 to {given.size - 1}",
        )
        return given.with_shape(self.index.shape)

    def evaluate(self, operands: Values) -> Floats:
        values = operands[0] * self.scale.floats
        if self.index is None:
            return values
        ordered: Floats = np.take(values.reshape(len(values), -1), self.index.integers, axis=1)
        return ordered

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        value = writer.node("Mul", [operands[0], writer.constant(self.scale.floats)])
        if self.index is None:
            return value
        flat = reshape(writer, value, (types[0].size,))
        order = writer.constant(self.index.integers.reshape(-1))
        return reshape(writer, writer.node("Gather", [flat, order], axis=1), self.index.shape)


def chain_type(chain: Chain, source: Type) -> Type:
    """Type at the end of a chain of one-operand ops."""
    return reduce(lambda kind, op: op.output_type((kind,)), chain, source)
