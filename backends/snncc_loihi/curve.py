"""Space-filling curves: an order of cores in which those that follow are near."""

from collections.abc import Iterator

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import Mesh


def hilbert(width: int, height: int) -> list[tuple[int, int]]:
    """All points of a rectangle along a Hilbert curve, from (0, 0).

    The generalization to any rectangle: halve the longer side, or go around in three parts, and
    keep parts even where possible (J. Červený, "Generalized Hilbert space-filling curve", 2018).
    """
    if width >= height:
        return list(_along(0, 0, width, 0, 0, height))
    return list(_along(0, 0, 0, height, width, 0))


def _along(x: int, y: int, ax: int, ay: int, bx: int, by: int) -> Iterator[tuple[int, int]]:
    """The rectangle at (x, y) with sides a, along which the curve goes, and b."""
    long, wide = abs(ax + ay), abs(bx + by)
    dax, day, dbx, dby = (int(np.sign(n)) for n in (ax, ay, bx, by))
    if wide == 1:
        yield from ((x + i * dax, y + i * day) for i in range(long))
        return
    if long == 1:
        yield from ((x + i * dbx, y + i * dby) for i in range(wide))
        return
    ax2, ay2, bx2, by2 = ax // 2, ay // 2, bx // 2, by // 2
    if 2 * long > 3 * wide:
        if abs(ax2 + ay2) % 2 and long > 2:
            ax2, ay2 = ax2 + dax, ay2 + day
        yield from _along(x, y, ax2, ay2, bx, by)
        yield from _along(x + ax2, y + ay2, ax - ax2, ay - ay2, bx, by)
        return
    if abs(bx2 + by2) % 2 and wide > 2:
        bx2, by2 = bx2 + dbx, by2 + dby
    yield from _along(x, y, bx2, by2, ax2, ay2)
    yield from _along(x + bx2, y + by2, ax, ay, bx - bx2, by - by2)
    yield from _along(x + (ax - dax) + (bx2 - dbx), y + (ay - day) + (by2 - dby),
                      -bx2, -by2, -(ax - ax2), -(ay - ay2))  # fmt: skip


def along_curve(chips: int, mesh: Mesh) -> Integers:
    """All cores of the first `chips` chips, (S): chips along a Hilbert curve, their tiles too."""
    rows = -(-chips // mesh.chips_in_row)
    order = [
        (row * mesh.chips_in_row + column, column)
        for column, row in hilbert(min(chips, mesh.chips_in_row), rows)
        if row * mesh.chips_in_row + column < chips
    ]
    points = np.array(hilbert(mesh.width, mesh.height), np.int64)
    found = []
    for index, (chip, column) in enumerate(order):
        # a curve from left to right, mirrored where the next (or for the last: this) chip is left
        step = order[index + 1][1] - column if index + 1 < len(order) else 0
        if step == 0 and index > 0:
            step = column - order[index - 1][1]
        x = mesh.width - 1 - points[:, 0] if step < 0 else points[:, 0]
        tiles = x * mesh.height + points[:, 1]
        cores = tiles[:, None] * mesh.cores_per_tile + np.arange(mesh.cores_per_tile)
        found.append(chip * mesh.cores + cores.reshape(-1))
    return np.concatenate(found)


def along_rows(chips: int, mesh: Mesh) -> Integers:
    """All cores of the first `chips` chips, (S): chip after chip, each row of tiles by row."""
    tiles = np.arange(mesh.width * mesh.height).reshape(mesh.width, mesh.height).T.reshape(-1)
    cores = (tiles[:, None] * mesh.cores_per_tile + np.arange(mesh.cores_per_tile)).reshape(-1)
    return (np.arange(chips)[:, None] * mesh.cores + cores).reshape(-1)
