"""Scales and zero points of quantized models: constants on grids, and grids as the IR has them.

real = scale · (integer − zero point), with the limits of the integers' type.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc.onnx.context import Network, OnnxNode, refuse
from snncc_ir import Array, Floats, Shape, f32
from snncc_ir.ops import Concat, MaxPool, Pad, Quantize, Reshape, Slice, Transpose

LIMITS = {
    f"{sign}int{bits}": (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    if not sign
    else (0, 2**bits - 1)
    for sign in ("", "u")
    for bits in (2, 4, 8, 16, 32)
}
"""Least and largest integer by the name of a type."""
TYPES = "int8, uint8, int16, uint16, int4 or uint4"


@dataclass(frozen=True)
class Grid:
    """scale: (), or (channels,) along `axis`; zero: as broad. kind: of the integers, in LIMITS."""

    scale: Floats
    zero: Floats
    kind: np.dtype[np.generic]
    axis: int

    @property
    def low(self) -> int:
        """The least integer."""
        return LIMITS[self.kind.name][0]

    @property
    def high(self) -> int:
        """The largest integer."""
        return LIMITS[self.kind.name][1]

    def spread(self, tensor: Floats, rank: int) -> Floats:
        """Along its axis of a value with `rank` axes."""
        if tensor.size == 1:
            return tensor.reshape(())
        axis = self.axis + rank if self.axis < 0 else self.axis
        if tensor.ndim != 1 or not 0 <= axis < rank:
            refuse(
                f"its scale has shape {list(tensor.shape)} and its axis is {self.axis}, should be "
                "one number, or one for each place of an axis",
                "quantize per tensor or per channel; block_size is not supported",
            )
        return tensor.reshape(-1, *[1] * (rank - axis - 1))

    def _along(self, shape: Shape) -> tuple[Floats, Floats]:
        """Scale and zero point, broadcastable to a constant's shape."""
        scale, zero = self.spread(self.scale, len(shape)), self.spread(self.zero, len(shape))
        if scale.ndim and shape[-scale.ndim] != scale.size:
            refuse(
                f"it has {scale.size} scales for {shape[-scale.ndim]} places of axis {self.axis}, "
                "should have one for each",
                "quantize the model again",
            )
        return scale, zero

    def real(self, integers: Array) -> Floats:
        """The numbers that integers of a constant stand for."""
        scale, zero = self._along(integers.shape)
        return np.asarray((integers.astype(np.float64) - zero) * scale, np.float64)

    def integers(self, real: Floats) -> Array:
        """The integers of constant numbers."""
        scale, zero = self._along(real.shape)
        found: Array = np.clip(np.rint(real / scale) + zero, self.low, self.high).astype(self.kind)
        return found

    def op(self, shape: Shape) -> Quantize:
        """Rounding to this grid, of a value with the given shape (without the batch axis)."""
        if self.zero.size > 1 and np.any(self.zero != self.zero.reshape(-1)[0]):
            refuse(
                "its zero points differ from channel to channel, should be one",
                "quantize activations per tensor, or symmetrically",
            )
        zero = int(self.zero.reshape(-1)[0])
        step = self.spread(self.scale, len(shape) + 1)
        if step.ndim > len(shape):
            refuse("its axis is the batch axis, should be another", "quantize per channel: axis=1")
        return Quantize(f32(step), self.low - zero, self.high - zero)


def read_grid(node: OnnxNode, net: Network, scale: int, zero: int, axis: int | None = None) -> Grid:
    """The grid that two inputs of a node give; axis: of several scales, else the attribute."""
    given = net.floats(node, scale, "scale")
    if not given.size or not np.all(given > 0):
        refuse("its scale is not positive, should be", "look at how the model was quantized")
    if node.integer("block_size", 0):
        refuse(
            f"its block_size is {node.integer('block_size', 0)}, should be none",
            "quantize per tensor or per channel",
        )
    kind: np.dtype[np.generic] = np.dtype(np.uint8)
    zeros = np.zeros(())
    if node.has_input(zero):
        array = net.constant(node.inputs[zero])
        if array is None:
            refuse("its zero point is computed by the network, should be constant",
                   "quantize statically: quantize_static with calibration data")  # fmt: skip
        kind, zeros = array.dtype, array.astype(np.float64)
    else:
        data = net.constant(node.inputs[0])
        kind = data.dtype if data is not None and data.dtype.name in LIMITS else kind
    if kind.name not in LIMITS:
        refuse(f"its integers have type {kind.name}, should be {TYPES}", "quantize to 8 bits")
    if zeros.size not in (1, given.size):
        refuse(
            f"it has {given.size} scales and {zeros.size} zero points, should be as many of each",
            "quantize the model again",
        )
    flat = given.reshape(()) if given.size == 1 else given
    along = node.integer("axis", 1) if axis is None else axis
    return Grid(flat, zeros.reshape(()) if zeros.size == 1 else zeros, kind, along)


def clipped_integers(node: OnnxNode, net: Network) -> str | None:
    """A Clip of integers between a quantizer and its opposite, which so has fewer bits; else None.

    As Brevitas writes activations of less than eight bits (QCDQ).
    """
    limits = [net.constant(node.inputs[i]) if node.has_input(i) else None for i in (1, 2)]
    kinds = {limit.dtype.name for limit in limits if limit is not None and limit.size == 1}
    value = net.value(node.inputs[0])
    quantize = net.builder[value]
    if not kinds <= LIMITS.keys() or len(kinds) != 1 or not isinstance(quantize.op, Quantize):
        return None
    wide = net.grids.get(value, quantize.op)
    zero = LIMITS[kinds.pop()][0] - wide.low
    low, high = (
        bound if limit is None else int(limit.item()) - zero
        for bound, limit in zip((wide.low, wide.high), limits, strict=True)
    )
    op = replace(quantize.op, low=max(low, quantize.op.low), high=min(high, quantize.op.high))
    made = net.emit(node, op, *quantize.inputs)
    net.grids[made] = wide
    return made


def grid_of(net: Network, value: str, has_zero: bool) -> Quantize | None:
    """The grid on which an IR value is, through what only moves numbers; None if it is on none.

    has_zero: whether integer 0 stands for another number than 0, so that zero padding of integers
    would be padding with that.
    """
    node = net.builder[value]
    match node.op:
        case Quantize():
            return net.grids.get(value, node.op)
        case Concat():
            grids = [grid_of(net, operand, has_zero) for operand in node.inputs]
            if any(grid != grids[0] for grid in grids):
                refuse("it joins integers of different scales", "use QLinearConcat")
            return grids[0]
        case Pad() if has_zero:
            refuse(
                "integers are padded with 0, which is not their zero point",
                "keep Pad out of the quantized layers: QuantFormat.QDQ, or nodes_to_exclude",
            )
        case MaxPool() | Pad() | Reshape() | Slice() | Transpose():
            return grid_of(net, node.inputs[0], has_zero)
    return None
