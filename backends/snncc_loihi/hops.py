"""The way of a message through the mesh: along x first, then along y."""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import Mesh


@dataclass(frozen=True)
class Routes:
    """Of each message: local, 1 where it stays within a tile; steps from tile to tile along x and
    y within a chip; links, steps from chip to chip. (N) each."""

    local: Integers
    hops_x: Integers
    hops_y: Integers
    links: Integers


def messages(mesh: Mesh, source: Integers, target: Integers) -> Routes:
    """Messages from core `source` to core `target`, places as in a core map."""
    start, end = (_position(mesh, place) for place in (source, target))
    tile = [np.abs(a - b) for a, b in zip(start[:2], end[:2], strict=True)]
    chip = [np.abs(a - b) for a, b in zip(start[2:], end[2:], strict=True)]
    return Routes(
        (tile[0] + tile[1] == 0).astype(np.int64),
        tile[0] - chip[0],
        tile[1] - chip[1],
        chip[0] + chip[1],
    )


def _position(mesh: Mesh, place: Integers) -> tuple[Integers, Integers, Integers, Integers]:
    """`Mesh.address` of many cores: x and y of the tile, column and row of the chip."""
    chip, core = np.divmod(place, mesh.cores)
    row, column = np.divmod(chip, mesh.chips_in_row)
    x, y = np.divmod(core // mesh.cores_per_tile, mesh.height)
    return column * mesh.width + x, row * mesh.height + y, column, row
