"""Products of spikes and logarithmic weights, without a multiplier.

A spike is worth 2^(−s/L), a weight ±2^(E/z)·2^(−q/z), with L = lcm(tau, z) units an octave. Their
product is one addition of exponents, p = s + q·L/z + e; a table of L constants gives its fraction
and a shift, with truncation, the rest:

    |product| = constant[p mod L] >> ⌊p/L⌋,    e = L·constant_bits − 1 − E·L/z,

so that in units of the accumulator the product is 2^(E/z − q/z − s/L) but for truncation. A spike
in slot k has s = k·L/tau. An input number comes bit by bit: bit b of its magnitude, of `bits`, is a
spike with s = (bits − 1 − b)·L that is worth 2^b, so that e is smaller by L·(bits − 1).
"""

from math import lcm

import numpy as np

from snncc_ir.composed import Log2
from snncc_ir.tensors import Integers
from snncc_ir.types import FirstSpike

DEEPEST = 62
"""Largest shift: it leaves nothing of any constant, and int64 can do it."""


def octave(code: FirstSpike, weight: Log2) -> int:
    """L: exponent units an octave."""
    return lcm(code.tau, weight.resolution)


def constants(bits: int, units: int) -> Integers:
    """The table of products' fractions, (units): `bits` bits each, descending."""
    fraction = (units - 1 - np.arange(units)) / units
    return np.rint(np.exp2(bits - 1 + fraction)).astype(np.int64)


def offsets(weight: Log2, code: FirstSpike, input_bits: int | None = None) -> Integers:
    """e for each exponent of `weight`, in its shape. input_bits: of an input number's magnitude."""
    units = octave(code, weight)
    exponent = weight.exponent.integers * (units // weight.resolution)
    return units * code.constant_bits - 1 - exponent - units * ((input_bits or 1) - 1)


def products(weight: Log2, spike: int, code: FirstSpike, input_bits: int | None = None) -> Integers:
    """What a spike of exponent `spike` (units of 1/L octave) brings through each weight: int64."""
    units = octave(code, weight)
    steps = weight.steps
    exponent = spike + steps * (units // weight.resolution) + offsets(weight, code, input_bits)
    table = constants(code.constant_bits, units)
    magnitude = table[exponent % units] >> np.clip(exponent // units, 0, DEEPEST)
    return np.where(steps < 0, 0, np.sign(weight.codes.integers) * magnitude)
