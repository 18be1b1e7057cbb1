"""What arrives in a core: for each input axon its synapses, of which equal ones are made once.

Sources that a projection of boxes connects alike, by the same taps to the same places of the core
but for where they begin, have the same list of synapses: that is known before any list is made.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers, spread
from snncc_loihi.boxes import Boxes, Taps
from snncc_loihi.cores import HOST, Arrangement, mantissa_and_exponent
from snncc_loihi.layers import Layer, Link, Network
from snncc_loihi.lists import AxonLists, Synapses
from snncc_loihi.sorting import stable_order
from snncc_loihi.tiles import LayerTiles, tiles_of

Small = NDArray[np.signedinteger]


@dataclass(frozen=True)
class CoreInputs:
    """What arrives in a core: the source of each input axon, ascending, and its synapses."""

    sources: Integers
    lists: AxonLists


@dataclass(frozen=True)
class _Found:
    """Synapses: for whom of those that were asked for, compartments, weights, lines."""

    which: Integers
    offsets: Integers
    weights: Integers
    lines: Integers


@dataclass(frozen=True)
class _Part:
    """What a core hears of one link. sources: ascending. kinds: those of one kind have the same
    synapses, counted from their anchor. listed: the synapses of some, by place in `sources`."""

    sources: Integers
    kinds: Integers
    anchors: Integers
    delay: int
    listed: Callable[[Integers], _Found]


@dataclass(frozen=True)
class _Sorted:
    """A link's synapses, those of each core together: rows (cores + 1) where they begin."""

    rows: Integers
    sources: Small
    targets: Small
    lanes: Small
    weights: Small


