"""Integer scales S of which linear weights become multiples of their own codes."""

import numpy as np

from snncc_ir import Floats, Linear, i16
from snncc_ir.ops import Conv, Counting, Dense, Population

NEAR = 1e-5
"""Relative: a step is an integer, as far as float32 knows."""
EXACT_ROOM = 1e-6
"""Relative: float32 steps, of which there is room for 127, may be a little more."""
LARGEST_STEP = (1 << 15) - 1
"""By which codes are multiplied."""
LEAST_RATIO = 64
"""Of a threshold to the rounding of it that there may be for weights to stay what they are."""


def largest_multiple(op: Population, shared: bool, most: Floats) -> tuple[Floats, Floats]:
    """Of what S has to be a multiple, and the largest such S up to `most`.

    most: broadcastable to the population's shape. The unit is 1, or what makes linear weights
    multiples of their codes. 1 too where there is no room for that, or where a threshold, which is
    round(S·theta), would be off by more than 1/LEAST_RATIO of what it should be. shared: all
    neurons need one S.
    """
    unit = _unit(op, shared)
    if unit is not None:
        times = np.minimum(np.floor(most / unit * (1 + EXACT_ROOM)), LARGEST_STEP)
        theta = op.model.theta.floats.min() if isinstance(op.model, Counting) else 1.0
        if (times * unit).min() * theta >= LEAST_RATIO / 2:
            return unit, times * unit
    return np.ones(1), np.floor(most)


def whole_steps(weight: Linear, factor: Floats, bits: int) -> Linear | None:
    """The weights with an integer step, if S makes one of it (`largest_multiple`) and they fit."""
    steps = weight.step.floats * factor
    whole = np.rint(steps)
    largest = float(np.abs(weight.codes.floats * whole).max(initial=0.0))
    if np.any(np.abs(steps - whole) > NEAR * steps) or largest > (1 << (bits - 1)) - 1:
        return None
    if np.any(whole < 1) or np.any(whole >= 1 << 15):
        return None
    return Linear(weight.codes, i16(whole))


def _unit(op: Population, shared: bool) -> Floats | None:
    """1/step of a population's linear weights, broadcastable to its shape: their S, or parts of it.

    Multiples of it make weights multiples of the codes. Where there are several maps, of the one
    with most weights; the others are rounded. shared: all neurons need one S. None where there are
    no such weights, or S cannot follow their steps.
    """
    found: Linear | None = None
    for *_, last in op.maps:
        if isinstance(last, Conv | Dense) and isinstance(last.weight, Linear):
            if found is None or last.weight.array.size > found.array.size:
                found = last.weight
    if found is None:
        return None
    steps = found.step.floats.reshape(-1)
    if np.all(steps == steps[0]):
        steps = steps[:1]
    each = len(steps) > 1
    if not np.all(steps > 0) or (each and (shared or len(steps) != op.shape[0])):
        return None
    unit: Floats = 1 / steps.reshape(-1, *[1] * (len(op.shape) - 1))
    return unit
