"""The synapse memory of a core taken apart: every list that an input axon names."""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import Numbers
from snncc_loihi.core_map import Core
from snncc_loihi.ranges import unrolled
from snncc_loihi.synapse_blocks import MIXED, ListError, Truths, blocks_of, read_blocks, rows_of

MOST_WORDS = 1 << 20
"""Words that the different lists of a core may have in all; overlapping ones count twice."""


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


def axon_synapses(core: Core, numbers: Numbers) -> AxonSynapses:
    """What each input axon reaches; raises ListError for a memory that does not decode."""
    lists = read_lists(core)
    weights = effective_weights(core, lists, numbers)
    rows, which = by_axon(lists)
    base = np.repeat(core.input_axon_fields["base"], np.diff(rows))
    return AxonSynapses(
        rows, base + lists.offsets[which], weights[which], lists.delays[which], lists.dense[which]
    )


def by_axon(lists: SynapseLists) -> tuple[Integers, Integers]:
    """Rows by input axon, (input axons + 1), and which synapse of the lists each one is."""
    counts = lists.counts[lists.of_axon]
    rows = rows_of(counts)
    before = np.repeat(lists.rows[lists.of_axon] - rows[:-1], counts)
    return rows, before + np.arange(rows[-1])


def effective_weights(core: Core, lists: SynapseLists, numbers: Numbers) -> Integers:
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


def read_lists(core: Core) -> SynapseLists:
    """All lists of a core; raises ListError. The fields of its formats are in range."""
    of_axon, pointers, sizes = _named(core)
    blocks = blocks_of(core, pointers, sizes)
    read = read_blocks(core, blocks)
    lengths = np.diff(read.rows)[read.of_block]
    at, block = unrolled(read.rows[read.of_block], lengths)
    offsets = read.offsets[at]
    if read.before.any():
        offsets += read.before[block]
    rows = rows_of(lengths)[np.searchsorted(blocks.lists, np.arange(len(pointers) + 1))]
    formats = blocks.formats[block]
    return SynapseLists(
        of_axon, pointers, sizes, rows, offsets, read.delays[at], read.stored[at], formats,
        (core.format_fields["index_bits"] == 0)[formats],
    )  # fmt: skip


def read_reach(core: Core) -> Reach:
    """How far the lists of a core go; raises what `read_lists` does."""
    of_axon, pointers, sizes = _named(core)
    blocks = blocks_of(core, pointers, sizes)
    read = read_blocks(core, blocks)
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


def _named(core: Core) -> tuple[Integers, Integers, Integers]:
    """The list that each input axon names; first word and words of each list."""
    axons = core.input_axon_fields
    key = axons["pointer"] << 16 | axons["words"]
    found, of_axon = np.unique(key, return_inverse=True)
    pointers, sizes = found >> 16, found & 0xFFFF
    total = int(sizes.sum())
    if total > MOST_WORDS:
        raise ListError(f"the lists have {total} words, should be at most {MOST_WORDS}")
    return of_axon.reshape(-1), pointers, sizes
