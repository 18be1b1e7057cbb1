"""How far numbers have moved: how many of them, by how much, in which unit."""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Floats, Tensor


@dataclass(frozen=True)
class Moved:
    """From one tensor to another of the same shape.

    count: numbers in all; changed: those that differ. largest, mean: of |after − before|, mean over
    those that differ. magnitude: the largest |before|. unit: of these three, `1` or `theta` (the
    threshold of each number's neuron). least_ratio, most_ratio: of after/before, over numbers that
    are not 0 before; None where none is.
    """

    count: int
    changed: int
    largest: float
    mean: float
    magnitude: float
    unit: str
    least_ratio: float | None
    most_ratio: float | None

    def figures(self) -> dict[str, float]:
        """By name, for machines."""
        found: dict[str, float] = {
            "count": self.count,
            "changed": self.changed,
            f"largest{self._ending}": self.largest,
            f"mean{self._ending}": self.mean,
            f"magnitude{self._ending}": self.magnitude,
        }
        if self.least_ratio is not None and self.most_ratio is not None:
            found |= {"least_ratio": self.least_ratio, "most_ratio": self.most_ratio}
        return found

    @property
    def _ending(self) -> str:
        return "" if self.unit == "1" else f"_in_{self.unit}"

    @property
    def how_many(self) -> str:
        """Such as `3 of 108 differ`."""
        verb = "differs" if self.changed == 1 else "differ"
        return f"{self.changed:,} of {self.count:,} {verb}"

    @property
    def how_far(self) -> str:
        """Such as `by at most 3 (2 % of the largest), 1.5 on average`."""
        if not self.largest:
            return "in the signs of zeros"
        unit = "" if self.unit == "1" else " thresholds"
        share = 100 * self.largest / self.magnitude if self.magnitude else 0.0
        told = f" ({share:.3g} % of the largest)" if share else ""
        far = f"{number(self.largest)}{unit}{told}"
        if self.changed == 1:
            return f"by {far}"
        return f"by at most {far}, {number(self.mean)} on average"

    @property
    def by_factors(self) -> str:
        """Such as `by factors of 0.5 to 0.52`."""
        low, high = self.least_ratio, self.most_ratio
        if low is None or high is None:
            return self.how_far
        if number(low) == number(high):
            return f"by a factor of {number(low)}"
        return f"by factors of {number(low)} to {number(high)}"


def moved(before: Tensor, after: Tensor, units: tuple[Floats, Floats] | None = None) -> Moved:
    """units: what 1 is of either, broadcastable to them; None for stored numbers."""
    ours, theirs = before.floats, after.floats
    if units is not None:
        ours, theirs = ours / units[0], theirs / units[1]
    gap = np.abs(theirs - ours)
    differ = gap > 0 if gap.any() else _bits_differ(before, after)
    changed = int(np.count_nonzero(differ))
    known = ours != 0
    ratios = theirs[known] / ours[known]
    return Moved(
        gap.size,
        changed,
        float(gap.max(initial=0.0)),
        float(gap.sum() / changed) if changed else 0.0,
        float(np.abs(ours).max(initial=0.0)),
        "1" if units is None else "theta",
        float(ratios.min()) if ratios.size else None,
        float(ratios.max()) if ratios.size else None,
    )


def _bits_differ(before: Tensor, after: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Of equal values: −0.0 is not 0.0."""
    return np.asarray(np.signbit(before.floats) != np.signbit(after.floats))


def described(tensor: Tensor | None) -> str | None:
    """Format, shape and content: `i16<12x1x3x3>#0f…`."""
    if tensor is None:
        return None
    return f"{kind(tensor)}#{tensor.digest}"


def kind(tensor: Tensor) -> str:
    """Format and shape: `i16<12x1x3x3>`."""
    return f"{tensor.format}<{'x'.join(map(str, tensor.shape))}>"


def number(value: float) -> str:
    """Four digits, whole numbers up to a million as such."""
    if value == round(value) and abs(value) < 1e6:
        return f"{value:,.0f}"
    return f"{value:.4g}"
