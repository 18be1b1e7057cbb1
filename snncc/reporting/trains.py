"""Spikes to look at: some neurons of each layer in one sample, and what values layers send."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncc.reporting.layers import depths_of
from snncc_backends import Execution
from snncc_ir import Code, FirstSpike, Graph, Integers, Radix, Rate, slots_of

SHOWN = 160
"""Neurons of a raster, about."""
LEAST, MOST = 2, 24
"""Of each layer."""
BINS = 48
"""Of a histogram, at most."""


@dataclass(frozen=True)
class LayerTrain:
    """neurons: indices into the flat layer. train: (steps, neurons) int8. start: time of its first
    step: layers follow one another in the ttfs and radix codes."""

    name: str
    neurons: tuple[int, ...]
    train: NDArray[np.int8]
    start: int


def raster(graph: Graph, recorded: Execution, sample: int = 0) -> tuple[LayerTrain, ...]:
    """Of one sample: neurons that spike in it, evenly spaced among them; silent ones fill up."""
    each = int(np.clip(SHOWN // max(len(recorded.spikes), 1), LEAST, MOST))
    depths, code = depths_of(graph), graph.code
    follows = code.train if isinstance(code, FirstSpike | Radix) else 0
    found = []
    for name, trains in recorded.spikes.items():
        train = trains[sample].reshape(trains.shape[1], -1)
        active = np.flatnonzero(np.any(train, axis=0))
        pool = active if len(active) >= each else np.arange(train.shape[1])
        taken = np.unique(np.linspace(0, len(pool) - 1, min(each, len(pool))).round().astype(int))
        neurons = pool[taken]
        found.append(
            LayerTrain(
                name,
                tuple(neurons.tolist()),
                train[:, neurons],
                follows * (depths[name] - 1),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class Histogram:
    """Of what neurons send in a sample, layer by layer.

    kind: `spike count` (rate), `slot` (ttfs), `number` (radix). edges: bins are edges[i] to
    edges[i + 1], the last one excluded. counts: (layers, bins) neurons, summed over samples.
    silent: (layers) neurons that send nothing; they are in no bin.
    """

    kind: str
    names: tuple[str, ...]
    edges: tuple[int, ...]
    counts: Integers
    silent: Integers
    samples: int


def histogram(graph: Graph, recorded: Execution) -> Histogram:
    """Over all recorded samples."""
    code = graph.code
    kinds = {Rate: "spike count", FirstSpike: "slot", Radix: "number"}
    kind = kinds.get(type(code), "spike count")
    sent = {name: _sent(train, code) for name, train in recorded.spikes.items()}
    largest = max((int(values.max(initial=0)) for values in sent.values()), default=0)
    width = -(-(largest + 1) // BINS)
    edges = np.arange(0, largest + width + 1, width)
    counts = [np.histogram(values[values >= 0], edges)[0] for values in sent.values()]
    silent = [int(np.count_nonzero(values < 0)) for values in sent.values()]
    samples = max((len(train) for train in recorded.spikes.values()), default=0)
    shape = (len(sent), len(edges) - 1)
    return Histogram(
        kind,
        tuple(sent),
        tuple(edges.tolist()),
        np.array(counts, np.int64).reshape(shape),
        np.array(silent, np.int64),
        samples,
    )


def _sent(train: NDArray[np.int8], code: Code | None) -> Integers:
    """What each neuron sends in each sample; −1 where it sends nothing."""
    if isinstance(code, FirstSpike):
        slot = slots_of(train, code)
        return np.where(slot < code.steps, slot, -1)
    fires = np.any(train, axis=1)
    if isinstance(code, Radix):
        worth = 1 << np.arange(train.shape[1] - 1, -1, -1)
        value = np.tensordot(train.astype(np.int32), worth, axes=(1, 0))
    else:
        value = train.sum(axis=1, dtype=np.int64)
    silent: Integers = np.where(fires, np.maximum(value, 0), -1)
    return silent
