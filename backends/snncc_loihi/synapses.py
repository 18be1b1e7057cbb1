"""The synapse memory of a core taken apart: every list that an input axon names."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Numbers
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
        found = np.full(len(self.pointers), np.iinfo(np.int64).max)
        np.minimum.at(found, self.owners, self.offsets)
        return np.where(self.counts > 0, found, 0)

    @property
    def owners(self) -> Integers:
        """The list of each synapse."""
        return np.repeat(np.arange(len(self.rows) - 1), self.counts)


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
    axons = core.input_axon_fields
    key = axons["pointer"] << 16 | axons["words"]
    found, of_axon = np.unique(key, return_inverse=True)
    pointers, sizes = found >> 16, found & 0xFFFF
    total = int(sizes.sum())
    if total > MOST_WORDS:
        raise ListError(f"the lists have {total} words, should be at most {MOST_WORDS}")
    blocks = _blocks(core, pointers, sizes)
    return _decoded(core, of_axon.reshape(-1), pointers, sizes, blocks)


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


def _decoded(
    core: "Core", of_axon: Integers, pointers: Integers, sizes: Integers, blocks: _Blocks
) -> SynapseLists:
    form = core.format_fields
    counts = blocks.counts
    rank = np.arange(counts.sum()) - np.repeat(_rows(counts)[:-1], counts)
    formats = np.repeat(blocks.formats, counts)
    start = np.repeat(blocks.words << 6, counts) + HEADER_BITS
    indexed, delayed = form["index_bits"][formats], form["delay_bits"][formats]
    run, weighed = form["run"][formats], form["weight_bits"][formats]
    step = delayed + weighed
    at_index = start + np.where(run, 0, rank * (indexed + step))
    at_delay = start + indexed + rank * np.where(run, step, indexed + step)
    dense = indexed == 0
    begun = np.repeat(_dense_before(blocks, form["index_bits"] == 0), counts)
    memory = np.append(core.synapses, np.uint64(0))
    offsets = np.where(dense, begun + rank, _bits(memory, at_index, indexed) + run * rank)
    delays = _bits(memory, at_delay, delayed)
    stored = _bits(memory, at_delay + delayed, weighed)
    sign = form["sign"][formats]
    stored -= np.where((sign == MIXED) & (stored >> (weighed - 1) == 1), 1 << weighed, 0)
    stored = np.where(sign == INHIBITORY, -stored, stored)
    kept = stored != 0
    owners = np.repeat(blocks.lists, counts)[kept]
    rows = _rows(np.bincount(owners, minlength=len(pointers)))
    return SynapseLists(
        of_axon, pointers, sizes, rows, offsets[kept], delays[kept], stored[kept], formats[kept],
        dense[kept],
    )  # fmt: skip


def _dense_before(blocks: _Blocks, dense: Truths) -> Integers:
    """Dense synapses of a list before each block."""
    own = np.where(dense[blocks.formats], blocks.counts, 0)
    before = np.cumsum(own) - own
    first = np.searchsorted(blocks.lists, blocks.lists)
    found: Integers = before - before[first]
    return found


def _rows(counts: Integers) -> Integers:
    rows = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=rows[1:])
    return rows


def _bits(memory: Words, at: Integers, width: Integers) -> Integers:
    """`width` bits, at most 63, from bit `at` on; memory has one word more than is read."""
    if not np.any(width):  # of delays, mostly
        return np.zeros(len(at), np.int64)
    word, bit = at >> 6, (at & 63).astype(np.uint64)
    low = memory[word] >> bit
    # two shifts, because one by 64 is not defined
    high = memory[np.minimum(word + 1, len(memory) - 1)] << (np.uint64(63) - bit) << np.uint64(1)
    mask = (np.uint64(1) << width.astype(np.uint64)) - np.uint64(1)
    found: Integers = ((low | high) & mask).astype(np.int64)
    return found
