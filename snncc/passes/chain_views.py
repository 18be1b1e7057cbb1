"""Views before and behind layers, taken into their weights where that is the same."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Array, Integers, Tensor, Type, f32
from snncc_ir.ops import Conv, Dense, Op, View


def taken(inner: Array, outer: Tensor) -> NDArray[np.int32]:
    """Index of a view of a view; -1 stays -1."""
    extended = np.append(inner.reshape(-1).astype(np.int32), np.int32(-1))
    return np.take(extended, outer.integers)


def dense_of_view(view: View, dense: Dense, operand: Type) -> Dense:
    index = view.index.integers.reshape(-1)
    there = index >= 0
    columns = np.zeros((operand.size, dense.weight.shape[0]))
    np.add.at(columns, index[there], dense.weight.floats.T[there])
    return Dense(f32(columns.T))


def _channels_of(view: View, operand: Type) -> Integers | None:
    """Source channel (-1: zeros) of each channel of a view that moves whole channels; else None."""
    if view.index.shape[1:] != operand.shape[1:] or len(operand.shape) < 2:
        return None
    area = operand.size // operand.shape[0]
    rows = view.index.integers.reshape(view.index.shape[0], area)
    channels = np.where(rows[:, 0] < 0, -1, rows[:, 0] // area)
    expected = np.where(channels < 0, -1, channels * area)[:, None] + np.where(
        channels[:, None] < 0, 0, np.arange(area)
    )
    return channels if np.array_equal(rows, expected) else None


def flat_conv(view: View, conv: Conv, operand: Type) -> Conv | None:
    """A convolution over (C, 1, L) that is only (C, L) with an axis more: the same over (C, L)."""
    shape = view.index.shape
    if len(shape) != 3 or len(operand.shape) != 2 or shape[0] != operand.shape[0]:
        return None
    long = 2 if shape[1] == 1 else 1
    other, window = 3 - long - 1, conv.window
    unit = window.kernel[other] == 1 and not any(window.pads[other::2])
    if shape[long] != operand.shape[1] or not unit or not view.is_reshape(operand):
        return None
    kept = long - 1
    weight = conv.weight.array.reshape(*conv.weight.shape[:2], window.kernel[kept])
    return Conv(
        Tensor(weight), (window.stride[kept],), window.pads[kept::2], (window.dilation[kept],),
        conv.groups,
    )  # fmt: skip


def conv_of_view(view: View, conv: Conv, operand: Type) -> list[Op] | None:
    channels = _channels_of(view, operand)
    if channels is None or conv.groups != 1:
        return None
    weight = conv.weight.floats
    moved = np.zeros((weight.shape[0], operand.shape[0], *weight.shape[2:]))
    for position, channel in enumerate(channels):
        if channel >= 0:
            moved[:, channel] += weight[:, position]
    return [replace(conv, weight=f32(moved))]


def view_of_conv(conv: Conv, view: View, between: Type) -> list[Op] | None:
    channels = _channels_of(view, between)
    if channels is None or conv.groups != 1:
        return None
    rows = np.concatenate([conv.weight.floats, np.zeros((1, *conv.weight.shape[1:]))])
    return [replace(conv, weight=f32(rows[channels]))]
