"""Ranges of numbers, one after the other."""

import numpy as np

from snncc_ir import Integers


def places_in(rows: Integers) -> Integers:
    """The place of each synapse in its list, or block; rows: where they begin, and the end."""
    found: Integers = np.arange(rows[-1]) - np.repeat(rows[:-1], np.diff(rows))
    return found


def unrolled(starts: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """starts[i], starts[i] + 1, …: lengths[i] of them, one range after the other, and i of each."""
    which = np.repeat(np.arange(len(lengths)), lengths)
    places = (starts - (np.cumsum(lengths) - lengths))[which]
    places += np.arange(len(which))
    return places, which
