"""Stable sorting of many keys at once, by the sort that numpy has fastest."""

import numpy as np

from snncc_ir import Integers

KEY_BITS = 63


def stable_order(keys: Integers) -> Integers:
    """`np.argsort(keys, kind="stable")` for keys that are not negative.

    Where they leave room for it, a key's place goes into its lowest bits, so that no two are equal
    and the numbers themselves can be sorted, in whatever way.
    """
    bits = max(len(keys) - 1, 1).bit_length()
    if int(keys.max(initial=0)).bit_length() + bits > KEY_BITS:
        return np.argsort(keys, kind="stable")
    placed = keys.astype(np.int64) << bits | np.arange(len(keys))
    placed.sort()
    order: Integers = placed & ((1 << bits) - 1)
    return order
