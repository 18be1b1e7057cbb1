"""Synapse lists inside others: one of runs that is the beginning or the end of another, as at the
edge of a tile. They are found by content."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.hashes import ZERO, mixed, powers, scattered
from snncc_loihi.lists import Blocks, Synapses
from snncc_loihi.ranges import places_in, unrolled


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
    hashed = scattered(lists.codes, places_in(blocks.starts))
    content = np.add.reduceat(hashed, blocks.starts[:-1])
    first = lists.offsets[blocks.starts[:-1]].astype(np.int64)
    gap = np.where(place > 0, first - np.roll(first, 1), 0)
    whole, alone = mixed(content ^ mixed(gap.astype(np.uint64))), mixed(content ^ mixed(ZERO))
    found = []
    for ends in (False, True):
        power = powers(blocks.per_list[of] - 1 - place if ends else place)
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
