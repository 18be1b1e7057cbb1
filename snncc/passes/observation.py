"""What calibration data shows: the largest values of every population, streamed in batches.

Only the upper tail is kept, so memory does not grow with the data for the usual percentiles, and
the result is an exact order statistic, whatever the batch size.
"""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from snncc.passes.base import Context
from snncc_ir import Floats, Graph, ValueRunner

BATCH = 32


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
