"""How far a map can drive neurons, up and down, whatever the inputs that there can be.

With the rounding of scales to few bits, so that the last bits of floating-point sums, which differ
between processors, decide nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from snncc_ir import Floats, Shape, Tensor
from snncc_ir.ops import Chain, Conv, Dense, Scale

SIGNIFICANT_BITS = 8


def rounded_up(values: Floats) -> Floats:
    """Up to the next number of SIGNIFICANT_BITS significant bits; values are not negative."""
    mantissa, exponent = np.frexp(values)
    unit = 1 << SIGNIFICANT_BITS
    rounded: Floats = np.ldexp(np.ceil(mantissa * unit) / unit, exponent)
    return rounded


def rounded_down(values: Floats) -> Floats:
    """Down to the next number of SIGNIFICANT_BITS significant bits; values are not negative."""
    mantissa, exponent = np.frexp(values)
    unit = 1 << SIGNIFICANT_BITS
    rounded: Floats = np.ldexp(np.floor(mantissa * unit) / unit, exponent)
    return rounded


@dataclass(frozen=True)
class Extent:
    """For each neuron, in the population's shape: largest |w|, Σ |w|·|x|, Σ |x|, Σ x²."""

    weight: Floats
    drive: Floats
    terms: Floats
    squares: Floats


def driven_up(chain: Chain, largest_input: Floats, shape: Shape) -> Floats:
    """The most that a map adds to each neuron, (*shape), from inputs of 0 to `largest_input`."""
    *moves, last = chain
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    positive = replace(last, weight=Tensor(np.maximum(last.weight.floats, 0.0)))
    values = largest_input[None]
    for op in (*moves, positive):
        values = op.evaluate((values,))
    most: Floats = values[0].reshape(shape)
    return most


def extent(chain: Chain, largest_input: Floats, shape: Shape) -> Extent:
    """Of a map into a population of `shape`. largest_input: |x| of each source, (*source shape)."""
    *moves, last = chain
    values = largest_input[None]
    for move in moves:
        values = move.evaluate((values,))
    if not isinstance(last, Conv | Dense | Scale):
        raise AssertionError("the checker holds that a map ends in conv, dense or scale")
    weight = np.abs(last.weight.floats)
    absolute = replace(last, weight=Tensor(weight))
    ones = replace(last, weight=Tensor(np.ones_like(weight)))
    drive, terms, squares = (
        layer.evaluate((x,))[0].reshape(shape)
        for layer, x in ((absolute, values), (ones, values), (ones, np.square(values)))
    )
    if isinstance(last, Scale):
        largest = np.broadcast_to(weight, values.shape[1:]).reshape(shape)
    else:
        peaks = weight.reshape(len(weight), -1).max(1)
        largest = np.repeat(peaks, drive.size // len(peaks)).reshape(shape)
    return Extent(largest, drive, terms, squares)
