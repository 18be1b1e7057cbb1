"""Second moments of what arrives at a layer's weights, over samples and places.

For weights W and what arrives x, and the drive t that the layer should have: H = Σ x xᵀ and
G = Σ t xᵀ, one pair for each group of a convolution. Of many places a seeded choice is taken, the
same for all channels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats
from snncc_ir.ops import Conv, Dense

ROWS = 1 << 14
"""Places that are looked at, over all samples, about; but ROWS_AN_INPUT for each input at least."""
ROWS_AN_INPUT = 4
CHUNK = 1 << 12
"""Rows that are multiplied at once."""
INPUT_BITS, TARGET_BITS = 16, 18
"""Of the integers that x and t are rounded to. Sums of their products over ROWS stay below 2^53, so
that they are exact in float64, in whatever order and by however many threads they are taken: a last
bit could decide a weight, and with it all weights after it."""


@dataclass(frozen=True)
class Moments:
    """Means over all rows. inputs: H, (groups, d, d). targets: G, (O, d)."""

    inputs: Floats
    targets: Floats


def moments(
    last: Conv | Dense, arriving: NDArray[np.float32], target: NDArray[np.float32]
) -> Moments:
    """arriving: (N, *shape) at the weights. target: (N, O, *places), the drive wanted of them."""
    if isinstance(last, Dense):
        x = arriving.reshape(len(arriving), 1, -1)
        t = target.reshape(len(target), -1)
        groups = 1
    else:
        x, t = _patches(last, arriving, target)
        groups = last.groups
    outputs, width = t.shape[1], x.shape[2]
    per_group = outputs // groups
    x_unit, t_unit = _unit(x, INPUT_BITS), _unit(t, TARGET_BITS)
    inputs, targets = np.zeros((groups, width, width)), np.zeros((outputs, width))
    for start in range(0, len(x), CHUNK):
        part = np.rint(x[start : start + CHUNK].astype(np.float64) / x_unit)
        wanted = np.rint(t[start : start + CHUNK].astype(np.float64) / t_unit)
        for g in range(groups):
            rows = slice(g * per_group, (g + 1) * per_group)
            each = np.ascontiguousarray(part[:, g])
            inputs[g] += each.T @ each
            targets[rows] += wanted[:, rows].T @ each
    return Moments(inputs * x_unit**2 / len(x), targets * x_unit * t_unit / len(x))


def _unit(values: NDArray[np.float32], bits: int) -> float:
    """The power of two in which the largest value has `bits` bits."""
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    return float(np.exp2(np.frexp(largest)[1] - bits))


def _patches(
    conv: Conv, arriving: NDArray[np.float32], target: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(rows, groups, C/groups · taps) and (rows, O) at chosen places."""
    window, rank = conv.window, conv.window.rank
    count, channels = arriving.shape[:2]
    # (N, C, *places, *kernel), a view
    views = window.slide(arriving, 0.0)
    places = views.shape[2 : 2 + rank]
    each = int(np.prod(places))
    width = int(np.prod(window.kernel)) * channels // conv.groups
    rows = max(ROWS, ROWS_AN_INPUT * width)
    wanted = max(1, min(each, -(-rows // count)))
    random = np.random.default_rng(each)
    chosen = np.stack([random.permutation(each)[:wanted] for _ in range(count)])
    sample = np.repeat(np.arange(count), wanted)
    where = np.unravel_index(chosen.reshape(-1), places)
    # advanced indices apart from each other put the rows in front: (rows, C, *kernel)
    taken = np.moveaxis(views, 1, 1 + rank)[(sample, *where)]
    rows = taken.reshape(len(sample), conv.groups, -1)
    wide = target.reshape(count, target.shape[1], each)
    return rows, wide[sample, :, chosen.reshape(-1)]
