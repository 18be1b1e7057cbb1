"""What a compilation starts from: the imported model, and calibration samples for it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from snncc.data import Dataset, batch_for, make_dataset, read_dataset, synthetic_samples
from snncc.event_data import EventDataset
from snncc.event_input import taking_events
from snncc.onnx import Imported, Trained, import_model
from snncc.onnx.reader import model_digest
from snncc_backends import Preprocessing
from snncc_ir import Array, Batch, Graph, Stopwatch

Data = str | Path | Array | Dataset | EventDataset


@dataclass(frozen=True)
class Source:
    """A lowered model and its calibration samples, in the network's own numbers.

    digest: SHA-256 of the model's files. data: as it stands in the file; None when there is none,
    and samples are seeded noise. notes: what the user should know. trained: as of `Imported`.
    """

    graph: Graph
    digest: str
    data: Dataset | EventDataset | None
    samples: Batch
    preprocessing: Preprocessing
    notes: tuple[str, ...]
    trained: Trained = field(default_factory=dict)

    @property
    def labels(self) -> Array | None:
        """Classes of the samples, (N,)."""
        return None if self.data is None else self.data.labels


def load_source(
    model: Path,
    data: Data | None,
    preprocessing: Preprocessing,
    approximate: bool = False,
    watch: Stopwatch | None = None,
    steps: int = 1,
) -> Source:
    """Imports a model and reads its calibration data; raises SNN001 to SNN007, and SNN030.

    approximate, watch: as of `import_model`; stage `data` is the samples. steps: of a stream of
    events, which may raise SNN033 and SNN034.
    """
    watch = watch or Stopwatch()
    imported = import_model(model, approximate, watch=watch)
    with watch.stage("data"):
        return _with_samples(imported, model, data, preprocessing, steps)


def _with_samples(
    imported: Imported, model: Path, data: Data | None, preprocessing: Preprocessing, steps: int
) -> Source:
    found = as_dataset(data)
    notes = list(imported.notes)
    events = found if isinstance(found, EventDataset) else None
    graph = taking_events(imported.graph, preprocessing, steps, events)
    if found is None:
        notes.append(
            "SNN031: no calibration data is given; scales come from seeded normal noise in place "
            "of samples, and layers are not calibrated, which costs accuracy. Give some hundred "
            "samples with --calib FILE.npz"
        )
        samples = synthetic_samples(graph)
    else:
        raw = np.zeros(0) if isinstance(found, EventDataset) else next(iter(found.arrays.values()))
        if raw.dtype == np.uint8 and preprocessing.is_identity:
            notes.append(
                f"the data is uint8 and is given to the network as it is, 0..{raw.max()}; if the "
                "network was trained on other numbers, say so with --scale, --mean and --std"
            )
        batch = batch_for(graph, found, preprocessing)
        samples = batch.samples
        notes.extend(batch.notes)
    return Source(
        graph,
        model_digest(model),
        found,
        samples,
        preprocessing,
        tuple(notes),
        imported.trained,
    )


def as_dataset(data: Data | None) -> Dataset | EventDataset | None:
    """A checked dataset of a path, of samples, or as it is; raises SNN030 and SNN033."""
    match data:
        case None | Dataset() | EventDataset():
            return data
        case str() | Path():
            return read_dataset(Path(data))
    return make_dataset({"x": np.asarray(data)})
