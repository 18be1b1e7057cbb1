"""The checker's own reading of synapses; `synapses.py` has the other, by which maps are run.

It says of every word where the next block were if one began there, follows the lists from their
first words, and reads fields from the bytes of the memory, wherever in
a byte they begin: 15 bits at most, so that four bytes hold any of them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Numbers
from snncc_loihi.core_map import Core

HEADER = 10
COUNT_BITS = 6
WORD = 64


@dataclass(frozen=True)
class Decoded:
    """Synapses of the different lists of a core, list by list; those of weight 0 left out.

    of_axon: (input axons) which list. rows: (lists + 1) where each begins. offsets: compartment
    less the axon's base; delays: in steps; stored: signed; formats: (synapses) each.
    """

    of_axon: Integers
    rows: Integers
    offsets: Integers
    delays: Integers
    stored: Integers
    formats: Integers

    @property
    def lengths(self) -> Integers:
        """Synapses of each list."""
        return np.diff(self.rows)


@dataclass(frozen=True)
class Blocks:
    """List after list: first word, synapses and format of each."""

    words: Integers
    counts: Integers
    formats: Integers


def decode(core: Core) -> Decoded:
    """All lists of a core; raises ValueError for one that leaves the memory or its own words."""
    axons, form = core.input_axon_fields, core.format_fields
    lists, of_axon = np.unique(axons["pointer"] << 16 | axons["words"], return_inverse=True)
    pointers, ends = lists >> 16, (lists >> 16) + (lists & 0xFFFF)
    for i in np.flatnonzero(ends > len(core.synapses))[:1]:
        raise ValueError(
            f"the list at word {pointers[i]} ends at word {ends[i]} of {len(core.synapses)}"
        )
    table = np.array(
        [
            _block_words(*fields)
            for fields in zip(
                form["index_bits"].tolist(),
                form["delay_bits"].tolist(),
                form["weight_bits"].tolist(),
                form["run"].tolist(),
                strict=True,
            )
        ],
        np.int64,
    ).reshape(-1, (1 << COUNT_BITS) + 1)
    # of every word, as if a block began there: where the next one would
    heads = (core.synapses & np.uint64((1 << HEADER) - 1)).astype(np.int64)
    counts, formats = (heads & (1 << COUNT_BITS) - 1) + 1, heads >> COUNT_BITS
    known = formats < len(table)
    nexts = np.arange(len(heads))
    nexts[known] += table[formats[known], counts[known]]
    at, which = pointers[pointers < ends], np.flatnonzero(pointers < ends)
    found = [(at[:0], which[:0])]
    while len(at):
        for i in np.flatnonzero(~known[at])[:1]:
            raise ValueError(f"the block at word {at[i]} has no format")
        found.append((at, which))
        at = nexts[at]
        for i in np.flatnonzero(at > ends[which])[:1]:
            raise ValueError(f"the list at word {pointers[which[i]]} ends within a block")
        going = at < ends[which]
        at, which = at[going], which[going]
    words, owners = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.argsort(owners, kind="stable")
    words, owners = words[order], owners[order]
    blocks = Blocks(words, counts[words], formats[words])
    bounds = np.searchsorted(owners, np.arange(len(lists) + 1))
    return _fields(core, of_axon.reshape(-1), bounds, blocks)


@lru_cache(maxsize=256)
def _block_words(index: int, delay: int, weight: int, run: int) -> tuple[int, ...]:
    """Words of a block by its number of synapses."""
    return tuple(
        -(-(HEADER + (index if run else n * index) + n * (delay + weight)) // WORD)
        for n in range((1 << COUNT_BITS) + 1)
    )


def _fields(core: Core, of_axon: Integers, bounds: Integers, blocks: Blocks) -> Decoded:
    """bounds: (lists + 1), of their blocks."""
    counts, which = blocks.counts, blocks.formats
    dense = np.where(core.format_fields["index_bits"][which] == 0, counts, 0)
    every = np.concatenate([[0], np.cumsum(dense)])
    # dense synapses of a list before each block
    counted = every[:-1] - np.repeat(every[bounds[:-1]], np.diff(bounds))
    # lists have blocks in common, which are read once
    words, first, place = np.unique(blocks.words, return_index=True, return_inverse=True)
    read, place = _once(core, words, counts[first], which[first]), place.reshape(-1)
    starts, lengths = read.rows[place], np.diff(read.rows)[place]
    at = np.arange(int(lengths.sum()))
    ends = np.cumsum(lengths)
    at += np.repeat(starts - (ends - lengths), lengths)
    offsets = read.offsets[at]
    if dense.any():
        offsets += np.repeat(np.where(dense > 0, counted, 0), lengths)
    rows = np.concatenate([[0], ends])[bounds]
    return Decoded(
        of_axon, rows, offsets, read.delays[at], read.stored[at], np.repeat(which, lengths)
    )


@dataclass(frozen=True)
class _Synapses:
    """Of blocks: rows (blocks + 1); offsets (of a dense block, within it), delays, stored."""

    rows: Integers
    offsets: Integers
    delays: Integers
    stored: Integers


def _once(core: Core, words: Integers, counts: Integers, which: Integers) -> _Synapses:
    """Of blocks that begin at these words; those of weight 0 left out."""
    form = {name: numbers[which] for name, numbers in core.format_fields.items()}
    index, delay, weight, run = (
        form[name] for name in ("index_bits", "delay_bits", "weight_bits", "run")
    )
    ends, own = np.cumsum(counts), np.where(run, 0, index)
    begun, record = words * WORD + HEADER, delay + weight + own
    windows = _windows(core)
    least = _field(windows, begun, np.where(run, index, 0))
    # synapse k of a block is at k records from where its first would be; k counts over all blocks
    k = np.arange(int(counts.sum()))
    k -= np.repeat(ends - counts, counts)
    size = np.repeat(record, counts)
    at = k * size
    at += np.repeat(begun + np.where(run, index, 0), counts)
    offsets = np.repeat(least, counts)
    if own.any():
        mine = np.repeat(own, counts)
        offsets += np.where(mine > 0, _field(windows, at, mine), k)
        at += mine
    else:
        offsets += k
    delays = np.zeros_like(k)
    if delay.any():
        long = np.repeat(delay, counts)
        delays = _field(windows, at, long)
        at += long
    width = np.repeat(weight, counts)
    stored = _field(windows, at, width)
    sign = form["sign"]
    # of mixed weights the uppermost bit counts downward
    stored -= (stored & np.repeat(np.where(sign == 0, 1 << (weight - 1), 0), counts)) << 1
    if (sign == 2).any():
        stored = np.where(np.repeat(sign == 2, counts), -stored, stored)
    kept = np.flatnonzero(stored)
    rows = np.searchsorted(kept, np.concatenate([[0], ends]))
    return _Synapses(rows, offsets[kept], delays[kept], stored[kept])


def _windows(core: Core) -> NDArray[np.uint32]:
    """Four bytes from each byte of the memory on."""
    content = core.synapses.astype("<u8").tobytes() + bytes(8)
    return np.ndarray((len(content) - 4,), "<u4", content, strides=(1,)).astype(np.uint32)


def _field(windows: NDArray[np.uint32], at: Integers, width: Integers) -> Integers:
    found: Integers = windows[at >> 3].astype(np.int64) >> (at & 7) & (1 << width) - 1
    return found


def grid_shifts(core: Core, numbers: Numbers) -> Integers:
    """By format: a stored weight s counts s · 2^shift, before the chip's weight_shift."""
    form = core.format_fields
    step = 8 - form["weight_bits"] + (form["sign"] == 0) if numbers.mixed_step else 0
    found: Integers = form["exponent"] + step
    return found


def weights(core: Core, decoded: Decoded, numbers: Numbers) -> Integers:
    """Of each synapse, rounded down where it is no integer (`exponents` refuses those)."""
    by_format = grid_shifts(core, numbers)
    if not by_format.any():
        return decoded.stored
    shift = by_format[decoded.formats]
    found: Integers = (decoded.stored << np.maximum(shift, 0)) >> np.maximum(-shift, 0)
    return found
