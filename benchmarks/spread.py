"""Figures of several rounds: their median and how far they are apart."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of what the rounds gave."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        return cls(statistics.median(figures), min(figures), max(figures))

    @property
    def noise(self) -> float:
        """Half of the range as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else 0.0

    def times(self, factor: float) -> "Spread":
        return Spread(self.median * factor, self.low * factor, self.high * factor)

    def __str__(self) -> str:
        return f"{number(self.median)} [{number(self.low)}–{number(self.high)}]"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Of paired rounds: what both gave within the same minutes."""
    return Spread.of([a / b for a, b in zip(ours, theirs, strict=True)])


def number(value: float) -> str:
    """Three digits, without an exponent where it can be read without one."""
    if value == 0 or 0.001 <= abs(value) < 1:
        return f"{value:.3g}"
    if abs(value) < 0.001 or abs(value) >= 1e7:
        return f"{value:.2e}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
