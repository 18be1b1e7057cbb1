"""What calibration data shows of every population, streamed in batches.

`Tail`: the largest values. Only they are kept, so memory does not grow with the data for the usual
percentiles, and the result is an exact order statistic, whatever the batch size.
`Histogram`: all values, in bins on a logarithmic scale.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc_ir import Floats, Graph, ValueRunner

BATCH = 32
OCTAVES = 24
"""A histogram reaches from 2^−OCTAVES to 2^OCTAVES."""
BINS_AN_OCTAVE = 64


class Tail:
    """The k largest values of each channel, over all samples and positions."""

    def __init__(self, channels: int, keep: int) -> None:
        self._keep = keep
        self._values = np.zeros((channels, 0), np.float32)

    def add(self, batch: NDArray[np.float32]) -> None:
        """batch: (N, C, *spatial) or (N, C)."""
        flat = np.moveaxis(batch, 1, 0).reshape(batch.shape[1], -1)
        joined = np.concatenate([self._values, flat], axis=1)
        surplus = joined.shape[1] - self._keep
        if surplus > 0:
            joined = np.partition(joined, surplus, axis=1)[:, surplus:]
        self._values = joined

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
    for results in ValueRunner(graph, names).batches(samples, BATCH):
        for name, tail in tails.items():
            tail.add(results[name].astype(np.float32, copy=False))
        done = min(done + BATCH, count)
        context.progress("observe", done, count)
    return tails


class Histogram:
    """How often the values of each channel are how large, in bins of 2^(1/BINS_AN_OCTAVE)."""

    def __init__(self, channels: int) -> None:
        self.counts = np.zeros((channels, 2 * OCTAVES * BINS_AN_OCTAVE), np.int64)
        self.largest = np.zeros(channels)

    def add(self, batch: NDArray[np.float32]) -> None:
        """batch: (N, C, *spatial) or (N, C); values that are not positive are left out."""
        flat = np.moveaxis(batch, 1, 0).reshape(batch.shape[1], -1)
        self.largest = np.maximum(self.largest, flat.max(axis=1))
        channel, place = np.nonzero(flat > 0)
        level = (np.log2(flat[channel, place]) + OCTAVES) * BINS_AN_OCTAVE
        bins = self.counts.shape[1]
        index = channel * bins + np.clip(level.astype(np.int64), 0, bins - 1)
        self.counts += np.bincount(index, minlength=self.counts.size).reshape(self.counts.shape)

    @property
    def values(self) -> Floats:
        """The middle of each bin."""
        bins = np.arange(self.counts.shape[1]) + 0.5
        return np.asarray(np.exp2(bins / BINS_AN_OCTAVE - OCTAVES), np.float64)


def histograms(graph: Graph, names: Sequence[str], context: Context) -> dict[str, Histogram]:
    """Of the named nodes' positive values."""
    found = {name: Histogram(graph[name].type.shape[0]) for name in names}
    count = len(next(iter(context.calibration.values())))
    done = 0
    for results in ValueRunner(graph, names).batches(context.calibration, BATCH):
        for name, histogram in found.items():
            histogram.add(results[name].astype(np.float32, copy=False))
        done = min(done + BATCH, count)
        context.progress("observe", done, count)
    return found
