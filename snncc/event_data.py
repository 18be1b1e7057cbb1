"""Streams of events as data: address events of many samples, checked."""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Array, SnnccError, fail

SIDE = 1 << 15
"""Pixels along a side, at most."""
LATEST = 1 << 62
"""Microseconds, at most: sums of two fit an int64."""
SORT = "order = np.argsort(t, kind='stable'), sample by sample, and t[order], x[order] and so on"
SAVE = "np.savez('events.npz', t=t, x=x, y=y, p=p, offsets=offsets, labels=classes)"


@dataclass(frozen=True)
class EventDataset:
    """Address events of N samples, one after the other; `make_event_dataset` checks them.

    t: microseconds, (E,) int64, in order within a sample. x, y: column and row, (E,) int32. p:
    whether the pixel became brighter, (E,) bool. offsets: (N + 1,), sample i has events offsets[i]
    to offsets[i + 1]. start: where each sample begins, (N,) microseconds. labels: classes, (N,).
    sensor: height and width, if known.
    """

    t: NDArray[np.int64]
    x: NDArray[np.int32]
    y: NDArray[np.int32]
    p: NDArray[np.bool_]
    offsets: NDArray[np.int64]
    start: NDArray[np.int64]
    labels: Array | None = None
    sensor: tuple[int, int] | None = None
    place: str = ""
    """The file, for diagnostics."""

    @property
    def count(self) -> int:
        """Samples."""
        return len(self.offsets) - 1

    def first(self, count: int | None) -> "EventDataset":
        """The first `count` samples."""
        offsets = self.offsets[: self.count + 1 if count is None else count + 1]
        end = int(offsets[-1])
        return EventDataset(
            self.t[:end], self.x[:end], self.y[:end], self.p[:end], offsets, self.start[:count],
            None if self.labels is None else self.labels[:count], self.sensor, self.place,
        )  # fmt: skip

    @property
    def digest(self) -> str:
        """SHA-256 of all numbers."""
        state = sha256(b"events")
        for array in (self.t, self.x, self.y, self.p, self.offsets, self.start):
            state.update(np.ascontiguousarray(array).tobytes())
        if self.labels is not None:
            state.update(np.ascontiguousarray(self.labels, np.int64).tobytes())
        return state.hexdigest()


def make_event_dataset(
    t: Array,
    x: Array,
    y: Array,
    p: Array,
    offsets: Array | None = None,
    labels: Array | None = None,
    start: Array | None = None,
    sensor: Array | tuple[int, int] | None = None,
    place: str = "events",
) -> EventDataset:
    """Checked events; raises SNN033 with all that is wrong.

    t: microseconds, integers. x, y: column and row of the pixel, from 0. p: polarity: 0 and 1, −1
    and 1, or booleans. offsets: (N + 1,); without it all events are one sample. start: (N,)
    microseconds, by default the time of each sample's first event. sensor: height and width.
    """
    columns = {"t": np.asarray(t), "x": np.asarray(x), "y": np.asarray(y), "p": np.asarray(p)}
    problems = list(filter(None, (_column(name, a, place) for name, a in columns.items())))
    sizes = {name: a.size for name, a in columns.items()}
    if not problems and len(set(sizes.values())) > 1:
        found = ", ".join(f"{size} of '{name}'" for name, size in sizes.items())
        problems.append(_wrong(f"there are {found}, should be as many of each", place, SAVE))
    if problems:
        raise SnnccError(d for error in problems for d in error.diagnostics)
    ends = _offsets(offsets, sizes["t"], place)
    known = None if sensor is None else _sensor(np.asarray(sensor), place)
    for name, limit in (("x", known[1] if known else SIDE), ("y", known[0] if known else SIDE)):
        _check_range(name, columns[name], limit, place)
    times = columns["t"].astype(np.int64)
    begins = _check_times(times, ends, start, place)
    return EventDataset(
        times,
        columns["x"].astype(np.int32),
        columns["y"].astype(np.int32),
        _polarity(columns["p"], place),
        ends,
        begins,
        _labels(labels, len(ends) - 1, place),
        known,
        place,
    )


def _column(name: str, array: Array, place: str) -> SnnccError | None:
    kinds = "uib" if name == "p" else "ui"
    if array.ndim == 1 and array.dtype.kind in kinds:
        return None
    return _wrong(
        f"'{name}' has shape {list(array.shape)} and type {array.dtype}, should be one integer for "
        "each event",
        place,
        "t in microseconds: np.rint(1e6 * seconds).astype(np.int64)" if name == "t" else SAVE,
    )


