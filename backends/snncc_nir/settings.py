"""What can be set for target nir: the rate coding, in numbers that floating point holds exactly."""

from dataclasses import dataclass

from snncc_backends import RateSettings
from snncc_ir import fail

POOLS = ("sum", "conv")
NEURONS = ("if", "hard-if")
SIGNIFICAND = 24
"""Bits of a number in float32."""


@dataclass(frozen=True)
class NirSettings(RateSettings):
    """pools: `sum` writes SumPool2d, `conv` convolutions of ones, for readers without it.
    accumulator: bits that no potential leaves, whatever the input: 32 is exact in float64, and
    25 less those that the number of steps has in float32. thresholds: at most so many different
    ones in the network, for readers that take one a layer (1); 0: any number. Neurons of NIR start
    at 0, so `start` is 0 and `tune` is `keep`."""

    start: float = 0.0
    tune: str = "keep"
    weight_bits: int = 8
    input_bits: int = 8
    pools: str = POOLS[0]
    accumulator: int = 32
    thresholds: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pools not in POOLS:
            raise fail(
                "SNN042",
                f"pools is '{self.pools}', should be sum or conv",
                hint="--set pools=sum, the default",
            )

    def _weights(self) -> str:
        return (
            f"quantize-weights{{bits={self.weight_bits},accumulator={self.accumulator},"
            f"thresholds={self.thresholds}}}"
        )


def tie_bits(steps: int) -> int:
    """k, so that 2^-k added in each of so many steps stays below 1."""
    return steps.bit_length()
