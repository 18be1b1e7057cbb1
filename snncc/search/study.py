"""What all candidates share: the imported model, samples to calibrate on and others to measure on.

Calibration moves weights, so a network looks better on its calibration samples than it is. Those
on which candidates are compared are therefore others: a file of their own, or the held-out part of
the calibration samples.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from snncc.data import Dataset, samples_for
from snncc.event_data import EventDataset
from snncc.source import Data, Source, as_dataset
from snncc_backends import Preprocessing
from snncc_ir import Array, Batch, Graph, ValueRunner, fail

FITTED = 4
"""One sample in so many is calibrated on: a comparison needs more of them than calibration does."""
FEWEST = 8
"""Samples that can be parted."""


@dataclass(frozen=True)
class Study:
    """Everything but the settings; it travels to worker processes.

    fit: samples that candidates are calibrated on. held: others that they are measured on, in the
    network's own numbers. labels: of the latter, (N,), None without. classes: those of the float
    network for them, (N,). digest: of the model and all samples. held_out: whether `held` is a part
    of the calibration samples.
    """

    graph: Graph
    preprocessing: Preprocessing
    fit: Batch
    held: Batch
    labels: Array | None
    classes: Array
    digest: str
    held_out: bool

    @property
    def count(self) -> int:
        """Samples that are measured on."""
        return len(self.classes)

    @property
    def fitted(self) -> int:
        """Samples that are calibrated on."""
        return len(next(iter(self.fit.values())))

    @property
    def float_accuracy(self) -> float | None:
        """Of the float network on the samples that are measured on; None without labels."""
        return None if self.labels is None else float(np.mean(self.classes == self.labels))

    @property
    def truth(self) -> Array:
        """What a network should answer: the labels, or what the float network answers."""
        return self.classes if self.labels is None else self.labels


def make_study(source: Source, data: Data | None = None, limit: int | None = None) -> Study:
    """Parts the calibration samples, or takes `data` to measure on; runs the float network once.

    limit: samples to measure on, at most. Raises SNN032 when there is nothing to measure: no
    samples, too few, or a network whose first output is no vector of classes.
    """
    output = source.graph.outputs[0].type.shape
    if len(output) != 1 or output[0] < 2:
        raise fail(
            "SNN032",
            f"the first output has shape {list(output)}, should be a vector of at least 2 classes, "
            "so that there is accuracy or agreement to keep",
            hint="compile with settings of your own; `snncc verify` has the signal to noise",
        )
    if source.data is None:
        raise fail(
            "SNN032",
            "there are no calibration samples, so that nothing can be measured",
            hint="give some hundred samples, best with classes 'y': --calib FILE.npz",
        )
    given = as_dataset(data)
    if given is None:
        first, second = parted(source.data)
        fit, labels = _taken(source.samples, first), source.data.labels
        held = _taken(source.samples, second[:limit])
        labels = None if labels is None else labels[second[:limit]]
    else:
        given = given.first(limit)
        fit, labels = source.samples, given.labels
        held = samples_for(source.graph, given, source.preprocessing)
    results = ValueRunner(source.graph).run(held)[source.graph.outputs[0].name]
    return Study(
        source.graph,
        source.preprocessing,
        fit,
        held,
        labels,
        results.argmax(1),
        _digest(source, fit, held, labels),
        given is None,
    )


def parted(data: Dataset | EventDataset) -> tuple[Array, Array]:
    """Indices of the samples to calibrate on and of those held out, each ascending.

    By a fixed shuffle, so that a file sorted by classes has all of them in both parts.
    """
    if data.count < FEWEST:
        raise fail(
            "SNN032",
            f"there are {data.count} calibration samples, should be at least {FEWEST}, so that "
            "some can be held out",
            hint="give more with --calib, or others to measure on with --data",
        )
    order = np.random.default_rng(0).permutation(data.count)
    count = -(-data.count // FITTED)
    return np.sort(order[:count]), np.sort(order[count:])


def _taken(samples: Batch, indices: Array) -> Batch:
    return {name: array[indices] for name, array in samples.items()}


def _digest(source: Source, fit: Batch, held: Batch, labels: Array | None) -> str:
    state = sha256(source.digest.encode())
    state.update(repr(source.preprocessing).encode())
    for part in (Dataset(dict(fit)), Dataset(dict(held))):
        state.update(part.digest.encode())
    state.update(b"" if labels is None else np.ascontiguousarray(labels, np.int64).tobytes())
    return state.hexdigest()
