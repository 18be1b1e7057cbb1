"""How many synapse words a layer takes on a core: packed on trial, on two tiles of it."""

from dataclasses import replace
from math import ceil

import numpy as np

from snncc_ir import Integers, spread
from snncc_loihi.atoms import Grid, LayerAtoms
from snncc_loihi.boxes import Boxes
from snncc_loihi.chip import Chip
from snncc_loihi.cores import arrange_alone
from snncc_loihi.gathering import Gatherer
from snncc_loihi.layers import Network
from snncc_loihi.packing import pack_core
from snncc_loihi.tile_use import WordModel

SAMPLED = 1 << 20
"""Synapses of a trial, about: tiles have fewer channels where a layer has more."""
TYPICAL = 32
"""Channels of a tile, where it is asked how many positions of a layer a core may hold."""


def word_models(network: Network, atoms: tuple[LayerAtoms, ...], chip: Chip) -> list[WordModel]:
    """Of each layer, in order."""
    return spread(lambda i: _model(network, i, atoms[i], chip), range(len(network.layers)))


def _model(network: Network, index: int, atoms: LayerAtoms, chip: Chip) -> WordModel:
    layer = network.layers[index]
    channels, rows, columns = layer.box
    synapses = sum(link.synapses.count for link in network.incoming[index])
    each_neuron = max(synapses / layer.size, 1.0)
    room = chip.limits.compartments // layer.width
    if rows * columns == 1:
        wanted = max(1, min(layer.size, room // 2, int(SAMPLED / each_neuron)))
        tile = _tile(atoms, wanted, 1)
        return WordModel(0.0, _words(network, index, tile, chip) / len(tile))
    positions = min(rows * columns, max(4, room // min(channels, TYPICAL)))
    taken = min(channels, room // positions, int(SAMPLED / (each_neuron * positions)))
    tiles = [_tile(atoms, taken, ceil(positions / parts)) for parts in (1, 4)]
    words = [_words(network, index, tile, chip) for tile in tiles]
    sizes = [len(tile) for tile in tiles]
    each = max(0.0, (words[0] - words[1]) / max(sizes[0] - sizes[1], 1))
    held = len(np.unique(tiles[0] // (rows * columns)))
    return WordModel(max(0.0, words[0] - each * sizes[0]) * channels / held, each)


def _tile(atoms: LayerAtoms, channels: int, positions: int) -> Integers:
    """The neurons of a tile of about so many channels and positions, from the layer's middle."""
    count, rows, columns = atoms.layer.box
    cut = min(atoms.chunks, ceil(count / max(channels, 1)))
    number = rows * columns / positions
    down = min(rows, max(1, round(np.sqrt(number))))
    grid: Grid = (cut, down, min(columns, max(1, ceil(number / down))))
    tiles = atoms.tiles(grid)
    if tiles is None:
        raise AssertionError("a grid within a layer's channels and positions cuts it")
    middle = tiles[rows // 2 * columns + columns // 2]
    return np.flatnonzero(tiles[atoms.of_neuron] == middle)


def _words(network: Network, index: int, tile: Integers, chip: Chip) -> int:
    """Of a core that holds these neurons of a layer and nothing else."""
    inside = np.zeros(network.layers[index].size, np.bool_)
    inside[tile] = True
    links = tuple(
        link
        if isinstance(link.synapses, Boxes)
        else replace(link, synapses=link.synapses.only(inside[link.synapses.targets]))
        for link in network.incoming[index]
    )
    alone = replace(network, links=links, host_biases=())
    gatherer = Gatherer(alone, arrange_alone(alone, index, tile))
    gatherer.prepare((index,))
    inputs = gatherer.inputs_of(0)
    return len(pack_core(inputs.lists, chip).memory) if len(inputs.sources) else 0
