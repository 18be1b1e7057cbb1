"""What arrives in a core: for each input axon its synapses, of which equal ones are made once.

Sources that a projection of boxes connects alike, by the same taps to the same places of the core
but for where they begin, have the same list of synapses: that is known before any list is made.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers, spread
from snncc_loihi.axon_parts import (
    DELAY,
    EXPONENT,
    LIST,
    Part,
    Sorted,
    boxed_part,
    feedback_part,
    listed_part,
    sorted_by_core,
)
from snncc_loihi.boxes import Boxes
from snncc_loihi.cores import HOST, Arrangement, mantissa_and_exponent
from snncc_loihi.layers import Network
from snncc_loihi.lists import AxonLists, Synapses
from snncc_loihi.sorting import by_first, stably_sorted
from snncc_loihi.tiles import LayerTiles, tiles_of


@dataclass(frozen=True)
class CoreInputs:
    """What arrives in a core: the source of each input axon, ascending, and its synapses."""

    sources: Integers
    lists: AxonLists


class Gatherer:
    """Collects the synapses of single cores."""

    def __init__(self, network: Network, arrangement: Arrangement) -> None:
        self._network, self._arrangement = network, arrangement
        self._tiles: dict[int, LayerTiles] = {}
        self._sorted: dict[int, dict[int, Sorted]] = {}

    def prepare(self, layers: Collection[int]) -> None:
        """Looks at some layers, before (several threads) ask for cores of theirs."""
        missing = sorted(set(layers) - self._tiles.keys())
        for i, tiles in zip(missing, spread(self._tiles_of, missing), strict=True):
            self._tiles[i] = tiles
        for i, found in zip(missing, spread(self._sorted_of, missing), strict=True):
            self._sorted[i] = found

    def _tiles_of(self, number: int) -> LayerTiles:
        return tiles_of(self._network.layers[number], self._arrangement)

    def _sorted_of(self, number: int) -> dict[int, Sorted]:
        """By core, what is not known by boxes: by place of the link among those of the layer."""
        boxed = self._tiles[number].boxed
        return {
            place: sorted_by_core(self._network, link, self._arrangement)
            for place, link in enumerate(self._network.incoming[number])
            if not (isinstance(link.synapses, Boxes) and boxed)
        }

    def inputs_of(self, core: int) -> CoreInputs:
        """Everything that arrives in a core whose layers are prepared."""
        by_source: dict[int, list[Part]] = {}
        for number in sorted(self._tiles):
            if self._tiles[number].counts[core]:
                for source, part in self._parts(number, core):
                    by_source.setdefault(source, []).append(part)
        groups = [_grouped(by_source[source]) for source in sorted(by_source)]
        filled = [group for group in groups if len(group.sources)]
        return _gathered(filled, self._arrangement.lines_of(core))

    def _parts(self, number: int, core: int) -> Iterator[tuple[int, Part]]:
        """With the layer whose spikes they bring, or −1 for the input."""
        layer, arrangement = self._network.layers[number], self._arrangement
        for place, link in enumerate(self._network.incoming[number]):
            first = self._network.layers[link.source].first if link.source >= 0 else HOST
            if place in self._sorted[number]:
                found = self._sorted[number][place]
                yield link.source, listed_part(found, core, first, link.delay, arrangement)
            elif isinstance(link.synapses, Boxes):
                box = self._tiles[number].box(core)
                yield (
                    link.source,
                    boxed_part(link.synapses, layer, box, first, link.delay, arrangement),
                )
        if layer.feedback:
            yield number, feedback_part(layer, core, arrangement)


@dataclass(frozen=True)
class _Group:
    """Sources of one layer, by several links. kinds: counted in the order of `firsts`, which is the
    first source of each kind. anchors: what the lists of a kind differ by."""

    sources: Integers
    kinds: Integers
    anchors: Integers
    firsts: Integers
    parts: Sequence[Part]


def _grouped(parts: Sequence[Part]) -> _Group:
    if len(parts) == 1:
        sources, key, anchors = parts[0].sources, parts[0].kinds, parts[0].anchors
    else:
        sources = np.unique(np.concatenate([part.sources for part in parts]))
        none = np.iinfo(np.int64).max
        places = [np.searchsorted(sources, part.sources) for part in parts]
        anchors = np.full(len(sources), none)
        for part, place in zip(parts, places, strict=True):
            anchors[place] = np.minimum(anchors[place], part.anchors)
        key = np.zeros(len(sources), np.int64)
        for part, place in zip(parts, places, strict=True):
            for values in (part.kinds, part.anchors - anchors[place]):
                column = np.zeros(len(sources), np.int64)
                column[place] = values + 1
                key = by_first(key * (int(column.max(initial=0)) + 1) + column)[1]
    firsts, kinds = by_first(key)
    return _Group(sources, kinds, anchors, firsts, parts)


def _gathered(groups: Sequence[_Group], lines: NDArray[np.int32]) -> CoreInputs:
    """groups: ascending. lines: of the core's compartments."""
    none = np.zeros(0, np.int64)
    sources, kinds, moves = [none], [none], [none]
    parts: list[tuple[Integers, NDArray[np.signedinteger]]] = []
    lists = delays = 0
    for group in groups:
        for part in group.parts:
            wanted = group.sources[group.firsts]
            at = np.minimum(np.searchsorted(part.sources, wanted), max(len(part.sources) - 1, 0))
            there = np.flatnonzero(part.sources[at] == wanted) if len(part.sources) else none
            parts.append(part.listed(at[there], lists + there))
            delays |= part.delay
        sources.append(group.sources)
        kinds.append(lists + group.kinds)
        moves.append(group.anchors - group.anchors[group.firsts][group.kinds])
        lists += len(group.firsts)
    keys = np.concatenate([none, *(key for key, _ in parts)])
    weights = np.concatenate([weight for _, weight in parts]) if parts else none
    mantissas, exponents = mantissa_and_exponent(weights)
    scaled = bool(exponents.any())
    if scaled:
        keys |= exponents.astype(np.int64) << EXPONENT
    if np.any(keys[1:] < keys[:-1]):
        keys, order = stably_sorted(keys)
        mantissas = mantissas[order]
    rows = np.searchsorted(keys, np.arange(lists + 1) << LIST)
    # a list whose weights are all 0 is none, and its axons are not there
    filled = np.diff(rows) > 0
    offsets = (keys & (1 << EXPONENT) - 1).astype(np.int32)
    zeros = np.zeros(len(keys), np.int8)
    synapses = Synapses(
        np.append(rows[:-1][filled], rows[-1]),
        offsets,
        mantissas,
        (keys >> DELAY & (1 << LIST - DELAY) - 1).astype(np.int8) if delays else zeros,
        (keys >> EXPONENT & (1 << DELAY - EXPONENT) - 1).astype(np.int8) if scaled else zeros,
        lines[offsets],
    )
    kind = np.concatenate(kinds)
    kept = filled[kind]
    number = np.cumsum(filled) - 1
    return CoreInputs(
        np.concatenate(sources)[kept],
        AxonLists(synapses, number[kind[kept]], np.concatenate(moves)[kept]),
    )
