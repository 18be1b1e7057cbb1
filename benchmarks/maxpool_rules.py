"""Accuracy of a network with max pooling under two spiking rules, by the numpy oracle.

    python benchmarks/maxpool_rules.py MODEL.onnx CALIB.npz TEST.npz --scale 1/255 [-n 500]

`count`: the pool has sent the largest count of its window after every step (what snncc does).
`gate`: the pool lets the spikes of that neuron through which has sent most so far (Rueckauer et al.
2017, as the toolboxes after it do).
"""

import argparse
from unittest.mock import patch

import numpy as np

import snncc
from snncc.cli.console import preprocessing
from snncc.data import read_dataset, samples_for
from snncc_ir import Floats, Integers, Oracle
from snncc_ir.ops import MaxPool

STEPS = (4, 8, 16, 32)
BATCH = 50


def gate(pool: MaxPool, sent: Integers, arriving: Integers) -> Integers:
    """Spikes of the neuron of each window that leads after this step (the first of several)."""
    counts = pool.windows((sent + arriving).astype(np.float64), -np.inf)
    leader = counts.argmax(-1)[..., None]
    spikes = pool.windows(arriving.astype(np.float64))
    return np.take_along_axis(spikes, leader, -1)[..., 0].astype(np.int64)


def correct(oracle: Oracle, samples: dict[str, Floats], labels: Integers) -> dict[int, int]:
    """Right answers after some of the steps."""
    found = {}
    for step in oracle.steps_of(samples):
        if step.index + 1 in STEPS:
            (readout,) = step.potentials.values()
            found[step.index + 1] = int(np.sum(readout.argmax(1) == labels))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model")
    parser.add_argument("calib")
    parser.add_argument("test")
    parser.add_argument("--scale")
    parser.add_argument("--neuron", default="if")
    parser.add_argument("-n", type=int, default=500)
    arguments = parser.parse_args()
    pre = preprocessing(arguments.scale, None, None, None)
    bundle = snncc.compile(
        arguments.model,
        calibration=arguments.calib,
        preprocessing=pre,
        steps=max(STEPS),
        neuron=arguments.neuron,
    )
    data = read_dataset(arguments.test).first(arguments.n)
    samples = samples_for(bundle.graph, data, pre)
    if data.labels is None:
        raise SystemExit("the test data has no classes 'y'")
    oracle = Oracle(bundle.graph)
    totals = {rule: dict.fromkeys(STEPS, 0) for rule in ("count", "gate")}
    for start in range(0, data.count, BATCH):
        part = {k: v[start : start + BATCH].astype(np.float64) for k, v in samples.items()}
        labels = data.labels[start : start + BATCH].astype(np.int64)
        for rule in totals:
            if rule == "gate":
                with patch.object(MaxPool, "send", gate):
                    hits = correct(oracle, part, labels)
            else:
                hits = correct(oracle, part, labels)
            for steps, number in hits.items():
                totals[rule][steps] += number
    print(f"{data.count} images; accuracy after " + ", ".join(f"T={t}" for t in STEPS))
    for rule, hits in totals.items():
        print(f"{rule:>6}: " + "  ".join(f"{100 * n / data.count:6.2f}" for n in hits.values()))


if __name__ == "__main__":
    main()
