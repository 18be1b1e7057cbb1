"""The synapse memory of a core taken apart: every list that an input axon names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Numbers
from snncc_loihi.lists import unrolled
from snncc_loihi.words import BLOCK_HEADER, HEADER_BITS, Words, field_of

if TYPE_CHECKING:
    from snncc_loihi.core_map import Core

MOST_WORDS = 1 << 20
"""Words that the different lists of a core may have in all; overlapping ones count twice."""
MIXED, EXCITATORY, INHIBITORY = range(3)

Truths = NDArray[np.bool_]


class ListError(ValueError):
    """A list that does not decode; the text says where in the core, what is and what should be."""


@dataclass(frozen=True)
class SynapseLists:
    """The different lists of a core as compressed sparse rows; synapses of weight 0 are none.

    of_axon: (input axons) the list that each names. pointers, sizes: (lists) first word and words.
    rows: (lists + 1). offsets: compartment less the axon's base; delays; stored: signed weight as
    it is stored; formats: which format; dense: whether that has no index: (synapses) each.
    """

    of_axon: Integers
    pointers: Integers
    sizes: Integers
    rows: Integers
    offsets: Integers
    delays: Integers
    stored: Integers
    formats: Integers
    dense: Truths

    @property
    def counts(self) -> Integers:
        """Synapses of each list."""
        return np.diff(self.rows)

    @property
    def nearest(self) -> Integers:
        """The smallest offset of each list, and 0 of one without synapses."""
        found = np.zeros(len(self.pointers), np.int64)
        filled = np.flatnonzero(self.counts)
        if len(filled):
            found[filled] = np.minimum.reduceat(self.offsets, self.rows[filled])
        return found

    @property
    def owners(self) -> Integers:
        """The list of each synapse."""
        return np.repeat(np.arange(len(self.rows) - 1), self.counts)


@dataclass(frozen=True)
class Reach:
    """Of the different lists of a core, without every synapse. of_axon: the list that each input
    axon names. nearest, furthest: offsets; longest: delay; 0 of a list without synapses."""

    of_axon: Integers
    nearest: Integers
    furthest: Integers
    longest: Integers


@dataclass(frozen=True)
class AxonSynapses:
    """All synapses of a core by input axon, as compressed sparse rows.

    rows: (input axons + 1). targets: compartments of the core. weights: effective ones, grid step
    and exponent applied, before weight_shift. delays: time steps. dense: of a dense format.
    """

    rows: Integers
    targets: Integers
    weights: Integers
    delays: Integers
    dense: Truths


def axon_synapses(core: "Core", numbers: Numbers) -> AxonSynapses:
    """What each input axon reaches; raises ListError for a memory that does not decode."""
    lists = core.lists
    weights = effective_weights(core, lists, numbers)
    rows, which = by_axon(lists)
    base = np.repeat(core.input_axon_fields["base"], np.diff(rows))
    return AxonSynapses(
        rows, base + lists.offsets[which], weights[which], lists.delays[which], lists.dense[which]
    )


def by_axon(lists: SynapseLists) -> tuple[Integers, Integers]:
    """Rows by input axon, (input axons + 1), and which synapse of the lists each one is."""
    counts = lists.counts[lists.of_axon]
    rows = _rows(counts)
    before = np.repeat(lists.rows[lists.of_axon] - rows[:-1], counts)
    return rows, before + np.arange(rows[-1])


def effective_weights(core: "Core", lists: SynapseLists, numbers: Numbers) -> Integers:
    """(synapses): stored · 2^(step + exponent); raises ListError for one that is no integer."""
    form = core.format_fields
    shift = form["exponent"].copy()
    if numbers.mixed_step:
        shift += 8 - form["weight_bits"] + (form["sign"] == MIXED)
    shifts = shift[lists.formats]
    left = lists.stored << np.maximum(shifts, 0)
    weights = left >> np.maximum(-shifts, 0)
    for i in np.flatnonzero(weights << np.maximum(-shifts, 0) != left)[:1]:
        where = lists.pointers[lists.owners[i]]
        raise ListError(
            f"the list at word {where} has a weight of {lists.stored[i]} · 2^{shifts[i]}, "
            "should be an integer"
        )
    return weights


def read_lists(core: "Core") -> SynapseLists:
    """All lists of a core; raises ListError. The fields of its formats are in range."""
    of_axon, pointers, sizes = _named(core)
    blocks = _blocks(core, pointers, sizes)
    read = _read(core, blocks)
    lengths = np.diff(read.rows)[read.of_block]
    at, block = unrolled(read.rows[read.of_block], lengths)
    offsets = read.offsets[at]
    if read.before.any():
        offsets += read.before[block]
    rows = _rows(lengths)[np.searchsorted(blocks.lists, np.arange(len(pointers) + 1))]
    formats = blocks.formats[block]
    return SynapseLists(
        of_axon, pointers, sizes, rows, offsets, read.delays[at], read.stored[at], formats,
        (core.format_fields["index_bits"] == 0)[formats],
    )  # fmt: skip


def read_reach(core: "Core") -> Reach:
    """How far the lists of a core go; raises what `read_lists` does."""
    of_axon, pointers, sizes = _named(core)
    blocks = _blocks(core, pointers, sizes)
    read = _read(core, blocks)
    filled = np.flatnonzero(np.diff(read.rows))
    place = np.full(len(read.rows) - 1, -1)
    place[filled] = np.arange(len(filled))
    there = np.flatnonzero(place[read.of_block] >= 0)
    place, before, lists = place[read.of_block][there], read.before[there], blocks.lists[there]
    starts = np.flatnonzero(np.diff(lists, prepend=-1))

    def extreme(which: np.ufunc, values: Integers, moved: Integers) -> Integers:
        found = np.zeros(len(pointers), np.int64)
        if len(starts):
            of_blocks = which.reduceat(values, read.rows[filled])[place] + moved
            found[lists[starts]] = which.reduceat(of_blocks, starts)
        return found

    return Reach(
        of_axon,
        extreme(np.minimum, read.offsets, before),
        extreme(np.maximum, read.offsets, before),
        extreme(np.maximum, read.delays, np.zeros_like(before)),
    )


def _named(core: "Core") -> tuple[Integers, Integers, Integers]:
    """The list that each input axon names; first word and words of each list."""
    axons = core.input_axon_fields
    key = axons["pointer"] << 16 | axons["words"]
    found, of_axon = np.unique(key, return_inverse=True)
    pointers, sizes = found >> 16, found & 0xFFFF
    total = int(sizes.sum())
    if total > MOST_WORDS:
        raise ListError(f"the lists have {total} words, should be at most {MOST_WORDS}")
    return of_axon.reshape(-1), pointers, sizes


@dataclass(frozen=True)
class _Blocks:
    """Blocks sorted by list: which list, first word, synapses and format of each."""

    lists: Integers
    words: Integers
    counts: Integers
    formats: Integers


def _blocks(core: "Core", pointers: Integers, sizes: Integers) -> _Blocks:
    """Walks all lists at once, block by block."""
    form, memory = core.format_fields, core.synapses
    indexed = form["index_bits"]
    each = form["delay_bits"] + form["weight_bits"] + np.where(form["run"] == 1, 0, indexed)
    once = HEADER_BITS + np.where(form["run"] == 1, indexed, 0)
    lists, at, ends = np.arange(len(pointers)), pointers, pointers + sizes
    parts: list[tuple[Integers, Integers, Integers, Integers]] = []
    while len(lists := lists[going := at < ends]):
        at, ends = at[going], ends[going]
        head = memory[at]
        count, which = (field_of(head, field) for field in BLOCK_HEADER)
        count += 1
        for i in np.flatnonzero(which >= len(core.formats))[:1]:
            raise ListError(
                f"the block at word {at[i]} has format {which[i]}, should be below "
                f"{len(core.formats)}"
            )
        bits = once[which] + count * each[which]
        words = (bits + 63) >> 6
        for i in np.flatnonzero(at + words > ends)[:1]:
            raise ListError(
                f"the block at word {at[i]} has {words[i]} words, should end by word {ends[i]}"
            )
        left = np.where(bits & 63, memory[at + words - 1] >> (bits & 63).astype(np.uint64), 0)
        for i in np.flatnonzero(left)[:1]:
            raise ListError(f"the block at word {at[i]} has bits after its end, should be 0")
        parts.append((lists, at, count, which))
        at = at + words
    if not parts:
        empty = np.zeros(0, np.int64)
        return _Blocks(empty, empty, empty, empty)
    joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    return _Blocks(*(part[order] for part in joined))


@dataclass(frozen=True)
class _Read:
    """The synapses of different blocks, as lists have blocks in common. rows: (blocks + 1).
    offsets, delays, stored: (synapses). of_block, before: of each block of a list, which of these
    it is, and what is to be added to offsets."""

    rows: Integers
    offsets: Integers
    delays: Integers
    stored: Integers
    of_block: Integers
    before: Integers


def _read(core: "Core", blocks: _Blocks) -> _Read:
    """Every block once; synapses of weight 0 are none."""
    words, chosen, of_block = np.unique(blocks.words, return_index=True, return_inverse=True)
    counts, formats = blocks.counts[chosen], blocks.formats[chosen]
    form = {name: numbers[formats] for name, numbers in core.format_fields.items()}
    run, index, delay = form["run"] == 1, form["index_bits"], form["delay_bits"]
    memory = np.append(core.synapses, np.uint64(0))
    start = (words << 6) + HEADER_BITS
    # of each block: bits of an index of its own, and of a synapse, and where the first begins
    own, shared = np.where(run, 0, index), np.where(run, index, 0)
    each, first = own + delay + form["weight_bits"], start + shared
    begun = _bits(memory, start, shared)
    rank, block = unrolled(np.zeros_like(counts), counts)
    width = each[block]
    found = _bits(memory, first[block] + rank * width, width)
    above = own + delay
    stored = found >> above[block] if above.any() else found
    half = np.where(form["sign"] == MIXED, 1 << (form["weight_bits"] - 1), 0)[block]
    stored = (stored ^ half) - half
    inhibits = form["sign"] == INHIBITORY
    if inhibits.any():
        stored = np.where(inhibits[block], -stored, stored)
    kept = np.flatnonzero(stored)
    block, rank, found = block[kept], rank[kept], found[kept]
    offsets, delays = begun[block], np.zeros(len(kept), np.int64)
    spaced = own > 0
    offsets += np.where(spaced[block], 0, rank) if spaced.any() else rank
    if spaced.any():
        offsets += found & (1 << own[block]) - 1
    if delay.any():
        delays = found >> own[block] & (1 << delay[block]) - 1
    dense = core.format_fields["index_bits"][blocks.formats] == 0
    return _Read(
        np.searchsorted(kept, _rows(counts)),
        offsets,
        delays,
        stored[kept],
        of_block.reshape(-1),
        _dense_before(blocks, dense),
    )


def _dense_before(blocks: _Blocks, dense: Truths) -> Integers:
    """Dense synapses of a list before each block that is dense, too, as `dense` says."""
    own = np.where(dense, blocks.counts, 0)
    before = np.cumsum(own) - own
    first = np.searchsorted(blocks.lists, blocks.lists)
    found: Integers = np.where(dense, before - before[first], 0)
    return found


def _rows(counts: Integers) -> Integers:
    rows = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=rows[1:])
    return rows


def _bits(memory: Words, at: Integers, width: Integers) -> Integers:
    """`width` bits, at most 63, from bit `at` on; memory has one word more than is read."""
    word, bit = at >> 6, at & 63
    found = memory[word] >> bit.astype(np.uint64)
    across = np.flatnonzero(bit + width > 64)
    if len(across):
        # none begins at bit 0
        left = (64 - bit[across]).astype(np.uint64)
        found[across] |= memory[word[across] + 1] << left
    mask = (np.uint64(1) << width.astype(np.uint64)) - np.uint64(1)
    numbers: Integers = (found & mask).astype(np.int64)
    return numbers
