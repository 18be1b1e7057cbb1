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
    words, counts, which = blocks.words, blocks.counts, blocks.formats
    dense = np.where(core.format_fields["index_bits"][which] == 0, counts, 0)
    every = np.concatenate([[0], np.cumsum(dense)])
    # dense synapses of a list before each block
    counted = every[:-1] - np.repeat(every[bounds[:-1]], np.diff(bounds))
    form = {name: numbers[which] for name, numbers in core.format_fields.items()}
    index, delay, weight, run = (
        np.repeat(form[name], counts) for name in ("index_bits", "delay_bits", "weight_bits", "run")
    )
    total = int(counts.sum())
    ends_of_blocks = np.cumsum(counts)
    k = np.arange(total) - np.repeat(ends_of_blocks - counts, counts)
    begun = np.repeat(words * WORD + HEADER, counts)
    record = delay + weight + np.where(run, 0, index)
    after_index = begun + k * record + index
    windows = _windows(core)
    offsets = _field(windows, np.where(run, begun, begun + k * record), index) + k * run
    offsets = np.where(index == 0, np.repeat(counted, counts) + k, offsets)
    delays = _field(windows, after_index, delay)
    stored = _field(windows, after_index + delay, weight)
    sign = np.repeat(form["sign"], counts)
    negative = (sign == 0) & (stored >= 1 << (weight - 1))
    stored = np.where(sign == 2, -stored, stored - (negative.astype(np.int64) << weight))
    kept = stored != 0
    before = np.concatenate([[0], np.cumsum(kept)])
    rows = before[np.concatenate([[0], ends_of_blocks])[bounds]]
    return Decoded(
        of_axon, rows, offsets[kept], delays[kept], stored[kept], np.repeat(which, counts)[kept]
    )


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
    shift = grid_shifts(core, numbers)[decoded.formats]
    found: Integers = (decoded.stored << np.maximum(shift, 0)) >> np.maximum(-shift, 0)
    return found
