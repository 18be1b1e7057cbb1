"""Puts together where accuracy is lost: the waterfall, the layers, why, and what was tried."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from snncc.build import Progress, counting
from snncc.bundle import Bundle, Data, Examination
from snncc.data import Dataset
from snncc.event_data import EventDataset
from snncc.explain.advice import Tried, Trier
from snncc.explain.figures import LayerFigures, Layers
from snncc.explain.float_network import float_network, frames
from snncc.explain.layers import measure_layers
from snncc.explain.model_check import data_oddities, model_oddities
from snncc.explain.remedies import remedies
from snncc.explain.steps import StepFigures, measure_steps
from snncc.options import make_settings
from snncc.reference import float_results
from snncc.result import Result
from snncc.source import Source, load_source
from snncc.verify import Verification
from snncc_backends import backend
from snncc_ir import Graph
from snncc_ir.ops import EventInput

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
    data: Data,
    calibration: Data | None = None,
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
    counted = counting(progress, "run", dataset.count)
    examined = bundle.examine(path, dataset, progress=counted)
    few = dataset.first(samples)
    part = {name: array[:samples] for name, array in examined.samples.items()}
    numbers = frames(bundle.graph, part)
    runner, _ = bundle.runner_or_oracle()
    counted = counting(progress, "layers", few.count)
    reference = float_network(bundle.files, path, part)
    layers = measure_layers(bundle.graph, runner, reference, part, few.labels, counted)
    found = [row for row in layers.rows if row.finding.cause != "none"]
    steps: tuple[StepFigures, ...] = ()
    tried: tuple[Tried, ...] = ()
    if given is not None:
        source = load_source(
            path,
            given,
            bundle.preprocessing,
            bundle.files.manifest.get("approximate") is True,
            steps=_event_steps(bundle.graph),
        )
        steps = measure_steps(
            source, bundle.files.text("pipeline"), reference, numbers, few.labels, progress
        )
        tried = tuple(_tries(bundle, source, path, examined, layers, tries, progress))
    return Explanation(
        examined.verification,
        layers,
        steps,
        tuple(sorted(found, key=lambda row: -row.added)),
        (*model_oddities(reference, numbers, few.labels), *data_oddities(given, dataset)),
        tried,
        (*examined.verification.notes, *_mismatches(bundle, layers, given)),
    )


def _event_steps(graph: Graph) -> int:
    """Time steps of a stream of events; 1 for other inputs."""
    return max((node.op.steps for node in graph if isinstance(node.op, EventInput)), default=1)


def _tries(
    bundle: Bundle,
    source: Source,
    model: Path,
    examined: Examination,
    layers: Layers,
    most: int,
    progress: Progress,
) -> Iterator[Tried]:
    """What was tried against the layers' losses."""
    stored = dict(bundle.files.table("settings"))
    chip = backend(bundle.files.text("target"))
    found = remedies(chip, make_settings(chip, None, stored), layers.rows, most)
    if _event_steps(bundle.graph) > 1:  # the data themselves depend on the steps
        found = [remedy for remedy in found if "steps" not in remedy.options]
    reference = float_results(model, examined.numbers, examined.labels, source.digest, [])
    trier = Trier(
        source,
        chip.name,
        stored,
        examined.samples,
        reference.classes if reference.labels is None else reference.labels,
        reference.numbers,
    )
    outputs = next(iter(Result(bundle.graph, examined.execution, "").outputs().values()))
    verification = examined.verification
    energy = None if verification.estimate is None else verification.estimate.microjoules
    before = trier.quality(outputs, bundle.graph, verification.synaptic_operations, energy)
    yield from trier.tries(found, before, progress)


def _mismatches(bundle: Bundle, layers: Layers, given: Dataset | EventDataset | None) -> list[str]:
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
