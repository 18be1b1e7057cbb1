"""The synapse lists of a core: one for all input axons that need the same, one inside another.

The lists of two input axons are the same when they differ only by the compartment at which they
begin, as those of a convolution's positions do. A list of runs that is the beginning or the end of
another (at the edge of a tile) is found inside it. Both are found by content, whatever made them.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.sorting import by_first
from snncc_loihi.words import MOST_IN_BLOCK

Hashes = NDArray[np.uint64]
Whole = NDArray[np.signedinteger]
"""Of whatever width: there are many synapses, and what is small is read sooner."""

CHUNK = 1 << 14
"""Numbers that are scattered together, so that all steps of it stay in a cache."""


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
    scattered = _scattered(code, _places(lists.rows))
    total = np.add.reduceat(scattered, lists.rows[:-1]) + lists.lengths.astype(np.uint64)
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


@dataclass(frozen=True)
class Nesting:
    """For each list the one that holds it (itself where none does), and where.

    skipped: blocks of that list before it. shift: by how much its base has to move.
    """

    holder: Integers
    skipped: Integers
    shift: Integers

    @staticmethod
    def none(number: int) -> "Nesting":
        """Each list for itself."""
        zeros = np.zeros(number, np.int64)
        return Nesting(np.arange(number), zeros, zeros)

    def of(self, chosen: Integers) -> "Nesting":
        """Some of the lists, each with its holder, numbered anew."""
        number = np.full(len(self.holder), -1)
        number[chosen] = np.arange(len(chosen))
        return Nesting(number[self.holder[chosen]], self.skipped[chosen], self.shift[chosen])


def nested(
    lists: Synapses, blocks: Blocks, least: Integers, most: Integers, allowed: tuple[int, int]
) -> Nesting:
    """Finds lists of runs at the beginning or end of others.

    least, most: bases of the axons of each list, which have to stay within the allowed.
    """
    number = len(blocks.per_list)
    holder, skipped, shift = (part.copy() for part in vars(Nesting.none(number)).values())
    first = lists.offsets[blocks.starts[:-1]]
    for found, parent, skip in _candidates(lists, blocks):
        free = np.flatnonzero(holder[found] == found)
        free = free[_equal(lists, blocks, found[free], parent[free], skip[free])]
        found, parent, skip = found[free], parent[free], skip[free]
        holder[found], skipped[found] = parent, skip
        shift[found] = first[blocks.rows[found]] - first[blocks.rows[parent] + skip]
    # a holder has more blocks than what it holds: the longest first, so that it is settled
    inside = np.flatnonzero(holder != np.arange(number))
    held = inside[np.argsort(-blocks.per_list[inside], kind="stable")].tolist()
    settled = [part.tolist() for part in (holder, skipped, shift)]
    holders, skips, moves = settled
    lowest, highest = (allowed[0] - least).tolist(), (allowed[1] - most).tolist()
    for each in held:
        parent = holders[each]
        move = moves[each] + moves[parent]
        if lowest[each] <= move <= highest[each]:
            skips[each] += skips[parent]
            holders[each], moves[each] = holders[parent], move
        else:
            holders[each], skips[each], moves[each] = each, 0, 0
    return Nesting(*(np.array(part, np.int64) for part in settled))


def _candidates(lists: Synapses, blocks: Blocks) -> list[tuple[Integers, Integers, Integers]]:
    """Lists, lists that may begin or end with them, and the blocks before them there."""
    size, rows = len(blocks.counts), blocks.rows
    of = np.repeat(np.arange(len(blocks.per_list)), blocks.per_list)
    place = np.arange(size) - rows[of]
    scattered = _scattered(lists.codes, _places(blocks.starts))
    content = np.add.reduceat(scattered, blocks.starts[:-1])
    first = lists.offsets[blocks.starts[:-1]].astype(np.int64)
    gap = np.where(place > 0, first - np.roll(first, 1), 0)
    whole, alone = _mixed(content ^ _mixed(gap.astype(np.uint64))), _mixed(content ^ _mixed(_ZERO))
    found = []
    for ends in (False, True):
        power = _powers(blocks.per_list[of] - 1 - place if ends else place)
        total = np.cumsum(whole * power)
        before = total - whole * power
        if ends:
            stop = total[rows[1:] - 1][of]
            part = stop - total + alone * power
        else:
            part = total - before[rows[:-1]][of]
        full = part[rows[:-1] if ends else rows[1:] - 1]
        proper = np.flatnonzero(place > 0 if ends else place + 1 < blocks.per_list[of])
        proper = proper[np.argsort(part[proper], kind="stable")]
        where = np.searchsorted(part[proper], full)
        hit = np.flatnonzero(where < len(proper))
        hit = hit[part[proper[where[hit]]] == full[hit]]
        block = proper[where[hit]]
        found.append((hit, of[block], place[block] if ends else np.zeros_like(block)))
    return found


def _equal(
    lists: Synapses, blocks: Blocks, found: Integers, parent: Integers, skip: Integers
) -> NDArray[np.bool_]:
    """Whether lists are, synapse by synapse, in their holders; a hash alone decides nothing."""
    lengths = lists.lengths[found]
    begin = blocks.starts[blocks.rows[parent] + skip]
    room: NDArray[np.bool_] = lists.rows[parent + 1] - begin >= lengths
    if not len(found):
        return room
    own, which = unrolled(lists.rows[found], lengths)
    step = begin - lists.rows[found]
    other = np.minimum(own + step[which], len(lists.codes) - 1)
    moved = lists.offsets[lists.rows[found]] - lists.offsets[begin]
    same = lists.codes[own] == lists.codes[other]
    same &= lists.offsets[own] - lists.offsets[other] == moved[which]
    rows = np.cumsum(lengths) - lengths
    whole: NDArray[np.bool_] = room & np.logical_and.reduceat(same, rows)
    return whole


_ZERO = np.zeros(1, np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """Each number scattered over 64 bits (the finalizer of splitmix64)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _scattered(codes: Integers, places: Integers) -> Hashes:
    """Each number scattered, times an odd factor for its place."""
    found: Hashes = codes.astype(np.uint64)
    factors = _factors(int(places.max(initial=0)) + 1)
    for at in range(0, len(found), CHUNK):
        part = found[at : at + CHUNK]
        np.multiply(_mixed(part), factors[places[at : at + CHUNK]], out=part)
    return found


def _powers(order: Integers) -> Hashes:
    """An odd factor for each place in a list."""
    return _factors(int(order.max(initial=0)) + 1)[order]


def _factors(count: int) -> Hashes:
    factor = np.full(count, 0xD6E8FEB86659FD93, np.uint64)
    factor[0] = 1
    return np.multiply.accumulate(factor)


def _taken(values: Whole, places: Integers) -> Whole:
    """values[places]; often all are 0."""
    return values[places] if values.any() else np.zeros(len(places), values.dtype)


def _places(rows: Integers) -> Integers:
    """The place of each synapse in its list, or block; rows: where they begin, and the end."""
    found: Integers = np.arange(rows[-1]) - np.repeat(rows[:-1], np.diff(rows))
    return found


def unrolled(starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """starts[i], starts[i] + 1, …: lengths[i] of them, one range after the other, and i of each."""
    which = np.repeat(np.arange(len(lengths)), lengths)
    places = (starts - (np.cumsum(lengths) - lengths))[which]
    places += np.arange(len(which))
    return places, which
