"""Weights as the runtime's kernels take them: numbers or codes in their order, signs as bits."""

import numpy as np

from snncc_ir import Binary, Code, FirstSpike, Integers, Log2, Tensor, offsets
from snncc_ir.ops import Conv


def codes(weight: Tensor) -> Integers:
    """Integers as they are, logarithmic weights as their codes, binary ones as their signs."""
    if isinstance(weight, Binary):
        return weight.signs.integers
    return weight.codes.integers if isinstance(weight, Log2) else weight.integers


def outputs_of(weight: Tensor, code: Code | None, input_bits: int | None) -> Integers:
    """Of each output, the exponent offset of logarithmic weights, or the factor of binary ones."""
    if isinstance(weight, Binary):
        return np.broadcast_to(weight.alpha.integers.reshape(-1), (weight.shape[0],))
    if not isinstance(weight, Log2) or not isinstance(code, FirstSpike):
        return np.zeros(0, np.int64)
    shift = offsets(weight, code, input_bits).reshape(-1)
    return np.broadcast_to(shift, (weight.shape[0],))


def packed(signs: Integers) -> Integers:
    """Signs as bits of bytes, and a byte more; see snncc_signs.h."""
    content = np.packbits(signs.reshape(-1) > 0, bitorder="little")
    return np.append(content, 0).astype(np.int64)


def conv_order(conv: Conv) -> Integers:
    """Weights as [ky][in][kx, last first][out of a group]; see snncc_project.h."""
    weight = codes(conv.weight)
    if weight.ndim == 3:
        weight = weight[:, :, None]
    outputs, inputs, height, width = weight.shape
    grouped = weight.reshape(conv.groups, outputs // conv.groups, inputs, height, width)
    return grouped[..., ::-1].transpose(3, 0, 2, 4, 1)
