"""A core's compartments, compartment profiles and threshold profiles, in the chip's numbers."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Program
from snncc_loihi.cores import Arrangement
from snncc_loihi.layers import Layer, Network
from snncc_loihi.words import Words, pack

ONE_STEP = 4095
"""Current decay: what arrives lasts one step."""
NO_REFRACTORY = 1


def unit(chip: Chip) -> int:
    """What 1 of the network counts in a potential of the chip."""
    return 1 << (chip.numbers.weight_shift + chip.numbers.mixed_step)


@dataclass(frozen=True)
class CoreTables:
    """Words of a core: compartments, their labels, compartment profiles, threshold profiles."""

    compartments: Words
    labels: Words
    profiles: Words
    thresholds: Words


@dataclass(frozen=True)
class Tables:
    """The compartments of all neurons, ready to be put on cores."""

    network: Network
    chip: Chip

    @cached_property
    def _fields(self) -> dict[str, Integers]:
        """Of every compartment, neuron after neuron: those of its word and label, and profile and
        threshold as the words that they name."""
        parts = [self._of_layer(number, layer) for number, layer in enumerate(self.network.layers)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    @cached_property
    def _first(self) -> Integers:
        """The first compartment of each neuron in `_fields`, and the end."""
        widths = [np.full(layer.size, layer.width) for layer in self.network.layers]
        return np.concatenate([[0], np.cumsum(np.concatenate(widths))])

    def _of_layer(self, number: int, layer: Layer) -> dict[str, Integers]:
        chip, width = self.chip, layer.width
        first_lane = np.arange(width) == 0
        last_lane = np.arange(width) == width - 1
        fires = layer.programs[-1] != Program.INTEGRATE

        def on(lane: Integers, values: Integers) -> Integers:
            return (lane * values[:, None]).reshape(-1)

        never = chip.numbers.threshold_mantissa
        mantissa = (layer.theta * unit(chip) >> chip.numbers.threshold_shift) - 1
        threshold = np.where(last_lane & fires, mantissa[:, None], never).reshape(-1)
        return {
            "bias": on(first_lane, layer.bias),
            "start": on(first_lane, layer.start * unit(chip)),
            "threshold": threshold,
            "profile": np.tile(self._profiles(layer), layer.size),
            "neuron": np.repeat(np.arange(layer.size), width),
            "population": np.full(layer.size * width, number),
            "lane": np.tile(np.arange(width), layer.size),
        }

    def _profiles(self, layer: Layer) -> Words:
        """The profile word of each lane."""
        graded = [p in (Program.FIRE_SUBTRACT, Program.FIRE_COUNT) for p in layer.programs]
        width = layer.width

        def same(value: int) -> Integers:
            return np.full(width, value)

        return pack(
            "profile",
            {
                "program": np.array(layer.programs),
                "bias_exponent": same(unit(self.chip).bit_length() - 1),
                "most": np.where(graded, layer.most, 0),
                "signed": np.where(graded, layer.signed, 0),
                "first_step": same(layer.first_step + layer.delay),
                "current_decay": same(ONE_STEP),
                "potential_decay": same(0),
                "refractory": same(NO_REFRACTORY),
            },
        )

    def of_core(self, core: int, arrangement: Arrangement) -> CoreTables:
        """The tables of one core."""
        neurons = np.flatnonzero(arrangement.core == core)
        neurons = neurons[np.argsort(arrangement.compartment[neurons])]
        widths = self._first[neurons + 1] - self._first[neurons]
        ends = np.cumsum(widths)
        index = np.repeat(self._first[neurons] - (ends - widths), widths) + np.arange(ends[-1])
        fields = {name: values[index] for name, values in self._fields.items()}
        profiles, fields["profile"] = np.unique(fields["profile"], return_inverse=True)
        thresholds, fields["threshold"] = np.unique(fields["threshold"], return_inverse=True)
        return CoreTables(
            pack("compartment", fields),
            pack("label", fields),
            profiles,
            pack("threshold", {"mantissa": thresholds}),
        )
