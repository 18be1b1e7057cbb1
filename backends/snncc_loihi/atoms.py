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
        if all(parts <= side for parts, side in zip(grid, self.sides, strict=True)):
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

    axes: which channel groups, rows and columns are connected, (sources, targets) each, where the
    pairs are all combinations of these.
    """

    source: int
    target: int
    sources: Integers
    targets: Integers
    axes: Axes | None


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
    edges = tuple(_edges(link, layers, network.inputs) for link in network.links)
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


def _edges(link: Link, layers: tuple[LayerAtoms, ...], inputs: int) -> Edges:
    target = layers[link.target]
    synapses = link.synapses.listed()
    posts = target.of_neuron[synapses.targets]
    count, pres = inputs, synapses.sources.astype(np.int64)
    if link.source >= 0:
        source = layers[link.source]
        count, pres = source.count, source.of_neuron[pres]
    touched = np.zeros((count, target.count), np.bool_)
    touched[pres, posts] = True
    sources, targets = np.nonzero(touched)
    axes = None if link.source < 0 else _axes(layers[link.source], target, sources, targets)
    return Edges(link.source, link.target, sources, targets, axes)


def _axes(
    source: LayerAtoms, target: LayerAtoms, sources: Integers, targets: Integers
) -> Axes | None:
    """None where pairs are not all combinations of what each axis connects."""
    found = []
    pairs = zip(
        np.unravel_index(sources, source.sides), np.unravel_index(targets, target.sides),
        strict=True,
    )  # fmt: skip
    for (before, behind), sides in zip(pairs, zip(source.sides, target.sides, strict=True), strict=True):
        connected = np.zeros(sides, np.bool_)
        connected[before, behind] = True
        found.append(connected)
    channels, rows, columns = found
    every = prod(int(np.count_nonzero(axis)) for axis in found)
    return (channels, rows, columns) if every == len(sources) else None
