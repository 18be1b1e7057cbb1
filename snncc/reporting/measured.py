"""What a report is made of: a run of the bundle, what it is compared with, and some spikes."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from snncc.bundle import Bundle, Data
from snncc.data import samples_for
from snncc.early_exit import Choice
from snncc.explain import FloatNetwork, Layers, float_network, measure_layers
from snncc.onnx.reader import check_file
from snncc.reporting.exits import AtMargin, margin_curve
from snncc.reporting.plots.canvas import load
from snncc.vectors import stored_inputs, stored_run
from snncc.verify import Verification
from snncc_backends import Estimate, Execution, Runner
from snncc_ir import Array, Batch, Graph, Spikes

RECORDED = 8
"""Samples whose every spike is looked at, at most."""
RECORDED_BYTES = 1 << 27
"""What their spikes may take in memory, one byte a neuron and step."""

SAMPLES = 128
"""Measured by default, at most."""
OPERATIONS = 2.5e9
"""Synaptic operations in all that are simulated by default, about: seconds on every target."""
TEST_DATA, TEST_VECTORS = "test data", "test vectors"


@dataclass(frozen=True)
class Measured:
    """One bundle on some samples.

    data: `TEST_DATA`, or `TEST_VECTORS` where no data was given. available: samples of the file, of
    which `samples` were measured. execution: of all of them; recorded: of `first`, with their
    spikes. verification: with a model only, and with it quality: what each layer loses on `first`.
    on_chip: whether the target's own runner ran, so that there are counts; its description is
    `runner`.
    """

    data: str
    samples: int
    available: int
    runner: str
    on_chip: bool
    execution: Execution
    recorded: Execution
    first: Batch
    estimate: Estimate | None
    verification: Verification | None
    exits: tuple[AtMargin, ...]
    quality: Layers | None
    notes: tuple[str, ...]


def measure(
    bundle: Bundle,
    model: str | Path,
    data: Data,
    limit: int | None = None,
    exact: int = 0,
    early_exit: float | Choice | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    meanwhile: Executor,
) -> Measured:
    """Figures are those of `Bundle.verify` on the first `limit` samples.

    limit: by default as many as a page can wait for. progress: samples done since the last call,
    of how many. meanwhile: does what needs no simulator while that runs, mostly in a process of its
    own.
    """
    dataset = bundle.dataset(data)
    check_file(Path(model))
    most = dataset.count if limit is None else min(limit, dataset.count)
    record = recorded_samples(bundle.graph, most)
    few = dataset.first(record)
    first = samples_for(bundle.graph, few, bundle.preprocessing)
    runner, reason = bundle.runner_or_oracle()
    meanwhile.submit(load)
    network = meanwhile.submit(float_network, bundle.files, Path(model), first)
    recorded = runner.run(first, record=True)
    quality = meanwhile.submit(_quality, bundle.graph, network, recorded, first, few.labels)
    count = min(most, enough_samples(recorded)) if limit is None else most
    part = dataset.first(count)
    progress(record, count)
    found = bundle.examine(
        model, part, exact, None, lambda done: progress(done, count), early_exit, recorded
    )
    return Measured(
        TEST_DATA,
        count,
        dataset.count,
        runner.description,
        not reason,
        found.execution,
        recorded,
        first,
        found.verification.estimate,
        found.verification,
        margin_curve(bundle.graph, found.execution, found.labels),
        quality.result(),
        found.verification.notes,
    )


def _quality(
    graph: Graph,
    network: Future[FloatNetwork],
    recorded: Execution,
    first: Batch,
    labels: Array | None,
) -> Layers:
    """network: was asked for before, so that it is there."""
    return measure_layers(graph, Played(recorded), network.result(), first, labels)


def measure_vectors(bundle: Bundle) -> Measured:
    """Of the bundle alone: its test vectors, run where this machine can, else as stored."""
    runner, reason = bundle.runner_or_oracle()
    inputs = stored_inputs(bundle.files)
    execution = stored_run(bundle.files) if reason else runner.run(inputs, record=True)
    count = len(next(iter(inputs.values())))
    return Measured(
        TEST_VECTORS,
        count,
        count,
        "spikes as stored" if reason else runner.description,
        not reason,
        replace(execution, spikes={}),
        execution,
        inputs,
        None if reason else runner.estimate(execution),
        None,
        (),
        None,
        (reason,) if reason else (),
    )


def enough_samples(recorded: Execution) -> int:
    """As many as a simulator can run while one waits, by the operations of those that were run.

    The same on every machine. At least those that were run; at most `SAMPLES`.
    """
    done = len(next(iter(recorded.totals.values())))
    counted = recorded.synaptic_operations.values()
    each = sum(float(np.mean(count)) for count in counted)
    if not recorded.synaptic_operations:  # the numpy oracle counts none, and is slow
        return done
    return int(max(done, min(SAMPLES, OPERATIONS // max(each, 1.0))))


def recorded_samples(graph: Graph, count: int) -> int:
    """Of `count` samples, those whose spikes fit into memory; at least 1."""
    steps = graph.code.train if graph.code else 1
    neurons = sum(node.type.size for node in graph if isinstance(node.type, Spikes))
    most = RECORDED_BYTES // max(neurons * steps, 1)
    return max(min(count, RECORDED, most), 1)


class Played(Runner):
    """A run that was made, in the place of another one of the same samples."""

    description = "a recorded run"

    def __init__(self, recorded: Execution) -> None:
        self._recorded, self._next = recorded, 0

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        """The next samples, as many as are given."""
        count = len(next(iter(samples.values())))
        part = slice(self._next, self._next + count)
        self._next += count
        found = self._recorded
        if steps is not None or len(next(iter(found.totals.values()))[part]) != count:
            raise AssertionError("only what was recorded can be played")
        return Execution(
            found.steps,
            {name: total[part] for name, total in found.totals.items()},
            {name: number[part] for name, number in found.spike_counts.items()},
            {name: number[part] for name, number in found.synaptic_operations.items()},
            {name: train[part] for name, train in found.spikes.items()},
        )
