"""What a placement costs: hops, energies and the loads of links, by XY routing."""

from dataclasses import dataclass

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.chip import Mesh
from snncc_loihi.traffic import Traffic, Weights, chips_for, extent, tiles_of


@dataclass(frozen=True)
class Figures:
    """Of one placement; messages are counted in the unit of the traffic, energies in picojoules.

    remote: messages that leave their tile. hops_x, hops_y, crossings: messages · hops along x and
    y, messages · borders between chips (a crossing is a hop, too). busiest: messages on the most
    loaded link, in one direction.
    """

    messages: float
    remote: float
    hops_x: float
    hops_y: float
    crossings: float
    busiest: float
    picojoules_x: float
    picojoules_y: float
    picojoules_link: float

    @property
    def hops(self) -> float:
        """Messages · hops."""
        return self.hops_x + self.hops_y

    @property
    def picojoules(self) -> float:
        """Energy of all hops; what a placement is to make small."""
        return self.picojoules_x + self.picojoules_y + self.picojoules_link


@dataclass(frozen=True, eq=False)
class Loads:
    """Messages on each link between tiles of H rows and W columns, each direction for itself.

    east, west: (H, W − 1), between columns x and x + 1. south, north: (H − 1, W), between rows
    y and y + 1.
    """

    east: Floats
    west: Floats
    south: Floats
    north: Floats

    @property
    def busiest(self) -> float:
        links = (self.east, self.west, self.south, self.north)
        return max((float(link.max()) for link in links if link.size), default=0.0)

    @property
    def hops(self) -> float:
        return float(sum(link.sum() for link in (self.east, self.west, self.south, self.north)))


@dataclass(frozen=True, eq=False)
class Routes:
    """From tile (x0, y0) to tile (x1, y1), messages each; (R) arrays."""

    x0: Integers
    y0: Integers
    x1: Integers
    y1: Integers
    messages: Floats


def routes(traffic: Traffic, places: Integers, mesh: Mesh) -> Routes:
    """Of all traffic; places: (N) physical cores. The host sends from tile (0, 0) of chip 0."""
    x, y = tiles_of(places, mesh)
    origin = np.zeros(len(traffic.host_target), np.int64)
    return Routes(
        np.concatenate((x[traffic.source], origin)),
        np.concatenate((y[traffic.source], origin)),
        np.concatenate((x[traffic.target], x[traffic.host_target])),
        np.concatenate((y[traffic.target], y[traffic.host_target])),
        np.concatenate((traffic.messages, traffic.host_messages)),
    )


def link_loads(traffic: Traffic, places: Integers, mesh: Mesh) -> Loads:
    """The load of every link of the chips that are used: first along x, then along y.

    A last row of chips may be incomplete; routers of missing chips are taken to be there.
    """
    chips = chips_for(int(places.max(initial=0)) + 1, mesh)
    width, height = extent(chips, mesh)
    way = routes(traffic, places, mesh)
    east, west = _covered(way.y0, way.x0, way.x1, way.messages, (height, width))
    south, north = _covered(way.x1, way.y0, way.y1, way.messages, (width, height))
    return Loads(east, west, south.T, north.T)


def figures(traffic: Traffic, places: Integers, mesh: Mesh, weights: Weights) -> Figures:
    """What all messages of a placement pay; places: (N) physical cores."""
    way = routes(traffic, places, mesh)
    along_x, along_y = abs(way.x1 - way.x0), abs(way.y1 - way.y0)
    borders = abs(way.x1 // mesh.width - way.x0 // mesh.width)
    borders += abs(way.y1 // mesh.height - way.y0 // mesh.height)
    hops_x, hops_y, crossings = (
        float((way.messages * n).sum()) for n in (along_x, along_y, borders)
    )
    return Figures(
        messages=float(way.messages.sum()),
        remote=float(way.messages[along_x + along_y > 0].sum()),
        hops_x=hops_x,
        hops_y=hops_y,
        crossings=crossings,
        busiest=link_loads(traffic, places, mesh).busiest,
        picojoules_x=hops_x * weights.x,
        picojoules_y=hops_y * weights.y,
        picojoules_link=crossings * weights.link,
    )


def _covered(
    line: Integers, start: Integers, end: Integers, messages: Floats, shape: tuple[int, int]
) -> tuple[Floats, Floats]:
    """How many messages go along each step of each line, forth and back: (lines, steps) both.

    A route raises the load where it begins and lowers it where it ends; running sums do the rest,
    and are exact, because messages are multiples of the traffic's unit.
    """
    found = []
    for first, last, these in ((start, end, end > start), (end, start, end < start)):
        change = np.bincount(line[these] * shape[1] + first[these], messages[these],
                             shape[0] * shape[1])  # fmt: skip
        change -= np.bincount(line[these] * shape[1] + last[these], messages[these],
                              shape[0] * shape[1])  # fmt: skip
        found.append(np.cumsum(change.reshape(shape), axis=1, dtype=np.float64)[:, :-1])
    return found[0], found[1]
