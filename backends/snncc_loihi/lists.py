"""The synapse lists of a core: one for all input axons that need the same, one inside another.

The lists of two input axons are the same when they differ only by the compartment at which they
begin, as those of a convolution's positions do. They are found by content, whatever made them.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.hashes import scattered
from snncc_loihi.ranges import places_in, unrolled
from snncc_loihi.sorting import by_first
from snncc_loihi.words import MOST_IN_BLOCK

Whole = NDArray[np.signedinteger]
"""Of whatever width: there are many synapses, and what is small is read sooner."""


@dataclass(frozen=True)
class Synapses:
    """Synapses in lists: rows (lists + 1) where each begins; the other fields are one a synapse.

    Within a list they are sorted by delay, exponent and offset: the compartment, counted from the
    list's base. Weights are as stored, with sign. lines: which row of positions a synapse goes to;
    blocks end where a row does, so that the lists of a tile's edges are found inside others.
    """

    rows: Integers
    offsets: Whole
    weights: Whole
    delays: Whole
    exponents: Whole
    lines: Whole

    @cached_property
    def lengths(self) -> Integers:
        return np.diff(self.rows)

    @cached_property
    def owner(self) -> Integers:
        """The list of each synapse."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def codes(self) -> Integers:
        """One number for all that a synapse is, its offset aside."""
        codes: Integers = self.weights.astype(np.int64)
        codes += 1 << 15
        if self.delays.any():
            codes |= self.delays.astype(np.int64) << 17
        if self.exponents.any():
            codes |= self.exponents.astype(np.int64) << 24
        return codes

    @cached_property
    def kinds(self) -> NDArray[np.int16]:
        """Of each synapse, what it takes a format of its own for: delay and exponent."""
        kinds: NDArray[np.int16] = self.delays.astype(np.int16)
        kinds <<= 8
        kinds |= self.exponents.astype(np.int16)
        return kinds

    def chosen(self, lists: Integers) -> "Synapses":
        """Some of the lists, in the given order."""
        if len(lists) == len(self.lengths) and np.array_equal(lists, np.arange(len(lists))):
            return self
        lengths = self.lengths[lists]
        rows = np.concatenate([[0], np.cumsum(lengths)])
        place, _ = unrolled(self.rows[lists], lengths)
        return Synapses(rows, self.offsets[place], self.weights[place], _taken(self.delays, place),
                        _taken(self.exponents, place), self.lines[place])  # fmt: skip


@dataclass(frozen=True)
class AxonLists:
    """Synapses of the input axons of a core. which: the list of each axon; moved: compartments by
    which it is further on there: (axons). Every list is that of an axon, in the order of the first.
    """

    lists: Synapses
    which: Integers
    moved: Integers

    @staticmethod
    def of(lists: Synapses) -> "AxonLists":
        """A list for each axon."""
        count = len(lists.lengths)
        return AxonLists(lists, np.arange(count), np.zeros(count, np.int64))

    def based(self, reach: int) -> "tuple[AxonLists, Integers]":
        """With lists that count from the bases of their axons, and the bases, below `reach`."""
        begin = np.minimum.reduceat(self.lists.offsets, self.lists.rows[:-1])
        least = begin[self.which] + self.moved
        beyond = least // reach
        key = self.which * (int(beyond.max()) + 1) + beyond
        first, which = by_first(key)
        chosen = self.lists.chosen(self.which[first])
        shift = (reach * beyond[first] - begin[self.which[first]]).astype(chosen.offsets.dtype)
        lists = replace(chosen, offsets=chosen.offsets + np.repeat(shift, chosen.lengths))
        return AxonLists(lists, which, self.moved), least % reach


