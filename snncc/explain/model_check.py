"""What is odd about the float network itself, or about the data: no compiler can mend that."""

from collections.abc import Sequence
from math import log, sqrt

import numpy as np

from snncc.data import Dataset
from snncc.event_data import EventDataset
from snncc.explain.float_network import FloatNetwork, Values
from snncc_ir import Array, Batch
from snncc_ir.ops import Population

OUTLIER = 20.0
"""How much more, or less, than the median layer a layer amplifies that is odd."""
FEWEST_LAYERS = 3
"""From which on there is a median to speak of."""
SAMPLES = 64
CHANCE = 3.0
"""Standard deviations above chance that a network has to be, to be one that has learned."""
DEAD = 0.9
"""Share of a layer's neurons that are zero for all samples that is odd."""
APART = 8.0
"""How many times larger one of two files' numbers are than the other's that is odd."""


def model_oddities(
    reference: FloatNetwork, samples: Batch, labels: Array | None
) -> tuple[str, ...]:
    """Sentences; empty for an ordinary network on ordinary data.

    samples: in the network's own numbers; the first SAMPLES are looked at. labels: (N,).
    """
    values = reference.run({name: array[:SAMPLES] for name, array in samples.items()})
    found = [] if labels is None else _at_chance(values[reference.output], labels[:SAMPLES])
    found += _amplifying(reference, values)
    for node in reference.graph:
        if isinstance(node.op, Population) and node.name in values:
            zero = np.mean(~values[node.name].any(axis=0))
            if zero > DEAD:
                found.append(
                    f"{node.name}: {100 * zero:.0f} % of its neurons are 0 in the float network "
                    "for all samples looked at"
                )
    return tuple(found)


def _at_chance(outputs: Array, labels: Array) -> list[str]:
    """Of a network that has not more right than chance has."""
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        return []
    classes = outputs.shape[1]
    chance = 1 / classes
    right = float(np.mean(outputs.argmax(1) == labels))
    if right >= chance + CHANCE * sqrt(chance * (1 - chance) / len(labels)):
        return []
    return [
        f"the float network itself is right for {100 * right:.1f} % of {len(labels)} samples, "
        f"which is chance for {classes} classes: look at --scale, --mean, --std and --layout, and "
        "at the order of the classes"
    ]


def _amplifying(reference: FloatNetwork, values: Values) -> list[str]:
    """Layers whose numbers are far larger or smaller than what feeds them, as against others."""
    gains = {}
    for node in reference.graph:
        if isinstance(node.op, Population):
            into = sqrt(sum(_mean_square(values[name]) for name in node.inputs))
            out = sqrt(_mean_square(values[node.name]))
            if into > 0 and out > 0:
                gains[node.name] = out / into
    if len(gains) < FEWEST_LAYERS:
        return []
    middle = float(np.median(list(gains.values())))
    return [
        f"{name}: in the float network itself its numbers are {gain:.3g} times as large as what "
        f"feeds it; of the other layers the median is {middle:.3g}: are its weights right?"
        for name, gain in gains.items()
        if abs(log(gain / middle)) > log(OUTLIER)
    ]


def data_oddities(
    calibration: Dataset | EventDataset | None, data: Dataset | EventDataset
) -> tuple[str, ...]:
    """Whether calibration data and data are of one kind, as far as their numbers show."""
    if not isinstance(calibration, Dataset) or not isinstance(data, Dataset):
        return ()  # events are all alike
    first = [float(np.max(np.abs(array))) for array in _arrays(calibration)]
    second = [float(np.max(np.abs(array))) for array in _arrays(data)]
    return tuple(
        f"the calibration data's numbers reach {ours:.4g}, the data's {theirs:.4g}: they should be "
        "of one kind, and preprocessed alike"
        for ours, theirs in zip(first, second, strict=False)
        if min(ours, theirs) > 0 and max(ours / theirs, theirs / ours) > APART
    )


def _arrays(data: Dataset) -> Sequence[Array]:
    return [array for array in data.arrays.values() if array.size]


def _mean_square(array: Array) -> float:
    return float(np.mean(np.square(array, dtype=np.float64)))
