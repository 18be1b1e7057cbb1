"""Random numbers that are the same in every version of every library: SplitMix64 of a counter."""

import numpy as np

from snncc_ir import Integers
from snncc_loihi.words import Words


def scrambled(numbers: Words) -> Words:
    """A permutation of all 64-bit words that looks random (Steele, Lea and Flood, 2014)."""
    found = numbers + np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


class Chance:
    """A stream of random numbers that only the seed decides."""

    def __init__(self, seed: int) -> None:
        self._next = scrambled(np.array([seed % (1 << 64)], np.uint64))

    def below(self, limits: Integers) -> Integers:
        """A number from 0 to limit − 1 for each limit (> 0, < 2^62)."""
        counter: Words = np.arange(1, len(limits) + 1, dtype=np.uint64)
        words = scrambled(self._next + counter)
        self._next = scrambled(self._next + np.uint64(len(limits) + 1))
        return (words >> np.uint64(2)).astype(np.int64) % limits

    def order(self, count: int) -> Integers:
        """The numbers 0 to count − 1, shuffled."""
        return np.argsort(self.below(np.full(count, 1 << 61)), kind="stable").astype(np.int64)
