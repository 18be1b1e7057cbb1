"""Activations as sums of clipped ramps, f(x) ≈ c + Σ_k s_k · clip(x − t_k, 0, t_{k+1} − t_k).

Each ramp is a population with a ceiling. Far from 0 the sum is the function's own line on either
side (whose slope may be 0); in between it is a polygon of RAMPS edges, whose corners are chosen so
that the largest error is least: corners on a grid, each on the curve or up to half an error beside
it, by dynamic programming. Fits are rounded so that they are the same on every processor.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from snncc.onnx.context import Network, OnnxNode
from snncc.onnx.emit import affine, relu
from snncc_ir import Floats
from snncc_ir.ops import Add

RAMPS = 8
"""Edges of the polygon between the two lines."""
_GRID, _FINE = 96, 8
"""Places at which corners can be, and those between two of them at which the error is looked at."""
_FAR = (32.0, 128.0, 512.0, 2048.0)
"""Where a function has to be a line: from the first of these on that will do."""
_SCAN = 4097
_LEAVES = 4e-3
"""Where the function is this far from a line, the polygon takes over."""
_SHIFTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_UNIT = 2.0**-20


Line = tuple[float, float]
"""Slope and offset."""


class Curve(Protocol, Hashable):
    """A hashable function of numbers."""

    def __call__(self, x: Floats) -> Floats:
        """The function's values."""


@dataclass(frozen=True)
class Fit:
    """Corners (t, y) of the polygon, slopes of the lines before and behind it, largest error."""

    corners: tuple[tuple[float, float], ...]
    left: float
    right: float
    error: float

    @property
    def populations(self) -> int:
        """Neurons for each number."""
        edges = zip(self.corners, self.corners[1:], strict=False)
        return sum(a[1] != b[1] for a, b in edges) + (self.left != 0) + (self.right != 0)

    def __call__(self, x: Floats) -> Floats:
        """The approximation itself."""
        t, y = np.array(self.corners).T
        inside: Floats = np.interp(x, t, y)
        before, behind = np.minimum(x - t[0], 0), np.maximum(x - t[-1], 0)
        values: Floats = inside + self.left * before + self.right * behind
        return values


def emit_fit(node: OnnxNode, net: Network, value: str, found: Fit) -> str:
    """The sum of ramps of a value."""
    parts = []
    (first, start), (last, _) = found.corners[0], found.corners[-1]
    if found.left:
        before = relu(node, net, affine(node, net, value, -1.0, first))
        parts.append(affine(node, net, before, -found.left))
    for (t, y), (t_next, y_next) in zip(found.corners, found.corners[1:], strict=False):
        if y_next != y:
            ramp = relu(node, net, affine(node, net, value, 1.0, -t), t_next - t)
            parts.append(affine(node, net, ramp, (y_next - y) / (t_next - t)))
    if found.right:
        behind = relu(node, net, affine(node, net, value, 1.0, -last))
        parts.append(affine(node, net, behind, found.right))
    if not parts:
        return affine(node, net, value, 0.0, start)
    total = parts[0] if len(parts) == 1 else net.emit(node, Add(), *parts)
    return affine(node, net, total, 1.0, start)


@cache
def fit(curve: Curve) -> Fit | None:
    """The polygon of least largest error; None for a function that is no line far from 0."""
    for far in _FAR:
        with np.errstate(all="ignore"):  # powers overflow, and are no lines
            left, right = _line(curve, -far), _line(curve, far)
        if left is not None and right is not None:
            return _fit(curve, left, right, far)
    return None


