"""Files of events: recordings .aedat4 and .h5, and folders of them; .npz is read by `data`."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np

from snncc.event_data import EventDataset, make_event_dataset
from snncc_ir import Array, SnnccError, fail, why

RECORDINGS = (".aedat4", ".h5", ".hdf5")
COLUMNS = {"t": ("t", "ts", "timestamp"), "x": ("x", "xs"), "y": ("y", "ys"),
           "p": ("p", "ps", "polarity", "on")}  # fmt: skip
"""Names of a column in files of others."""
GROUPS = ("events", "CD/events", "/")
"""Where .h5 files have them: as datasets of a group, or as one dataset of records."""
Columns = dict[str, Array]


def is_recording(path: Path) -> bool:
    """Whether a path is one recording, or a folder of such."""
    return path.is_dir() or path.suffix.lower() in RECORDINGS


def read_recordings(path: Path) -> EventDataset:
    """One sample of a file; of a folder, one of each file.

    In a folder, files stand in folders of their classes: those whose names are all numbers are the
    classes; else they are counted in the order of their names. Raises SNN033, and SNN054 where a
    reader is not installed.
    """
    if not path.is_dir():
        return _joined([_columns(path)], None, path)
    classes = sorted(folder for folder in path.iterdir() if folder.is_dir())
    numbers = {folder: int(folder.name) if folder.name.isdecimal() else None for folder in classes}
    if any(number is None for number in numbers.values()):
        numbers = {folder: which for which, folder in enumerate(classes)}
    files = dict.fromkeys(_recordings(path))
    labeled = {file: numbers[folder] for folder in classes for file in _recordings(folder)}
    if (not files and not labeled) or (files and labeled):
        raise fail(
            "SNN033",
            f"the folder has {len(files)} recordings, and {len(labeled)} in folders of classes, "
            "should have some, all in one of these ways",
            str(path),
            f"files {', '.join(RECORDINGS)} in a folder for each class: data/0/a.aedat4",
        )
    labels = [number for number in labeled.values() if number is not None]
    parts = [_columns(file) for file in files or labeled]
    return _joined(parts, np.array(labels, np.int64) if labels else None, path)


def _recordings(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in RECORDINGS)


def _joined(
    parts: list[tuple[Columns, tuple[int, int] | None]], labels: Array | None, place: Path
) -> EventDataset:
    counts = [len(columns["t"]) for columns, _ in parts]
    sensors = {sensor for _, sensor in parts if sensor is not None}
    if len(sensors) > 1:
        raise fail(
            "SNN033",
            f"recordings are of sensors of {len(sensors)} sizes, should be of one",
            str(place),
            "one kind of sensor at a time",
        )
    t, x, y, p = (np.concatenate([columns[name] for columns, _ in parts]) for name in COLUMNS)
    offsets, sensor = np.concatenate([[0], np.cumsum(counts)]), next(iter(sensors), None)
    return make_event_dataset(t, x, y, p, offsets, labels, sensor=sensor, place=str(place))


def _columns(path: Path) -> tuple[Columns, tuple[int, int] | None]:
    """Columns t, x, y, p of a recording, and its sensor's height and width, if they are known."""
    if not path.is_file():
        raise fail("SNN033", "the file does not exist", str(path), "look at its path")
    try:
        return _aedat4(path) if path.suffix.lower() == ".aedat4" else _hdf5(path)
    except SnnccError:
        raise
    except Exception as error:  # readers raise classes of their own, without a common base
        raise fail(
            "SNN033",
            f"the recording cannot be read: {why(error)}",
            str(path),
            "look whether its own tools can; or save its events as .npz, see docs/events.md",
        ) from None


def _aedat4(path: Path) -> tuple[Columns, tuple[int, int] | None]:
    decoder = _library("aedat").Decoder(path)
    streams = {i: s for i, s in decoder.id_to_stream().items() if s["type"] == "events"}
    if len(streams) != 1:
        raise fail(
            "SNN033",
            f"the recording has {len(streams)} streams of events, should have 1",
            str(path),
            "record, or export, the events of one camera",
        )
    ((chosen, stream),) = streams.items()
    packets = [packet["events"] for packet in decoder if packet["stream_id"] == chosen]
    names = {"t": "t", "x": "x", "y": "y", "p": "on"}
    columns = {
        name: np.concatenate([packet[field] for packet in packets] or [np.zeros(0, np.int64)])
        for name, field in names.items()
    }
    columns["t"] = columns["t"].astype(np.int64)
    return columns, (int(stream["height"]), int(stream["width"]))


def _hdf5(path: Path) -> tuple[Columns, tuple[int, int] | None]:
    h5py = _library("h5py")
    with h5py.File(path, "r") as file:
        for group in GROUPS:
            found = file.get(group)
            if found is None:
                continue
            records = found[()] if isinstance(found, h5py.Dataset) else found
            names = records.dtype.names or () if isinstance(records, np.ndarray) else records.keys()
            chosen = {key: [n for n in known if n in names] for key, known in COLUMNS.items()}
            if all(chosen.values()):
                columns = {key: np.asarray(records[n[0]][()]) for key, n in chosen.items()}
                if columns["t"].dtype.kind == "u":
                    columns["t"] = columns["t"].astype(np.int64)
                return columns, _sensor(file.attrs, found.attrs)
    raise fail(
        "SNN033",
        "the file has no columns t, x, y and p, should have them at its top, in 'events', or as "
        "records 'CD/events'",
        str(path),
        "save its events as .npz, see docs/events.md",
    )


def _sensor(*given: Mapping[str, object]) -> tuple[int, int] | None:
    for attributes in given:
        if "height" in attributes and "width" in attributes:
            return int(str(attributes["height"])), int(str(attributes["width"]))
    return None


def _library(name: str) -> ModuleType:
    try:
        import importlib

        return importlib.import_module(name)
    except ImportError:
        raise fail(
            "SNN054",
            f"the package {name}, which reads such recordings, is not installed",
            hint="pip install 'snncc[events]'",
        ) from None
