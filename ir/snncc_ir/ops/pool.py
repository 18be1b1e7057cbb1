"""Pools: `avgpool`, `sumpool` (linear) and `maxpool` (a rule over spikes)."""

from dataclasses import dataclass

import numpy as np

from snncc_ir.ops.base import Names, OnnxWriter, Op, Types, Values, expect, operand
from snncc_ir.ops.window import Sizes, Window
from snncc_ir.tensors import Floats, Integers
from snncc_ir.types import Analog, Current, Shape, Type


@dataclass(frozen=True)
class _Pool(Op):
    """A window over each channel of (C, *spatial)."""

    kernel: Sizes
    stride: Sizes
    pads: Sizes

    @property
    def window(self) -> Window:
        return Window(self.kernel, self.stride, self.pads, (1,) * len(self.kernel))

    def pooled_shape(self, operands: Types) -> Shape:
        shape = operand(operands).shape
        return (shape[0], *self.window.output_sizes(shape[1:]))

    def windows(self, x: Floats, fill: float = 0.0) -> Floats:
        """(N, C, *output, taps)."""
        views = self.window.slide(x, fill)
        return views.reshape(*views.shape[: x.ndim], -1)

    def _onnx(self, writer: OnnxWriter, op_type: str, x: str, **attributes: int) -> str:
        return writer.node(
            op_type,
            [x],
            kernel_shape=self.kernel,
            strides=self.stride,
            pads=self.pads,
            **attributes,
        )


@dataclass(frozen=True)
class AvgPool(_Pool):
    """y = mean of the window; padding counts as zeros if `count_pad`, else it is left out."""

    count_pad: bool = False
    name = "avgpool"

    def output_type(self, operands: Types) -> Type:
        return Current(self.pooled_shape(operands))

    def divisor(self, shape: Shape) -> Floats:
        """What each window's sum is divided by, broadcastable to the result (C, *output)."""
        taps = float(np.prod(self.kernel))
        if self.count_pad or not any(self.pads):
            return np.full((1,) * len(shape), taps)
        counts: Floats = self.windows(np.ones((1, 1, *shape[1:]))).sum(-1)[0]
        return counts

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        result: Floats = self.windows(x).sum(-1) / self.divisor(x.shape[1:])
        return result

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        return self._onnx(writer, "AveragePool", operands[0], count_include_pad=self.count_pad)


@dataclass(frozen=True)
class SumPool(_Pool):
    """y = Σ of the window, padding counts as zeros. With integers at its input it stays exact."""

    name = "sumpool"

    def output_type(self, operands: Types) -> Type:
        return Current(self.pooled_shape(operands))

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        result: Floats = self.windows(x).sum(-1)
        return result

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        mean = self._onnx(writer, "AveragePool", operands[0], count_include_pad=1)
        return writer.node("Mul", [mean, writer.constant(np.array(float(np.prod(self.kernel))))])


@dataclass(frozen=True)
class MaxPool(_Pool):
    """y = max of the window; padding is left out.

    Over spikes of a rate code: with n_i[t] the spikes (taken-back ones subtracted) that neuron i of
    the window has sent until and including step t, the pool sends

        max_i n_i[t] − max_i n_i[t−1].

    As every n_i changes by at most one a step (graded: by `most`), so does the maximum: the result
    is a spike train of the same code, and after every step the pool has sent exactly the largest
    count of its window. (Rueckauer et al. 2017 gate the spikes of the neuron that leads so far;
    after a change of leader their pool has sent too many or too few.)
    """

    name = "maxpool"

    def output_type(self, operands: Types) -> Type:
        expect(
            not isinstance(operand(operands), Analog),
            "the operand is analog",
            "spikes (a chip has no maximum over its analog input)",
        )
        expect(
            all(
                max(self.pads[i], self.pads[i + len(self.kernel)]) < k
                for i, k in enumerate(self.kernel)
            )
            if len(self.pads) == 2 * len(self.kernel)
            else True,
            f"pads is {list(self.pads)}",
            f"smaller than the kernel {list(self.kernel)}, else a window lies in the padding",
        )
        return operand(operands).with_shape(self.pooled_shape(operands))

    def evaluate(self, operands: Values) -> Floats:
        (x,) = operands
        result: Floats = self.windows(x, -np.inf).max(-1)
        return result

    def send(self, sent: Integers, arriving: Integers) -> Integers:
        """Spikes of one step. sent: what each source neuron has sent before it; arriving: in it.

        Both (N, C, *spatial); the result (N, C, *output).
        """
        return self._largest(sent + arriving) - self._largest(sent)

    def _largest(self, counts: Integers) -> Integers:
        return self.evaluate((counts.astype(np.float64),)).astype(np.int64)

    def to_onnx(self, writer: OnnxWriter, operands: Names, types: Types) -> str:
        return self._onnx(writer, "MaxPool", operands[0])
