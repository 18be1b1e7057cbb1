"""What a core hears of one link, in kinds: sources of one kind have the same list of synapses."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.boxes import Boxes, Taps
from snncc_loihi.connections import Box
from snncc_loihi.cores import HOST, Arrangement
from snncc_loihi.layers import Layer, Link, Network
from snncc_loihi.ranges import unrolled

Small = NDArray[np.signedinteger]


LIST, DELAY, EXPONENT = 25, 19, 16
"""In a key, the first bits of a list's number, a delay and an exponent; below is a compartment."""


@dataclass(frozen=True)
class Part:
    """What a core hears of one link. sources: ascending. kinds: those of one kind have the same
    synapses, counted from their anchor. listed: the synapses of some, by place in `sources`, with
    the number of the list that each of them gets: keys (exponents left out) and weights."""

    sources: Integers
    kinds: Integers
    anchors: Integers
    delay: int
    listed: Callable[[Integers, Integers], tuple[Integers, Small]]


@dataclass(frozen=True)
class Sorted:
    """A link's synapses, those of each core together: rows (cores + 1) where they begin."""

    rows: Integers
    sources: Small
    targets: Small
    lanes: Small
    weights: Small


def sorted_by_core(network: Network, link: Link, arrangement: Arrangement) -> Sorted:
    """Of any link."""
    synapses = link.synapses.listed()
    target = network.layers[link.target]
    cores = arrangement.cores
    here = arrangement.core[target.first + synapses.targets]
    order = np.argsort(here.astype(np.uint16), kind="stable")
    return Sorted(
        np.concatenate([[0], np.cumsum(np.bincount(here, minlength=cores))]),
        synapses.sources[order],
        synapses.targets[order] + target.first,
        synapses.lanes[order],
        synapses.weights[order],
    )


def listed_part(found: Sorted, core: int, first: int, delay: int, arrangement: Arrangement) -> Part:
    """first: of the source layer's neurons, or HOST."""
    here = slice(found.rows[core], found.rows[core + 1])
    heard, begins = np.unique(found.sources[here], return_index=True)
    ends = np.append(begins[1:], here.stop - here.start)
    sources, place = _numbered(heard, first)

    def listed(wanted: Integers, numbers: Integers) -> tuple[Integers, Small]:
        mine = place[wanted]
        at, which = unrolled(begins[mine] + here.start, ends[mine] - begins[mine])
        keys = _keys(numbers, delay)[which]
        keys += arrangement.compartment[found.targets[at]] + found.lanes[at]
        return keys, found.weights[at]

    count = len(sources)
    return Part(sources, np.arange(count), np.zeros(count, np.int64), delay, listed)


def boxed_part(
    boxes: Boxes,
    layer: Layer,
    box: tuple[Box, Box],
    first: int,
    delay: int,
    arrangement: Arrangement,
) -> Part:
    """box: of the layer, on the core. first: as in `listed_part`."""
    low, high = box
    _, height, length = layer.box
    wide, long = (high[0] - low[0]) * layer.width, high[2] - low[2]
    neuron = layer.first + (low[0] * height + low[1]) * length + low[2]
    begin = int(arrangement.compartment[neuron])
    reached = np.maximum(boxes.begins, low[0])
    channels = np.flatnonzero(reached < np.minimum(boxes.begins + boxes.weights.shape[3], high[0]))
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

    def listed(wanted: Integers, numbers: Integers) -> tuple[Integers, Small]:
        asked = np.unravel_index(heard[place[wanted]] - boxes.before, boxes.source)
        keys, weights = [np.zeros(0, np.int64)], [np.zeros(0, np.int16)]
        for strips in boxes.strips((asked[0], asked[1], asked[2]), low, high):
            at = (strips.row - low[1]) * long + strips.column - low[2]
            at = begin + at * wide + (strips.first - low[0]) * layer.width + strips.lane
            count, length = strips.weights.shape
            every = strips.weights.reshape(-1)
            kept = np.flatnonzero(every)
            weights.append(every[kept])
            # kept counts over all strips
            before = _keys(numbers, delay)[strips.which] + at
            before -= np.arange(count) * (length * layer.width)
            found = np.repeat(before, np.count_nonzero(strips.weights, axis=1))
            found += kept * layer.width
            keys.append(found)
        return np.concatenate(keys), np.concatenate(weights)

    return Part(sources, kinds[place], anchors[place], delay, listed)


def feedback_part(layer: Layer, core: int, arrangement: Arrangement) -> Part:
    """Own spikes that come back, with weight −theta (of a max pool, −1 on every lane)."""
    lanes = layer.width - 1
    own = np.flatnonzero(arrangement.core[layer.first : layer.first + layer.size] == core)
    theta, kinds = np.unique(layer.theta[own], return_inverse=True)
    sources = own + layer.first
    anchors = arrangement.compartment[sources]

    def listed(wanted: Integers, numbers: Integers) -> tuple[Integers, Small]:
        keys = _keys(numbers, 0) + anchors[wanted]
        every = (keys[:, None] + np.arange(lanes)).reshape(-1)
        return every, np.repeat(-theta[kinds[wanted]], lanes)

    return Part(sources, kinds, anchors, 0, listed)


@dataclass(frozen=True)
class _Kinds:
    """Of one axis: the sources that reach some targets, which of them do so alike, and where."""

    sources: Integers
    kinds: Integers
    anchors: Integers


def _kinds(taps: Taps, low: int, high: int) -> _Kinds:
    """anchors: the first target, counted from `low`."""
    here = taps[:, low:high]
    reached = here >= 0
    sources = np.flatnonzero(reached.any(axis=1))
    anchors, here = reached.argmax(axis=1)[sources], here[sources]
    lasts = high - low - reached[sources, ::-1].argmax(axis=1)
    # all from the first to the last target that is reached
    known: dict[bytes, int] = {}
    kinds = [
        known.setdefault(row[first:last].tobytes(), len(known))
        for row, first, last in zip(here, anchors.tolist(), lasts.tolist(), strict=True)
    ]
    return _Kinds(sources, np.array(kinds, np.int64), anchors)


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


def _keys(numbers: Integers, delay: int) -> Integers:
    """Of the lists with these numbers, at compartment 0."""
    keys: Integers = numbers << LIST | delay << DELAY
    return keys
