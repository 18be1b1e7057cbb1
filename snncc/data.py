"""Data files: .npz (or .npy) with samples `x` and, for accuracy, classes `y`."""

import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from snncc_backends import Preprocessing
from snncc_ir import Array, Batch, Graph, Shape, fail
from snncc_ir.ops import Input


@dataclass(frozen=True)
class Dataset:
    """Samples as they stand in the file, by name, each (N, …), and classes (N,) if any."""

    arrays: dict[str, Array]
    labels: Array | None = None

    @property
    def count(self) -> int:
        return len(next(iter(self.arrays.values())))

    def first(self, count: int | None) -> "Dataset":
        """The first `count` samples."""
        return Dataset(
            {name: array[:count] for name, array in self.arrays.items()},
            None if self.labels is None else self.labels[:count],
        )

    @property
    def digest(self) -> str:
        """SHA-256 of names, shapes and numbers."""
        state = sha256()
        for name in sorted(self.arrays):
            array = self.arrays[name]
            state.update(f"{name}{array.dtype}{array.shape}".encode())
            state.update(np.ascontiguousarray(array).tobytes())
        return state.hexdigest()


def read_dataset(path: Path) -> Dataset:
    """Reads `x` (and `y`) of an .npz, or an .npy; raises SNN030 for a file that is neither.

    For a network of several inputs the .npz has their names in place of `x`.
    """
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.lib.npyio.NpzFile):
                with loaded:
                    arrays: dict[str, Array] = dict(loaded)
            else:
                arrays = {"x": loaded}
    except FileNotFoundError:
        raise fail("SNN030", "the data file does not exist", str(path)) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise fail(
            "SNN030",
            f"the data file cannot be read: {error}",
            str(path),
            "np.savez('data.npz', x=samples, y=classes) writes such a file",
        ) from None
    labels = arrays.pop("y", None)
    return make_dataset(arrays, labels, str(path))


def make_dataset(
    arrays: dict[str, Array], labels: Array | None = None, place: str = "data"
) -> Dataset:
    """A checked dataset; raises SNN030 when samples and classes do not fit together."""
    if not arrays:
        raise fail("SNN030", "the data has no samples, should have an array 'x'", place)
    counts = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if min(counts.values()) < 1 or len(set(counts.values())) > 1:
        raise fail("SNN030", f"samples are {counts}, should be the same number, at least 1", place)
    for name, array in arrays.items():
        if array.dtype.kind not in "uif":
            raise fail("SNN030", f"'{name}' has type {array.dtype}, should be numbers", place)
    if labels is not None:
        count = next(iter(counts.values()))
        if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "ui":
            raise fail(
                "SNN030",
                f"'y' has shape {list(labels.shape)} and type {labels.dtype}, should be one "
                f"integer for each of {count} samples",
                place,
            )
        labels = labels.reshape(-1)
    return Dataset(arrays, labels)


def samples_for(graph: Graph, data: Dataset, preprocessing: Preprocessing) -> Batch:
    """The network's own numbers, float32 (N, *shape) by input name; raises SNN030."""
    inputs: dict[str, Shape] = {
        node.name: node.op.shape for node in graph.inputs if isinstance(node.op, Input)
    }
    if len(inputs) == 1:
        (name,) = inputs
        if len(data.arrays) > 1 and "x" not in data.arrays:
            raise fail(
                "SNN030", f"the data has arrays {sorted(data.arrays)}, should have 'x' (and 'y')"
            )
        array = data.arrays.get("x", next(iter(data.arrays.values())))
        return {name: preprocessing.apply(array, inputs[name])}
    missing = sorted(set(inputs) - set(data.arrays))
    if missing:
        raise fail(
            "SNN030",
            f"the data has arrays {sorted(data.arrays)}, should have one for each input: "
            f"{', '.join(inputs)}",
        )
    return {name: preprocessing.apply(data.arrays[name], shape) for name, shape in inputs.items()}


def synthetic_samples(graph: Graph, count: int = 64, seed: int = 0) -> Batch:
    """Normally distributed numbers in place of calibration data, by seed."""
    random = np.random.default_rng(seed)
    return {
        node.name: random.standard_normal((count, *node.type.shape)).astype(np.float32)
        for node in graph.inputs
    }
