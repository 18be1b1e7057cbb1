"""What tiles hold, hear and send, held against a chip's limits; and what is guessed of words."""

from dataclasses import dataclass, replace

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.chip import Chip


@dataclass(frozen=True)
class WordModel:
    """Synapse words of a layer on a tile: shared by its positions, and for each neuron.

    The shared ones go with the share of channels that the tile has.
    """

    shared: float
    each: float

    def words(self, channels: Floats, neurons: Integers) -> Floats:
        """channels: the tile's share of the layer's."""
        return self.shared * channels + self.each * neurons

    def scaled(self, factor: float) -> "WordModel":
        return WordModel(self.shared * factor, self.each * factor)


@dataclass(frozen=True)
class Guess:
    """What a partition is made with before cores are packed: corrected when that shows more.

    words: models by layer. outside: output axons of a neuron to each later layer that is not in its
    segment, by layer. most_layers: of a segment.
    """

    words: tuple[WordModel, ...]
    outside: tuple[float, ...]
    most_layers: int = 12

    def with_words(self, first: int, last: int, factor: float) -> "Guess":
        """Where the cores of some layers took so many times the words."""
        words = tuple(
            model.scaled(factor) if first <= i < last else model
            for i, model in enumerate(self.words)
        )
        return replace(self, words=words)


@dataclass(frozen=True)
class TileUse:
    """Of each tile; messages: a sample, to all of them."""

    compartments: Integers
    inputs: Integers
    outputs: Integers
    words: Floats
    messages: float

    def over(self, chip: Chip) -> dict[str, tuple[float, float]]:
        """The largest use of a tile, and the limit, by the limit's name."""
        limits = chip.limits
        shared = (
            self.compartments * limits.compartment_bytes
            + (self.inputs + self.outputs) * limits.axon_bytes
            + self.words * 8
        )
        return {
            "compartments": (float(self.compartments.max()), limits.compartments),
            "input_axons": (float(self.inputs.max()), limits.input_axons),
            "output_axons": (float(self.outputs.max()), limits.output_axons),
            "synapse_words": (float(self.words.max()), limits.synapse_words or np.inf),
            "core_bytes": (float(shared.max()), limits.core_bytes or np.inf),
        }

    def fits(self, chip: Chip) -> bool:
        limits = chip.limits
        if limits.core_bytes:
            # the one that is broken most
            axons = (self.inputs + self.outputs) * limits.axon_bytes
            shared = self.compartments * limits.compartment_bytes + axons + self.words * 8
            if shared.max() > limits.core_bytes:
                return False
        return bool(
            self.compartments.max() <= limits.compartments
            and self.inputs.max() <= limits.input_axons
            and self.outputs.max() <= limits.output_axons
            and (not limits.synapse_words or self.words.max() <= limits.synapse_words)
        )
