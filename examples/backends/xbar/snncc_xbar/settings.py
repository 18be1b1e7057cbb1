"""What can be set for target xbar: the rate coding, the arrays, and what their cells are like."""

from dataclasses import dataclass

from snncc.backends import RateSettings
from snncc.ir import fail
from snncc_xbar.device import Device

SCHEMES = ("pair", "reference")
LEAST, MOST = 16, 1024
"""Rows and columns of an array."""
MOST_WEIGHT_BITS = 8


@dataclass(frozen=True)
class XbarSettings(RateSettings):
    """array: rows, and columns, of an array. mux: columns that share a converter, one after
    another. adc_bits: of a converter that counts cells that are on, and saturates; 0: as many as
    an array can need. cells: `pair` (a column of positive and one of negative bits) or `reference`
    (one column, less a reference column of the array). sigma, stuck, read_noise, seed: of the
    device that is simulated; ideal by default."""

    weight_bits: int = 4
    input_bits: int = 8
    array: int = 128
    mux: int = 8
    adc_bits: int = 0
    cells: str = "pair"
    sigma: float = 0.0
    stuck: float = 0.0
    read_noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for what, value, least, most in (
            ("array", self.array, LEAST, MOST),
            ("mux", self.mux, 1, self.array),
            ("adc_bits", self.adc_bits, 0, 16),
        ):
            if not least <= value <= most:
                raise fail(
                    "SNN042",
                    f"{what} is {value}, should be {least} to {most}",
                    hint=f"--set {what}={getattr(XbarSettings, what)}, the default",
                )
        if self.cells not in SCHEMES:
            raise fail(
                "SNN042",
                f"cells is '{self.cells}', should be {' or '.join(SCHEMES)}",
                hint="--set cells=pair, the default",
            )
        _ = self.device  # refuses what no device can be

    def pipeline(self) -> str:
        # neurons of these arrays are reset in every step, so that the tighter bound holds; and of
        # 4 bits some channels of large weights may be off by more than wide weights are
        wide = f"quantize-weights{{bits={self.weight_bits}}}"
        return super().pipeline().replace(wide, f"{wide[:-1]},bound=reset}}")

    @property
    def device(self) -> Device:
        return Device(self.sigma, self.stuck, self.read_noise, self.seed)

    @property
    def converter_bits(self) -> int:
        """Of an analog-to-digital converter: enough for all rows at once, unless set."""
        return self.adc_bits or self.array.bit_length()
