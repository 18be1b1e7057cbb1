"""A picture (SVG) of a mesh: what cores hold, how full they are, what links carry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np

from snncc_ir import Floats
from snncc_loihi.chip import Mesh
from snncc_loihi.routes import Loads
from snncc_templates import render

CORE, SPACE, GAP = 13.0, 3.0, 17.0
"""Side of a core, space around cores in a tile, length of a link; in pixels."""
MARGIN, HEAD, FOOT, BETWEEN = 20.0, 52.0, 84.0, 34.0
"""Around all, above and below the chips, and from chip to chip."""
NARROWEST = 420.0
"""Room for the legend."""
THICKEST, APART = 5.0, 3.2
"""Width of the most loaded link; how far both directions are from the middle."""
USE = ((0.0, "#deebf7"), (0.35, "#85b8dc"), (0.7, "#2f7ab8"), (1.0, "#08306b"))
LOAD = ((0.0, "#d0d0d0"), (0.15, "#f2c879"), (0.5, "#e6812f"), (1.0, "#a50f15"))


@dataclass(frozen=True)
class PicturedCore:
    """A core that holds something: its place, use of its scarcest limit (0 to 1), what to tell."""

    place: int
    use: float
    label: str


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    title: str = ""
    color: str = ""
    kind: str = ""


@dataclass(frozen=True)
class _Link:
    x: float
    y: float
    way: str
    width: float
    color: str
    title: str


def mesh_picture(mesh: Mesh, cores: Sequence[PicturedCore], loads: Loads, title: str) -> str:
    """The chips up to the last one used, as SVG text; same input, same bytes.

    loads: of all links of these chips, as `routes.link_loads` gives them for the same places.
    """
    sheet = _Sheet(mesh, 1 + max((core.place for core in cores), default=0) // mesh.cores)
    busiest = loads.busiest
    ways = {(1, 0): loads.east, (-1, 0): loads.west, (0, 1): loads.south, (0, -1): loads.north}
    links = [link for step in ways for link in sheet.links(ways[step], step, busiest)]
    host = sheet.tile(0, 0)
    return render(
        "loihi/mesh.svg.j2",
        title=title,
        width=sheet.width,
        height=sheet.height,
        scale=2 if sheet.width <= NARROWEST else 1.5 if sheet.width <= 2 * NARROWEST else 1,
        margin=MARGIN,
        legend=sheet.height - FOOT + 18,
        chips=list(sheet.chips()),
        tiles=[sheet.tile(x, y) for y in range(sheet.rows) for x in range(sheet.columns)],
        links=sorted(links, key=lambda link: link.width),
        cores=list(sheet.cores(cores)),
        host={"x": host.x - 1, "y": round(host.y + host.height / 2, 2)},
        busiest=_readable(busiest),
        use_ramp=USE,
        load_ramp=LOAD,
    )


class _Sheet:
    """Where things are on the picture; x and y of tiles are counted over all chips."""

    def __init__(self, mesh: Mesh, chips: int) -> None:
        self._mesh, self._used = mesh, chips
        self._chips = min(chips, mesh.chips_in_row), -(-chips // mesh.chips_in_row)
        self.columns, self.rows = self._chips[0] * mesh.width, self._chips[1] * mesh.height
        self._across = ceil(mesh.cores_per_tile**0.5)
        self._down = -(-mesh.cores_per_tile // self._across)
        self._pitch = [SPACE + n * (CORE + 1) - 1 + SPACE + GAP for n in (self._across, self._down)]
        last = self.tile(self.columns - 1, self.rows - 1)
        self.width = max(last.x + last.width + GAP / 2 + MARGIN, NARROWEST)
        self.height = last.y + last.height + GAP / 2 + FOOT

    def tile(self, x: int, y: int) -> _Box:
        wide, high = self._pitch
        return _Box(
            MARGIN + GAP / 2 + x * wide + x // self._mesh.width * BETWEEN,
            HEAD + GAP / 2 + y * high + y // self._mesh.height * BETWEEN,
            wide - GAP,
            high - GAP,
        )

    def chips(self) -> Iterator[_Box]:
        for chip in range(self._chips[0] * self._chips[1]):
            row, column = divmod(chip, self._chips[0])
            first = self.tile(column * self._mesh.width, row * self._mesh.height)
            wide, high = self._mesh.width * self._pitch[0], self._mesh.height * self._pitch[1]
            title = f"chip {chip}" if chip < self._used else "not used"
            yield _Box(first.x - GAP / 2, first.y - GAP / 2, wide, high, title)

    def cores(self, held: Sequence[PicturedCore]) -> Iterator[_Box]:
        known = {core.place: core for core in held}
        for place in range(self._used * self._mesh.cores):
            _, _, x, y = self._mesh.address(place)
            row, column = divmod(place % self._mesh.cores % self._mesh.cores_per_tile, self._across)
            tile, core = self.tile(x, y), known.get(place)
            yield _Box(
                tile.x + SPACE + column * (CORE + 1),
                tile.y + SPACE + row * (CORE + 1),
                CORE,
                CORE,
                f"core {place}: {core.label}" if core else f"core {place}: no neurons",
                _color(USE, core.use) if core else "#ffffff",
                "core" if core else "empty",
            )

    def links(self, loads: Floats, step: tuple[int, int], busiest: float) -> Iterator[_Link]:
        """Of one direction; loads: (H, W − 1) or (H − 1, W)."""
        dx, dy = step
        for (row, column), load in np.ndenumerate(loads):
            start, end = (column, row), (column + abs(dx), row + abs(dy))
            here, there = self.tile(*start), self.tile(*end)
            middle_x, middle_y = here.x + here.width / 2, here.y + here.height / 2
            share = float(load) / busiest if busiest else 0.0
            if dx:  # traffic keeps right: to the east below, to the west above
                x, y = here.x + here.width, middle_y + APART * dx
                way = f"h{_number(there.x - x)}"
            else:
                x, y = middle_x - APART * dy, here.y + here.height
                way = f"v{_number(there.y - y)}"
            source, target = (start, end) if dx + dy > 0 else (end, start)
            yield _Link(
                round(x, 2),
                round(y, 2),
                way,
                round(0.6 + (THICKEST - 0.6) * share, 2),
                _color(LOAD, share),
                f"tile {source} to {target}: {_number(float(load))} messages",
            )


def _color(ramp: tuple[tuple[float, str], ...], share: float) -> str:
    """Of a number from 0 to 1 (clipped), between the colors of a ramp."""
    share = min(max(share, 0.0), 1.0)
    for (low, one), (high, other) in pairwise(ramp):
        if share <= high:
            part = (share - low) / (high - low)
            pairs = ((int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5))
            return "#" + "".join(f"{round(a + part * (b - a)):02x}" for a, b in pairs)
    return ramp[-1][1]


def _readable(value: float) -> str:
    """Such as `0.25`, `18.75`, `18,701`."""
    return f"{value:,.0f}" if value >= 100 else _number(value)


def _number(value: float) -> str:
    return f"{round(value, 2):.12g}"
