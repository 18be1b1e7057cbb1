"""One candidate: settings for a target, compiled on some samples and measured on others."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from snncc.build import Progress, build_network, counting
from snncc.options import make_settings, own_pipeline
from snncc.passes.base import Context
from snncc.result import Result
from snncc.search.paired import Paired
from snncc.search.study import Study
from snncc.shares import Share
from snncc_backends import (
    Backend,
    Estimate,
    Execution,
    OracleRunner,
    Preprocessing,
    Runner,
    backend,
)
from snncc_ir import Batch, Graph, Integers, SnnccError, Spikes
from snncc_ir.ops import Population

Options = Mapping[str, object]


@dataclass(frozen=True)
class Candidate:
    """A target, and what is set of it; all else is as the target has it by default."""

    target: str
    options: Options

    def __str__(self) -> str:
        return " ".join(
            str(value) if key == "coding" else f"{key}={value}"
            for key, value in self.options.items()
        )


@dataclass(frozen=True)
class Figures:
    """How good a candidate is and what it costs; counts are means per sample.

    latency: time steps until the result. accuracy: None without labels. lost: of the accuracy, or
    of the agreement without labels, on the same samples. operations: synaptic operations, where
    they are counted; microjoules and milliseconds where the target has an estimate; work where the
    target is a processor, in its own units.
    """

    latency: int
    accuracy: Share | None
    agreement: Share
    lost: Paired
    spikes: float
    operations: float | None
    microjoules: float | None
    milliseconds: float | None
    work: float | None = None


@dataclass(frozen=True)
class Trial:
    """A candidate with its figures, or with what the target has against it."""

    candidate: Candidate
    figures: Figures | None
    error: str = ""


def try_candidate(
    study: Study, candidate: Candidate, progress: Progress = lambda what, done, total: None
) -> Trial:
    """Compiles and measures; what the compiler refuses is a trial with its diagnostic."""
    try:
        return Trial(candidate, _measure(study, candidate, progress))
    except SnnccError as error:
        return Trial(candidate, None, error.diagnostics[0].summary)


@dataclass(frozen=True)
class Attempted:
    """A candidate's network, and what it did with the samples that it is measured on."""

    graph: Graph
    execution: Execution
    runner: Runner
    estimate: Estimate | None

    @property
    def result(self) -> Result:
        """In the network's own units."""
        return Result(self.graph, self.execution, self.runner.description)


def attempt(
    graph: Graph,
    preprocessing: Preprocessing,
    candidate: Candidate,
    fit: Batch,
    held: Batch,
    progress: Progress = lambda what, done, total: None,
) -> Attempted:
    """Compiles a lowered graph, calibrated on `fit`, and runs `held`; nothing is kept on disk.

    Raises what the compiler has against the candidate.
    """
    chip = backend(candidate.target)
    settings = make_settings(chip, None, candidate.options)
    pipeline = own_pipeline(chip, settings)
    context = Context(fit, progress)
    network = build_network(chip, graph, pipeline, settings, context, measure=False).graph
    files = chip.emit(network, preprocessing, settings)
    with tempfile.TemporaryDirectory(prefix="snncc-trial-") as folder:
        runner = _runner(chip, Path(folder), files, network)
        count = len(next(iter(held.values())))
        execution = runner.run(held, progress=counting(progress, "run", count))
        return Attempted(network, execution, runner, runner.estimate(execution))


def _measure(study: Study, candidate: Candidate, progress: Progress) -> Figures:
    made = attempt(study.graph, study.preprocessing, candidate, study.fit, study.held, progress)
    sent = {
        name: np.full(made.graph[name].type.size, np.mean(count) / made.graph[name].type.size)
        for name, count in made.execution.spike_counts.items()
    }
    work = backend(candidate.target).work(made.graph, sent)
    return replace(_figures(study, made), work=work)


def _runner(chip: Backend, folder: Path, files: Mapping[str, bytes], graph: Graph) -> Runner:
    """What runs the files; the numpy oracle where this machine cannot."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    try:
        return chip.load(folder, graph)
    except SnnccError as error:
        if all(diagnostic.code == "SNN052" for diagnostic in error.diagnostics):
            return OracleRunner(graph)
        raise


def _figures(study: Study, made: Attempted) -> Figures:
    chosen = made.result.predictions()
    right = chosen == study.truth
    execution, estimate = made.execution, made.estimate
    operations = execution.synaptic_operations
    return Figures(
        latency(made.graph),
        None if study.labels is None else Share.of(right),
        Share.of(chosen == study.classes),
        Paired.of(study.classes == study.truth, right),
        _mean(execution.spike_counts),
        _mean(operations) if operations else None,
        None if estimate is None else estimate.microjoules,
        None if estimate is None else estimate.milliseconds,
    )


def latency(graph: Graph) -> int:
    """Time steps until the result of a sample.

    In a rate code a time step goes through all layers. In codes whose layers follow one another
    each layer of neurons on the longest way takes a whole spike train.
    """
    if graph.code is None:
        return 1
    if graph.code.results > 1 or graph.code.name == "rate":
        return graph.code.train
    depth: dict[str, int] = {}
    for node in graph:
        before = max((depth[name] for name in node.inputs), default=0)
        spiking = isinstance(node.op, Population) and isinstance(node.type, Spikes)
        depth[node.name] = before + spiking
    return graph.code.train * max(depth.values())


def _mean(counts: Mapping[str, Integers]) -> float:
    return sum(float(np.mean(count)) for count in counts.values())
