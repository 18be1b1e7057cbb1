"""Puts together where accuracy is lost: the waterfall, the layers, why, and what was tried."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from snncc.build import Progress
from snncc.bundle import Bundle
from snncc.data import Dataset, samples_for
from snncc.explain.advice import Tried, Trier
from snncc.explain.figures import LayerFigures, Layers
from snncc.explain.float_network import float_network
from snncc.explain.layers import measure_layers
from snncc.explain.model_check import data_oddities, model_oddities
from snncc.explain.remedies import remedies
from snncc.explain.steps import StepFigures, measure_steps
from snncc.onnx import import_model
from snncc.options import make_settings
from snncc.reference import float_results
from snncc.result import Result
from snncc.verify import Verification, verify
from snncc_backends import backend
from snncc_ir import Batch, Graph

LAYER_SAMPLES = 128
"""Samples whose every spike is looked at, at most, unless more are asked for."""
TRIES = 3
NOTABLE_FALL = 0.005
"""Of agreement at one layer, from which on it is named."""


@dataclass(frozen=True)
class Explanation:
    """What `snncc explain` says.

    verification: as of `snncc verify`, on all samples. layers: on the first of them. steps: value
    semantics pass by pass and layer by layer, on the same; empty without the calibration data.
    worst: layers that add to the error, those that add most first. oddities: of the model or the
    data. tried: what was tried against the losses, and what came of it.
    """

    verification: Verification
    layers: Layers
    steps: tuple[StepFigures, ...]
    worst: tuple[LayerFigures, ...]
    oddities: tuple[str, ...]
    tried: tuple[Tried, ...]
    notes: tuple[str, ...]

    @property
    def helps(self) -> tuple[Tried, ...]:
        """What was tried and helps, the most first."""
        found = [tried for tried in self.tried if tried.verdict == "helps"]
        return tuple(sorted(found, key=lambda tried: -(tried.points or tried.decibels or 0.0)))

    @property
    def summary(self) -> str:
        """One sentence: what is lost of the float network's accuracy, and where."""
        chip, before = self.verification.last, self.verification.float_accuracy
        if chip.accuracy is not None and before is not None:
            lost = 100 * (before.value - chip.accuracy.value)
            text = (
                f"{100 * chip.accuracy.value:.2f} % on the chip, {100 * before.value:.2f} % in "
                f"float: {f'{lost:.2f} points lost' if lost > 0 else 'nothing lost'}"
            )
        elif chip.agreement is not None:
            same = 100 * chip.agreement.value
            text = f"{same:.2f} % of the samples have the float network's class on the chip"
        elif chip.snr is not None:
            text = f"the chip's numbers have a signal to noise of {chip.snr:.1f} dB"
        else:
            text = "the chip's numbers are the float network's"
        falls = self.falls()
        if falls:
            name, fall = falls[0]
            text += f"; most at {name}, where agreement falls by {100 * fall:.1f} points"
        return text

    def falls(self) -> list[tuple[str, float]]:
        """Layers at which agreement falls, with by how much of 1; the largest fall first."""
        found, before = [], self.layers.input_agreement
        for row in self.layers.rows:
            if row.agreement is not None:
                if before is not None and before - row.agreement > NOTABLE_FALL:
                    found.append((row.name, before - row.agreement))
                before = row.agreement
        return sorted(found, key=lambda fall: -fall[1])

    def as_json(self) -> dict[str, object]:
        return {
            "summary": self.summary,
            "verification": self.verification.as_json(),
            "layers": asdict(self.layers),
            "steps": [asdict(step) for step in self.steps],
            "worst": [row.name for row in self.worst],
            "oddities": list(self.oddities),
            "tried": [
                {**asdict(tried), "remedy": dict(tried.remedy.options), "cause": tried.remedy.cause,
                 "says": str(tried)}
                for tried in self.tried
            ],
            "notes": list(self.notes),
        }  # fmt: skip


