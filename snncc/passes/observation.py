"""What calibration data shows of every population, streamed in batches.

`Tail`: the largest values. Only they are kept, so memory does not grow with the data for the usual
percentiles, and the result is an exact order statistic, whatever the batch size.
`Histogram`: all values, in bins on a logarithmic scale.
"""

from collections.abc import Sequence
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc_ir import Floats, Graph, ValueRunner

OCTAVES = 24
"""A histogram reaches from 2^−OCTAVES to 2^OCTAVES."""
BINS_AN_OCTAVE = 64
SHIFT = 23 - 6
"""Of a float32's bits, so that its exponent and the leading 6 of its significand are left."""
FIRST = (127 - OCTAVES) * BINS_AN_OCTAVE
"""What is left of 2^−OCTAVES, the first bin."""
COUNTED = 1 << 18
"""Values of a channel that a histogram counts, about, where there are as many."""


class Tail:
    """The k largest values of each channel, over all samples and positions."""

    def __init__(self, channels: int, keep: int) -> None:
        self._keep = keep
        self._values = np.zeros((channels, 0), np.float32)

    def add(self, batch: NDArray[np.float32]) -> None:
        """batch: (N, C, *spatial) or (N, C)."""
        flat = np.moveaxis(batch, 1, 0).reshape(batch.shape[1], -1)
        if self._values.shape[1] < self._keep:
            joined = np.concatenate([self._values, flat], axis=1)
            surplus = joined.shape[1] - self._keep
            self._values = np.partition(joined, surplus)[:, surplus:] if surplus > 0 else joined
            return
        # of all later values few are among the largest
        larger = flat > self._values.min(axis=1, keepdims=True)
        for channel in np.flatnonzero(larger.any(axis=1)):
            found = np.concatenate([self._values[channel], flat[channel][larger[channel]]])
            surplus = len(found) - self._keep
            self._values[channel] = np.partition(found, surplus)[surplus:]

    def smallest(self) -> Floats:
        """The k-th largest value of each channel: (C,)."""
        smallest: Floats = self._values.min(axis=1).astype(np.float64)
        return smallest

    def largest(self) -> Floats:
        """The largest value of each channel: (C,)."""
        largest: Floats = self._values.max(axis=1).astype(np.float64)
        return largest


def observe(
    graph: Graph, names: Sequence[str], percentile: float, context: Context
) -> dict[str, Tail]:
    """The upper tails of the named nodes' values, from `percentile` per cent up.

    The percentile is the value at rank ⌈percentile/100 · M⌉ of the M values of a channel.
    """
    samples = context.calibration
    count = len(next(iter(samples.values())))
    tails = {}
    for name in names:
        shape = graph[name].type.shape
        total = count * int(np.prod(shape[1:]))
        rank = min(max(ceil(percentile / 100 * total), 1), total)
        tails[name] = Tail(shape[0], total - rank + 1)
    done = 0
    for results in ValueRunner(graph, names).batches(samples):
        for name, tail in tails.items():
            tail.add(results[name].astype(np.float32, copy=False))
        done += len(next(iter(results.values())))
        context.progress("observe", done, count)
    return tails


class Histogram:
    """How often the values of each channel are how large, in bins of 1/BINS_AN_OCTAVE octave.

    An octave's bins are of equal width, so that a float32's leading bits are its bin.
    """

    def __init__(self, channels: int, every: int = 1) -> None:
        """every: only one value in so many is counted."""
        self.counts = np.zeros((channels, 2 * OCTAVES * BINS_AN_OCTAVE), np.int64)
        self.largest = np.zeros(channels)
        self._every = every

    def add(self, batch: NDArray[np.float32]) -> None:
        """batch: (N, C, *spatial) or (N, C); values below the first bin, and those that are
        not positive, are left out."""
        flat = batch.reshape(*batch.shape[:2], -1)
        self.largest = np.maximum(self.largest, flat.max(axis=(0, 2)))
        # of a negative number and of zero the bin is far below the first
        bins = self.counts.shape[1]
        some = np.ascontiguousarray(np.moveaxis(flat, 1, 0)[:, :, :: self._every])
        index = (some.view(np.int32) >> SHIFT) - (FIRST - 1)
        np.clip(index, 0, bins, out=index)
        index += ((bins + 1) * np.arange(len(some), dtype=np.int32)).reshape(-1, 1, 1)
        found = np.bincount(index.reshape(-1), minlength=len(some) * (bins + 1))
        self.counts += found.reshape(len(some), bins + 1)[:, 1:]

    @property
    def values(self) -> Floats:
        """The middle of each bin."""
        octave, part = np.divmod(np.arange(self.counts.shape[1]), BINS_AN_OCTAVE)
        return np.asarray(np.ldexp(1 + (part + 0.5) / BINS_AN_OCTAVE, octave - OCTAVES))


def histograms(graph: Graph, names: Sequence[str], context: Context) -> dict[str, Histogram]:
    """Of the named nodes' positive values, of COUNTED of them in a channel at least."""
    count = len(next(iter(context.calibration.values())))
    found = {}
    for name in names:
        channels, *spatial = graph[name].type.shape
        places = int(np.prod(spatial))
        every = max(1, min(places, count * places // COUNTED))
        while gcd(every, places) > 1:  # else the same columns of every row
            every -= 1
        found[name] = Histogram(channels, every)
    done = 0
    for results in ValueRunner(graph, names).batches(context.calibration):
        for name, histogram in found.items():
            histogram.add(results[name].astype(np.float32, copy=False))
        done += len(next(iter(results.values())))
        context.progress("observe", done, count)
    return found
