"""Views as boxes that a strided copy can move.

The schedule's `load` copies a box of cells with one step an axis. A view (an index of source cells,
−1 for nothing) is one such box if it is a slice, a transpose, a padding or a stride; any other
view is several.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers

Steps = tuple[int, int, int]


@dataclass(frozen=True)
class Copy:
    """Source cell `first` + Σ i·step goes to (c, y, x) + i of a box, 0 ≤ i < count."""

    place: Steps
    count: Steps
    first: int
    step: Steps


def copies(index: Integers) -> Iterator[Copy]:
    """Boxes that together make the view; index: (C, H, W), −1 for nothing.

    A regular view gives one. Otherwise boxes grow one axis after the other from the first cell that
    is not covered yet.
    """
    whole = _whole(index)
    if whole is not None:
        yield whole
        return
    left = index.copy()
    for flat in range(left.size):
        place = np.unravel_index(flat, left.shape)
        if left[place] < 0:
            continue
        box = _grown(left, (int(place[0]), int(place[1]), int(place[2])))
        left[_slices(box)] = -1
        yield box


def _slices(box: Copy) -> tuple[slice, slice, slice]:
    c, y, x = (slice(p, p + n) for p, n in zip(box.place, box.count, strict=True))
    return c, y, x


def _numbers(box: Copy) -> Integers:
    """The source cells of a box, (count)."""
    c, y, x = (np.arange(n) * s for n, s in zip(box.count, box.step, strict=True))
    cells: Integers = box.first + c[:, None, None] + y[:, None] + x
    return cells


def _whole(index: Integers) -> Copy | None:
    """The box that has everything in it, if it is regular."""
    if not (index >= 0).any():
        return None
    used = np.nonzero(index >= 0)
    place = tuple(int(axis.min()) for axis in used)
    count = tuple(int(axis.max()) + 1 - p for axis, p in zip(used, place, strict=True))
    first = int(index[place])
    steps = []
    for axis in range(3):
        second = list(place)
        second[axis] += 1
        steps.append(int(index[tuple(second)]) - first if count[axis] > 1 else 0)
    box = Copy(_three(place), _three(count), first, _three(steps))
    return box if np.array_equal(index[_slices(box)], _numbers(box)) else None


def _three(numbers: tuple[int, ...] | list[int]) -> Steps:
    a, b, c = numbers
    return a, b, c


def _grown(index: Integers, place: Steps) -> Copy:
    """The largest regular box from `place` on: along x, then y, then c."""
    first = int(index[place])
    count, step = [1, 1, 1], [0, 0, 0]
    for axis in (2, 1, 0):
        block = _numbers(Copy(place, _three(count), first, _three(step)))
        while place[axis] + count[axis] < index.shape[axis]:
            start = list(place)
            start[axis] += count[axis]
            extent = list(count)
            extent[axis] = 1
            found = index[_slices(Copy(_three(start), _three(extent), 0, (0, 0, 0)))]
            if found.min() < 0:
                break
            if count[axis] == 1:
                step[axis] = int(found.flat[0]) - first
            shift = step[axis] * count[axis]
            lowest = block.take([0], axis=axis)
            if not np.array_equal(found, lowest + shift):
                break
            count[axis] += 1
            block = _numbers(Copy(place, _three(count), first, _three(step)))
    return Copy(place, _three(count), first, _three(step))
