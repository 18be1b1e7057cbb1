"""Events as data: what is refused, and recordings of others."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from snncc.data import read_dataset
from snncc.event_data import EventDataset, make_event_dataset
from snncc_ir import SnnccError

Columns = dict[str, NDArray[np.generic]]


def columns(**changed: object) -> Columns:
    """Two samples of three events."""
    given: dict[str, object] = {
        "t": [0, 5, 9, 2, 2, 4], "x": [0, 1, 2, 3, 0, 1], "y": [0, 0, 1, 1, 2, 2],
        "p": [0, 1, 1, 0, 0, 1], "offsets": [0, 3, 6], "labels": [4, 0], "sensor": [3, 4],
    }  # fmt: skip
    return {name: np.asarray(value) for name, value in {**given, **changed}.items()}


def test_files_are_read_and_cut(tmp_path: Path) -> None:
    np.savez(tmp_path / "events.npz", **columns())  # type: ignore[arg-type]
    data = read_dataset(tmp_path / "events.npz")
    assert isinstance(data, EventDataset)
    assert (data.count, data.sensor, data.start.tolist()) == (2, (3, 4), [0, 2])
    assert data.p.tolist() == [False, True, True, False, False, True]
    first = data.first(1)
    assert (first.count, len(first.t), first.labels) == (1, 3, np.array([4]))
    assert first.digest != data.digest == data.first(None).digest


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"t": [0.0, 0.1, 0.2, 0, 0, 0]}, "'t' has shape [6] and type float64"),
        ({"x": [[1, 2]]}, "'x' has shape [1, 2]"),
        ({"x": [1, 2]}, "6 of 't', 2 of 'x'"),
        ({"x": [0, 1, 2, 4, 0, 1]}, "'x' goes from 0 to 4, should be 0 to 3"),
        ({"y": [0, 0, -1, 1, 2, 2]}, "'y' goes from -1 to 2"),
        ({"p": [0, 1, 2, 0, 0, 1]}, "'p' has the values 0, 1, 2"),
        ({"p": [0, 1, -1, 0, 0, 1]}, "'p' has the values -1, 0, 1"),
        ({"t": [0, 5, 9, 3, 2, 4]}, "time goes back in sample 1: event 4 is at 2 µs"),
        ({"offsets": [0, 4, 6]}, "time goes back in sample 0: event 3"),
        ({"offsets": [0, 7]}, "'offsets' has shape [2]"),
        ({"offsets": [0, 4, 3, 6]}, "none below the one before"),
        ({"labels": [1, 2, 3]}, "'labels' has shape [3]"),
        ({"labels": [0.5, 1.0]}, "should be one integer for each of 2 samples"),
        ({"start": [0, 3]}, "sample 1 starts at 3 µs, after its first event at 2 µs"),
        ({"start": [0]}, "'start' has shape [1]"),
        ({"sensor": [3]}, "'sensor' is [3]"),
        ({"sensor": [0, 4]}, "should be height and width"),
        ({"t": [0, 5, 9, 2, 2, 2**63]}, "times leave 62 bits"),
        ({"more": [1]}, "should have t, x, y and p, and may have"),
    ],
)
def test_files_that_are_refused(changed: dict[str, object], says: str, tmp_path: Path) -> None:
    if changed.get("t") == [0, 5, 9, 2, 2, 2**63]:
        changed = {"t": np.array(changed["t"], np.uint64)}
    np.savez(tmp_path / "events.npz", **columns(**changed))  # type: ignore[arg-type]
    with pytest.raises(SnnccError) as caught:
        read_dataset(tmp_path / "events.npz")
    (found,) = caught.value.diagnostics
    assert found.code == "SNN033"
    assert says in found.message
    assert found.place
    assert found.hint


def test_samples_without_events_are_samples() -> None:
    empty = np.zeros(0, np.int64)
    data = make_event_dataset(empty, empty, empty, empty, np.zeros(4, np.int64))
    assert (data.count, data.start.tolist()) == (3, [0, 0, 0])
    two = np.arange(2)
    ends = make_event_dataset(two, two, two, two, np.array([0, 2, 2]))
    assert (ends.count, ends.start.tolist()) == (2, [0, 0])


def test_recordings_need_their_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.aedat4").write_bytes(b"no recording")
    monkeypatch.setitem(sys.modules, "aedat", None)
    with pytest.raises(SnnccError, match="snncc\\[events\\]"):
        read_dataset(tmp_path / "a.aedat4")


def test_aedat4() -> None:
    pytest.importorskip("aedat", reason="aedat (snncc[events]) is not installed")
    data = read_dataset(Path(__file__).parent / "recordings")
    assert isinstance(data, EventDataset)
    assert (data.t.tolist(), data.sensor) == ([1000, 1500, 1500, 9000], (8, 10))
    assert list(zip(data.x, data.y, data.p, strict=True)) == [
        (0, 0, True), (3, 2, False), (4, 1, True), (9, 7, False),
    ]  # fmt: skip


def test_folders_of_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py (snncc[events]) is not installed")
    given = {name: values[:3] for name, values in columns().items() if name in "txyp"}
    records = np.zeros(3, [("x", "u2"), ("y", "u2"), ("p", "i2"), ("t", "i8")])
    for name, values in given.items():
        records[name] = values
    for name in ("7", "10"):
        (tmp_path / "data" / name).mkdir(parents=True)
    with h5py.File(tmp_path / "data/7/a.h5", "w") as file:
        file["events/ts"] = given["t"].astype(np.uint64)
        file["events/ps"] = np.array([False, True, True])
        file["events/xs"], file["events/ys"] = given["x"], given["y"]
        file.attrs["height"], file.attrs["width"] = 3, 4
    with h5py.File(tmp_path / "data/10/b.hdf5", "w") as file:
        file["CD/events"] = records
    data = read_dataset(tmp_path / "data")
    assert isinstance(data, EventDataset)
    assert data.labels is not None
    assert (data.labels.tolist(), data.offsets.tolist(), data.sensor) == (
        [10, 7],
        [0, 3, 6],
        (3, 4),
    )
    assert data.t.tolist() == 2 * given["t"].tolist()
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = given["x"]
    (tmp_path / "text.h5").write_text("no recording")
    (tmp_path / "empty").mkdir()
    for path, says in (("other.h5", "no columns"), ("text.h5", "cannot be read"),
                       ("empty", "0 recordings"), ("absent.h5", "does not exist")):  # fmt: skip
        with pytest.raises(SnnccError, match=says):
            read_dataset(tmp_path / path)
