"""Lists of synapses in the form in which the simulator adds them up, and whom they count for."""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers
from snncc_loihi.core_map import Core
from snncc_loihi.synapses import SynapseLists

SHORTEST = 4
"""Synapses in a row that make a segment; fewer are points."""
GAP = 4
"""Compartments from one synapse to the next within a segment, at most; what lies between gets the
weight 0."""


@dataclass(frozen=True)
class Segments:
    """Of one core. segments, points: (lists) how many each list has. target: compartment less the
    axon's base; first: of `weights`. most: (lists) what the list adds to any one compartment, for
    a payload of 1, at most."""

    segments: Integers
    points: Integers
    target: Integers
    count: Integers
    delay: Integers
    first: Integers
    weights: Integers
    point_target: Integers
    point_delay: Integers
    point_weight: Integers
    most: Integers

    def sums(self, base: Integers, of_axon: Integers, payloads: Integers, size: int) -> Integers:
        """(compartments) what may arrive in a step, at most. payloads: (input axons)."""
        rows, points = _rows(self.segments), _rows(self.points)
        total = np.zeros(size, np.int64)
        for axon in np.flatnonzero(payloads):
            which, own = of_axon[axon], total[base[axon] :]
            for i in range(rows[which], rows[which + 1]):
                part = self.weights[self.first[i] : self.first[i] + self.count[i]]
                own[self.target[i] : self.target[i] + len(part)] += np.abs(part) * payloads[axon]
            mine = slice(points[which], points[which + 1])
            np.add.at(
                own, self.point_target[mine], np.abs(self.point_weight[mine]) * payloads[axon]
            )
        return total


def segments(lists: SynapseLists, weights: Integers) -> Segments:
    """The lists of a core; order within a list does not matter, because sums are exact."""
    number = len(lists.pointers)
    owner, delay, target = lists.owners, lists.delays, lists.offsets
    key = (owner << 7 | delay) << 18 | target
    if np.any(key[1:] < key[:-1]):
        order = np.argsort(key, kind="stable")
        owner, delay, target = owner[order], delay[order], target[order]
        key, weights = key[order], weights[order]
    step = np.diff(key)
    begins = np.ones(len(key), bool)
    # another list or delay is further away than any gap, unless compartments are, too
    begins[1:] = (step < 1) | (step > GAP) | (key[1:] >> 18 != key[:-1] >> 18)
    at = np.flatnonzero(begins)
    size = np.diff(np.append(at, len(key)))
    long = size >= SHORTEST
    of_long = np.repeat(long, size)
    span = target[at + size - 1] - target[at] + 1 if len(at) else at
    count = span[long]
    first = np.cumsum(count) - count
    spread = np.zeros(int(count.sum()), np.int64)
    begun = np.repeat(first - target[at[long]], size[long])
    spread[begun + target[of_long]] = weights[of_long]
    points = ~of_long
    return Segments(
        np.bincount(owner[at[long]], minlength=number),
        np.bincount(owner[points], minlength=number),
        target[at[long]],
        count,
        delay[at[long]],
        first,
        spread,
        target[points],
        delay[points],
        weights[points],
        _most(number, owner, target, weights),
    )


def _most(number: int, owner: Integers, target: Integers, weights: Integers) -> Integers:
    largest, total = np.zeros(number, np.int64), np.zeros(number, np.int64)
    np.maximum.at(largest, owner, np.abs(weights))
    np.add.at(total, owner, np.abs(weights))
    pairs = np.sort(owner << 18 | target)
    again = np.zeros(number, bool)
    again[pairs[1:][pairs[1:] == pairs[:-1]] >> 18] = True
    return np.where(again, total, largest)


@dataclass(frozen=True)
class Attribution:
    """dense, sparse: (lists) synapses. group: (input axons) whose messages they are. counts:
    (input axons) parts of each axon; of each part: its group, and dense and sparse synapses."""

    dense: Integers
    sparse: Integers
    group: Integers
    counts: Integers
    part_group: Integers
    part_dense: Integers
    part_sparse: Integers


def attribution(core: Core, lists: SynapseLists, group: Integers) -> Attribution:
    """Synapses of each axon by the group that they reach. group: (compartments), over all cores."""
    number = len(lists.pointers)
    dense = np.bincount(lists.owners[lists.dense], minlength=number)
    every = lists.counts
    base, which = core.input_axon_fields["base"], lists.of_axon
    low, high = _reach(lists)
    filled = every[which] > 0
    one = group[np.where(filled, base + low[which], 0)] if len(group) else base
    ends = group[np.where(filled, base + high[which], 0)] if len(group) else base
    ordered = bool(np.all(np.diff(group) >= 0))
    chosen = np.flatnonzero((one == ends) & ordered & filled)
    mixed = np.flatnonzero(~((one == ends) & ordered) & filled)
    solid = dense[which[chosen]]
    parts = [
        np.stack([chosen, one[chosen], solid, every[which[chosen]] - solid]),
        _by_group(lists, base, mixed, group),
    ]
    joined = np.concatenate(parts, axis=1)
    owner, *rest = joined[:, np.argsort(joined[0], kind="stable")]
    counts = np.bincount(owner, minlength=len(which))
    return Attribution(dense, every - dense, one, counts, *rest)


def _by_group(lists: SynapseLists, base: Integers, axons: Integers, group: Integers) -> Integers:
    """(4, parts): axon, group, dense and sparse synapses, for axons that reach several groups."""
    which = lists.of_axon[axons]
    counts = lists.counts[which]
    rank = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    at = np.repeat(lists.rows[which], counts) + rank
    groups, own = np.unique(group, return_inverse=True)
    # a core has few groups, so that pairs of axon and group are counted faster than sorted
    pair = np.repeat(len(groups) * np.arange(len(axons)), counts)
    pair += own.reshape(-1)[np.repeat(base[axons], counts) + lists.offsets[at]]
    size = len(groups) * len(axons)
    all_of = np.bincount(pair, minlength=size)
    found = np.flatnonzero(all_of)
    solid = np.bincount(pair[lists.dense[at]], minlength=size)[found]
    axon, reached = np.divmod(found, max(len(groups), 1))
    return np.stack([axons[axon], groups[reached], solid, all_of[found] - solid])


def _reach(lists: SynapseLists) -> tuple[Integers, Integers]:
    """(lists) least and largest offset; 0 of one without synapses."""
    number = len(lists.pointers)
    low, high = np.full(number, 1 << 40), np.zeros(number, np.int64)
    np.minimum.at(low, lists.owners, lists.offsets)
    np.maximum.at(high, lists.owners, lists.offsets)
    return np.where(lists.counts > 0, low, 0), high


def _rows(counts: Integers) -> Integers:
    return np.concatenate([[0], np.cumsum(counts)])