def distinct(lists: Synapses) -> tuple[Integers, Integers]:
    """One list of each content, and for each list which of those it is."""
    code = lists.codes ^ (lists.offsets.astype(np.int64) << 30)
    hashed = scattered(code, places_in(lists.rows))
    total = np.add.reduceat(hashed, lists.rows[:-1]) + lists.lengths.astype(np.uint64)
    _, first, which = np.unique(total, return_index=True, return_inverse=True)
    which = which.reshape(-1)
    again = np.flatnonzero(first[which] != np.arange(len(which)))
    pattern = first[which[again]]
    lengths = [lists.lengths[each] for each in (again, pattern)]
    own, same = (
        code[unrolled(lists.rows[each], long)[0]]
        for each, long in zip((again, pattern), lengths, strict=True)
    )
    if not np.array_equal(lengths[0], lengths[1]) or not np.array_equal(own, same):
        raise AssertionError("two lists of different content have one hash of 64 bits")
    return first, which


BRIDGED = 4
"""Compartments between two synapses of a run that may be filled by weights of 0."""


def bridged(lists: Synapses) -> Synapses:
    """Lists with weights of 0 in gaps of few compartments, which are shorter than a new run."""
    gap = np.diff(lists.offsets) - 1
    filled = (gap > 0) & (gap <= BRIDGED) & (lists.kinds[1:] == lists.kinds[:-1])
    filled &= lists.lines[1:] == lists.lines[:-1]
    filled[lists.rows[1:-1] - 1] = False
    before = np.flatnonzero(filled)
    if not len(before):
        return lists
    gaps = gap[before].astype(np.int64)
    upto = np.concatenate([[0], np.cumsum(gaps)])
    new, which = unrolled(before + 1 + upto[:-1], gaps)
    filling = np.zeros(len(lists.offsets) + upto[-1], np.int8)
    filling[new] = 1
    index = np.arange(len(filling))
    index -= np.cumsum(filling, dtype=np.int64)
    offsets, weights = lists.offsets[index], lists.weights[index]
    weights[new] = 0
    offsets[new] += (new - (before + upto[:-1])[which]).astype(offsets.dtype)
    rows = lists.rows + upto[np.searchsorted(before, lists.rows)]
    return Synapses(rows, offsets, weights, _taken(lists.delays, index),
                    _taken(lists.exponents, index), lists.lines[index])  # fmt: skip


@dataclass(frozen=True)
class Blocks:
    """Runs of synapses to consecutive compartments, of one delay and exponent, at most 64 each.

    rows: (lists + 1) where each list's blocks begin. starts: (blocks + 1) their first synapses.
    """

    rows: Integers
    starts: Integers

    @cached_property
    def counts(self) -> Integers:
        """Synapses of each block."""
        return np.diff(self.starts)

    @cached_property
    def per_list(self) -> Integers:
        return np.diff(self.rows)


def runs(lists: Synapses, consecutive: bool = True) -> Blocks:
    """Cuts lists into blocks; without `consecutive` only at other delays, exponents, or 64."""
    size = len(lists.offsets)
    kind = lists.kinds
    new = np.ones(size, np.bool_)
    new[1:] = kind[1:] != kind[:-1]
    if consecutive:
        new[1:] |= lists.offsets[1:] != lists.offsets[:-1] + 1
        new[1:] |= lists.lines[1:] != lists.lines[:-1]
    new[lists.rows[:-1]] = True
    # those of more than 64 are cut again
    starts = np.append(np.flatnonzero(new), size)
    parts = -(-np.diff(starts) // MOST_IN_BLOCK)
    if parts.max(initial=1) > 1:
        ends = np.cumsum(parts)
        step = np.arange(ends[-1]) - np.repeat(ends - parts, parts)
        starts = np.append(np.repeat(starts[:-1], parts) + step * MOST_IN_BLOCK, size)
    return Blocks(np.searchsorted(starts, lists.rows), starts)


def _taken(values: Whole, places: Integers) -> Whole:
    """values[places]; often all are 0."""
    return values[places] if values.any() else np.zeros(len(places), values.dtype)
