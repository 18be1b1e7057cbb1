"""Data files: .npz (or .npy) with samples `x` and, for accuracy, classes `y`."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from snncc.event_data import SAVE as SAVE_EVENTS
from snncc.event_data import EventDataset, make_event_dataset
from snncc.event_files import is_recording, read_recordings
from snncc.event_input import EventBatch, event_batch, is_stream, random_trains
from snncc_backends import Preprocessing
from snncc_ir import Array, Batch, Graph, Shape, SnnccError, fail, why
from snncc_ir.ops import EventInput


@dataclass(frozen=True)
class Dataset:
    """Samples as they stand in the file, by name, each (N, …), and classes (N,) if any."""

    arrays: dict[str, Array]
    labels: Array | None = None
    place: str = ""
    """The file, for diagnostics."""

    @property
    def count(self) -> int:
        return len(next(iter(self.arrays.values())))

    def first(self, count: int | None) -> "Dataset":
        """The first `count` samples."""
        return Dataset(
            {name: array[:count] for name, array in self.arrays.items()},
            None if self.labels is None else self.labels[:count],
            self.place,
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


EVENT_ARRAYS = frozenset({"t", "x", "y", "p", "offsets", "labels", "start", "sensor"})
_SAVE = "np.savez('data.npz', x=samples, y=classes)"


def read_dataset(path: Path) -> Dataset | EventDataset:
    """Reads `x` (and `y`) of an .npz, or an .npy; raises SNN030 for a file that is neither.

    For a network of several inputs the .npz has their names in place of `x`. Events are read of an
    .npz with `t` and `p`, of recordings, and of folders of those; raises SNN033, SNN054.
    """
    if is_recording(path):
        return read_recordings(path)
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.lib.npyio.NpzFile):
                with loaded:
                    arrays: dict[str, Array] = dict(loaded)
            else:
                arrays = {"x": loaded}
    except FileNotFoundError:
        raise fail(
            "SNN030",
            "the data file does not exist",
            str(path),
            f"look at its path; {_SAVE} writes such a file",
        ) from None
    except MemoryError:
        raise fail(
            "SNN030",
            "the data file needs more memory than there is",
            str(path),
            "fewer samples; some hundred are enough for calibration",
        ) from None
    except Exception as error:  # numpy and zipfile raise a dozen classes for damaged files
        what = "it is no .npz or .npy" if "pickle" in str(error) else why(error)
        raise fail(
            "SNN030",
            f"the data file cannot be read: {what}",
            str(path),
            f"{_SAVE} writes such a file",
        ) from None
    if {"t", "p"} <= arrays.keys():
        return _events(arrays, str(path))
    labels = arrays.pop("y", None)
    return make_dataset(arrays, labels, str(path))


def _events(arrays: dict[str, Array], place: str) -> EventDataset:
    unknown = sorted(arrays.keys() - EVENT_ARRAYS)
    if unknown or not {"x", "y"} <= arrays.keys():
        raise fail(
            "SNN033",
            f"the file of events has {', '.join(sorted(arrays))}, should have t, x, y and p, and "
            "may have offsets, labels, start and sensor",
            place,
            SAVE_EVENTS,
        )
    return make_event_dataset(**arrays, place=place)


def make_dataset(
    arrays: dict[str, Array], labels: Array | None = None, place: str = "data"
) -> Dataset:
    """A checked dataset; raises SNN030 when samples and classes do not fit together."""
    if not arrays:
        raise fail("SNN030", "the data has no samples, should have an array 'x'", place, _SAVE)
    counts = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if min(counts.values()) < 1 or len(set(counts.values())) > 1:
        found = " and ".join(f"{count} of '{name}'" for name, count in counts.items())
        raise fail(
            "SNN030",
            f"there are {found}, should be the same number of samples, at least 1",
            place,
            "the first axis of each array counts samples, even where there is one",
        )
    for name, array in arrays.items():
        if array.dtype.kind not in "uif":
            raise fail(
                "SNN030",
                f"'{name}' has type {array.dtype}, should be numbers",
                place,
                "uint8 or float32, such as x.astype(np.float32)",
            )
    if labels is not None:
        count = next(iter(counts.values()))
        if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "ui":
            raise fail(
                "SNN030",
                f"'y' has shape {list(labels.shape)} and type {labels.dtype}, should be one "
                f"integer for each of {count} samples",
                place,
                "y.argmax(1) for one-hot classes; leave 'y' out where there are no classes",
            )
        labels = labels.reshape(-1)
    return Dataset(arrays, labels, place)


def samples_for(graph: Graph, data: Dataset | EventDataset, preprocessing: Preprocessing) -> Batch:
    """The network's own numbers, float32 (N, *shape) by input name; raises SNN030.

    Of a stream of events, numbers of them in time steps, int8 (N, steps, *shape); raises SNN033
    and SNN034.
    """
    return batch_for(graph, data, preprocessing).samples


def batch_for(
    graph: Graph, data: Dataset | EventDataset, preprocessing: Preprocessing
) -> EventBatch:
    """As `samples_for`, with what the user's own model takes, and notes."""
    _check_classes(graph, data)
    if isinstance(data, EventDataset):
        return event_batch(graph, data, preprocessing)
    if is_stream(graph):
        raise fail(
            "SNN033",
            f"the data has arrays {', '.join(sorted(data.arrays))}, should have events, as the "
            "network takes those",
            data.place,
            SAVE_EVENTS,
        )
    numbers = _numbers_for(graph, data, preprocessing)
    return EventBatch(numbers, numbers)


