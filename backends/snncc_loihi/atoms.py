"""Atoms: the small groups of neurons of which partitions are made, and which of them are connected.

An atom is some channels at one position, so that there are about a thousand of a layer, however
large it is.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers
from snncc_loihi.boxes import Boxes
from snncc_loihi.connections import Connections
from snncc_loihi.layers import Layer, Link, Network

ATOMS = 1024
"""About so many of a layer: channels at a position stay together where there are more positions."""
WIDE = 64
"""Layers of so many channels may be cut by channels whatever their size: their weights are many."""
CHANNELS = 8
"""Of an atom of such a layer, at most."""

TINY = 64
"""Layers of so few neurons may stay in one tile where the others of their segment are cut."""

Grid = tuple[int, int, int]
"""Into how many tiles channels, rows and columns are cut."""
Truths = NDArray[np.bool_]
Axes = tuple[Truths, Truths, Truths]
"""What is true of channels, rows and columns, each on their own."""


@dataclass(frozen=True)
class LayerAtoms:
    """chunks: channel groups, counted first, then positions. of_neuron: (size).

    sizes: neurons of each atom. spikes: of each atom, a sample.
    """

    layer: Layer
    chunks: int
    of_neuron: Integers
    sizes: Integers
    spikes: Floats

    @property
    def count(self) -> int:
        return len(self.sizes)

    @cached_property
    def sides(self) -> Grid:
        """Channel groups, rows and columns."""
        _, rows, columns = self.layer.box
        return self.chunks, rows, columns

    @property
    def widths(self) -> Integers:
        """Channels of each group."""
        return self.sizes[:: prod(self.sides[1:])]

    def grid(self, grid: Grid) -> Grid | None:
        """The grid that cuts the layer where one is asked for; (1, 1, 1) where it stays in the
        first of many tiles, and None when it cannot be cut so.

        A layer without positions is cut by channels instead.
        """
        number = prod(grid)
        if self.sides[1] * self.sides[2] == 1 and number <= self.chunks:
            return number, 1, 1
        sides = self.sides
        if grid[0] <= sides[0] and grid[1] <= sides[1] and grid[2] <= sides[2]:
            return grid
        return (1, 1, 1) if self.layer.size <= TINY else None

    def parts(self, grid: Grid) -> tuple[Integers, Integers, Integers]:
        """In which part of a grid that cuts the layer each group, row and column is."""
        channels, rows, columns = (
            np.arange(side) * parts // side for side, parts in zip(self.sides, grid, strict=True)
        )
        return channels, rows, columns

    def tiles(self, grid: Grid) -> Integers | None:
        """The tile of each atom; None when the layer cannot be cut so."""
        found = self.grid(grid)
        if found is None:
            return None
        channels, rows, columns = self.parts(found)
        tile = (channels[:, None, None] * found[1] + rows[:, None]) * found[2] + columns
        return tile.reshape(-1)


@dataclass(frozen=True)
class Edges:
    """Pairs of atoms of two layers (source −1: the input numbers themselves) with a synapse.

    source_sides, target_sides: channel groups, rows and columns. axes: which of them are connected,
    (sources, targets) each, where the pairs are all combinations of these; else listed: the pairs.
    first: of the source's atoms.
    """

    source: int
    target: int
    source_sides: Grid
    target_sides: Grid
    axes: Axes | None
    listed: tuple[Integers, Integers] | None = None
    first: int = 0

    @cached_property
    def pairs(self) -> tuple[Integers, Integers]:
        """Sources and targets, every pair once."""
        if self.listed is not None:
            return self.listed
        assert self.axes is not None, "pairs are listed, or all combinations"
        found = [np.nonzero(axis) for axis in self.axes]
        sources, targets = (
            np.ravel_multi_index(np.meshgrid(*(part[i] for part in found), indexing="ij"), sides)
            for i, sides in enumerate((self.source_sides, self.target_sides))
        )
        return self.first + sources.reshape(-1), targets.reshape(-1)

    @cached_property
    def heard(self) -> Integers:
        """Sources that are in any pair."""
        if self.axes is None:
            return np.unique(self.pairs[0])
        some = (np.flatnonzero(axis.any(axis=1)) for axis in self.axes)
        places = np.ravel_multi_index(np.meshgrid(*some, indexing="ij"), self.source_sides)
        return self.first + places.reshape(-1)


@dataclass(frozen=True)
class Atoms:
    """All atoms of a network. inputs: edges from the input are from its single numbers."""

    layers: tuple[LayerAtoms, ...]
    edges: tuple[Edges, ...]
    inputs: int

    @cached_property
    def total_spikes(self) -> float:
        return float(sum(layer.spikes.sum() for layer in self.layers))


def make_atoms(network: Network, spikes: dict[int, Floats]) -> Atoms:
    """spikes: of each neuron of a layer, a sample; layers that it lacks send none."""
    layers = tuple(_layer_atoms(layer, spikes.get(i)) for i, layer in enumerate(network.layers))
    edges = tuple(
        _by_axes(link, link.synapses, layers) or _by_synapses(link, layers, network.inputs)
        for link in network.links
    )
    return Atoms(layers, edges, network.inputs)


def _layer_atoms(layer: Layer, spikes: Floats | None) -> LayerAtoms:
    channels, rows, columns = layer.box
    positions = rows * columns
    wide = channels // CHANNELS if channels >= WIDE else 1
    chunks = min(max(ceil(ATOMS / positions), wide), channels)
    chunk = np.arange(channels) * chunks // channels
    atom = (chunk[:, None] * positions + np.arange(positions)).reshape(-1)
    count = chunks * positions
    sent = np.bincount(atom, np.zeros(layer.size) if spikes is None else spikes, count)
    return LayerAtoms(layer, chunks, atom, np.bincount(atom, minlength=count), sent.astype(float))


def _by_axes(
    link: Link, synapses: Boxes | Connections, layers: tuple[LayerAtoms, ...]
) -> Edges | None:
    """None where it matters by which tap channels reach each other, or there are no boxes."""
    if not isinstance(synapses, Boxes):
        return None
    target = layers[link.target]
    sides, of = synapses.source, np.arange(synapses.source[0])
    if link.source >= 0:
        sides = layers[link.source].sides
        of = of * sides[0] // synapses.source[0]
    reached = synapses.reached(of, sides[0], target.chunks)
    used = reached[:, :, synapses.used]
    channels: Truths = np.logical_or.reduce(used, axis=2)
    if (used != channels[:, :, None]).any():
        return None
    axes = channels, synapses.rows >= 0, synapses.columns >= 0
    return Edges(link.source, link.target, sides, target.sides, axes, first=synapses.before)


def _by_synapses(link: Link, layers: tuple[LayerAtoms, ...], inputs: int) -> Edges:
    target = layers[link.target]
    synapses = link.synapses.listed()
    posts = target.of_neuron[synapses.targets]
    count, sides, pres = inputs, (inputs, 1, 1), synapses.sources.astype(np.int64)
    if link.source >= 0:
        source = layers[link.source]
        count, sides, pres = source.count, source.sides, source.of_neuron[pres]
    touched = np.zeros((count, target.count), np.bool_)
    touched[pres, posts] = True
    pre, post = np.nonzero(touched)
    return Edges(link.source, link.target, sides, target.sides, None, (pre, post))
