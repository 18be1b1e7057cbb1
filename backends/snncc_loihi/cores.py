"""From a partition to what each core holds: compartments, and its use of the limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.layers import Layer, Network

HOST = -1
"""Number of the first input, as source of an axon: input i is −1 − i; neurons are 0 and up."""


@dataclass(frozen=True)
class Arrangement:
    """core: of each neuron, −1 where it is on none. compartment: the first of each neuron, in its
    core. used: compartments, by core. lines: of each compartment, core after core, the row of
    positions that its neuron is in, counted over all layers."""

    core: Integers
    compartment: Integers
    used: Integers
    lines: NDArray[np.int32]

    @cached_property
    def _first(self) -> Integers:
        """The first compartment of each core in `lines`."""
        found: Integers = np.cumsum(self.used) - self.used
        return found

    def lines_of(self, core: int) -> NDArray[np.int32]:
        """Of each compartment of a core."""
        first = int(self._first[core])
        return self.lines[first : first + int(self.used[core])]

    @property
    def cores(self) -> int:
        return len(self.used)


def arrange(network: Network, core: Integers) -> Arrangement:
    """Neurons of a core by layer, then row, column and channel, so that positions are alike."""
    layer = np.repeat(np.arange(len(network.layers)), [each.size for each in network.layers])
    width = np.concatenate([np.full(each.size, each.width) for each in network.layers])
    order = np.concatenate([_position_first(each) for each in network.layers])
    sorted_by = np.lexsort((order, layer, core))
    ends = np.cumsum(width[sorted_by])
    cores = int(core.max()) + 1
    used = np.bincount(core, width, cores).astype(np.int64)
    before = np.cumsum(used) - used
    compartment = np.empty_like(ends)
    compartment[sorted_by] = ends - width[sorted_by] - before[core[sorted_by]]
    lines = np.repeat(_lines(network.layers)[sorted_by], width[sorted_by])
    return Arrangement(core, compartment, used, lines)


def arrange_alone(network: Network, number: int, neurons: Integers) -> Arrangement:
    """One core, which holds some neurons of a layer."""
    layer = network.layers[number]
    core = np.full(network.neurons, -1)
    compartment = np.zeros_like(core)
    order = np.argsort(_position_first(layer)[neurons])
    core[layer.first + neurons] = 0
    compartment[layer.first + neurons[order]] = np.arange(len(neurons)) * layer.width
    lines = np.repeat(_lines((layer,))[neurons[order]], layer.width)
    return Arrangement(core, compartment, np.array([len(neurons) * layer.width]), lines)


def _lines(layers: Sequence[Layer]) -> NDArray[np.int32]:
    """Of each neuron."""
    parts, before = [], 0
    for layer in layers:
        channels, rows, columns = layer.box
        line = (before + np.arange(rows, dtype=np.int32))[None, :, None]
        parts.append(np.broadcast_to(line, (channels, rows, columns)).reshape(-1))
        before += rows
    return np.concatenate(parts)


def _position_first(layer: Layer) -> Integers:
    channels, rows, columns = layer.box
    index = np.arange(layer.size).reshape(channels, rows * columns)
    place = np.empty_like(index)
    place[:] = np.arange(rows * columns) * channels + np.arange(channels)[:, None]
    return place.reshape(-1)


def mantissa_and_exponent(weights: Integers) -> tuple[Integers, Integers]:
    """Weights as mantissa · 2^exponent with mantissas of 8 bits, where they can be; the others
    keep a mantissa that is too large."""
    mantissas, exponents = weights.copy(), np.zeros_like(weights)
    if -128 <= weights.min(initial=0) and weights.max(initial=0) <= 127:
        return mantissas, exponents
    for _ in range(7):
        large = ((mantissas > 127) | (mantissas < -128)) & (mantissas % 2 == 0)
        if not large.any():
            break
        mantissas[large] //= 2
        exponents[large] += 1
    return mantissas, exponents


@dataclass(frozen=True)
class Use:
    """What a core uses of each limit of the chip."""

    compartments: int
    input_axons: int
    output_axons: int
    synapse_words: int
    profiles: int
    thresholds: int
    formats: int
    core_bytes: int

    def beyond(self, chip: Chip) -> dict[str, tuple[int, int]]:
        """What is over its limit: by name, the use and the limit."""
        limits = vars(chip.limits)
        return {
            name: (used, limits[name])
            for name, used in vars(self).items()
            if used > limits[name] and (limits[name] or name not in ("synapse_words", "core_bytes"))
        }

    def share(self, chip: Chip) -> float:
        """Of the scarcest limit."""
        limits = vars(chip.limits)
        return max(float(used / limits[name]) for name, used in vars(self).items() if limits[name])


def bytes_used(chip: Chip, compartments: int, axons: int, words: int) -> int:
    """Of a memory that all share."""
    limits = chip.limits
    if not limits.core_bytes:
        return 0
    return compartments * limits.compartment_bytes + axons * limits.axon_bytes + 8 * words
