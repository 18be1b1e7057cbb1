"""Atoms: the small groups of neurons of which partitions are made, and which of them are connected.

An atom is some channels at one position, so that there are about a thousand of a layer, however
large it is.
"""

from dataclasses import dataclass
from functools import cached_property
from math import ceil, prod

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.layers import Layer, Link, Network

ATOMS = 1024
"""About so many of a layer: channels at a position stay together where there are more positions."""
WIDE = 64
"""Layers of so many channels may be cut by channels whatever their size: their weights are many."""
CHANNELS = 8
"""Of an atom of such a layer, at most."""

Grid = tuple[int, int, int]
"""Into how many tiles channels, rows and columns are cut."""


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

    def tiles(self, grid: Grid) -> Integers | None:
        """The tile of each atom; None when the layer cannot be cut so.

        A layer without positions is cut by channels instead.
        """
        _, rows, columns = self.layer.box
        number = prod(grid)
        if rows * columns == 1 and number <= self.chunks:
            grid = (number, 1, 1)
        channel, row, column = grid
        if channel > self.chunks or row > rows or column > columns:
            return None
        by_chunk = np.arange(self.chunks) * channel // self.chunks
        by_row, by_column = np.arange(rows) * row // rows, np.arange(columns) * column // columns
        tile = (by_chunk[:, None, None] * row + by_row[:, None]) * column + by_column
        return tile.reshape(-1)


@dataclass(frozen=True)
class Edges:
    """Pairs of atoms of two layers (source −1: the input numbers themselves) with a synapse."""

    source: int
    target: int
    sources: Integers
    targets: Integers


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
    posts = target.of_neuron[link.synapses.targets]
    count, pres = inputs, link.synapses.sources.astype(np.int64)
    if link.source >= 0:
        source = layers[link.source]
        count, pres = source.count, source.of_neuron[pres]
    touched = np.zeros((count, target.count), np.bool_)
    touched[pres, posts] = True
    sources, targets = np.nonzero(touched)
    return Edges(link.source, link.target, sources, targets)
