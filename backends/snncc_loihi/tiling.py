"""What tiles of a segment hold, hear and send: how a cut of layers uses the limits of a chip."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import Atoms, Grid
from snncc_loihi.chip import Chip

TINY = 64
"""Layers of so few neurons may stay in one tile where the others of their segment are cut."""


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
        return all(used <= limit for used, limit in self.over(chip).values())


@dataclass(frozen=True)
class LayerTiles:
    """of_atom: the tile of each atom. neurons: of each tile. channels: share that each has."""

    of_atom: Integers
    neurons: Integers
    channels: Floats


@dataclass(frozen=True)
class _Held:
    """Of each tile, of layers up to `last` − 1."""

    last: int
    compartments: Integers
    words: Floats


@dataclass(frozen=True)
class _Heard:
    """Of a source, by some of its edges: receivers: tiles that hear each atom; inputs: axons of
    each tile; own: whether each atom is heard in its own tile, where it has one."""

    receivers: Integers
    inputs: Integers
    own: NDArray[np.bool_] | None


class Tilings:
    """Cuts of a network's layers, remembered from one question to the next."""

    def __init__(self, atoms: Atoms, chip: Chip) -> None:
        self.atoms, self.chip = atoms, chip
        self._tiles: dict[tuple[int, Grid], LayerTiles | None] = {}
        self._counted: dict[tuple[int, tuple[int, ...], bool, Grid], _Heard] = {}
        self._guess: Guess | None = None
        self._held: dict[tuple[int, Grid], _Held | None] = {}

    def use(self, first: int, last: int, grid: Grid, guess: Guess) -> TileUse | None:
        """Of layers first to last − 1, cut by a grid; None when they cannot be, or do not fit."""
        held = self._up_to(first, last, grid, guess)
        if held is None:
            return None
        outputs = np.zeros(prod(grid), np.int64)
        for i in range(first, last):
            beyond = {e.target for e in self.atoms.edges if e.source == i and e.target >= last}
            found = self.tiles(i, grid)
            if beyond and found is not None:
                sent = found.neurons * guess.outside[i] * len(beyond)
                outputs = outputs + np.ceil(sent).astype(np.int64)
        use = TileUse(held.compartments, np.zeros_like(outputs), outputs, held.words, 0.0)
        if not use.fits(self.chip):
            return None
        tiles = [found for i in range(first, last) if (found := self.tiles(i, grid)) is not None]
        return self._connected(use, first, last, tiles, grid)

    def least_by_memory(self, first: int, last: int, guess: Guess) -> float:
        """No fewer tiles hold compartments and synapse words, however the layers are cut."""
        limits = self.chip.limits
        layers = [self.atoms.layers[i].layer for i in range(first, last)]
        words = sum(
            model.shared + model.each * layer.size
            for model, layer in zip(guess.words[first:last], layers, strict=True)
        )
        compartments = sum(layer.size * layer.width for layer in layers)
        shared = compartments * limits.compartment_bytes + words * 8
        least = max(
            words / (limits.synapse_words or np.inf), shared / (limits.core_bytes or np.inf)
        )
        return least * (1 - 1e-9)

    def _up_to(self, first: int, last: int, grid: Grid, guess: Guess) -> _Held | None:
        """Compartments and words of layers first to last − 1; None when they cannot be cut, or do
        not fit: then longer segments do neither, and are not looked at again."""
        if guess is not self._guess:
            self._guess = guess
            self._held.clear()
        number = prod(grid)
        start: _Held | None = _Held(first, np.zeros(number, np.int64), np.zeros(number))
        held = self._held.get((first, grid), start)
        if held is not None and held.last > last:
            held = start
        while held is not None and held.last < last:
            held = self._with_layer(held, grid, guess)
        self._held[first, grid] = held
        return held

    def _with_layer(self, held: _Held, grid: Grid, guess: Guess) -> _Held | None:
        found = self.tiles(held.last, grid)
        if found is None:
            return None
        width = self.atoms.layers[held.last].layer.width
        compartments = held.compartments + found.neurons * width
        words = held.words + guess.words[held.last].words(found.channels, found.neurons)
        nothing = np.zeros_like(compartments)
        if not TileUse(compartments, nothing, nothing, words, 0.0).fits(self.chip):
            return None
        return _Held(held.last + 1, compartments, words)

    def smallest(self, layer: int, guess: Guess) -> TileUse:
        """Of a layer with a tile for each of its atoms, whatever limits say."""
        atoms = self.atoms.layers[layer]
        index = np.arange(atoms.count)
        tiles = LayerTiles(index, atoms.sizes, np.full(atoms.count, 1 / atoms.chunks))
        words = guess.words[layer].words(tiles.channels, tiles.neurons)
        nothing = np.zeros(atoms.count, np.int64)
        use = TileUse(atoms.sizes * atoms.layer.width, nothing, nothing, words, 0.0)
        return self._connected(use, layer, layer + 1, [tiles], (atoms.count, 1, 1))

    def tiles(self, layer: int, grid: Grid) -> LayerTiles | None:
        """A layer cut by a grid; None when it cannot be."""
        if (layer, grid) not in self._tiles:
            self._tiles[layer, grid] = self._cut(layer, grid)
        return self._tiles[layer, grid]

    def _cut(self, layer: int, grid: Grid) -> LayerTiles | None:
        atoms, number = self.atoms.layers[layer], prod(grid)
        tile = atoms.tiles(grid)
        if tile is None and atoms.layer.size <= TINY:
            tile = np.zeros(atoms.count, np.int64)
        if tile is None:
            return None
        present = np.zeros((number, atoms.chunks), np.bool_)
        present[tile, np.arange(atoms.count) * atoms.chunks // atoms.count] = True
        neurons = np.bincount(tile, atoms.sizes, number).astype(np.int64)
        return LayerTiles(tile, neurons, present.mean(axis=1))

    def _connected(
        self, use: TileUse, first: int, last: int, tiles: Sequence[LayerTiles], grid: Grid
    ) -> TileUse:
        """With what tiles hear, and send to each other."""
        inputs, outputs, messages = use.inputs, use.outputs, 0.0
        for source in range(-1, last):
            heard = self._counted_in(source, first, last, tiles, grid)
            if heard is None:
                continue
            inputs = inputs + heard.inputs
            if source < 0:
                continue
            atoms, receivers = self.atoms.layers[source], heard.receivers
            if heard.own is not None:
                own = tiles[source - first].of_atom
                sent = np.bincount(own, receivers * atoms.sizes, prod(grid))
                outputs = outputs + sent.astype(np.int64)
                receivers = receivers - heard.own
            messages += float(receivers @ atoms.spikes)
        return replace(use, inputs=inputs, outputs=outputs, messages=messages)

    def _counted_in(
        self, source: int, first: int, last: int, tiles: Sequence[LayerTiles], grid: Grid
    ) -> _Heard | None:
        """Where a source is heard, counted; None when nowhere. Many segments ask for the same."""
        numbers = tuple(
            number
            for number, edges in enumerate(self.atoms.edges)
            if edges.source == source and first <= edges.target < last
        )
        inside = first <= source < last
        feedback = inside and self.atoms.layers[source].layer.feedback
        if not numbers and not feedback:
            return None
        key = source, numbers, inside, grid
        if key not in self._counted:
            own = tiles[source - first].of_atom if inside else None
            heard = self._heard_in(source, numbers, first, tiles, grid)
            if feedback and own is not None:
                heard[np.arange(len(own)), own] = True
            if source < 0:
                counted = _Heard(np.zeros(0, np.int64), heard.sum(axis=0), None)
            else:
                counted = _Heard(
                    heard.sum(axis=1),
                    self.atoms.layers[source].sizes @ heard,
                    None if own is None else heard[np.arange(len(own)), own],
                )
            self._counted[key] = counted
        return self._counted[key]

    def _heard_in(
        self,
        source: int,
        numbers: Sequence[int],
        first: int,
        tiles: Sequence[LayerTiles],
        grid: Grid,
    ) -> NDArray[np.bool_]:
        """Which atoms of a source are heard in which tiles, by some of its edges."""
        layers, inputs = self.atoms.layers, self.atoms.inputs
        heard = np.zeros((inputs if source < 0 else layers[source].count, prod(grid)), np.bool_)
        for number in numbers:
            edges = self.atoms.edges[number]
            heard[edges.sources, tiles[edges.target - first].of_atom[edges.targets]] = True
        return heard
