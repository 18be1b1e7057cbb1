"""Random numbers that are the same in every version of every library: SplitMix64 of a counter."""

import numpy as np

from snncc_ir import Integers
from snncc_loihi.words import Words

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_TWO = np.uint64(2)


def scrambled(numbers: Words) -> Words:
    """A permutation of all 64-bit words that looks random (Steele, Lea and Flood, 2014)."""
    found = numbers + _STEP
    found ^= found >> _SHIFTS[0]
    found *= _FIRST
    found ^= found >> _SHIFTS[1]
    found *= _SECOND
    found ^= found >> _SHIFTS[2]
    return found


class Chance:
    """A stream of random numbers that only the seed decides."""

    def __init__(self, seed: int) -> None:
        self._next = _next(seed)
        self._counter: Words = np.arange(1, 1, dtype=np.uint64)

    def below(self, limits: Integers) -> Integers:
        """A number from 0 to limit − 1 for each limit (> 0, < 2^62)."""
        count = len(limits)
        if count > len(self._counter):
            self._counter = np.arange(1, count + 1, dtype=np.uint64)
        words = scrambled(self._counter[:count] + np.uint64(self._next))
        self._next = _next(self._next + count + 1)
        return (words >> _TWO).astype(np.int64) % limits

    def drawn(self, times: int, count: int) -> Integers:
        """(times, count): numbers of 62 bits whose remainders by limits are what so many calls of
        `below`, with `count` limits each, would give."""
        counters: Words = np.tile(np.arange(1, count + 1, dtype=np.uint64), (times, 1))
        for row in counters:
            row += np.uint64(self._next)
            self._next = _next(self._next + count + 1)
        words = scrambled(counters)
        return (words >> _TWO).astype(np.int64)

    def copied(self) -> "Chance":
        """Another stream, with what comes in this one."""
        found = Chance(0)
        found._next = self._next
        return found

    def order(self, count: int) -> Integers:
        """The numbers 0 to count − 1, shuffled."""
        return np.argsort(self.below(np.full(count, 1 << 61)), kind="stable").astype(np.int64)


def _next(number: int) -> int:
    """`scrambled`, of a single number, faster."""
    found = (number + int(_STEP)) % (1 << 64)
    found = (found ^ found >> 30) * int(_FIRST) % (1 << 64)
    found = (found ^ found >> 27) * int(_SECOND) % (1 << 64)
    return found ^ found >> 31
