"""Synapses of a core by input axon, for the checker: one by one, and added up at once.

Where several lists are heard from the same bases, as those of the channels at each position of a
convolution are, what they bring is added up before it is moved to each base.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers
from snncc_loihi.check_words import Decoded
from snncc_loihi.core_map import Core

AT_ONCE = 1 << 22
"""Synapses that are added up together, so that memory stays small."""
Truths = NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """Synapses: which of the decoded, and the axon and the compartment of each."""

    synapses: Integers
    axons: Integers
    targets: Integers


@dataclass(frozen=True)
class Stretches:
    """The synapses of one delay that follow each other in an axon's list. numbers: the same for
    axons of the same list. axons, bases: whose; starts, lengths: of the decoded: (stretches)."""

    numbers: Integers
    axons: Integers
    bases: Integers
    starts: Integers
    lengths: Integers

    @staticmethod
    def of(core: Core, found: Decoded) -> "Stretches":
        """Of all axons."""
        changes = np.flatnonzero(np.diff(found.delays)) + 1
        starts = np.unique(np.concatenate([found.rows[:-1][found.lengths > 0], changes]))
        lengths = np.diff(np.append(starts, len(found.delays)))
        counts = np.diff(np.searchsorted(starts, found.rows))
        before = np.cumsum(counts) - counts
        numbers, axons = unrolled(before[found.of_axon], counts[found.of_axon])
        bases = core.input_axon_fields["base"][axons]
        return Stretches(numbers, axons, bases, starts[numbers], lengths[numbers])

    def reach(self, offsets: Integers) -> tuple[Integers, Integers]:
        """The nearest and the furthest compartment of each."""
        if not len(self.numbers):
            return self.numbers, self.numbers
        # all synapses are in some stretch, and every list is that of an axon
        rows, place = np.unique(self.starts, return_inverse=True)
        place = place.reshape(-1)
        return (
            self.bases + np.minimum.reduceat(offsets, rows)[place],
            self.bases + np.maximum.reduceat(offsets, rows)[place],
        )

    def expanded(self, offsets: Integers, wanted: Truths) -> Iterator[Part]:
        """All synapses of those that are wanted, in parts."""
        chosen = np.flatnonzero(wanted)
        ends = np.cumsum(self.lengths[chosen])
        at = 0
        while at < len(chosen):
            begun = int(ends[at - 1]) if at else 0
            end = max(at + 1, int(np.searchsorted(ends, begun + AT_ONCE, side="right")))
            mine = chosen[at:end]
            synapses, owners = unrolled(self.starts[mine], self.lengths[mine])
            yield Part(
                synapses, self.axons[mine][owners], self.bases[mine][owners] + offsets[synapses]
            )
            at = end


class Bringing:
    """What stretches bring to `count` compartments, as sums of magnitudes."""

    def __init__(
        self, stretches: Stretches, offsets: Integers, weights: Floats, count: int
    ) -> None:
        self._stretches, self._count = stretches, count
        # what is negative is added up beside what is positive
        self._places, self._sizes = 2 * offsets + (weights < 0), np.abs(weights)

    def at_once(self, wanted: Truths) -> Floats:
        """(2, compartments): positive and negative, of some stretches, for a payload of 1."""
        every = self._stretches
        chosen = np.flatnonzero(wanted)
        chosen = chosen[np.lexsort((every.bases[chosen], every.numbers[chosen]))]
        bases = np.ascontiguousarray(every.bases[chosen])
        total = np.zeros(2 * self._count)
        firsts = np.flatnonzero(np.diff(every.numbers[chosen], prepend=-1))
        if not len(firsts):
            return total.reshape(-1, 2).T
        # those that are heard from the same bases are one group
        groups: dict[bytes, int] = {}
        ends = np.append(firsts[1:], len(chosen)).tolist()
        group = np.array([
            groups.setdefault(bases[first:end].tobytes(), len(groups))
            for first, end in zip(firsts.tolist(), ends, strict=True)
        ])  # fmt: skip
        heard = [np.frombuffer(each, np.int64) for each in groups]
        added, values, of_group = self._added(chosen[firsts], group, len(groups))
        counts = np.array([len(each) for each in heard])
        before, every_base = np.cumsum(counts) - counts, 2 * np.concatenate(heard)
        pairs = np.cumsum(counts[of_group])
        at = 0
        while at < len(added):
            begun = int(pairs[at - 1]) if at else 0
            end = max(at + 1, int(np.searchsorted(pairs, begun + AT_ONCE, side="right")))
            mine = of_group[at:end]
            base, which = unrolled(before[mine], counts[mine])
            places = every_base[base] + added[at:end][which]
            total += np.bincount(places, values[at:end][which], len(total))
            at = end
        return total.reshape(-1, 2).T

    def _added(
        self, chosen: Integers, group: Integers, groups: int
    ) -> tuple[Integers, Floats, Integers]:
        """What stretches, each of a group, bring to places counted from one base: places, sums and
        groups."""
        every = self._stretches
        lengths = every.lengths[chosen]
        synapses, which = unrolled(every.starts[chosen], lengths)
        places = self._places[synapses]
        most = np.maximum.reduceat(places, np.cumsum(lengths) - lengths)
        room = np.zeros(groups, np.int64)
        np.maximum.at(room, group, most + 1)
        begins: Integers = np.cumsum(room) - room
        added = np.bincount(begins[group][which] + places, self._sizes[synapses])
        filled = np.flatnonzero(added)
        of_group: Integers = np.searchsorted(begins, filled, side="right") - 1
        return filled - begins[of_group], added[filled].astype(np.float64), of_group


def unrolled(starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """starts[i] + 0 … lengths[i] − 1 for each i, one behind the other, and i of each."""
    owners = np.repeat(np.arange(len(lengths)), lengths)
    before = np.cumsum(lengths) - lengths
    return (starts - before)[owners] + np.arange(len(owners)), owners
