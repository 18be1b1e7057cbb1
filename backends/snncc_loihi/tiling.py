"""What tiles of a segment hold, hear and send: how a cut of layers uses the limits of a chip."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import ceil, prod

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import TINY, Atoms, Grid
from snncc_loihi.chip import Chip
from snncc_loihi.heard import Heard, Hearing, heard_by_atoms, middle, place_of
from snncc_loihi.heard_sides import Question
from snncc_loihi.tile_use import Guess, TileUse

ROOM = 1 << 22
"""Numbers of tiles that are remembered."""


@dataclass(frozen=True)
class LayerTiles:
    """Of each tile: compartments, neurons, and the share of channels that it has."""

    compartments: Integers
    neurons: Integers
    channels: Floats


@dataclass(frozen=True)
class _Side:
    """Of each part of an axis: channels (rows, columns), and which share of channel groups."""

    held: list[int]
    share: list[float]


@dataclass(frozen=True)
class Outline:
    """Of layers first to last − 1, with what all of their cuts have in common.

    sides: channel groups, rows and columns of the layers that have positions and are cut with
    them, the fewest. narrow: channel groups of those without positions, the fewest. shared: words
    of the layers with positions that go with their shares of channels. once: words of all others,
    and those of neurons. axons: bytes of compartments and axons, at least. sent: of a neuron,
    to each later layer outside, by layer. asked: what is heard. messages: a sample, at least: what
    comes from outside.
    """

    first: int
    last: int
    sides: Grid
    narrow: int
    shared: float
    once: float
    axons: float
    sent: tuple[float, ...]
    asked: tuple[Question, ...]
    messages: float


class Tilings:
    """Cuts of a network's layers, remembered from one question to the next."""

    def __init__(self, atoms: Atoms, chip: Chip) -> None:
        self.atoms, self.chip = atoms, chip
        self._tiles: dict[tuple[int, Grid], LayerTiles | None] = {}
        self._sides: dict[tuple[int, int, int], _Side] = {}
        self._middles: dict[tuple[int, Grid], tuple[int, int, float] | None] = {}
        self._taken = 0
        self._hearing = Hearing(atoms)
        known: dict[tuple[Grid, bytes, int, int], int] = {}
        self._like = [
            known.setdefault(
                (each.sides, each.widths.tobytes(), each.layer.size, each.layer.width), i
            )
            for i, each in enumerate(atoms.layers)
        ]
        """Of each layer, the first that is cut like it."""

    def outline(self, first: int, last: int, guess: Guess) -> Outline:
        """Before the layers are cut."""
        far, limits = 1 << 62, self.chip.limits
        sides, narrow, shared, once = [far, far, far], far, 0.0, 0.0
        compartments, outputs, sent = 0, 0.0, []
        for i in range(first, last):
            atoms, words = self.atoms.layers[i], guess.words[i]
            once += words.each * atoms.layer.size
            if atoms.layer.size <= TINY:
                once += words.shared
            elif atoms.sides[1] * atoms.sides[2] == 1:
                once += words.shared
                narrow = min(narrow, atoms.chunks)
            else:
                shared += words.shared
                sides = [min(pair) for pair in zip(sides, atoms.sides, strict=True)]
            compartments += atoms.layer.size * atoms.layer.width
            beyond = {e.target for e in self.atoms.edges if e.source == i and e.target >= last}
            sent.append(guess.outside[i] * len(beyond))
            outputs += atoms.layer.size * sent[-1]
        asked = self._hearing.questions(first, last)
        least = [self._hearing.least(each) for each in asked]
        outputs += sum(axons for _, axons in least)
        channels, rows, columns = sides
        return Outline(
            first, last, (channels, rows, columns), narrow, shared, once,
            compartments * limits.compartment_bytes + outputs * limits.axon_bytes,
            tuple(sent), asked, sum(messages for messages, _ in least),
        )  # fmt: skip

    def likely(self, outline: Outline, grids: Iterable[Grid]) -> Iterator[Grid]:
        """Those by which the layers can be cut so that what tiles hold on average is not too much.

        grids: of one number of tiles.
        """
        limits, (most_channels, most_rows, most_columns) = self.chip.limits, outline.sides
        for grid in grids:
            channels, rows, columns = grid
            if channels > most_channels or rows > most_rows or columns > most_columns:
                continue
            positions = rows * columns
            number = channels * positions
            words = (outline.shared * positions + outline.once) * (1 - 1e-9)
            if (
                number <= outline.narrow
                and (not limits.synapse_words or words <= limits.synapse_words * number)
                and (
                    not limits.core_bytes
                    or outline.axons * (1 - 1e-9) + words * 8 <= limits.core_bytes * number
                )
            ):
                yield grid

    def costs_less(self, outline: Outline, grid: Grid, price: float, most: float) -> bool:
        """Whether the layers can be cut so, and the messages and a price for its tiles together
        are below `most`."""
        layers = range(outline.first, outline.last)
        if any(self._hearing.grid(i, grid) is None for i in layers):
            return False
        found = 0.0
        for asked in outline.asked:
            found += self._hearing.messages(asked, grid)
            if found + price >= most:
                return False
        return found + price < most

    def use(self, outline: Outline, grid: Grid, guess: Guess) -> TileUse | None:
        """Of layers cut by a grid; None when they cannot be, or do not fit."""
        if not self._fits_in_the_middle(outline, grid, guess):
            return None
        number = prod(grid)
        compartments, outputs = np.zeros(number, np.int64), np.zeros(number, np.int64)
        words = np.zeros(number)
        for i, sent in zip(range(outline.first, outline.last), outline.sent, strict=True):
            found = self.tiles(i, grid)
            if found is None:
                return None
            compartments = compartments + found.compartments
            words = words + guess.words[i].words(found.channels, found.neurons)
            if sent:
                outputs = outputs + np.ceil(found.neurons * sent).astype(np.int64)
        use = TileUse(compartments, np.zeros_like(outputs), outputs, words, 0.0)
        if not use.fits(self.chip):
            return None
        return _connected(use, [self._hearing.answer(asked, grid) for asked in outline.asked])

    def _fits_in_the_middle(self, outline: Outline, grid: Grid, guess: Guess) -> bool:
        """Whether the layers can be cut so, and the tile in the middle, which often holds and hears
        the most, is within limits: all numbers as in `use`, of a single tile."""
        compartments, inputs, outputs, words = 0, 0, 0, 0.0
        for i, sent in zip(range(outline.first, outline.last), outline.sent, strict=True):
            key = self._like[i], grid
            if key not in self._middles:
                self._middles[key] = self._middle(*key)
            found = self._middles[key]
            if found is None:
                return False
            neurons, held, share = found
            compartments += held
            words += guess.words[i].shared * share + guess.words[i].each * neurons
            outputs += ceil(neurons * sent) if sent else 0
        limits = self.chip.limits
        for asked in outline.asked:
            heard, told = self._hearing.in_the_middle(asked, grid)
            inputs, outputs = inputs + heard, outputs + told
            axons = (inputs + outputs) * limits.axon_bytes
            shared = compartments * limits.compartment_bytes + axons + words * 8
            if limits.core_bytes and shared > limits.core_bytes:
                return False
        return (
            compartments <= limits.compartments
            and inputs <= limits.input_axons
            and outputs <= limits.output_axons
            and (not limits.synapse_words or words <= limits.synapse_words)
        )

    def _middle(self, layer: int, grid: Grid) -> tuple[int, int, float] | None:
        """Of the middle tile: neurons, compartments and the share of channels; None for a layer
        that cannot be cut so."""
        cut, tile = self._hearing.grid(layer, grid), middle(grid)
        if cut is None:
            return None
        if tile >= prod(cut):
            return 0, 0, 0.0
        channel, row, column = place_of(tile, cut)
        channels, rows, columns = (self._side(layer, axis, n) for axis, n in enumerate(cut))
        neurons = channels.held[channel] * rows.held[row] * columns.held[column]
        return neurons, neurons * self.atoms.layers[layer].layer.width, channels.share[channel]

    def _side(self, layer: int, axis: int, parts: int) -> "_Side":
        key = layer, axis, parts
        if key not in self._sides:
            atoms = self.atoms.layers[layer]
            groups = np.bincount(np.arange(atoms.sides[axis]) * parts // atoms.sides[axis])
            held = groups
            if axis == 0:
                own = atoms.parts((parts, 1, 1))[0]
                held = np.bincount(own, atoms.widths, parts).astype(np.int64)
            self._sides[key] = _Side(held.tolist(), (groups / atoms.sides[axis]).tolist())
        return self._sides[key]

    def smallest(self, layer: int, guess: Guess) -> TileUse:
        """Of a layer with a tile for each of its atoms, whatever limits say."""
        atoms = self.atoms.layers[layer]
        index = np.arange(atoms.count)
        channels = np.full(atoms.count, 1 / atoms.chunks)
        words = guess.words[layer].words(channels, atoms.sizes)
        nothing = np.zeros(atoms.count, np.int64)
        use = TileUse(atoms.sizes * atoms.layer.width, nothing, nothing, words, 0.0)
        return _connected(
            use,
            [
                heard_by_atoms(
                    self.atoms, asked, index if asked.inside else None, {layer: index}, atoms.count
                )
                for asked in self._hearing.questions(layer, layer + 1)
            ],
        )

    def tiles(self, layer: int, grid: Grid) -> LayerTiles | None:
        """A layer cut by a grid; None when it cannot be."""
        layer = self._like[layer]
        if (layer, grid) not in self._tiles:
            if self._taken > ROOM:
                self._tiles.clear()
                self._taken = 0
            self._tiles[layer, grid] = self._cut(layer, grid)
            self._taken += prod(grid)
        return self._tiles[layer, grid]

    def _cut(self, layer: int, grid: Grid) -> LayerTiles | None:
        atoms = self.atoms.layers[layer]
        cut = self._hearing.grid(layer, grid)
        if cut is None:
            return None
        channels, rows, columns = (self._side(layer, axis, n) for axis, n in enumerate(cut))
        held = np.multiply.outer(channels.held, np.multiply.outer(rows.held, columns.held))
        neurons, share = np.zeros(prod(grid), np.int64), np.zeros(prod(grid))
        here = prod(cut)
        neurons[:here] = held.reshape(-1)
        share[:here] = np.repeat(channels.share, here // cut[0])
        return LayerTiles(neurons * atoms.layer.width, neurons, share)


def _connected(use: TileUse, found: Iterable[Heard]) -> TileUse:
    """With what tiles hear, and send to each other."""
    inputs, outputs, messages = use.inputs, use.outputs, 0.0
    for heard in found:
        inputs = inputs + heard.inputs
        if heard.outputs is not None:
            outputs = outputs + heard.outputs
        messages += heard.messages
    return replace(use, inputs=inputs, outputs=outputs, messages=messages)