def explain(
    bundle: Bundle,
    model: str | Path,
    data: str | Path | Dataset,
    calibration: str | Path | Dataset | None = None,
    samples: int = LAYER_SAMPLES,
    tries: int = TRIES,
    progress: Progress = lambda what, done, total: None,
) -> Explanation:
    """Explains what a bundle loses of its model's accuracy, where, and what helps.

    data: samples as in a data file, best with classes. calibration: what the bundle was compiled
    with; without it, nothing is said of single passes and nothing is tried. samples: whose every
    spike is looked at. tries: remedies that are compiled and measured, at most. Raises SNN030 for
    data or a model that does not fit the bundle, SNN052 where nothing can run it.
    """
    path = Path(model)
    dataset = bundle.dataset(data)
    given = None if calibration is None else bundle.dataset(calibration)
    whole = samples_for(bundle.graph, dataset, bundle.preprocessing)
    runner, reason = bundle.runner_or_oracle()
    execution = runner.run(whole, progress=_counter(progress, "run", dataset.count))
    verification = verify(
        bundle.files, runner, reason, execution, path, whole, dataset.labels, exact=0
    )
    few = dataset.first(samples)
    part = {name: array[:samples] for name, array in whole.items()}
    counted = _counter(progress, "layers", few.count)
    layers = measure_layers(bundle.files, runner, path, part, few.labels, counted)
    found = [row for row in layers.rows if row.finding.cause != "none"]
    reference, _ = float_network(bundle.files, path, part)
    oddities = (
        *model_oddities(reference, part, few.labels),
        *data_oddities(given, dataset),
    )
    steps: tuple[StepFigures, ...] = ()
    tried: tuple[Tried, ...] = ()
    if given is not None:
        calibrated = samples_for(bundle.graph, given, bundle.preprocessing)
        approximate = bundle.files.manifest.get("approximate") is True
        lowered = import_model(path, approximate=approximate).graph
        pipeline = bundle.files.text("pipeline")
        steps = measure_steps(lowered, pipeline, calibrated, reference, part, few.labels, progress)
        result = Result(bundle.graph, execution, runner.description)
        tried = tuple(
            _tries(bundle, lowered, calibrated, whole, path, dataset, result, layers, verification,
                   tries, progress)
        )  # fmt: skip
    return Explanation(
        verification,
        layers,
        steps,
        tuple(sorted(found, key=lambda row: -row.added)),
        oddities,
        tried,
        (*verification.notes, *_mismatches(bundle, layers, given)),
    )


def _tries(
    bundle: Bundle,
    lowered: Graph,
    calibration: Batch,
    samples: Batch,
    model: Path,
    dataset: Dataset,
    result: Result,
    layers: Layers,
    verification: Verification,
    most: int,
    progress: Progress,
) -> Iterator[Tried]:
    """What was tried against the layers' losses."""
    target = bundle.files.text("target")
    stored = dict(bundle.files.table("settings"))
    chip = backend(target)
    settings = make_settings(chip, None, stored)
    notes: list[str] = []
    digest = bundle.files.table("model").get("sha256")
    truth = float_results(model, samples, dataset.labels, digest, notes)
    trier = Trier(
        lowered,
        bundle.preprocessing,
        target,
        stored,
        calibration,
        samples,
        truth.classes if truth.labels is None else truth.labels,
        truth.numbers,
    )
    outputs = next(iter(result.outputs().values()))
    energy = None if verification.estimate is None else verification.estimate.microjoules
    before = trier.quality(outputs, bundle.graph, verification.synaptic_operations, energy)
    yield from trier.tries(remedies(chip, settings, layers.rows, most), before, progress)


def _mismatches(bundle: Bundle, layers: Layers, given: Dataset | None) -> list[str]:
    """What the user should know of how much the figures say."""
    notes = []
    if not layers.same_model:
        notes.append(
            "the bundle was compiled from another file than this model; layers are matched by "
            "name, and by what they are made of"
        )
    compiled = bundle.files.manifest.get("calibration")
    if given is None:
        notes.append("without --calib nothing is said of single passes, and no remedy is tried")
    elif not isinstance(compiled, dict):
        notes.append(
            "the bundle was compiled without calibration data; what is tried is calibrated"
        )
    elif compiled.get("sha256") != given.digest:
        notes.append(
            "the bundle was compiled with other calibration data; passes and remedies are shown "
            "with those given"
        )
    return notes


def _counter(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done, total)

    return step
