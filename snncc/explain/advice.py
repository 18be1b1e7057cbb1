"""Advice that was tried: remedies compiled and measured on the samples that are explained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from snncc.build import Progress
from snncc.explain.remedies import Remedy
from snncc.explain.tally import decibels
from snncc.search import Candidate, attempt, latency
from snncc.source import Source
from snncc_ir import Array, Batch, Floats, Graph, SnnccError

SURE = 1.0
"""Standard errors by which a remedy has to be better (84 % confidence)."""
SNR_GAIN = 1.0
"""dB by which it has to be better where there are no classes."""


@dataclass(frozen=True)
class Quality:
    """How good a network is on the samples: right or wrong for each, (N,), where there are classes
    (without labels: as the float network), and SNR of the first output, dB; and what it costs."""

    right: NDArray[np.bool_] | None
    snr: float | None
    latency: int
    operations: float | None
    microjoules: float | None

    @property
    def share(self) -> float | None:
        """Accuracy (agreement without labels), 0..1."""
        return None if self.right is None else float(np.mean(self.right))


@dataclass(frozen=True)
class Tried:
    """A remedy and what it gave, against the bundle, on the same samples.

    share: accuracy (agreement without labels), 0..1. points: of it that are won, and error: their
    standard error, both None where there are no classes. decibels: of SNR that are won. latency,
    operations, energy: as multiples of the bundle's. verdict: helps, no difference, worse, or
    refused, with what the compiler has against it in `error_text`.
    """

    remedy: Remedy
    share: float | None
    points: float | None
    error: float | None
    decibels: float | None
    latency: float | None
    operations: float | None
    energy: float | None
    verdict: str
    error_text: str = ""

    def __str__(self) -> str:
        what = str(self.remedy) or "the same settings, compiled anew from this model"
        if self.verdict == "refused":
            return f"{what}: cannot be compiled: {self.error_text}"
        said = [] if self.share is None else [f"{100 * self.share:.2f} %"]
        if self.points is not None:
            said.append(f"{self.points:+.2f} ± {self.error:.2f} points")
        elif self.decibels is not None:
            said.append(f"{self.decibels:+.1f} dB")
        for name, ratio in (
            ("time", self.latency), ("operations", self.operations), ("energy", self.energy),
        ):  # fmt: skip
            if ratio is not None and f"{ratio:.2f}" != "1.00":
                said.append(f"{ratio:.3g} times the {name}")
        return f"{what}: {', '.join(said)}: {self.verdict}"


class Trier:
    """Compiles and measures remedies on given samples."""

    def __init__(
        self,
        source: Source,
        target: str,
        options: Mapping[str, object],
        samples: Batch,
        truth: Array | None,
        wanted: Floats,
    ) -> None:
        """source: the model and what to calibrate on. options: the bundle's. samples: in the
        network's own numbers. truth: labels, or the float network's classes, (N,), None where there
        are none. wanted: the float network's first output, (N, *shape)."""
        self._source, self._target, self._options = source, target, options
        self._samples, self._truth, self._wanted = samples, truth, wanted

    def quality(
        self,
        outputs: Floats,
        graph: Graph,
        operations: float | None,
        microjoules: float | None,
    ) -> Quality:
        """Of first outputs, (N, *shape)."""
        right: NDArray[np.bool_] | None = None
        if self._truth is not None:
            right = outputs.reshape(len(outputs), -1).argmax(1) == self._truth
        noise = float(np.sum(np.square(outputs.reshape(self._wanted.shape) - self._wanted)))
        signal = float(np.sum(np.square(self._wanted)))
        return Quality(right, decibels(signal, noise), latency(graph), operations, microjoules)

    def tries(
        self, found: Sequence[Remedy], before: Quality, progress: Progress
    ) -> Iterator[Tried]:
        """Each remedy's outcome; before: the bundle's quality on the same samples."""
        for remedy in found:
            yield self._try(remedy, before, progress)

    def _try(self, remedy: Remedy, before: Quality, progress: Progress) -> Tried:
        source = self._source
        candidate = Candidate(self._target, {**self._options, **remedy.options})
        try:
            made = attempt(
                source.graph, source.preprocessing, candidate, source.samples, self._samples,
                progress,
            )  # fmt: skip
        except SnnccError as error:
            nothing = (None,) * 7
            return Tried(remedy, *nothing, "refused", error.diagnostics[0].summary)
        counts = made.execution.synaptic_operations
        operations = sum(float(np.mean(n)) for n in counts.values()) if counts else None
        energy = None if made.estimate is None else made.estimate.microjoules
        outputs = next(iter(made.result.outputs().values()))
        return compared(remedy, before, self.quality(outputs, made.graph, operations, energy))


def compared(remedy: Remedy, before: Quality, after: Quality) -> Tried:
    """A remedy's outcome beside the bundle's, sample by sample where there are classes."""
    points = error = None
    if before.right is not None and after.right is not None:
        won = int(np.count_nonzero(after.right & ~before.right))
        lost = int(np.count_nonzero(before.right & ~after.right))
        count = len(after.right)
        points = 100 * (won - lost) / count
        # of a difference of paired shares; at least one sample's worth
        spread = max(won + lost - (won - lost) ** 2 / count, 1.0)
        error = 100 * sqrt(spread) / count
    decibels = None if before.snr is None or after.snr is None else after.snr - before.snr
    return Tried(
        remedy,
        after.share,
        points,
        error,
        decibels,
        after.latency / before.latency,
        _ratio(after.operations, before.operations),
        _ratio(after.microjoules, before.microjoules),
        _verdict(points, error, decibels),
    )


def _verdict(points: float | None, error: float | None, decibels: float | None) -> str:
    gain, sure = (points, SURE * error) if points is not None and error else (decibels, SNR_GAIN)
    if gain is None:
        return "no difference"
    return "helps" if gain > sure else "worse" if gain < -sure else "no difference"


def _ratio(after: float | None, before: float | None) -> float | None:
    return after / before if after is not None and before else None