class Gatherer:
    """Collects the synapses of single cores."""

    def __init__(self, network: Network, arrangement: Arrangement) -> None:
        self._network, self._arrangement = network, arrangement
        self._tiles: dict[int, LayerTiles] = {}
        self._sorted: dict[int, dict[int, _Sorted]] = {}

    def prepare(self, layers: Collection[int]) -> None:
        """Looks at some layers, before (several threads) ask for cores of theirs."""
        missing = sorted(set(layers) - self._tiles.keys())
        for i, tiles in zip(missing, spread(self._tiles_of, missing), strict=True):
            self._tiles[i] = tiles
        for i, found in zip(missing, spread(self._sorted_of, missing), strict=True):
            self._sorted[i] = found

    def _tiles_of(self, number: int) -> LayerTiles:
        return tiles_of(self._network.layers[number], self._arrangement)

    def _sorted_of(self, number: int) -> dict[int, _Sorted]:
        """By core, what is not known by boxes: by place of the link among those of the layer."""
        boxed = self._tiles[number].boxed
        return {
            place: self._by_core(link)
            for place, link in enumerate(self._network.incoming[number])
            if not (isinstance(link.synapses, Boxes) and boxed)
        }

    def _by_core(self, link: Link) -> _Sorted:
        synapses = link.synapses.listed()
        target = self._network.layers[link.target]
        cores = self._arrangement.cores
        here = self._arrangement.core[target.first + synapses.targets]
        order = np.argsort(here.astype(np.uint16), kind="stable")
        return _Sorted(
            np.concatenate([[0], np.cumsum(np.bincount(here, minlength=cores))]),
            synapses.sources[order],
            synapses.targets[order] + target.first,
            synapses.lanes[order],
            synapses.weights[order],
        )

    def inputs_of(self, core: int) -> CoreInputs:
        """Everything that arrives in a core whose layers are prepared."""
        by_source: dict[int, list[_Part]] = {}
        for number in sorted(self._tiles):
            if self._tiles[number].counts[core]:
                for source, part in self._parts(number, core):
                    by_source.setdefault(source, []).append(part)
        groups = [_grouped(by_source[source]) for source in sorted(by_source)]
        return _gathered([group for group in groups if len(group.sources)])

    def _parts(self, number: int, core: int) -> Iterator[tuple[int, _Part]]:
        """With the layer whose spikes they bring, or −1 for the input."""
        for place, link in enumerate(self._network.incoming[number]):
            first = self._network.layers[link.source].first if link.source >= 0 else HOST
            if place in self._sorted[number]:
                found = self._sorted[number][place]
                yield link.source, self._listed(found, core, first, link.delay)
            elif isinstance(link.synapses, Boxes):
                yield link.source, self._boxed(link.synapses, number, core, first, link.delay)
        layer = self._network.layers[number]
        if layer.feedback:
            yield number, self._feedback(layer, core)

    def _listed(self, found: _Sorted, core: int, first: int, delay: int) -> _Part:
        here = slice(found.rows[core], found.rows[core + 1])
        heard, begins = np.unique(found.sources[here], return_index=True)
        ends = np.append(begins[1:], here.stop - here.start)
        sources, place = _numbered(heard, first)

        def listed(wanted: Integers) -> _Found:
            mine = place[wanted]
            at, which = _unrolled(begins[mine] + here.start, ends[mine] - begins[mine])
            targets = found.targets[at]
            return _Found(
                which,
                self._arrangement.compartment[targets] + found.lanes[at],
                found.weights[at].astype(np.int64),
                self._arrangement.line[targets],
            )

        count = len(sources)
        return _Part(sources, np.arange(count), np.zeros(count, np.int64), delay, listed)

    def _boxed(self, boxes: Boxes, number: int, core: int, first: int, delay: int) -> _Part:
        layer = self._network.layers[number]
        low, high = self._tiles[number].box(core)
        _, height, length = layer.box
        wide, long = (high[0] - low[0]) * layer.width, high[2] - low[2]
        neuron = layer.first + (low[0] * height + low[1]) * length + low[2]
        begin = int(self._arrangement.compartment[neuron])
        line = int(self._arrangement.line[neuron]) - low[1]
        reached = np.maximum(boxes.begins, low[0])
        channels = np.flatnonzero(
            reached < np.minimum(boxes.begins + boxes.weights.shape[3], high[0])
        )
        rows, columns = _kinds(boxes.rows, low[1], high[1]), _kinds(boxes.columns, low[2], high[2])
        _, height, length = boxes.source
        heard = boxes.before + _outer(channels * height * length, rows.sources * length,
                                      columns.sources)  # fmt: skip
        count = len(columns.sources) + 1
        kinds = _outer(channels * (len(rows.sources) + 1) * count, rows.kinds * count,
                       columns.kinds)  # fmt: skip
        anchors = _outer((reached[channels] - low[0]) * layer.width, rows.anchors * long * wide,
                         columns.anchors * wide)  # fmt: skip
        sources, place = _numbered(heard, first)

        def listed(wanted: Integers) -> _Found:
            asked = np.unravel_index(heard[place[wanted]] - boxes.before, boxes.source)
            parts = []
            for strips in boxes.strips((asked[0], asked[1], asked[2]), low, high):
                at = (strips.row - low[1]) * long + strips.column - low[2]
                at = begin + at * wide + (strips.first - low[0]) * layer.width + strips.lane
                offsets = at[:, None] + np.arange(strips.weights.shape[1]) * layer.width
                kept = strips.weights != 0
                each = [np.broadcast_to(part[:, None], kept.shape)[kept]
                        for part in (strips.which, strips.row + line)]  # fmt: skip
                weights = strips.weights[kept].astype(np.int64)
                parts.append((each[0], offsets[kept], weights, each[1]))
            if not parts:
                return _Found(*(np.zeros(0, np.int64) for _ in range(4)))
            return _Found(*(np.concatenate(part) for part in zip(*parts, strict=True)))

        return _Part(sources, kinds[place], anchors[place], delay, listed)

    def _feedback(self, layer: Layer, core: int) -> _Part:
        """Own spikes that come back, with weight −theta (of a max pool, −1 on every lane)."""
        lanes = layer.width - 1
        own = np.flatnonzero(self._arrangement.core[layer.first : layer.first + layer.size] == core)
        theta, kinds = np.unique(layer.theta[own], return_inverse=True)
        sources = own + layer.first
        anchors = self._arrangement.compartment[sources]

        def listed(wanted: Integers) -> _Found:
            which = np.repeat(np.arange(len(wanted)), lanes)
            lane = np.tile(np.arange(lanes), len(wanted))
            lines = self._arrangement.line[sources[wanted]]
            return _Found(which, anchors[wanted][which] + lane, -theta[kinds[wanted]][which],
                          lines[which])  # fmt: skip

        return _Part(sources, kinds, anchors, 0, listed)


