"""What a network loses against the float one, on the same samples: an estimate and a bound.

Both networks see the same samples, so only those count on which they differ in being right. Of n
samples let b be those that only the float network has right, and c those that only the candidate
has. The loss is estimated by (b − c)/n. Its one-sided upper bound is the largest loss that the
score test for paired shares does not reject (Tango 1998, Statistics in Medicine 17, 891–908);
unlike a normal approximation it holds where b and c are small, 0 included. With c = 0, as for
agreement, it is Wilson's bound.
"""

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

HALVINGS = 60
"""Of the interval in which a bound is looked for: as exact as a float64 is."""


@dataclass(frozen=True)
class Paired:
    """Samples in all, and those that only the float network or only the other has right."""

    count: int
    only_float: int
    only_other: int

    @staticmethod
    def of(reference: NDArray[np.bool_], other: NDArray[np.bool_]) -> "Paired":
        """Of two boolean arrays (N,): which samples each has right."""
        return Paired(
            len(reference),
            int(np.count_nonzero(reference > other)),
            int(np.count_nonzero(reference < other)),
        )

    @property
    def lost(self) -> float:
        """The estimate of the loss, −1..1."""
        return (self.only_float - self.only_other) / self.count

    def bound(self, confidence: float) -> float:
        """The loss, −1..1, that is not exceeded with this confidence (0.5 ≤ confidence < 1)."""
        z = NormalDist().inv_cdf(confidence)
        low, high = self.lost, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if self._score(middle) > -z:
                low = middle
            else:
                high = middle
        return high if z > 0 else self.lost

    def _score(self, loss: float) -> float:
        """The score statistic of the hypothesis that the loss is `loss`; falls with it."""
        n, b, c = self.count, self.only_float, self.only_other
        # the most likely share of samples that only the other has right, under the hypothesis
        linear = (2 * n - b + c) * loss - b - c
        root = sqrt(max(linear * linear + 8 * n * c * loss * (1 - loss), 0.0))
        share = max((root - linear) / (4 * n), 0.0, -loss)
        variance = n * (2 * share + loss * (1 - loss))
        difference = b - c - n * loss
        return difference / sqrt(variance) if variance > 0 else (0.0 if difference >= 0 else -1e9)


def samples_needed(loss: float, confidence: float) -> int:
    """How many samples can show at best that no more than `loss` (0..1) is lost.

    That is where networks that never differ have a bound of just `loss`.
    """
    z = NormalDist().inv_cdf(confidence)
    return max(ceil(z * z * (1 - loss) / loss - 1e-9), 1)
