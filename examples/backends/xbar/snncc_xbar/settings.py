"""What can be set for target xbar: the rate coding, the arrays, and what their cells are like."""

from dataclasses import dataclass
from typing import Annotated

from snncc.backends import Option, RateSettings
from snncc.ir import fail
from snncc_xbar.device import Device

SCHEMES = ("pair", "reference")
LEAST, MOST = 16, 1024
"""Rows and columns of an array."""
MOST_WEIGHT_BITS = 8


@dataclass(frozen=True)
class XbarSettings(RateSettings):
    """The rate coding on arrays; the device is ideal by default."""

    weight_bits: int = 4
    input_bits: int = 8
    array: Annotated[int, Option("rows, and columns, of an array")] = 128
    mux: Annotated[int, Option("columns that share a converter, one after another")] = 8
    adc_bits: Annotated[
        int, Option("of a converter, which saturates; 0: as many as an array can need")
    ] = 0
    cells: Annotated[
        str,
        Option(
            "pair: a column of positive and one of negative bits; reference: one, less a column "
            "that is on everywhere",
            choices=SCHEMES,
        ),
    ] = "pair"
    sigma: Annotated[float, Option("of the logarithm of a cell's conductance")] = 0.0
    stuck: Annotated[float, Option("share of cells that cannot be written")] = 0.0
    read_noise: Annotated[float, Option("of a cell's current in each read")] = 0.0
    seed: Annotated[int, Option("of the device; the same seed is the same chip")] = 0

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
