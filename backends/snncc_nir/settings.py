"""What can be set for target nir: the rate coding, in numbers that floating point holds exactly."""

from dataclasses import dataclass
from typing import ClassVar

from snncc_backends import RateSettings
from snncc_ir import fail

POOLS = ("sum", "conv")
NEURONS = ("if", "hard-if")
MANTISSAS = (24, 53)
LEAST_ACCUMULATOR = 16


@dataclass(frozen=True)
class NirSettings(RateSettings):
    """pools: `sum` writes SumPool2d, `conv` convolutions of ones, for readers without it.
    precision: bits of the readers' significands, 24 (float32) or 53 (float64): no potential needs
    more. thresholds: at most so many different ones in the network, for readers that take one a
    layer (1); 0: any number. Neurons of NIR start at 0, so `start` is 0 and `tune` is `keep`."""

    coding: ClassVar[str] = "rate"
    start: float = 0.0
    tune: str = "keep"
    weight_bits: int = 16
    input_bits: int = 6
    pools: str = POOLS[0]
    precision: int = MANTISSAS[0]
    thresholds: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pools not in POOLS:
            raise fail(
                "SNN042",
                f"pools is '{self.pools}', should be sum or conv",
                hint="--set pools=sum, the default",
            )
        if self.precision not in MANTISSAS:
            raise fail(
                "SNN042",
                f"precision is {self.precision}, should be 24 or 53",
                hint="--set precision=53 for readers that compute in float64",
            )

    def _weights(self) -> str:
        return (
            f"quantize-weights{{bits={self.weight_bits},accumulator={self.accumulator},"
            f"thresholds={self.thresholds}}}"
        )

    @property
    def accumulator(self) -> int:
        """Bits of a potential, sign included, that leave room for `tie_bits`."""
        free = self.precision + 1 - tie_bits(self.steps)
        return min(32, max(free, LEAST_ACCUMULATOR))


def tie_bits(steps: int) -> int:
    """k, so that 2^-k added in each of so many steps stays below 1."""
    return steps.bit_length()
