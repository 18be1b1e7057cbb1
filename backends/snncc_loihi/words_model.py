"""How many synapse words a layer takes on a core: packed on trial, on two tiles of it."""

from dataclasses import replace
from math import ceil

import numpy as np

from snncc_ir import Integers
from snncc_loihi.atoms import Grid, LayerAtoms
from snncc_loihi.chip import Chip
from snncc_loihi.cores import Gatherer, arrange
from snncc_loihi.layers import Network
from snncc_loihi.packing import pack_core
from snncc_loihi.tiling import WordModel

SAMPLED = 1 << 20
"""Synapses of a trial, about: tiles are smaller where a layer has more."""


def word_models(network: Network, atoms: tuple[LayerAtoms, ...], chip: Chip) -> list[WordModel]:
    """Of each layer, in order."""
    return [_model(network, i, atoms[i], chip) for i in range(len(network.layers))]


def _model(network: Network, index: int, atoms: LayerAtoms, chip: Chip) -> WordModel:
    layer = network.layers[index]
    synapses = sum(len(link.synapses.targets) for link in network.incoming[index])
    most = min(chip.limits.compartments // layer.width, layer.size)
    most = max(1, min(most, int(layer.size * SAMPLED / max(synapses, 1))))
    sizes, words = [], []
    for wanted in (ceil(most / 2), ceil(most / 8)):
        tile = _middle_tile(atoms, layer.size / wanted)
        sizes.append(len(tile))
        words.append(_words(network, index, tile, chip))
    _, rows, columns = layer.box
    if rows * columns == 1:
        return WordModel(0.0, words[0] / sizes[0])
    each = max(0.0, (words[0] - words[1]) / max(sizes[0] - sizes[1], 1))
    return WordModel(max(0.0, words[0] - each * sizes[0]), each)


def _middle_tile(atoms: LayerAtoms, number: float) -> Integers:
    """The neurons of one of about so many tiles, from the middle of the layer."""
    _, rows, columns = atoms.layer.box
    if rows * columns == 1:
        grid: Grid = (min(ceil(number), atoms.chunks), 1, 1)
    else:
        side = np.sqrt(number)
        down = min(rows, max(1, round(side)))
        grid = (1, down, min(columns, max(1, round(number / down))))
    tiles = atoms.tiles(grid)
    if tiles is None:
        raise AssertionError("a grid within a layer's positions cuts it")
    middle = tiles[rows // 2 * columns + columns // 2]
    return np.flatnonzero(tiles[atoms.of_neuron] == middle)


def _words(network: Network, index: int, tile: Integers, chip: Chip) -> int:
    """Of a core that holds these neurons of a layer and nothing else."""
    layer = network.layers[index]
    core = np.ones(network.neurons, np.int64)
    core[layer.first + tile] = 0
    inside = np.zeros(layer.size, np.bool_)
    inside[tile] = True
    links = tuple(
        replace(link, synapses=link.synapses.only(inside[link.synapses.targets]))
        for link in network.incoming[index]
    )
    alone = replace(network, links=links, host_biases=())
    inputs = Gatherer(alone, arrange(alone, core)).inputs_of(0)
    return len(pack_core(inputs.synapses, chip).memory) if len(inputs.sources) else 0