@dataclass(frozen=True)
class _Kinds:
    """Of one axis: the sources that reach some targets, which of them do so alike, and where."""

    sources: Integers
    kinds: Integers
    anchors: Integers


def _kinds(taps: Taps, low: int, high: int) -> _Kinds:
    """anchors: the first target, counted from `low`."""
    here = taps[:, low:high]
    sources = np.flatnonzero((here >= 0).any(axis=1))
    here = here[sources]
    anchors = (here >= 0).argmax(axis=1)
    columns = np.arange(high - low)
    at = np.minimum(columns + anchors[:, None], high - low - 1)
    moved = np.where(columns + anchors[:, None] < high - low,
                     np.take_along_axis(here, at, axis=1), -1)  # fmt: skip
    _, kinds = np.unique(moved, axis=0, return_inverse=True)
    return _Kinds(sources, kinds.reshape(-1), anchors)


def _outer(channels: Integers, rows: Integers, columns: Integers) -> Integers:
    """Sums of all combinations, one behind the other."""
    found: Integers = (channels[:, None, None] + (rows[:, None] + columns)).reshape(-1)
    return found


def _numbered(heard: Integers, first: int) -> tuple[Integers, Integers]:
    """Sources over all layers, ascending, and where each is in `heard`, which ascends, too; input
    i is −1 − i."""
    place = np.arange(len(heard))
    if first < 0:
        return HOST - heard[::-1].astype(np.int64), place[::-1]
    return first + heard.astype(np.int64), place


def _unrolled(starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """starts[i], starts[i] + 1, …: lengths[i] of them, one range after the other, and i of each."""
    which = np.repeat(np.arange(len(lengths)), lengths)
    return (starts - (np.cumsum(lengths) - lengths))[which] + np.arange(len(which)), which


@dataclass(frozen=True)
class _Group:
    """Sources of one layer, by several links. kinds: counted in the order of `firsts`, which is the
    first source of each kind. anchors: what the lists of a kind differ by."""

    sources: Integers
    kinds: Integers
    anchors: Integers
    firsts: Integers
    parts: Sequence[_Part]


def _grouped(parts: Sequence[_Part]) -> _Group:
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
                key = key * (int(column.max(initial=0)) + 1) + column
                key = np.unique(key, return_inverse=True)[1].reshape(-1)
    _, firsts, kinds = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    return _Group(sources, number[kinds.reshape(-1)], anchors, firsts[order], parts)


def _gathered(groups: Sequence[_Group]) -> CoreInputs:
    """groups: ascending."""
    none = np.zeros(0, np.int64)
    which, offsets, weights, delays, lines = ([none] for _ in range(5))
    sources, kinds, moves = [none], [none], [none]
    lists = 0
    for group in groups:
        for part in group.parts:
            wanted = group.sources[group.firsts]
            at = np.minimum(np.searchsorted(part.sources, wanted), max(len(part.sources) - 1, 0))
            there = np.flatnonzero(part.sources[at] == wanted) if len(part.sources) else none
            found = part.listed(at[there])
            which.append(lists + there[found.which])
            offsets.append(found.offsets)
            weights.append(found.weights)
            delays.append(np.full(len(found.which), part.delay))
            lines.append(found.lines)
        sources.append(group.sources)
        kinds.append(lists + group.kinds)
        moves.append(group.anchors - group.anchors[group.firsts][group.kinds])
        lists += len(group.firsts)
    of, offset, weight, delay, line = map(np.concatenate, (which, offsets, weights, delays, lines))
    mantissas, exponents = mantissa_and_exponent(weight)
    order = stable_order(((of << 6 | delay) << 3 | exponents) << 16 | offset)
    lengths = np.bincount(of, minlength=lists)
    # a list whose weights are all 0 is none, and its axons are not there
    filled = lengths > 0
    rows = np.concatenate([[0], np.cumsum(lengths[filled])])
    synapses = Synapses(rows, offset[order], mantissas[order], delay[order], exponents[order],
                        line[order])  # fmt: skip
    kind = np.concatenate(kinds)
    kept = filled[kind]
    number = np.cumsum(filled) - 1
    return CoreInputs(
        np.concatenate(sources)[kept],
        AxonLists(synapses, number[kind[kept]], np.concatenate(moves)[kept]),
    )
