"""Hashes of lists of numbers, by which equal ones are found."""

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers

Hashes = NDArray[np.uint64]

ZERO = np.zeros(1, np.uint64)
CHUNK = 1 << 14
"""Numbers that are scattered together, so that all steps of it stay in a cache."""


def mixed(values: Hashes) -> Hashes:
    """Each number scattered over 64 bits (the finalizer of splitmix64)."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def scattered(codes: Integers, places: Integers) -> Hashes:
    """Each number scattered, times an odd factor for its place."""
    found: Hashes = codes.astype(np.uint64)
    factors = _factors(int(places.max(initial=0)) + 1)
    for at in range(0, len(found), CHUNK):
        part = found[at : at + CHUNK]
        np.multiply(mixed(part), factors[places[at : at + CHUNK]], out=part)
    return found


def powers(order: Integers) -> Hashes:
    """An odd factor for each place in a list."""
    return _factors(int(order.max(initial=0)) + 1)[order]


def _factors(count: int) -> Hashes:
    factor = np.full(count, 0xD6E8FEB86659FD93, np.uint64)
    factor[0] = 1
    return np.multiply.accumulate(factor)
