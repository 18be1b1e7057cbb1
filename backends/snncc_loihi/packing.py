"""Packs synapse lists into the words of a core's memory, each in the format that is shortest."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.lists import AxonLists, Blocks, Synapses, Whole, bridged, distinct, runs
from snncc_loihi.nesting import Nesting, nested
from snncc_loihi.ranges import unrolled
from snncc_loihi.words import HEADER_BITS, MOST_IN_BLOCK, Words

DENSE, SPARSE, RUN = 0, 1, 2
WORD = 64


@dataclass(frozen=True, order=True)
class Format:
    """A synapse format; index_bits 0 is dense. Weights have both signs."""

    weight_bits: int
    index_bits: int
    delay_bits: int
    exponent: int
    run: int


@dataclass(frozen=True)
class PackedCore:
    """pointers, lengths (words), bases: of each input axon. memory: the synapse words."""

    pointers: Integers
    lengths: Integers
    bases: Integers
    formats: tuple[Format, ...]
    memory: Words


def pack_core(synapses: AxonLists, chip: Chip) -> PackedCore:
    """synapses: offsets are compartments."""
    if not len(synapses.which):
        none = np.zeros(0, np.int64)
        return PackedCore(none, none, none, (), np.zeros(0, np.uint64))
    reach = chip.limits.axon_base + 1
    moved, bases = synapses.based(reach)
    first, which = distinct(moved.lists)
    which = which[moved.which]
    least, most = np.full(len(first), reach), np.zeros(len(first), np.int64)
    np.minimum.at(least, which, bases)
    np.maximum.at(most, which, bases)
    packer = _Packer(moved.lists.chosen(first), chip, least, most)
    pointers, lengths, shift, memory = packer.packed()
    formats = packer.formats
    return PackedCore(pointers[which], lengths[which], bases + shift[which], formats, memory)


@dataclass(frozen=True)
class _Packer:
    """Distinct lists on their way into the memory of a core; least, most: bases of their axons."""

    lists: Synapses
    chip: Chip
    least: Integers
    most: Integers

    @cached_property
    def weight_bits(self) -> int:
        """Of all weights of the core; a grid coarser than 1 leaves no choice but the finest."""
        allowed = self.chip.numbers.weight_bits
        if self.chip.numbers.mixed_step:
            return max(allowed)
        low, high = self.lists.weights.min(), self.lists.weights.max()
        return min(b for b in allowed if -(1 << (b - 1)) <= low and high < 1 << (b - 1))

    @cached_property
    def index_bits(self) -> int:
        """Of all indices of the core."""
        largest = int(self.lists.offsets.max()).bit_length()
        return min(bits for bits in self.chip.numbers.index_bits if bits >= largest)

    @cached_property
    def _bridged(self) -> Synapses:
        return bridged(self.lists)

    @cached_property
    def _runs(self) -> Blocks:
        return runs(self._bridged)

    @cached_property
    def _plain(self) -> Blocks:
        """Of lists one by one: cut at other delays and exponents, and after 64."""
        return runs(self.lists, consecutive=False)

    def _words(self, lists: Synapses, run: bool) -> Integers:
        """Of each list, in runs or one by one."""
        blocks = self._runs if run else self._plain
        total: Integers = np.add.reduceat(_words(self._bits(lists, blocks, run)), blocks.rows[:-1])
        return total

    def _bits(self, lists: Synapses, blocks: Blocks, run: bool) -> Integers:
        """Of each block."""
        delay = _delay_bits(lists.delays[blocks.starts[:-1]])
        each = self.weight_bits + delay
        if run:
            return HEADER_BITS + self.index_bits + blocks.counts * each
        return HEADER_BITS + blocks.counts * (each + self.index_bits)

    @cached_property
    def mode(self) -> Integers:
        """DENSE, SPARSE or RUN of each list: what takes the fewest words.

        Runs are weighed with all lists that are found inside others.
        """
        many = np.iinfo(np.int64).max // 2
        lists = self.lists
        span = np.maximum.reduceat(lists.offsets, lists.rows[:-1]) + 1
        delay = _delay_bits(lists.delays[lists.rows[:-1]])
        each = self.weight_bits + delay
        full, rest = span // MOST_IN_BLOCK, span % MOST_IN_BLOCK
        dense = full * _words(HEADER_BITS + MOST_IN_BLOCK * each)
        dense += np.where(rest > 0, _words(HEADER_BITS + rest * each), 0)
        sparse = self._words(lists, False)
        other = np.minimum(np.where(self._alike, dense, many), sparse)
        mode = np.where(other == sparse, SPARSE, DENSE)
        if self.chip.features.runs:
            root = self._inside.holder
            together = np.zeros(len(mode), np.int64)
            np.add.at(together, root, other)
            mode = np.where((self._words(self._bridged, True) <= together)[root], RUN, mode)
        return mode

    @cached_property
    def _inside(self) -> Nesting:
        """Which lists would be found in which, if all were runs."""
        limits = self.chip.limits
        allowed = limits.least_axon_base, limits.axon_base
        return nested(self._bridged, self._runs, self.least, self.most, allowed)

    @cached_property
    def _alike(self) -> NDArray[np.bool_]:
        """Whether a list has one delay and one exponent, and no compartment twice: may be dense."""
        lists = self.lists
        same = np.ones(len(lists.offsets), np.bool_)
        same[1:] = (
            (lists.delays[1:] == lists.delays[:-1])
            & (lists.exponents[1:] == lists.exponents[:-1])
            & (lists.offsets[1:] != lists.offsets[:-1])
        )
        same[lists.rows[:-1]] = True
        alike: NDArray[np.bool_] = np.logical_and.reduceat(same, lists.rows[:-1])
        return alike

    @cached_property
    def _filled(self) -> Synapses:
        """The dense lists, with weights of 0 where there is no synapse."""
        lists = self.lists.chosen(np.flatnonzero(self.mode == DENSE))
        if not len(lists.lengths):
            return lists
        span = np.maximum.reduceat(lists.offsets, lists.rows[:-1]) + 1
        rows = np.concatenate([[0], np.cumsum(span)])
        weights = np.zeros(rows[-1], np.int64)
        weights[rows[lists.owner] + lists.offsets] = lists.weights
        begin = lists.rows[:-1]
        owner = np.repeat(np.arange(len(span)), span)
        return Synapses(rows, np.arange(rows[-1]) - rows[owner], weights,
                        lists.delays[begin][owner], lists.exponents[begin][owner],
                        np.zeros_like(owner))  # fmt: skip

    @cached_property
    def formats(self) -> tuple[Format, ...]:
        """All that the core's blocks have, in order."""
        found: set[Format] = set()
        blocks = self._plain
        of_blocks = np.repeat(self.mode, blocks.per_list)
        kinds = self.lists.kinds[blocks.starts[:-1]]
        for mode in (DENSE, SPARSE, RUN):
            there = np.flatnonzero(np.bincount(kinds[of_blocks == mode])).tolist()
            found |= {self._format(mode, kind >> 8, kind & 255) for kind in there}
        return tuple(sorted(found))

    def _format(self, mode: int, delay: int, exponent: int) -> Format:
        index = 0 if mode == DENSE else self.index_bits
        return Format(self.weight_bits, index, delay.bit_length(), exponent, int(mode == RUN))

    def packed(self) -> tuple[Integers, Integers, Integers, Words]:
        """Pointer, words and shift of the base of each list, and the memory."""
        number = len(self.lists.lengths)
        pointers, lengths = np.zeros(number, np.int64), np.zeros(number, np.int64)
        shift = np.zeros(number, np.int64)
        memory: list[Words] = []
        used = 0
        for mode in (DENSE, SPARSE, RUN):
            chosen = np.flatnonzero(self.mode == mode)
            if not len(chosen):
                continue
            lists, blocks, mine = self._of(mode, chosen)
            inside = self._inside.of(chosen) if mode == RUN else Nesting.none(len(chosen))
            kept = np.flatnonzero(inside.holder == np.arange(len(chosen)))
            bounds = np.concatenate([[0], np.cumsum(self._sizes(mode, lists, blocks))])
            first, last = bounds[blocks.rows[mine]], bounds[blocks.rows[mine + 1]]
            long = last - first
            place = np.zeros(len(chosen), np.int64)
            place[kept] = used + np.cumsum(long[kept]) - long[kept]
            before = bounds[blocks.rows[mine[inside.holder]] + inside.skipped]
            before -= first[inside.holder]
            pointers[chosen] = place[inside.holder] + before
            lengths[chosen], shift[chosen] = long, inside.shift
            memory.append(self._written(mode, lists, blocks, mine[kept]))
            used += len(memory[-1])
        return pointers, lengths, shift, np.concatenate(memory)

    def _of(self, mode: int, chosen: Integers) -> tuple[Synapses, Blocks, Integers]:
        """Lists as they are written, their blocks, and which of them have this mode."""
        if mode == DENSE:
            return self._filled, runs(self._filled, consecutive=False), np.arange(len(chosen))
        if mode == RUN:
            return self._bridged, self._runs, chosen
        return self.lists, self._plain, chosen

    def _head(self, mode: int) -> int:
        """Bits of a block before its first synapse."""
        return HEADER_BITS + (self.index_bits if mode == RUN else 0)

    def _each(self, mode: int, delays: Whole) -> Integers:
        """Bits of a synapse, by block."""
        index = self.index_bits if mode == SPARSE else 0
        return self.weight_bits + index + _delay_bits(delays)

    def _sizes(self, mode: int, lists: Synapses, blocks: Blocks) -> Integers:
        """Words of each block."""
        delays = lists.delays[blocks.starts[:-1]]
        return _words(self._head(mode) + blocks.counts * self._each(mode, delays))

    def _written(self, mode: int, lists: Synapses, blocks: Blocks, kept: Integers) -> Words:
        """The words of all blocks of some lists, one after the other."""
        mine, _ = unrolled(blocks.rows[kept], blocks.per_list[kept])
        begin, counts = blocks.starts[mine], blocks.counts[mine]
        delay = _delay_bits(lists.delays[begin])
        head, each = self._head(mode), self._each(mode, lists.delays[begin])
        sizes = _words(head + counts * each)
        start = WORD * (np.cumsum(sizes) - sizes)
        kinds = lists.kinds[begin]
        number = np.zeros(int(kinds.max()) + 1, np.int64)
        for kind in np.flatnonzero(np.bincount(kinds)).tolist():
            number[kind] = self.formats.index(self._format(mode, kind >> 8, kind & 255))
        heads = (counts - 1) | number[kinds] << 6
        if mode == RUN:
            heads = heads | lists.offsets[begin].astype(np.int64) << HEADER_BITS
        at, block = unrolled(begin, counts)
        # bit where the synapse of number 0 would be, were all in a row
        bits = (start + head - begin * each)[block] + at * each[block]
        values = lists.weights[at].astype(np.int64)
        values &= (1 << self.weight_bits) - 1
        if delay.any():
            values = lists.delays[at] | values << delay[block]
        if mode == SPARSE:
            values = lists.offsets[at] | values << self.index_bits
        memory = np.zeros(int(sizes.sum()) + 1, np.uint64)
        _scatter(memory, start, heads)
        _scatter(memory, bits, values)
        return memory[:-1]


def _delay_bits(delays: Integers) -> Integers:
    """Bits that each delay takes."""
    bits = np.array([n.bit_length() for n in range(int(delays.max(initial=0)) + 1)], np.int64)
    return bits[delays]


def _words(bits: Integers) -> Integers:
    return -(-bits // WORD)


def _scatter(memory: Words, bits: Integers, values: Integers) -> None:
    """Writes each value from its bit on, which ascend; memory has a spare word at its end."""
    word, shift = bits >> 6, (bits & 63).astype(np.uint64)
    given = values.astype(np.uint64)
    first = np.flatnonzero(np.diff(word, prepend=-1))
    memory[word[first]] |= np.bitwise_or.reduceat(given << shift, first)
    # two shifts, because one by 64 is not defined
    high = given >> (np.uint64(63) - shift) >> np.uint64(1)
    memory[word[first] + 1] |= np.bitwise_or.reduceat(high, first)
