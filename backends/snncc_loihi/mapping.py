"""Which neuron is on which core, and what that core then holds: partition, packing, limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from snncc_ir import Floats, Integers, spread
from snncc_loihi.atoms import Atoms, Grid, make_atoms
from snncc_loihi.chip import Chip
from snncc_loihi.cores import Arrangement, Use, arrange, bytes_used
from snncc_loihi.gathering import Gatherer
from snncc_loihi.layers import Network
from snncc_loihi.misfit import refuse_core, refuse_layers, refuse_network, refuse_rounds
from snncc_loihi.packing import PackedCore, pack_core
from snncc_loihi.partition import Known, Misfit, Segment, misfits, partition
from snncc_loihi.tables import CoreTables, Tables
from snncc_loihi.tile_use import Guess
from snncc_loihi.tiling import Tilings
from snncc_loihi.words_model import word_models

ROUNDS = 16
"""Partitions that are tried, each with what the ones before it were found to need."""
MARGIN = 1.03

_Tile = tuple[int, int, Grid, int]
"""Of a partition: first and last layer of a segment, its grid, and the tile."""


@dataclass(frozen=True)
class LoadedCore:
    """sources: of its input axons, ascending; packed: their lists. use: of the limits."""

    sources: Integers
    packed: PackedCore
    tables: CoreTables
    use: Use


@dataclass(frozen=True)
class Assignment:
    """A partition that obeys every limit of the chip. spikes: of each neuron, a sample."""

    network: Network
    segments: tuple[Segment, ...]
    arrangement: Arrangement
    cores: tuple[LoadedCore, ...]
    spikes: Floats

    @cached_property
    def held(self) -> Integers:
        """Neurons of each layer on each core: (cores, layers)."""
        layers = self.network.layers
        layer = np.repeat(np.arange(len(layers)), [each.size for each in layers])
        found = np.zeros((self.arrangement.cores, len(layers)), np.int64)
        np.add.at(found, (self.arrangement.core, layer), 1)
        return found

    @cached_property
    def host_messages(self) -> Integers:
        """From the host to each core, a sample, where no input number is 0."""
        return np.array([int((core.sources < 0).sum()) for core in self.cores])

    @cached_property
    def messages(self) -> tuple[Integers, Integers, Floats]:
        """Between cores, own ones left out: sending core, receiving core, messages a sample."""
        sending, receiving, sent = [], [], []
        for target, core in enumerate(self.cores):
            sources = core.sources[core.sources >= 0]
            total = np.bincount(
                self.arrangement.core[sources], self.spikes[sources], self.arrangement.cores
            )
            total[target] = 0
            found = np.flatnonzero(total)
            sending.append(found)
            receiving.append(np.full(len(found), target))
            sent.append(total[found].astype(np.float64))
        return np.concatenate(sending), np.concatenate(receiving), np.concatenate(sent)


def assign(network: Network, spikes: Mapping[int, Floats], chip: Chip) -> Assignment:
    """spikes: of each neuron of a layer, a sample; layers that it lacks send none.

    Raises SNN041 for a network that does not fit: which layer, which limit, by how much.
    """
    cutting = first_guess(network, spikes, chip)
    atoms, guess = cutting.tilings.atoms, cutting.guess
    sent = [spikes.get(i, np.zeros(layer.size)) for i, layer in enumerate(network.layers)]
    tables = Tables(network, chip)
    known: dict[_Tile, LoadedCore] = {}
    for _ in range(ROUNDS):
        segments = cut(network, replace(cutting, guess=guess), chip)
        arrangement = arrange(network, _core_of_neurons(atoms, segments))
        loads, better = _loaded(network, arrangement, segments, tables, chip, guess, known)
        if better is None:
            return Assignment(
                network, tuple(segments), arrangement, tuple(loads), np.concatenate(sent)
            )
        guess = better
    raise refuse_rounds(chip, ROUNDS)


@dataclass(frozen=True)
class Cutting:
    """What a partition is made of: what tiles use, and what is guessed of it. known: segments."""

    tilings: Tilings
    guess: Guess
    known: Known = field(default_factory=dict)


def first_guess(network: Network, spikes: Mapping[int, Floats], chip: Chip) -> Cutting:
    """Before any core is packed. spikes: as for `assign`."""
    atoms = make_atoms(network, dict(spikes))
    models = word_models(network, atoms.layers, chip)
    return Cutting(Tilings(atoms, chip), Guess(tuple(models), (1.2,) * len(models)))


def cut(network: Network, cutting: Cutting, chip: Chip) -> list[Segment]:
    """The segments of a partition; raises SNN041 for layers that fit no cores, or too many."""
    segments = partition(cutting.tilings, cutting.guess, cutting.known)
    if isinstance(segments, Misfit):
        found = misfits(cutting.tilings, cutting.guess) or [segments]
        raise refuse_layers(network, found, chip)
    cores = sum(segment.cores for segment in segments)
    if cores > chip.most_cores:
        raise refuse_network(cores, chip)
    return segments


def _core_of_neurons(atoms: Atoms, segments: Sequence[Segment]) -> Integers:
    parts, first = [], 0
    for segment in segments:
        for i, tile in zip(range(segment.first, segment.last), segment.tiles, strict=True):
            parts.append(first + tile[atoms.layers[i].of_neuron])
        first += segment.cores
    return np.concatenate(parts)


def _loaded(
    network: Network,
    arrangement: Arrangement,
    segments: Sequence[Segment],
    tables: Tables,
    chip: Chip,
    guess: Guess,
    known: dict[_Tile, LoadedCore],
) -> tuple[list[LoadedCore], Guess | None]:
    """All cores; or those up to a broken limit, and a better guess.

    known: cores of earlier rounds, and of this one afterwards; what is on a core says its tile.
    """
    gatherer = Gatherer(network, arrangement)
    loads: dict[int, LoadedCore] = {}
    for segment, core, tile in _middle_first(segments):
        key = segment.first, segment.last, segment.grid, tile
        if key not in known:
            # what is at hand soon after it, too: the rest of the middles, then the rest of all
            missing = _missing(segments, known, middle=tile == segment.hardest)
            gatherer.prepare({i for first, last, _, _ in missing for i in range(first, last)})
            made = spread(
                lambda at: _load(gatherer, arrangement, at, tables, chip), missing.values()
            )
            known.update(zip(missing, made, strict=True))
        loads[core] = known[key]
        use = loads[core].use
        words, beyond = use.synapse_words, use.beyond(chip)
        if {"synapse_words", "core_bytes"} & set(beyond):
            factor = MARGIN * max(words / max(segment.words[tile], 1), 1.0)
            return list(loads.values()), guess.with_words(segment.first, segment.last, factor)
        if beyond:
            fewer = min(guess.most_layers, segment.last - segment.first) - 1
            if not fewer:
                raise refuse_core(network, segment, chip, use)
            return list(loads.values()), replace(guess, most_layers=fewer)
    outputs = np.zeros(arrangement.cores, np.int64)
    for load in loads.values():
        sources = load.sources[load.sources >= 0]
        outputs += np.bincount(arrangement.core[sources], minlength=arrangement.cores)
    cores = [_with_outputs(loads[i], int(outputs[i]), chip) for i in range(arrangement.cores)]
    wrong = [i for i, core in enumerate(cores) if core.use.beyond(chip)]
    if not wrong:
        return cores, None
    return cores, _corrected(guess, network, arrangement, segments, cores, wrong)


def _missing(
    segments: Sequence[Segment], known: Mapping[_Tile, LoadedCore], middle: bool
) -> dict[_Tile, int]:
    """The cores that are not known yet, by tile; of the middles of segments, or all."""
    return {
        key: core
        for segment, core, tile in _middle_first(segments)
        if (key := (segment.first, segment.last, segment.grid, tile)) not in known
        and (not middle or tile == segment.hardest)
    }


def _load(
    gatherer: Gatherer, arrangement: Arrangement, core: int, tables: Tables, chip: Chip
) -> LoadedCore:
    """What a core holds, its output axons aside."""
    inputs = gatherer.inputs_of(core)
    packed = pack_core(inputs.lists, chip)
    made = tables.of_core(core, arrangement)
    used, axons, words = int(arrangement.used[core]), len(inputs.sources), len(packed.memory)
    use = Use(
        used, axons, 0, words, len(made.profiles), len(made.thresholds), len(packed.formats),
        bytes_used(chip, used, axons, words),
    )  # fmt: skip
    return LoadedCore(inputs.sources, packed, made, use)


def _corrected(
    guess: Guess,
    network: Network,
    arrangement: Arrangement,
    segments: Sequence[Segment],
    cores: Sequence[LoadedCore],
    wrong: Sequence[int],
) -> Guess:
    """For the segments of cores that are over a limit: more words, more axons to other segments."""
    measured = _outside(network, arrangement, segments, cores)
    outside = list(guess.outside)
    first = 0
    for segment in segments:
        mine = [core - first for core in wrong if first <= core < first + segment.cores]
        if mine:
            grown = max(
                cores[first + tile].use.synapse_words / max(segment.words[tile], 1) for tile in mine
            )
            factor = MARGIN * max(grown, 1.0)
            guess = guess.with_words(segment.first, segment.last, factor)
            for i in range(segment.first, segment.last):
                outside[i] = max(measured[i], outside[i])
        first += segment.cores
    return replace(guess, outside=tuple(outside))


def _outside(
    network: Network,
    arrangement: Arrangement,
    segments: Sequence[Segment],
    cores: Sequence[LoadedCore],
) -> list[float]:
    """Output axons of a neuron to each later layer that is not in its segment, by layer."""
    segment = np.repeat(np.arange(len(segments)), [each.cores for each in segments])
    sent = np.zeros(network.neurons)
    for number, core in enumerate(cores):
        sources = core.sources[core.sources >= 0]
        sent[sources[segment[arrangement.core[sources]] != segment[number]]] += 1
    found = []
    for i, layer in enumerate(network.layers):
        own = slice(layer.first, layer.first + layer.size)
        last = segments[segment[arrangement.core[layer.first]]].last
        later = {link.target for link in network.outgoing[i] if link.target >= last}
        here = arrangement.core[own]
        mean = np.bincount(here, sent[own]) / np.maximum(np.bincount(here), 1)
        found.append(float(mean.max()) / max(len(later), 1))
    return found


def _middle_first(segments: Sequence[Segment]) -> Iterator[tuple[Segment, int, int]]:
    """Segment, core and tile of all cores; first one of each segment, to see what is wrong soon."""
    firsts = np.cumsum([0, *(segment.cores for segment in segments)]).tolist()
    for segment, first in zip(segments, firsts, strict=False):
        middle = segment.hardest
        yield segment, first + middle, middle
    for segment, first in zip(segments, firsts, strict=False):
        for tile in range(segment.cores):
            if tile != segment.hardest:
                yield segment, first + tile, tile


def _with_outputs(core: LoadedCore, outputs: int, chip: Chip) -> LoadedCore:
    use = core.use
    axons = use.input_axons + outputs
    total = bytes_used(chip, use.compartments, axons, use.synapse_words)
    return replace(core, use=replace(use, output_axons=outputs, core_bytes=total))
