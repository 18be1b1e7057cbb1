"""Cells that are not what was written: variation, stuck cells, noise of reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc.ir import fail

Cells = NDArray[np.float32]


@dataclass(frozen=True)
class Device:
    """Currents count in those of a nominal cell that is on; a cell that is off conducts nothing.

    sigma: of the logarithm of a cell's conductance, whose mean stays 1. stuck: share of the cells
    that cannot be written, half of them on and half off. read_noise: standard deviation of each
    cell's current in each read, so that a column's grows with the root of its sum. seed: of all of
    these; the same seed is the same chip.
    """

    sigma: float = 0.0
    stuck: float = 0.0
    read_noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for what, value, most in (
            ("sigma", self.sigma, 2.0),
            ("stuck", self.stuck, 1.0),
            ("read_noise", self.read_noise, 2.0),
        ):
            if not 0 <= value <= most:
                raise fail(
                    "SNN042",
                    f"{what} is {value}, should be 0 to {most:g}",
                    hint=f"--set {what}=0, the default, is an ideal device",
                )
        if self.seed < 0:
            raise fail("SNN042", f"seed is {self.seed}, should be at least 0", hint="--set seed=0")

    @property
    def is_ideal(self) -> bool:
        return not (self.sigma or self.stuck or self.read_noise)

    def conductances(self, cells: NDArray[np.bool_], array: int) -> Cells:
        """Of array number `array`, in those of a nominal cell that is on. cells: as written."""
        random = np.random.default_rng([self.seed, array])
        written = cells
        if self.stuck:
            drawn = random.random(cells.shape)
            on, off = drawn < self.stuck / 2, drawn >= 1 - self.stuck / 2
            written = (cells | on) & ~off
        if not self.sigma:
            return written.astype(np.float32)
        spread = random.standard_normal(cells.shape) * self.sigma - self.sigma**2 / 2
        return (written * np.exp(spread)).astype(np.float32)

    def read(self, sums: Cells, random: np.random.Generator) -> Cells:
        """Column currents as one read gives them."""
        if not self.read_noise:
            return sums
        noise = random.standard_normal(sums.shape) * np.sqrt(np.maximum(sums, 0))
        return (sums + self.read_noise * noise).astype(np.float32)
