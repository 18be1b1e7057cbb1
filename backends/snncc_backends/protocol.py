"""What a backend is: everything that snncc has to know of a chip.

A backend eats a graph in normal form at stage INTEGER (`snncc_ir.checker`) and gives files; what it
loads runs *those files*, not the graph. Built-in backends and those of others are built alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from snncc_backends.batches import batches
from snncc_backends.early_exit import EarlyExit
from snncc_backends.image_format import ImageFormat
from snncc_backends.preprocess import Preprocessing
from snncc_backends.preview import Preview
from snncc_backends.section import Section
from snncc_backends.settings import Settings
from snncc_ir import Batch, Diagnostic, Floats, Graph, Integers, fail

Rule = Callable[[Graph, Settings], Iterator[Diagnostic]]
"""A limit of the chip: its docstring is the line in the docs and in `snncc targets NAME`; what it
yields (code SNN041) is what breaks it."""

Export = Callable[[Path], dict[str, bytes]]
"""From a bundle's folder to files of another tool, by their names."""

INTERFACE = (1, 2)
"""Version of what this file asks and offers. The second number grows when something is added; the
first when a backend that was written before would have to be changed."""

RECORDED = 16
"""Samples whose every spike is held in memory at once, where that is how a run is cut off."""


@dataclass(frozen=True)
class Execution:
    """What a run gave, for N samples and T steps.

    steps: moments at which results were read: T in a rate code, 1 (the end) in others.
    totals: by the node that an output reads, in the order of outputs, (N, steps, *shape) int64:
    potentials (readout), or of a spiking population its spike counts after each step (rate), its
    slots (ttfs) or its numbers (radix). spike_counts
    and synaptic_operations: by node, (N,) int64; an operation is one weight added because of one
    spike (or, once a sample, one input number). spikes: by node, (N, T, *shape) int8, when they
    were recorded. activity: by layer and counter, (N,) int64: all that the target's own machine
    counts, for its estimate of energy and time. steps_used: steps until each sample's end, (N,),
    where samples may end early; after its end a sample's totals stay, and it sends no spikes.
    """

    steps: int
    totals: Mapping[str, Integers]
    spike_counts: Mapping[str, Integers]
    synaptic_operations: Mapping[str, Integers] = field(default_factory=dict)
    spikes: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)
    activity: Mapping[str, Mapping[str, Integers]] = field(default_factory=dict)
    steps_used: Integers | None = None

    def until(self, used: Integers) -> "Execution":
        """What it would have given if each sample had ended after `used` steps, (N,).

        Spike counts need recorded spikes; operations and activity are not known, and left out.
        """
        steps, rows, end = np.arange(self.steps), np.arange(len(used))[:, None], used[:, None]
        spikes = {name: train.copy() for name, train in self.spikes.items()}
        for train in spikes.values():
            train[steps >= end] = 0
        counts = {
            name: np.abs(train).reshape(len(train), -1).sum(axis=1, dtype=np.int64)
            for name, train in spikes.items()
        }
        held = np.minimum(steps, end - 1)
        totals = {name: total[rows, held] for name, total in self.totals.items()}
        return Execution(self.steps, totals, counts, spikes=spikes, steps_used=used)

    @staticmethod
    def joined(parts: Sequence["Execution"]) -> "Execution":
        """One execution of all samples, of executions of some."""
        used = [part.steps_used for part in parts if part.steps_used is not None]
        return Execution(
            parts[0].steps,
            _joined([part.totals for part in parts]),
            _joined([part.spike_counts for part in parts]),
            _joined([part.synaptic_operations for part in parts]),
            {k: np.concatenate([part.spikes[k] for part in parts]) for k in parts[0].spikes},
            {name: _joined([p.activity[name] for p in parts]) for name in parts[0].activity},
            steps_used=np.concatenate(used) if used else None,
        )


def _joined(parts: Sequence[Mapping[str, Integers]]) -> dict[str, Integers]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@dataclass(frozen=True)
class Estimate:
    """What a sample costs on the chip, on average.

    microjoules, milliseconds: in all. parts: microjoules by cause; layers: by layer. saturations:
    accumulators that were cut off. assumptions: one line.
    """

    microjoules: float
    milliseconds: float
    parts: Mapping[str, float]
    layers: Mapping[str, float]
    saturations: float
    assumptions: str


def checked_steps(graph: Graph, steps: int | None) -> int:
    """Time steps to run; all that the network was compiled for by default.

    Raises SNN030 for more: potentials are only proven to fit for those. A network in the ttfs or
    radix code has its results at the end only, so that is one step.
    """
    compiled = graph.code.results if graph.code else 1
    if steps is not None and compiled == 1:
        raise fail(
            "SNN030",
            "the network has its results at the end only, so that no number of steps is taken",
            hint="leave out --steps; compile again with --steps for other slots or digits",
        )
    if steps is not None and not 1 <= steps <= compiled:
        raise fail(
            "SNN030",
            f"steps is {steps}, should be 1 to {compiled}, those compiled for",
            hint="compile again with --steps",
        )
    return compiled if steps is None else steps


