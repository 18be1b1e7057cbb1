"""Linear ops with weights: `conv`, `dense`, `affine`, `scale`, and the sum `add`."""

from dataclasses import dataclass

import numpy as np

from snncc_ir.ops.base import Names, OnnxWriter, Op, Types, Values, expect, operand
from snncc_ir.ops.window import Sizes, Window
from snncc_ir.tensors import Floats, Tensor
from snncc_ir.types import Current, Shape, Type


@dataclass(frozen=True)
class Conv(Op):
    """y[o, p] = bias[o] + Σ_{c, k} weight[o, c, k] · x[c0(o) + c, p·stride + k·dilation − pad].

    weight: (O, C/groups, *kernel), bias: (O); x: (C, *spatial), 1-D or 2-D; zero padding;
    c0(o) is the first channel of the group of o.
    """

    weight: Tensor
    stride: Sizes
    pads: Sizes
    dilation: Sizes
    groups: int = 1
    bias: Tensor | None = None
    name = "conv"

    @property
    def window(self) -> Window:
        return Window(self.weight.shape[2:], self.stride, self.pads, self.dilation)

    def output_type(self, operands: Types) -> Type:
        shape, weight = operand(operands).shape, self.weight.shape
        expect(len(weight) in (3, 4), f"weight has {len(weight)} dimensions", "3 or 4")
        expect(
            len(shape) == len(weight) - 1,
            f"the operand has {len(shape)} dimensions",
            f"{len(weight) - 1}: channels and those of the kernel",
        )
        channels = weight[1] * self.groups
        expect(shape[0] == channels, f"the operand has {shape[0]} channels", f"{channels}")
        expect(
            self.groups >= 1 and weight[0] % self.groups == 0,
            f"groups is {self.groups}",
            f"a divisor of the {weight[0]} output channels",
        )
        if self.bias is not None:
            expect(
                self.bias.shape == weight[:1],
                f"bias has shape {list(self.bias.shape)}",
                f"[{weight[0]}]",
            )
        return Current((weight[0], *self.window.output_sizes(shape[1:])))

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        rank, weight = self.window.rank, self.weight.floats
        windows = self.window.slide(x)
        outputs, inputs = weight.shape[0] // self.groups, weight.shape[1]
        kernel_axes = tuple(range(2 + rank, 2 + 2 * rank))
        parts = []
        for g in range(self.groups):
            part = np.tensordot(
                windows[:, g * inputs : (g + 1) * inputs],
                weight[g * outputs : (g + 1) * outputs],
                axes=((1, *kernel_axes), tuple(range(1, 2 + rank))),
            )
            parts.append(np.moveaxis(part, -1, 1))
        result: Floats = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        if self.bias is not None:
            result = result + self.bias.floats.reshape(-1, *[1] * rank)
        return np.ascontiguousarray(result)

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        inputs = [operands[0], writer.constant(self.weight.floats)]
        if self.bias is not None:
            inputs.append(writer.constant(self.bias.floats))
        return writer.node(
            "Conv",
            inputs,
            kernel_shape=self.window.kernel,
            strides=self.stride,
            pads=self.pads,
            dilations=self.dilation,
            group=self.groups,
        )


@dataclass(frozen=True)
class Dense(Op):
    """y[o] = bias[o] + Σ_i weight[o, i] · x[i], x flattened in row-major order. weight: (O, I)."""

    weight: Tensor
    bias: Tensor | None = None
    name = "dense"

    def output_type(self, operands: Types) -> Type:
        shape = self.weight.shape
        expect(len(shape) == 2, f"weight has {len(shape)} dimensions", "2")
        size = operand(operands).size
        expect(size == shape[1], f"the operand has {size} elements", f"{shape[1]}")
        if self.bias is not None:
            expect(
                self.bias.shape == shape[:1],
                f"bias has shape {list(self.bias.shape)}",
                f"[{shape[0]}]",
            )
        return Current(shape[:1])

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        result: Floats = x.reshape(len(x), -1) @ self.weight.floats.T
        return result if self.bias is None else result + self.bias.floats

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        flat = flatten(writer, operands[0], types[0].shape)
        inputs = [flat, writer.constant(self.weight.floats)]
        if self.bias is not None:
            inputs.append(writer.constant(self.bias.floats))
        return writer.node("Gemm", inputs, transB=1)


@dataclass(frozen=True)
class Affine(Op):
    """y = scale · x + offset, both broadcast over x: BatchNormalization, constant Mul and Add."""

    scale: Tensor
    offset: Tensor
    name = "affine"

    def output_type(self, operands: Types) -> Type:
        shape = operand(operands).shape
        for what, tensor in (("scale", self.scale), ("offset", self.offset)):
            expect_broadcast(what, tensor, shape)
        return Current(shape)

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        return x * self.scale.floats + self.offset.floats

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        scaled = writer.node("Mul", [operands[0], writer.constant(self.scale.floats)])
        return writer.node("Add", [scaled, writer.constant(self.offset.floats)])


@dataclass(frozen=True)
class Scale(Op):
    """y = weight · x, weight broadcast over x: the one-to-one projection."""

    weight: Tensor
    name = "scale"

    def output_type(self, operands: Types) -> Type:
        shape = operand(operands).shape
        expect_broadcast("weight", self.weight, shape)
        return Current(shape)

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        return x * self.weight.floats

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        return writer.node("Mul", [operands[0], writer.constant(self.weight.floats)])


@dataclass(frozen=True)
class Add(Op):
    """y = Σ_j x_j, all of one shape: currents that meet in one population."""

    name = "add"
    arity = None

    def output_type(self, operands: Types) -> Type:
        shapes = {other.shape for other in operands}
        expect(len(shapes) == 1, f"the operands have shapes {sorted(shapes)}", "all of one shape")
        return Current(operands[0].shape)

    def evaluate(self, operands: Values) -> Floats:
        result = operands[0]
        for other in operands[1:]:
            result = result + other
        return result

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        result = operands[0]
        for other in operands[1:]:
            result = writer.node("Add", [result, other])
        return result


def expect_broadcast(what: str, tensor: Tensor, shape: Shape) -> None:
    """Raises `TypeRuleError` unless `tensor` broadcasts to `shape` without enlarging it."""
    fits = len(tensor.shape) <= len(shape) and all(
        mine in (1, theirs)
        for mine, theirs in zip(reversed(tensor.shape), reversed(shape), strict=False)
    )
    expect(fits, f"{what} has shape {list(tensor.shape)}", f"broadcastable to {list(shape)}")


def flatten(writer: OnnxWriter, name: str, shape: Shape) -> str:
    """The value as (N, elements)."""
    return name if len(shape) == 1 else writer.node("Flatten", [name], axis=1)