def _offsets(given: Array | None, events: int, place: str) -> NDArray[np.int64]:
    if given is None:
        return np.array([0, events], np.int64)
    found = np.asarray(given)
    if found.ndim == 1 and found.size >= 2 and found.dtype.kind in "ui":
        offsets = found.astype(np.int64)
        if offsets[0] == 0 and offsets[-1] == events and bool(np.all(np.diff(offsets) >= 0)):
            return offsets
    raise _wrong(
        f"'offsets' has shape {list(found.shape)} and type {found.dtype} and does not part "
        f"{events} events, should be N + 1 integers from 0 to {events}, none below the one before",
        place,
        "np.concatenate([[0], np.cumsum(events_of_each_sample)])",
    )


def _sensor(given: Array, place: str) -> tuple[int, int]:
    if given.shape == (2,) and given.dtype.kind in "ui":
        height, width = (int(size) for size in given)
        if 0 < min(height, width) and max(height, width) <= SIDE:
            return height, width
    raise _wrong(
        f"'sensor' is {given.tolist()}, should be height and width, at most {SIDE}",
        place,
        "sensor=np.array([128, 128])",
    )


def _check_range(name: str, array: Array, limit: int, place: str) -> None:
    if array.size and not (0 <= int(array.min()) and int(array.max()) < limit):
        raise _wrong(
            f"'{name}' goes from {array.min()} to {array.max()}, should be 0 to {limit - 1}",
            place,
            "x is a column and y a row, counted from 0; 'sensor' is height and width",
        )


def _check_times(
    t: NDArray[np.int64], offsets: NDArray[np.int64], start: Array | None, place: str
) -> NDArray[np.int64]:
    """Where samples begin."""
    if t.size and not (-LATEST < int(t.min()) and int(t.max()) < LATEST):
        raise _wrong("times leave 62 bits, should be microseconds", place, "subtract t.min() first")
    backwards = np.diff(t) < 0
    backwards[offsets[1:-1][(offsets[1:-1] > 0) & (offsets[1:-1] < t.size)] - 1] = False
    if backwards.any():
        event = int(np.argmax(backwards)) + 1
        sample = int(np.searchsorted(offsets, event, side="right")) - 1
        raise _wrong(
            f"time goes back in sample {sample}: event {event} is at {t[event]} µs after one at "
            f"{t[event - 1]} µs, should not be earlier",
            place,
            SORT,
        )
    filled = offsets[:-1] < offsets[1:]
    begins = np.zeros(len(offsets) - 1, np.int64)
    begins[filled] = t[offsets[:-1][filled]]
    if start is None:
        return begins
    found = np.asarray(start)
    if found.shape != begins.shape or found.dtype.kind not in "ui":
        raise _wrong(
            f"'start' has shape {list(found.shape)} and type {found.dtype}, should be one integer "
            f"for each of {begins.size} samples",
            place,
            "leave it out where samples begin with their first events",
        )
    given = found.astype(np.int64)
    late = filled & (given > begins)
    if late.any():
        sample = int(np.argmax(late))
        raise _wrong(
            f"sample {sample} starts at {given[sample]} µs, after its first event at "
            f"{begins[sample]} µs, should not be later",
            place,
            "leave out events before the start, or 'start'",
        )
    return given


def _polarity(p: Array, place: str) -> NDArray[np.bool_]:
    found = set(np.unique(p).tolist())
    if not (found <= {0, 1} or found <= {-1, 1}):
        shown = ", ".join(map(str, sorted(found)[:4]))
        raise _wrong(
            f"'p' has the values {shown}, should be 0 and 1, or −1 and 1",
            place,
            "1 where the pixel became brighter (ON): p=(polarity > 0)",
        )
    return np.greater(p.astype(np.int8), 0)


def _labels(given: Array | None, count: int, place: str) -> Array | None:
    if given is None:
        return None
    labels = np.asarray(given)
    if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "ui":
        raise _wrong(
            f"'labels' has shape {list(labels.shape)} and type {labels.dtype}, should be one "
            f"integer for each of {count} samples",
            place,
            "leave 'labels' out where there are no classes",
        )
    return labels.reshape(-1)


def _wrong(message: str, place: str, hint: str) -> SnnccError:
    return fail("SNN033", message, place, hint)
