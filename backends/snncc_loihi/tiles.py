"""Which box of a layer's neurons each core holds."""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers
from snncc_loihi.connections import Box
from snncc_loihi.cores import Arrangement
from snncc_loihi.layers import Layer


@dataclass(frozen=True)
class LayerTiles:
    """Of a layer. counts: neurons on each core. low, high: (cores, 3), the first channel, row and
    column and those behind the last. boxed: whether every core holds all that is between."""

    counts: Integers
    low: Integers
    high: Integers
    boxed: bool

    def box(self, core: int) -> tuple[Box, Box]:
        """What a core holds."""
        low, high = self.low[core].tolist(), self.high[core].tolist()
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def tiles_of(layer: Layer, arrangement: Arrangement) -> LayerTiles:
    """Cores that hold none of the layer have an empty box."""
    core = arrangement.core[layer.first : layer.first + layer.size]
    held = np.flatnonzero(core >= 0)
    core = core[held]
    counts = np.bincount(core, minlength=arrangement.cores)
    places = np.unravel_index(held, layer.box)
    lows, highs = [], []
    for place, side in zip(places, layer.box, strict=True):
        present = np.zeros((arrangement.cores, side), np.bool_)
        present[core, place] = True
        some = present.any(axis=1)
        lows.append(np.where(some, present.argmax(axis=1), 0))
        highs.append(np.where(some, side - present[:, ::-1].argmax(axis=1), 0))
    low, high = np.stack(lows, axis=1), np.stack(highs, axis=1)
    boxed = np.array_equal(np.prod(high - low, axis=1), counts)
    return LayerTiles(counts, low, high, boxed)
