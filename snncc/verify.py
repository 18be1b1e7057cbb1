"""Does the bundle do what the model does? Accuracy, agreement with onnxruntime, spike-exactness."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from snncc.early_exit import AtExit, Ending, at_exit
from snncc.event_input import EventBatch
from snncc.notebook import compact
from snncc.reference import Reference, float_results
from snncc.shares import Share
from snncc.vectors import stored_inputs, stored_run
from snncc.words import decibels, duration, energy, large, percent, share
from snncc_backends import BundleFolder, Estimate, Execution, OracleRunner, Runner
from snncc_ir import (
    Array,
    Batch,
    Floats,
    Graph,
    Integers,
    ValueRunner,
    decode,
    fail,
)


@dataclass(frozen=True)
class AtSteps:
    """How good the network is after some of its time steps (ttfs, radix: at the end).

    agreement: samples with the float network's class; None unless the first output is a vector of
    at least two classes. snr: signal to noise of the first output, dB (None when equal, or
    when only its largest number is to be the same).
    """

    steps: int
    accuracy: Share | None
    agreement: Share | None
    snr: float | None


@dataclass(frozen=True)
class Exactness:
    """Comparison with the numpy oracle: how many spikes were compared, and the first difference."""

    samples: int
    spikes: int
    difference: str

    @property
    def holds(self) -> bool:
        return not self.difference


@dataclass(frozen=True)
class Verification:
    """All figures of `snncc verify`. Counts are means per sample."""

    runner: str
    samples: int
    float_accuracy: Share | None
    at_steps: tuple[AtSteps, ...]
    closed_form: AtSteps
    """Value semantics: what neurons would send after all steps if currents were even over time."""
    spikes: float
    synaptic_operations: float | None
    layers: Mapping[str, float]
    """Spikes by node."""
    estimate: Estimate | None
    vectors: Exactness
    exact: Exactness | None
    notes: tuple[str, ...]
    early: AtExit | None = None

    @property
    def last(self) -> AtSteps:
        """After all steps."""
        return self.at_steps[-1]

    @property
    def holds(self) -> bool:
        """Whether every spike that was compared is the oracle's."""
        compared = [self.vectors.holds, self.exact is None or self.exact.holds]
        return all(compared) and not (self.early and self.early.difference)

    def _repr_html_(self) -> str:
        """For notebooks: how good it is after so many steps, and what it costs."""
        tiles = [("samples", f"{self.samples:,}", self.runner)]
        if self.float_accuracy is not None:
            tiles.append(("float accuracy", percent(self.float_accuracy.value), "onnxruntime"))
        tiles.append(("spikes a sample", large(self.spikes), ""))
        if self.estimate is not None:
            tiles.append(("energy", energy(self.estimate.microjoules), "a sample, estimated"))
            tiles.append(("latency", duration(self.estimate.milliseconds), "a sample, estimated"))
        every = [(str(row.steps), row) for row in self.at_steps]
        every.append((f"{self.closed_form.steps}, closed form", self.closed_form))
        rows = [
            (name, share(row.accuracy), share(row.agreement), decibels(row.snr))
            for name, row in every
        ]
        exact = "every spike compared is the oracle's" if self.holds else "NOT exact"
        columns = ("steps", "accuracy", "agreement", "SNR, dB")
        return compact("Verification", tiles, [*self.notes, exact], columns, rows)

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "holds": self.holds}


@dataclass(frozen=True)
class Expected:
    """What a bundle is compared with: its model's results, and `closed`, the last graph's, (N, …).

    notes: of the model.
    """

    reference: Reference
    closed: Floats
    notes: tuple[str, ...]


def expected_of(
    bundle: BundleFolder, model: Path, batch: EventBatch, labels: Array | None
) -> Expected:
    """Runs the model and the value semantics of the bundle's graph, in onnxruntime."""
    notes: list[str] = []
    compiled = bundle.table("model").get("sha256")
    reference = float_results(model, batch.numbers, labels, compiled, notes)
    graph = bundle.graph
    closed = ValueRunner(graph).run(batch.samples)[graph.outputs[0].name]
    return Expected(reference, closed.astype(np.float64), tuple(notes))


