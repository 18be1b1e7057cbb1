"""Messages between logical cores, what their hops cost, and where the cores of a mesh are."""

from dataclasses import dataclass
from math import frexp

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Floats, Integers
from snncc_loihi.chip import Costs, Mesh

BITS = 34
"""All messages together are at most 2^BITS units, so that every sum of messages · hops is exact."""


@dataclass(frozen=True, eq=False)
class Traffic:
    """Messages between `cores` logical cores and from the host to them; made by `Traffic.of`.

    source, target: (E) int64. messages: (E) float64, multiples of a power of two (`unit`) that is
    so large that sums are exact in any order: figures and places are the same on every computer.
    host_target, host_messages: (H), the same for what the host sends.
    """

    cores: int
    source: Integers
    target: Integers
    messages: Floats
    host_target: Integers
    host_messages: Floats
    unit: float

    @staticmethod
    def of(
        cores: int,
        source: Integers,
        target: Integers,
        messages: Integers | Floats,
        host_target: Integers | None = None,
        host_messages: Integers | Floats | None = None,
    ) -> "Traffic":
        """Integer messages of less than 2^34 in all are kept as they are, others rounded.

        Raises ValueError for a core that is not there or for messages that are no numbers >= 0.
        """
        none = np.zeros(0, np.int64)
        source, target, host_target = (
            np.asarray(none if numbers is None else numbers, np.int64)
            for numbers in (source, target, host_target)
        )
        host = np.asarray(none if host_messages is None else host_messages, np.float64)
        sent = np.asarray(messages, np.float64)
        for name, numbers in (("source", source), ("target", target), ("host", host_target)):
            if len(numbers) and (numbers.min() < 0 or numbers.max() >= cores):
                raise ValueError(f"{name} is a core beyond 0 to {cores - 1}")
        if not (len(source) == len(target) == len(sent) and len(host_target) == len(host)):
            raise ValueError("sources, targets and messages should be equally many")
        if not (np.isfinite(sent).all() and np.isfinite(host).all()):
            raise ValueError("messages should be finite")
        if (sent < 0).any() or (host < 0).any():
            raise ValueError("messages should be 0 or more")
        unit = 2.0 ** (frexp(float(sent.sum()) + float(host.sum()))[1] - BITS)
        return Traffic(cores, source, target, np.rint(sent / unit) * unit,
                       host_target, np.rint(host / unit) * unit, unit)  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """What a message pays: picojoules of a hop along x, along y, and to the next chip beside it."""

    x: float
    y: float
    link: float

    @staticmethod
    def of(costs: Costs) -> "Weights":
        return Weights(costs.hop_x.picojoule, costs.hop_y.picojoule, costs.chip_link.picojoule)


def chips_for(cores: int, mesh: Mesh) -> int:
    """How many chips hold so many cores; at least one."""
    return max(-(-cores // mesh.cores), 1)


def tiles_of(places: Integers, mesh: Mesh) -> tuple[Integers, Integers]:
    """x and y of the tiles of physical cores, counted over all chips: `Mesh.address` on arrays."""
    chip, core = np.divmod(places, mesh.cores)
    row, column = np.divmod(chip, mesh.chips_in_row)
    x, y = np.divmod(core // mesh.cores_per_tile, mesh.height)
    return column * mesh.width + x, row * mesh.height + y


def extent(chips: int, mesh: Mesh) -> tuple[int, int]:
    """Width and height in tiles of the smallest rectangle of whole chips around the first ones."""
    return (
        min(chips, mesh.chips_in_row) * mesh.width,
        -(-chips // mesh.chips_in_row) * mesh.height,
    )


def stretched(chips: int, mesh: Mesh, weights: Weights) -> tuple[Integers, Integers]:
    """Coordinates of all columns and rows of tiles in which distances are costs.

    With XY routing the cost of a message is |X − X'| + |Y − Y'| where X = x · hop_x + (chip borders
    left of x) · link, and Y alike. As integers, of at most 22 bits, which keeps sums exact.
    """
    columns, rows = (np.arange(n) for n in extent(chips, mesh))
    along_x = columns * weights.x + columns // mesh.width * weights.link
    along_y = rows * weights.y + rows // mesh.height * weights.link
    longest = float(along_x[-1] + along_y[-1])
    if longest == 0:  # hops are free: count them
        along_x, along_y, longest = columns * 1.0, rows * 1.0, float(len(columns) + len(rows))
    scale = 2.0 ** (22 - frexp(longest)[1])
    return _rounded(along_x * scale), _rounded(along_y * scale)


def _rounded(numbers: NDArray[np.float64]) -> Integers:
    return np.rint(numbers).astype(np.int64)
