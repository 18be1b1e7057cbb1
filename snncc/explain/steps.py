"""The waterfall by layer: the passes are run again, and each layer is looked at after each one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snncc.build import Progress
from snncc.explain.float_network import FloatNetwork
from snncc.explain.tally import decibels
from snncc.passes.base import Context, Pass
from snncc.passes.manager import run_pipeline
from snncc.passes.registry import parse_pipeline
from snncc.source import Source
from snncc_ir import Array, Batch, Graph, ValueRunner
from snncc_ir.ops import Population

BATCH = 16


@dataclass(frozen=True)
class StepFigures:
    """Value semantics after a pass, on the samples that are explained.

    snr: of the first output against the float network, dB, None where equal; agreement, accuracy:
    0..1, None without classes or labels. layers: SNR of each population that there is, dB, None
    where equal; None for all before normal form. worst: the layer whose SNR fell most, if any fell.
    """

    step: str
    promise: str
    snr: float | None
    agreement: float | None
    accuracy: float | None
    layers: Mapping[str, float | None]
    worst: str = ""


def measure_steps(
    source: Source,
    pipeline: str,
    reference: FloatNetwork,
    samples: Batch,
    labels: Array | None,
    progress: Progress,
) -> tuple[StepFigures, ...]:
    """One row for each pass of a bundle's pipeline that changes something.

    source: the model, and the samples that the bundle was compiled with; others give other scales.
    samples, labels: what is measured on, in the network's own numbers.
    """
    scale = _Ruler(reference, samples, labels)
    rows: list[StepFigures] = []

    def look(step: Pass, graph: Graph) -> None:
        rows.append(scale.row(step, graph, rows[-1].layers if rows else {}))

    run_pipeline(
        source.graph,
        parse_pipeline(pipeline),
        Context(source.samples, progress),
        measure=False,
        changed=look,
    )
    return tuple(rows)


class _Ruler:
    """Measures graphs against the float network."""

    def __init__(self, reference: FloatNetwork, samples: Batch, labels: Array | None) -> None:
        self._reference, self._samples, self._labels = reference, samples, labels
        self._count = len(next(iter(samples.values())))
        names = {node.name for node in reference.graph if isinstance(node.op, Population)}
        self._names = names

    def row(self, step: Pass, graph: Graph, before: Mapping[str, float | None]) -> StepFigures:
        layers = [
            node.name
            for node in graph
            if isinstance(node.op, Population) and node.name in self._names
        ]
        output, theirs = graph.outputs[0].name, self._reference.output
        runner = ValueRunner(graph, layers)
        signal, noise = dict.fromkeys([*layers, output], 0.0), dict.fromkeys([*layers, output], 0.0)
        agreed = right = 0
        classes = False
        for start in range(0, self._count, BATCH):
            part = {name: array[start : start + BATCH] for name, array in self._samples.items()}
            wanted, found = self._reference.run(part), runner.run(part)
            for name in (*layers, output):
                op = graph[name].op
                scale = op.scale.floats if isinstance(op, Population) else 1.0
                due = wanted[theirs if name == output else name].astype(np.float64)
                signal[name] += float(np.sum(np.square(due)))
                gap = found[name].astype(np.float64) * scale - due
                noise[name] += float(np.sum(np.square(gap)))
            classes = wanted[theirs].ndim == 2 and wanted[theirs].shape[1] > 1
            if classes:
                chosen = found[output].argmax(1)
                agreed += int(np.count_nonzero(chosen == wanted[theirs].argmax(1)))
                if self._labels is not None:
                    truth = self._labels[start : start + BATCH]
                    right += int(np.count_nonzero(chosen == truth))
        snr = {
            name: None if n <= ROUNDING * signal[name] else decibels(signal[name], n)
            for name, n in noise.items()
        }
        by_layer = {name: snr[name] for name in layers}
        return StepFigures(
            str(step),
            step.promise.kind,
            snr[output],
            agreed / self._count if classes else None,
            right / self._count if classes and self._labels is not None else None,
            by_layer,
            _fallen(before, by_layer),
        )


ROUNDING = 1e-10
"""Of the signal's energy (100 dB), up to which a difference is floating-point rounding."""
FALL = 0.5
"""dB that the layer that fell most has to have fallen by, to be named."""
EQUAL = 100.0
"""dB of layers that are equal."""


def _fallen(before: Mapping[str, float | None], after: Mapping[str, float | None]) -> str:
    def level(value: float | None) -> float:
        return EQUAL if value is None else value

    falls = {
        name: level(before[name]) - level(value) for name, value in after.items() if name in before
    }
    worst = max(falls, key=lambda name: falls[name], default="")
    return worst if worst and falls[worst] > FALL else ""
