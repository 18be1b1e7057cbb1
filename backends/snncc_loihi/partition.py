"""Which neurons share a core: layers fused into segments, segments cut into tiles.

What the network-on-chip carries is, for each spike, one message to every other core that hears it.
A spike costs least when the neurons that hear it are on its own core. So consecutive layers are
fused into a *segment*, which is cut into tiles of channels, rows and columns, the same share of
every layer in each: a convolution's spike then leaves its core at the edges of tiles only. A
segment's cost, the messages that go to its cores, does not depend on how other segments are cut, so
that the best sequence is found by dynamic programming over all segments, with all grids that obey
all limits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import ceil, prod

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.atoms import Grid
from snncc_loihi.chip import Chip
from snncc_loihi.tile_use import Guess, TileUse, WordModel
from snncc_loihi.tiling import Tilings

CORE_PRICE = 0.01
"""Of all spikes: a further core has to save as many messages."""
MOST_TIMES = 8
"""As many cores as compartments alone would take are tried."""
SMALL = 32
"""Numbers of cores that are all tried; of larger ones those with the factors 2, 3 and 5 alone."""
TRIED = 3
"""Numbers of cores for which a segment fits that are looked at."""


@dataclass(frozen=True)
class Segment:
    """Layers first to last − 1 on `cores` cores; tiles: of each atom, by layer.

    messages: a sample, to its cores. words: synapse words of each tile, as guessed.
    """

    first: int
    last: int
    grid: Grid
    messages: float
    words: Floats
    tiles: tuple[Integers, ...]

    @property
    def cores(self) -> int:
        return prod(self.grid)

    @property
    def hardest(self) -> int:
        """The tile with the most synapse words, the middle one of equals."""
        most = np.flatnonzero(self.words >= self.words.max())
        return int(most[len(most) // 2])


@dataclass(frozen=True)
class Misfit:
    """A layer that cannot be put on cores, however it is cut, and the limit that is most over."""

    layer: int
    limit: str
    used: int


_Guessed = tuple[int, int, tuple[WordModel, ...], tuple[float, ...]]
Known = dict[_Guessed, tuple[float, Segment | None]]
"""The cheapest cut of a segment, by all that it depends on, and up to which cost it was looked for.
"""


def partition(tilings: Tilings, guess: Guess, known: Known | None = None) -> list[Segment] | Misfit:
    """The segments in order, or the first layer that fits no number of cores.

    known: of earlier partitions of these tilings, and of this one afterwards.
    """
    known = {} if known is None else known
    count = len(tilings.atoms.layers)
    price = CORE_PRICE * tilings.atoms.total_spikes
    cost: list[float] = [0.0] + [np.inf] * count
    chosen: list[Segment | None] = [None] * (count + 1)
    for last in range(1, count + 1):
        # short ones first, which tell what long ones may cost; of equal ones the longest is taken
        for first in range(last - 1, max(0, last - guess.most_layers) - 1, -1):
            guessed = first, last, guess.words[first:last], guess.outside[first:last]
            most = (cost[last] - cost[first]) * (1 + 1e-9) if cost[first] < np.inf else np.inf
            if guessed not in known or known[guessed][0] < most:
                known[guessed] = _cheapest(tilings, first, last, guess, price, most)
            segment = known[guessed][1]
            if segment is None:
                continue
            total = cost[first] + segment.messages + price * segment.cores
            if total <= cost[last] and total < np.inf:
                cost[last], chosen[last] = total, segment
        if chosen[last] is None:
            return _misfit(tilings, last - 1, guess)
    path: list[Segment] = []
    segment = chosen[count]
    while segment is not None:
        path.append(segment)
        segment = chosen[segment.first]
    return path[::-1]


def _cheapest(
    tilings: Tilings, first: int, last: int, guess: Guess, price: float, most: float = np.inf
) -> tuple[float, Segment | None]:
    """The cheapest cut of a segment, among the smallest numbers of cores for which it fits.

    Not looked for beyond a cost of `most`; with the cost up to which there is no other.
    """
    least = _least_cores(tilings, first, last)
    alone = max(_least_cores(tilings, i, i + 1) for i in range(first, last))
    if last - first > 1 and least > max(4 * alone, 32):
        return np.inf, None
    best: tuple[float, Grid, TileUse] | None = None
    fitting = 0
    outline = tilings.outline(first, last, guess)
    for number in _numbers(least, MOST_TIMES * least + 64):
        if outline.messages + price * number > most:
            return most, _segment(tilings, first, last, best)
        fits = False
        for grid in tilings.likely(outline, _grids(number)):
            if fits and best is not None:
                if not tilings.costs_less(outline, grid, price * number, best[0]):
                    continue
            use = tilings.use(outline, grid, guess)
            if use is None or not use.fits(tilings.chip):
                continue
            fits = True
            cost = use.messages + price * number
            if best is None or cost < best[0]:
                best = cost, grid, use
        fitting += fits
        if fitting == TRIED:
            break
    return np.inf, _segment(tilings, first, last, best)


def _segment(
    tilings: Tilings, first: int, last: int, best: tuple[float, Grid, TileUse] | None
) -> Segment | None:
    if best is None:
        return None
    _, grid, use = best
    tiles = tuple(
        tile
        for layer in tilings.atoms.layers[first:last]
        if (tile := layer.tiles(grid)) is not None
    )
    return Segment(first, last, grid, use.messages, use.words, tiles)


def least_cores(chip: Chip, compartments: int, axons: int = 0) -> int:
    """No fewer hold so many compartments, and axons in a memory that all share."""
    limits = chip.limits
    cores = ceil(compartments / limits.compartments)
    if limits.core_bytes:
        taken = compartments * limits.compartment_bytes + axons * limits.axon_bytes
        cores = max(cores, ceil(taken / limits.core_bytes))
    return cores


def _least_cores(tilings: Tilings, first: int, last: int) -> int:
    """By compartments, and by two axons of each neuron."""
    layers = [atoms.layer for atoms in tilings.atoms.layers[first:last]]
    compartments = sum(layer.size * layer.width for layer in layers)
    return least_cores(tilings.chip, compartments, 2 * sum(layer.size for layer in layers))


def misfits(tilings: Tilings, guess: Guess) -> list[Misfit]:
    """All layers that fit no number of cores, not even alone."""
    return [
        _misfit(tilings, i, guess)
        for i in range(len(tilings.atoms.layers))
        if _cheapest(tilings, i, i + 1, guess, 0.0)[1] is None
    ]


def _misfit(tilings: Tilings, layer: int, guess: Guess) -> Misfit:
    over = tilings.smallest(layer, guess).over(tilings.chip)
    limit = max(over, key=lambda name: over[name][0] / over[name][1])
    return Misfit(layer, limit, int(over[limit][0]))


def _numbers(least: int, most: int) -> Iterator[int]:
    """Numbers of cores to try: all small ones, and larger ones that can be cut in many ways."""
    return (number for number in range(least, most + 1) if number <= SMALL or _is_smooth(number))


@cache
def _is_smooth(number: int) -> bool:
    for factor in (2, 3, 5):
        while number % factor == 0:
            number //= factor
    return number == 1


@cache
def _grids(number: int) -> tuple[Grid, ...]:
    """All ways to cut into so many tiles."""
    divisors = [d for d in range(1, number + 1) if number % d == 0]
    return tuple(
        (channels, rows, number // channels // rows)
        for channels in divisors
        for rows in divisors
        if number % (channels * rows) == 0
    )