def _fit(curve: Curve, left: Line, right: Line, far: float) -> Fit | None:
    low, high = -far, far
    for _ in range(2):  # the second time between what the first one has found
        scan = np.linspace(low, high, _SCAN)
        values = curve(scan)
        if not np.isfinite(values).all():
            return None
        leaves = np.abs(values - (left[0] * scan + left[1])) > _LEAVES
        returns = np.abs(values - (right[0] * scan + right[1])) > _LEAVES
        low = scan[max(int(np.argmax(leaves)) - 1, 0)] if leaves.any() else 0.0
        high = scan[min(_SCAN - int(np.argmax(returns[::-1])), _SCAN - 1)] if returns.any() else 0.0
        if high <= low:  # lines that meet
            low, high = min(low, high) - far / _SCAN, max(low, high) + far / _SCAN
    t = np.round(np.linspace(low, high, _GRID + 1) / _UNIT) * _UNIT
    ends = (left[0] * t[0] + left[1], right[0] * t[-1] + right[1])
    coarse, error = _polygon(curve, t, ends, (0.0,))
    finer, less = _polygon(curve, t, ends, tuple(shift * error / 2 for shift in _SHIFTS))
    corners = finer if less < error else coarse
    rounded = tuple((float(x), float(np.round(y / _UNIT) * _UNIT)) for x, y in corners)
    found = Fit(rounded, left[0], right[0], 0.0)
    everywhere = np.concatenate(
        [np.linspace(-2 * far, 2 * far, 1 << 16), np.linspace(low, high, 1 << 14)]
    )
    off = float(np.abs(found(everywhere) - curve(everywhere)).max())
    return Fit(rounded, left[0], right[0], off)


def _line(curve: Callable[[Floats], Floats], far: float) -> Line | None:
    """The line that a function becomes on one side, from `far` on; None if none."""
    x = far * np.array([1.0, 1.5, 2.0, 4.0])
    y = curve(x)
    slope = np.round((y[2] - y[0]) / (x[2] - x[0]) / _UNIT) * _UNIT
    offset = np.round((y[2] - slope * x[2]) / _UNIT) * _UNIT
    straight = np.isfinite(y).all() and bool(np.all(np.abs(y - slope * x - offset) < 1e-4))
    return (float(slope) + 0.0, float(offset) + 0.0) if straight else None  # no −0


def _polygon(
    curve: Callable[[Floats], Floats],
    t: Floats,
    ends: tuple[float, float],
    shifts: tuple[float, ...],
) -> tuple[list[tuple[float, float]], float]:
    """The corners of at most RAMPS edges with the least largest error, and that error.

    Corners are (t_i, f(t_i) + shift); the first and the last lie on the lines.
    """
    fine = np.interp(np.arange(_GRID * _FINE + 1) / _FINE, np.arange(_GRID + 1), t)
    values = curve(fine)
    heights = curve(t)[:, None] + np.array(shifts)
    heights[0], heights[-1] = ends
    count, kinds = len(t), len(shifts)
    cost = np.full((count, kinds, count, kinds), np.inf)
    for i in range(count - 1):
        for j in range(i + 1, count):
            part = slice(i * _FINE, j * _FINE + 1)
            u = (fine[part] - t[i]) / (t[j] - t[i])
            lines = heights[i][:, None, None] * (1 - u) + heights[j][None, :, None] * u
            cost[i, :, j, :] = np.abs(lines - values[part]).max(-1)
    cost = np.round(cost, 7)
    best = np.full((RAMPS + 1, count, kinds), np.inf)
    best[0, 0, :] = 0.0
    came = np.zeros((RAMPS + 1, count, kinds), np.int64)
    for edge in range(1, RAMPS + 1):
        worst = np.maximum(best[edge - 1][:, :, None, None], cost).reshape(-1, count, kinds)
        came[edge], best[edge] = worst.argmin(axis=0), worst.min(axis=0)
    edge = int(best[:, -1, 0].argmin())
    place, kind, error = count - 1, 0, float(best[edge, -1, 0])
    corners = [(float(t[place]), float(heights[place, kind]))]
    for step in range(edge, 0, -1):
        place, kind = divmod(int(came[step, place, kind]), kinds)
        corners.append((float(t[place]), float(heights[place, kind])))
    return corners[::-1], error
