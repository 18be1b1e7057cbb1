"""The blocks of a core's synapse memory: where they are, and the synapses in them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.core_map import Core
from snncc_loihi.ranges import unrolled
from snncc_loihi.words import BLOCK_HEADER, HEADER_BITS, Words, field_of

MIXED, EXCITATORY, INHIBITORY = range(3)

Truths = NDArray[np.bool_]


class ListError(ValueError):
    """A list that does not decode; the text says where in the core, what is and what should be."""


@dataclass(frozen=True)
class Blocks:
    """Blocks sorted by list: which list, first word, synapses and format of each."""

    lists: Integers
    words: Integers
    counts: Integers
    formats: Integers


def blocks_of(core: Core, pointers: Integers, sizes: Integers) -> Blocks:
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
        return Blocks(empty, empty, empty, empty)
    joined = [np.concatenate(part) for part in zip(*parts, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    return Blocks(*(part[order] for part in joined))


@dataclass(frozen=True)
class Read:
    """The synapses of different blocks, as lists have blocks in common. rows: (blocks + 1).
    offsets, delays, stored: (synapses). of_block, before: of each block of a list, which of these
    it is, and what is to be added to offsets."""

    rows: Integers
    offsets: Integers
    delays: Integers
    stored: Integers
    of_block: Integers
    before: Integers


def read_blocks(core: Core, blocks: Blocks) -> Read:
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
    return Read(
        np.searchsorted(kept, rows_of(counts)),
        offsets,
        delays,
        stored[kept],
        of_block.reshape(-1),
        _dense_before(blocks, dense),
    )


def _dense_before(blocks: Blocks, dense: Truths) -> Integers:
    """Dense synapses of a list before each block that is dense, too, as `dense` says."""
    own = np.where(dense, blocks.counts, 0)
    before = np.cumsum(own) - own
    first = np.searchsorted(blocks.lists, blocks.lists)
    found: Integers = np.where(dense, before - before[first], 0)
    return found


def rows_of(counts: Integers) -> Integers:
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
