"""From a partition to what each core holds: compartments, input axons, synapse lists, its use."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers, spread
from snncc_loihi.chip import Chip
from snncc_loihi.layers import Layer, Link, Network
from snncc_loihi.lists import Synapses
from snncc_loihi.sorting import stable_order

Small = NDArray[np.signedinteger]
HOST = -1
"""Number of the first input, as source of an axon: input i is −1 − i; neurons are 0 and up."""


@dataclass(frozen=True)
class Arrangement:
    """core: of each neuron. compartment: the first of each neuron, in its core. line: the row of
    positions that it is in, counted over all layers. used: compartments, by core."""

    core: Integers
    compartment: Integers
    line: Integers
    used: Integers

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
    return Arrangement(core, compartment, _lines(network), used)


def _lines(network: Network) -> Integers:
    parts, before = [], 0
    for layer in network.layers:
        channels, rows, columns = layer.box
        line = before + np.arange(rows)[None, :, None]
        parts.append(np.broadcast_to(line, (channels, rows, columns)).reshape(-1))
        before += rows
    return np.concatenate(parts)


def _position_first(layer: Layer) -> Integers:
    channels, rows, columns = layer.box
    index = np.arange(layer.size).reshape(channels, rows * columns)
    place = np.empty_like(index)
    place[:] = np.arange(rows * columns) * channels + np.arange(channels)[:, None]
    return place.reshape(-1)


@dataclass(frozen=True)
class CoreInputs:
    """What arrives in a core: for each input axon, ascending by source, a list of synapses."""

    sources: Integers
    synapses: Synapses


@dataclass(frozen=True)
class _Part:
    """A link's synapses, those of each core together: rows (cores + 1) where they begin."""

    rows: Integers
    sources: Small
    targets: Small
    lanes: Small
    weights: Small
    delay: int


class Gatherer:
    """Collects the synapses of single cores; sorted once by core, link by link."""

    def __init__(self, network: Network, arrangement: Arrangement) -> None:
        self._network, self._arrangement = network, arrangement
        self._parts: dict[int, list[_Part]] = {}

    def prepare(self, layers: Collection[int]) -> None:
        """Sorts what arrives in some layers, before (several threads) ask for cores of theirs."""
        missing = sorted(set(layers) - self._parts.keys())
        self._parts.update(zip(missing, spread(self._of_layer, missing), strict=True))

    def _of_layer(self, number: int) -> list[_Part]:
        links = [link for link in self._network.links if link.target == number]
        return [*map(self._of_link, links), *self._feedback(self._network.layers[number])]

    def _of_link(self, link: Link) -> _Part:
        target, core = self._network.layers[link.target], self._arrangement.core
        here = core[target.first : target.first + target.size][link.synapses.targets]
        order = np.argsort(here.astype(np.uint16), kind="stable")
        sources = link.synapses.sources[order]
        if link.source < 0:
            sources = HOST - sources
        else:
            sources = sources + self._network.layers[link.source].first
        return _Part(
            _rows(here, self._arrangement.cores),
            sources,
            link.synapses.targets[order] + target.first,
            link.synapses.lanes[order],
            link.synapses.weights[order],
            link.delay,
        )

    def _feedback(self, layer: Layer) -> Iterator[_Part]:
        """Own spikes that come back, with weight −theta (of a max pool, −1 on every lane)."""
        if not layer.feedback:
            return
        core, lanes = self._arrangement.core, layer.width - 1
        own = np.repeat(np.arange(layer.first, layer.first + layer.size), lanes)
        order = np.argsort(core[own], kind="stable")
        yield _Part(
            _rows(core[own], self._arrangement.cores),
            own[order],
            own[order],
            np.tile(np.arange(lanes), layer.size)[order],
            -np.repeat(layer.theta, lanes)[order],
            0,
        )

    def inputs_of(self, core: int) -> CoreInputs:
        """Everything that arrives in a core whose layers are prepared."""
        parts = [
            (part, slice(part.rows[core], part.rows[core + 1]))
            for _, of_layer in sorted(self._parts.items())
            for part in of_layer
        ]
        # a population that only the host drives, and that resets to zero, has no part at all
        none = np.zeros(0, np.int64)
        sources = np.concatenate([none, *(part.sources[here] for part, here in parts)])
        targets = np.concatenate([none, *(part.targets[here] for part, here in parts)])
        lanes = np.concatenate([none, *(part.lanes[here] for part, here in parts)])
        weights = np.concatenate([none, *(part.weights[here] for part, here in parts)])
        delays = np.concatenate(
            [none, *(np.full(here.stop - here.start, part.delay) for part, here in parts)]
        )
        mantissas, exponents = mantissa_and_exponent(weights)
        offsets = self._arrangement.compartment[targets] + lanes
        shifted = sources - sources.min(initial=0)
        order = stable_order(((shifted << 6 | delays) << 3 | exponents) << 16 | offsets)
        ordered = sources[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
        found, rows = ordered[starts], np.append(starts, len(order))
        synapses = Synapses(rows, offsets[order], mantissas[order], delays[order],
                            exponents[order], self._arrangement.line[targets][order])  # fmt: skip
        return CoreInputs(found, synapses)


def mantissa_and_exponent(weights: Integers) -> tuple[Integers, Integers]:
    """Weights as mantissa · 2^exponent with mantissas of 8 bits, where they can be; the others
    keep a mantissa that is too large."""
    mantissas, exponents = weights.copy(), np.zeros_like(weights)
    for _ in range(7):
        large = ((mantissas > 127) | (mantissas < -128)) & (mantissas % 2 == 0)
        if not large.any():
            break
        mantissas[large] //= 2
        exponents[large] += 1
    return mantissas, exponents


def _rows(here: Integers, cores: int) -> Integers:
    return np.concatenate([[0], np.cumsum(np.bincount(here, minlength=cores))])


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
