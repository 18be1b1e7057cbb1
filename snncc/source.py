"""What a compilation starts from: the imported model, and calibration samples for it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from snncc.data import Dataset, make_dataset, read_dataset, samples_for, synthetic_samples
from snncc.onnx import Imported, Trained, import_model
from snncc.onnx.reader import model_digest
from snncc_backends import Preprocessing
from snncc_ir import Array, Batch, Graph, Stopwatch

Data = str | Path | Array | Dataset


@dataclass(frozen=True)
class Source:
    """A lowered model and its calibration samples, in the network's own numbers.

    digest: SHA-256 of the model's files. data: as it stands in the file; None when there is none,
    and samples are seeded noise. notes: what the user should know. trained: as of `Imported`.
    """

    graph: Graph
    digest: str
    data: Dataset | None
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
) -> Source:
    """Imports a model and reads its calibration data; raises SNN001 to SNN007, and SNN030.

    approximate, watch: as of `import_model`; stage `data` is the samples.
    """
    watch = watch or Stopwatch()
    imported = import_model(model, approximate, watch=watch)
    with watch.stage("data"):
        return _with_samples(imported, model, data, preprocessing)


def _with_samples(
    imported: Imported, model: Path, data: Data | None, preprocessing: Preprocessing
) -> Source:
    found = as_dataset(data)
    notes = list(imported.notes)
    if found is None:
        notes.append(
            "SNN031: no calibration data is given; scales come from seeded normal noise in place "
            "of samples, and layers are not calibrated, which costs accuracy. Give some hundred "
            "samples with --calib FILE.npz"
        )
        samples = synthetic_samples(imported.graph)
    else:
        raw = next(iter(found.arrays.values()))
        if raw.dtype == np.uint8 and preprocessing.is_identity:
            notes.append(
                f"the data is uint8 and is given to the network as it is, 0..{raw.max()}; if the "
                "network was trained on other numbers, say so with --scale, --mean and --std"
            )
        samples = samples_for(imported.graph, found, preprocessing)
    return Source(
        imported.graph,
        model_digest(model),
        found,
        samples,
        preprocessing,
        tuple(notes),
        imported.trained,
    )


def as_dataset(data: Data | None) -> Dataset | None:
    """A checked dataset of a path, of samples, or as it is; raises SNN030."""
    match data:
        case None | Dataset():
            return data
        case str() | Path():
            return read_dataset(Path(data))
    return make_dataset({"x": np.asarray(data)})