class Runner(ABC):
    """Runs the files of one bundle."""

    description: str
    """One line for the user: what runs, such as 'C simulator (gcc -O3)'."""

    @abstractmethod
    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        """Runs samples (user's numbers, (N, *shape) by input name; of a stream of events numbers of
        them, int8 (N, T, *shape)).

        steps: at most those compiled for, which are the default. record: keep every spike.
        progress: called with the number of samples done since the last call.
        """

    def run_until(
        self,
        samples: Batch,
        early_exit: EarlyExit,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        """As `run`, where each sample ends early; for networks that `margin_unit` takes.

        This one runs all steps and cuts them off, so that it is right for every backend, saves no
        time, and knows no synaptic operations. Backends that can stop do better.
        """
        parts = []
        for batch in batches(samples, RECORDED, progress):
            full = self.run(batch, steps, record=True)
            cut = full.until(early_exit.steps_used(next(iter(full.totals.values()))))
            parts.append(cut if record else replace(cut, spikes={}))
        return Execution.joined(parts)

    def estimate(self, execution: Execution) -> Estimate | None:
        """Energy and time of a run, for chips that count what they do."""
        return None


class Backend(ABC):
    """Base of all backends. Stateless: one instance serves many compilations."""

    interface: ClassVar[tuple[int, int]] = (1, 0)
    """The version of this interface that the class was written for: `INTERFACE` at that time."""
    name: ClassVar[str]
    """The target's name, that of its entry point."""
    summary: ClassVar[str]
    """One line for `snncc targets`."""
    codings: ClassVar[tuple[type[Settings], ...]]
    """The codings that the chip takes, with what can be set of each; the first is the default."""
    models: ClassVar[tuple[str, ...]]
    """Neuron models that the chip takes, by their names in the IR."""
    rules: ClassVar[tuple[Rule, ...]] = ()
    """The chip's limits, as far as a network shows them; the default `check` asks each."""
    limits: ClassVar[tuple[Callable[..., object], ...]] = ()
    """What the backend holds the files to that it makes; listed with `rules`, by docstring."""
    image: ClassVar[ImageFormat | None] = None
    """For chips that are configured by one binary file."""
    exports: ClassVar[Mapping[str, Export]] = MappingProxyType({})
    """What bundles can be turned into for other tools, by name, for `snncc export`."""
    measured: ClassVar[int] = 0
    """Samples of which `emit_measured` wants to know the spikes; 0 where `emit` does."""

    event_streams: ClassVar[bool] = False
    """Whether it takes graphs of a rate code whose input is a stream of events (`event-input`)."""

    prefers: ClassVar[str] = "steps"
    """What `--accuracy` makes least unless it is told: steps, operations, energy, or time, where
    there is `work`."""

    def defaults(self, coding: type[Settings], options: Mapping[str, object]) -> Settings:
        """The settings of a coding that hold where `options`, the user's, say nothing else.

        A target overrides it when its own description, named in the options, gives the defaults.
        """
        return coding()

    def models_of(self, settings: Settings) -> tuple[str, ...]:
        """The neuron models that can be used with these settings: all, unless options say less."""
        return self.models

    def pipeline(self, settings: Settings) -> str:
        """The passes from the lowered graph to what `emit` takes, in the text form of pipelines."""
        return settings.pipeline()

    @abstractmethod
    def emit(
        self, graph: Graph, preprocessing: Preprocessing, settings: Settings
    ) -> dict[str, bytes]:
        """The target's own files by relative path (with `/`); deterministic."""

    def emit_measured(
        self,
        graph: Graph,
        preprocessing: Preprocessing,
        settings: Settings,
        spikes: Mapping[str, Floats],
    ) -> dict[str, bytes]:
        """As `emit`, for chips on which it matters who sends how many spikes.

        spikes: of each neuron of a spiking node, flat, mean of the measured samples.
        """
        return self.emit(graph, preprocessing, settings)

    def emit_exiting(
        self,
        graph: Graph,
        preprocessing: Preprocessing,
        settings: Settings,
        early_exit: EarlyExit,
    ) -> dict[str, bytes]:
        """The files that are others for a network whose samples end early unless a run says so.

        Without this the rule stands in the manifest alone.
        """
        return {}

    def work(self, graph: Graph, spikes: Mapping[str, Floats]) -> float | None:
        """What a sample takes, in units of time that compare settings, where that is no matter of
        steps: instructions, for a target that is a processor.

        spikes: of each neuron of a spiking node, flat, a sample. The same on every machine.
        """
        return None

    def summary_of(self, files: Mapping[str, bytes]) -> dict[str, float]:
        """Key figures of the emitted files, for people and for the report."""
        return {}

    def sections(
        self, folder: Path, graph: Graph, execution: Execution | None
    ) -> Sequence[Section]:
        """What the target adds to the report of a bundle.

        execution: a run by the target's own runner, None where this machine cannot.
        """
        return ()

    @abstractmethod
    def load(self, folder: Path, graph: Graph) -> Runner:
        """What runs the files in `folder`. `graph` (the bundle's network) names and shapes results.

        Raises SNN052 when they cannot be executed on this machine.
        """

    def check(self, graph: Graph, settings: Settings) -> Iterator[Diagnostic]:
        """All that breaks a rule."""
        for rule in self.rules:
            yield from rule(graph, settings)

    def preview(self, graph: Graph, settings: Settings, thorough: bool = False) -> Preview:
        """What is known of a network before it is compiled, in a second or two, or `thorough`.

        graph: a draft (`draft.py`). This one has the findings of the rules, and no figures.
        """
        return Preview(tuple(self.check(graph, settings)))
