"""Shares of samples, and how sure they are."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from snncc_ir import Array

BOTH_SIDES = 1.959964
"""Standard deviations of a normal distribution that leave 2.5 % out on each side."""
ONE_SIDE = 1.644854
"""And 5 % on one side."""


@dataclass(frozen=True)
class Share:
    """A share of samples with its 95 % confidence interval (Wilson), all in 0..1."""

    value: float
    low: float
    high: float

    @staticmethod
    def of(hits: Array) -> "Share":
        """Of a boolean array."""
        low, high = _interval(int(np.count_nonzero(hits)), len(hits), BOTH_SIDES)
        return Share(float(np.count_nonzero(hits)) / len(hits), low, high)


def upper_bound(hits: int, count: int) -> float:
    """The share that is not exceeded with 95 % confidence (Wilson, one-sided), 0..1."""
    return _interval(hits, count, ONE_SIDE)[1]


def _interval(hits: int, count: int, z: float) -> tuple[float, float]:
    share = hits / count
    center = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return max(center - half, 0.0), min(center + half, 1.0)
