"""What can be set for target loihi: the rate coding on a chip."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from snncc_backends import Option, RateSettings
from snncc_loihi.chip import BUILT_IN, Chip, load_chip
from snncc_loihi.tables import unit

BEST = ("signed-graded", "graded", "signed-if", "if", "hard-if")
"""Neuron models, the most accurate in few time steps first."""
MANY = 1024
"""Threshold profiles that are as good as any number."""
MOST_INPUT_BITS = 12
MANTISSA_BITS = 7
"""Of a weight's magnitude."""


@dataclass(frozen=True)
class LoihiSettings(RateSettings):
    """The rate code on a chip that a file describes."""

    keeps_signs: ClassVar[bool] = False
    chip: Annotated[str, Option("built-in chip, or the path of a description")] = BUILT_IN[0]
    costs: Annotated[str, Option("of the chip's sets of energies and times, for estimates")] = ""
    seed: Annotated[int, Option("of the placement on the mesh")] = 0

    @property
    def description(self) -> Chip:
        """The chip; raises SNN042."""
        return load_chip(self.chip)

    def _encode(self) -> str:
        return "" if self.description.features.held_currents else "encode-input,"

    def _weights(self) -> str:
        chip = self.description
        thresholds = chip.limits.thresholds - 1  # one of them is for compartments that never fire
        coupled = chip.features.soft_reset == "coupled"
        return (
            f"quantize-weights{{bits={self.weight_bits},"
            f"accumulator={chip.numbers.potential_bits - unit(chip).bit_length() + 1},"
            f"thresholds={thresholds if thresholds < MANY else 0},"
            f"theta_bits={MANTISSA_BITS if coupled else 0},"
            f"bias={chip.numbers.bias_mantissa},bound=reset}}"
        )

    def as_json(self) -> dict[str, object]:
        # the name and not the path: bundles are the same wherever they are made
        return {**super().as_json(), "chip": self.description.name}


def settings_for(options: Mapping[str, object]) -> LoihiSettings:
    """The defaults that a chip gives; raises SNN042."""
    name = str(options.get("chip", BUILT_IN[0]))
    chip = load_chip(name)
    held = chip.features.held_currents
    steps = 16 if chip.features.signed_spikes else 32
    asked = str(options.get("steps", steps))
    steps = int(asked) if asked.isdigit() else steps
    return LoihiSettings(
        neuron=next(name for name in BEST if name in chip.models),
        steps=steps,
        weight_bits=8,
        input_bits=8 if held else _written_bits(chip, steps),
        most=min(7, chip.features.payload),
        chip=name,
        costs=chip.default_costs,
    )


def _written_bits(chip: Chip, steps: int) -> int:
    """Of an input number that the host writes as a bias, and that a potential sums up, over all
    steps and with room for a threshold and a start."""
    room = ((1 << (chip.numbers.potential_bits - 1)) - 1) // unit(chip) // (steps + 2)
    most = min(room, chip.numbers.bias_mantissa)
    return max(2, min(most.bit_length(), MOST_INPUT_BITS))