def verify(
    bundle: BundleFolder,
    runner: Runner,
    reason: str,
    execution: Execution,
    model: Path,
    batch: EventBatch,
    labels: Array | None,
    exact: int,
    expected: Expected,
    ending: Ending | None = None,
) -> Verification:
    """Figures of a finished `execution` of a batch's samples, and of comparisons with the oracle.

    reason: why the runner is not the target's own. exact: samples to compare spike by spike.
    ending: the same samples, ended early.
    """
    graph, samples = bundle.graph, batch.samples
    count = len(next(iter(samples.values())))
    notes = list(batch.notes)
    if reason:
        notes.append(
            f"{reason}\nthe numpy oracle runs in its place, so nothing is compared with it"
        )
        exact = 0
    if labels is None:
        notes.append("the data has no classes 'y', so there is agreement but no accuracy")
    notes += expected.notes
    reference = expected.reference
    wanted = graph.outputs[0].type.size
    if reference.numbers.size != count * wanted:
        raise fail(
            "SNN030",
            f"the model's first output has {reference.numbers.size // count} numbers a sample, "
            f"should have {wanted} as the bundle's",
            str(model),
            "the model that the bundle was compiled from, with --model",
        )
    classes, labels = reference.classes, reference.labels
    operations = execution.synaptic_operations
    return Verification(
        runner.description,
        count,
        None if labels is None or classes is None else Share.of(classes == labels),
        tuple(_at(graph, execution, steps, reference) for steps in _milestones(execution.steps)),
        _closed_form(graph, expected),
        _mean(execution.spike_counts),
        _mean(operations) if operations else None,
        {name: float(np.mean(number)) for name, number in execution.spike_counts.items()},
        runner.estimate(execution),
        _self_test(bundle, runner),
        None if exact < 1 else compare(graph, runner, samples, min(exact, count)),
        tuple(notes),
        None if ending is None else at_exit(graph, execution, ending, classes, labels),
    )


def compare(graph: Graph, runner: Runner, samples: Batch, count: int) -> Exactness:
    """Runs `count` samples on `runner` and the oracle, and compares every spike and potential."""
    first = {name: array[:count] for name, array in samples.items()}
    expected = OracleRunner(graph).run(first, record=True)
    return _difference(expected, runner.run(first, record=True), count)


def _difference(expected: Execution, found: Execution, count: int) -> Exactness:
    spikes = 0
    for what, ours, theirs in (
        ("spikes of", expected.spikes, found.spikes),
        ("total of", expected.totals, found.totals),
    ):
        for name in ours:
            if name not in theirs:
                return Exactness(count, spikes, f"{what} '{name}' are missing")
            if not np.array_equal(ours[name], theirs[name]):
                sample, step, *where = np.argwhere(ours[name] != theirs[name])[0]
                position = (sample, step, *where)
                return Exactness(
                    count,
                    spikes,
                    f"{what} '{name}': sample {sample}, step {step}, neuron "
                    f"{[int(i) for i in where]}: {theirs[name][position]}, "
                    f"should be {ours[name][position]}",
                )
            if what.startswith("spikes"):
                spikes += int(np.count_nonzero(ours[name]))
    return Exactness(count, spikes, "")


def _self_test(bundle: BundleFolder, runner: Runner) -> Exactness:
    """Runs the bundle's own vectors."""
    samples = stored_inputs(bundle)
    count = len(next(iter(samples.values())))
    return _difference(stored_run(bundle), runner.run(samples, record=True), count)


def _at(
    graph: Graph,
    execution: Execution,
    steps: int,
    reference: Reference,
) -> AtSteps:
    totals = {name: total[:, steps - 1] for name, total in execution.totals.items()}
    results = decode(graph, totals, steps)[graph.outputs[0].name]
    if graph.code is not None and graph.code.results == 1:
        steps = graph.code.train
    return _compared(results, steps, reference)


def _closed_form(graph: Graph, expected: Expected) -> AtSteps:
    steps = graph.code.train if graph.code else 1
    return _compared(expected.closed, steps, expected.reference)


def _compared(results: Floats, steps: int, reference: Reference) -> AtSteps:
    numbers, classes, labels = reference.numbers, reference.classes, reference.labels
    results = results.reshape(numbers.shape)
    noise = float(np.sum(np.square(results - numbers))) if reference.exact else 0.0
    signal = float(np.sum(np.square(numbers)))
    snr = float(10 * np.log10(signal / noise)) if signal > 0 and noise > 0 else None
    if classes is None:
        return AtSteps(steps, None, None, snr)
    chosen = results.argmax(1)
    accuracy = None if labels is None else Share.of(chosen == labels)
    return AtSteps(steps, accuracy, Share.of(chosen == classes), snr)


def _milestones(steps: int) -> list[int]:
    """Powers of two up to the number of steps, and that number."""
    return sorted({1 << i for i in range(steps.bit_length()) if 1 << i <= steps} | {steps})


def _mean(counts: Mapping[str, Integers]) -> float:
    return sum(float(np.mean(count)) for count in counts.values())
