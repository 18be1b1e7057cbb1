"""Stable sorting of many keys at once, by the sort that numpy has fastest."""

import numpy as np

from snncc_ir import Integers

KEY_BITS = 63
ROOM = 16
"""Entries of a table for each key, at most."""


def stable_order(keys: Integers) -> Integers:
    """`np.argsort(keys, kind="stable")` for keys that are not negative."""
    return stably_sorted(keys)[1]


def stably_sorted(keys: Integers) -> tuple[Integers, Integers]:
    """The keys in their order, and that order; keys are not negative.

    Where they leave room for it, a key's place goes into its lowest bits, so that no two are equal
    and the numbers themselves can be sorted, in whatever way.
    """
    bits = max(len(keys) - 1, 1).bit_length()
    if int(keys.max(initial=0)).bit_length() + bits > KEY_BITS:
        order = np.argsort(keys, kind="stable")
        return keys[order], order
    placed: Integers = keys.astype(np.int64)
    placed <<= bits
    placed |= np.arange(len(keys))
    placed.sort()
    order = placed & ((1 << bits) - 1)
    placed >>= bits
    return placed, order


def by_first(keys: Integers) -> tuple[Integers, Integers]:
    """Where each different key is first, in that order, and for each key which of those it is.

    As np.unique has them, but for the order; keys are not negative.
    """
    count = len(keys)
    most = int(keys.max(initial=0))
    if most > ROOM * (count + 1):
        keys = np.unique(keys, return_inverse=True)[1].reshape(-1)
        most = int(keys.max(initial=0))
    first = np.zeros(most + 1, np.int64)
    # of several, the last to be written stays: from the end on, that is the first
    first[keys[::-1]] = np.arange(count - 1, -1, -1)
    firsts = np.flatnonzero(first[keys] == np.arange(count))
    number = np.zeros(most + 1, np.int64)
    number[keys[firsts]] = np.arange(len(firsts))
    return firsts, number[keys]
