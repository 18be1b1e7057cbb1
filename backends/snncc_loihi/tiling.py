"""What tiles of a segment hold, hear and send: how a cut of layers uses the limits of a chip."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import Atoms, Grid
from snncc_loihi.chip import Chip

TINY = 64
"""Layers of so few neurons may stay in one tile where the others of their segment are cut."""
REMEMBERED = 1 << 28
"""Bytes of what atoms are heard in which tiles, kept because many segments ask for it."""


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


Asked = tuple[int, int, tuple[WordModel, ...], tuple[float, ...]]
"""Layers, first to last, and what is guessed of them."""


@dataclass(frozen=True)
class Hearing:
    """What a source adds to each tile's axons, and the messages that it causes, a sample."""

    inputs: Integers
    outputs: Integers
    messages: float


class Tilings:
    """Cuts of a network's layers, remembered from one question to the next."""

    def __init__(self, atoms: Atoms, chip: Chip) -> None:
        self.atoms, self.chip = atoms, chip
        self._tiles: dict[tuple[int, Grid], LayerTiles | None] = {}
        self._heard: dict[tuple[int, Grid], NDArray[np.bool_]] = {}
        self._bytes = 0
        self._uses: dict[Asked, dict[Grid, TileUse | None]] = {}
        self._hearings: dict[tuple[int, tuple[int, ...], bool, Grid], Hearing] = {}
        # (edge, its target) by source, the input first
        self._edges_of: list[list[tuple[int, int]]] = [[] for _ in range(len(atoms.layers) + 1)]
        for number, edges in enumerate(atoms.edges):
            self._edges_of[edges.source + 1].append((number, edges.target))

    def uses(self, first: int, last: int, guess: Guess) -> Callable[[Grid], TileUse | None]:
        """`use` by grid, remembered for the next guess that says the same of these layers."""
        known = self._uses.setdefault(
            (first, last, guess.words[first:last], guess.outside[first:last]), {}
        )

        def use(grid: Grid) -> TileUse | None:
            if grid not in known:
                known[grid] = self.use(first, last, grid, guess)
            return known[grid]

        return use

    def use(self, first: int, last: int, grid: Grid, guess: Guess) -> TileUse | None:
        """Of layers first to last − 1, cut by a grid; None when they cannot be, or do not fit."""
        number = prod(grid)
        compartments, inputs, outputs = (np.zeros(number, np.int64) for _ in range(3))
        words = np.zeros(number)
        tiles: list[LayerTiles] = []
        for i in range(first, last):
            found = self.tiles(i, grid)
            if found is None:
                return None
            tiles.append(found)
        for i, found in zip(range(first, last), tiles, strict=True):
            compartments = compartments + found.neurons * self.atoms.layers[i].layer.width
            words = words + guess.words[i].words(found.channels, found.neurons)
            beyond = {target for _, target in self._edges_of[i + 1] if target >= last}
            sent = found.neurons * guess.outside[i] * len(beyond)
            outputs = outputs + np.ceil(sent).astype(np.int64)
        use = TileUse(compartments, inputs, outputs, words, 0.0)
        return self._connected(use, first, last, tiles, grid) if use.fits(self.chip) else None

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
            edges = tuple(n for n, target in self._edges_of[source + 1] if first <= target < last)
            own = tiles[source - first].of_atom if first <= source < last else None
            feedback = own is not None and self.atoms.layers[source].layer.feedback
            if not edges and not feedback:
                continue
            key = (source, edges, own is None, grid)
            if key not in self._hearings:
                of_targets = [
                    tiles[self.atoms.edges[number].target - first].of_atom for number in edges
                ]
                self._hearings[key] = self._hearing(source, edges, of_targets, own, grid)
            found = self._hearings[key]
            inputs = inputs + found.inputs
            outputs = outputs + found.outputs
            messages += found.messages
        return replace(use, inputs=inputs, outputs=outputs, messages=messages)

    def _hearing(
        self,
        source: int,
        edges: Sequence[int],
        of_targets: Sequence[Integers],
        own: Integers | None,
        grid: Grid,
    ) -> Hearing:
        """Of a source heard through some edges. own: its tiles, if it is in the segment."""
        count = self.atoms.inputs if source < 0 else self.atoms.layers[source].count
        heard = np.zeros((count, prod(grid)), np.bool_)
        for number, of_target in zip(edges, of_targets, strict=True):
            heard |= self._heard_through(number, of_target, grid)
        nothing = np.zeros(prod(grid), np.int64)
        if source < 0:
            return Hearing(heard.sum(axis=0), nothing, 0.0)
        atoms = self.atoms.layers[source]
        if own is not None and atoms.layer.feedback:
            heard[np.arange(len(own)), own] = True
        receivers, sent = heard.sum(axis=1), nothing
        inputs = atoms.sizes @ heard
        if own is not None:
            sent = np.bincount(own, receivers * atoms.sizes, prod(grid)).astype(np.int64)
            receivers = receivers - heard[np.arange(len(own)), own]
        return Hearing(inputs, sent, float(receivers @ atoms.spikes))

    def _heard_through(self, number: int, of_target: Integers, grid: Grid) -> NDArray[np.bool_]:
        """Which atoms of an edge's source are heard in which tiles."""
        found = self._heard.get((number, grid))
        if found is None:
            edges, layers = self.atoms.edges[number], self.atoms.layers
            count = self.atoms.inputs if edges.source < 0 else layers[edges.source].count
            found = np.zeros((count, prod(grid)), np.bool_)
            found[edges.sources, of_target[edges.targets]] = True
            self._remember((number, grid), found)
        return found

    def _remember(self, key: tuple[int, Grid], heard: NDArray[np.bool_]) -> None:
        self._bytes += heard.nbytes
        if self._bytes > REMEMBERED:
            self._heard.clear()
            self._bytes = heard.nbytes
        self._heard[key] = heard