def _numbers_for(graph: Graph, data: Dataset, preprocessing: Preprocessing) -> Batch:
    inputs: dict[str, Shape] = {node.name: node.type.shape for node in graph.inputs}
    if len(inputs) == 1:
        (name,) = inputs
        if len(data.arrays) > 1 and "x" not in data.arrays:
            raise fail(
                "SNN030",
                f"the data has arrays {', '.join(sorted(data.arrays))}, should have 'x' (and 'y')",
                data.place,
                _SAVE,
            )
        array = data.arrays.get("x", next(iter(data.arrays.values())))
        return {name: _applied(preprocessing, array, inputs[name], f"{data.place}, input '{name}'")}
    missing = sorted(set(inputs) - set(data.arrays))
    if missing:
        raise fail(
            "SNN030",
            f"the data has arrays {', '.join(sorted(data.arrays))}, should have one for each "
            f"input: {', '.join(inputs)}",
            data.place,
            "np.savez with the inputs' names: "
            f"np.savez('data.npz', {', '.join(f'{name}=…' for name in inputs)})",
        )
    return {
        name: _applied(preprocessing, data.arrays[name], shape, f"{data.place}, input '{name}'")
        for name, shape in inputs.items()
    }


def _applied(preprocessing: Preprocessing, array: Array, shape: Shape, place: str) -> Array:
    try:
        return preprocessing.apply(array, shape)
    except SnnccError as error:
        raise SnnccError(
            replace(found, place=found.place or place.removeprefix(", "))
            for found in error.diagnostics
        ) from None


def _check_classes(graph: Graph, data: Dataset | EventDataset) -> None:
    """Raises SNN030 for classes that the first output cannot name, such as such counted from 1."""
    output = graph.outputs[0].type.shape
    if data.labels is None or len(output) != 1 or output[0] < 2:
        return
    least, most = int(data.labels.min()), int(data.labels.max())
    if least < 0 or most >= output[0]:
        raise fail(
            "SNN030",
            f"classes 'y' go from {least} to {most}, should be 0 to {output[0] - 1}, as the first "
            f"output has {output[0]} numbers",
            data.place,
            "count classes from 0, in the order of the outputs; leave 'y' out where there are none",
        )


def synthetic_samples(graph: Graph, count: int = 64, seed: int = 0) -> Batch:
    """Normally distributed numbers, or events by chance, in place of calibration data, by seed."""
    random = np.random.default_rng(seed)
    return {
        node.name: random_trains(node.op, count, random)
        if isinstance(node.op, EventInput)
        else random.standard_normal((count, *node.type.shape)).astype(np.float32)
        for node in graph.inputs
    }
