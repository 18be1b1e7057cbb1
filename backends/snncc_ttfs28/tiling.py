"""Cuts a layer into tiles that fit the machine's buffers.

A tile is some output channels by some output rows, with all columns. Where what feeds it does not
fit either, a route's input channels come in several parts.
"""

from dataclasses import dataclass
from math import lcm

from snncc_ir import SnnccError, fail
from snncc_ttfs28.image import Parameters
from snncc_ttfs28.routes import Box, Route


@dataclass(frozen=True)
class Span:
    """From `first` to `last`, exclusive."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first


def spans(size: int, part: int) -> list[Span]:
    """0 … size in parts of at most `part`."""
    return [Span(first, min(first + part, size)) for first in range(0, size, part)]


@dataclass(frozen=True)
class Tiling:
    """channels, rows: of a tile, at most. resident: whether all weights of a tile's channels stay
    in the weight buffer while its rows follow one another."""

    channels: int
    rows: int
    resident: bool


def source_rows(route: Route, rows: Span) -> Span:
    """Rows of the (pooled) source that feed some output rows; empty when all are padding."""
    height = route.box[1] // route.pool[0]
    first = rows.first * route.stride[0] - route.pad[0]
    last = (rows.last - 1) * route.stride[0] - route.pad[0]
    last += (route.kernel[0] - 1) * route.dilation[0] + 1
    return Span(max(first, 0), max(min(last, height), max(first, 0)))


def plan(target: Box, feeding: list[Route], machine: Parameters, place: str) -> Tiling:
    """The tiling with the least external traffic, among halvings of channels and rows.

    Raises SNN041 when not even one row of the fewest channels fits.
    """
    step = lcm(*(target[0] // r.groups for r in feeding if _is_grouped(r)))
    best: tuple[int, Tiling] | None = None
    for channels in _halvings(target[0], step):
        for rows in _halvings(target[1], 1):
            if not _fits(target, channels, rows, feeding, machine):
                continue
            codes = sum(_codes(route, channels, target) for route in feeding)
            each = any(route.by_neuron for route in feeding)
            tiling = Tiling(channels, rows, codes <= machine.weight_capacity and not each)
            cost = _traffic(target, tiling, feeding, machine)
            if best is None or cost < best[0]:
                best = (cost, tiling)
    if best is None:
        raise too_large(f"a row of {step} channels", place)
    return best[1]


def too_large(what: str, place: str) -> SnnccError:
    """SNN041: the buffers cannot hold the smallest tile."""
    return fail(
        "SNN041",
        f"{what} needs more than the machine's buffers, should fit into them",
        place,
        "a machine description with larger buffers: --set machine=FILE.json",
    )


def part_channels(route: Route, tiling: Tiling, machine: Parameters) -> int:
    """Input channels of an ungrouped route that come at once, the same for all tiles, so that they
    share their weights."""
    rows = _rows(route, tiling.rows)
    each = route.kernel[0] * route.kernel[1] * tiling.channels
    by_weights = route.box[0] if tiling.resident else machine.weight_capacity // each
    return min(route.box[0], by_weights, machine.spike_buffer // (rows * route.box[2]))


def _is_grouped(route: Route) -> bool:
    return route.groups > 1 and not route.by_neuron


def _halvings(size: int, step: int) -> list[int]:
    found = [size]
    while found[-1] > step:
        found.append(max(step, -(-found[-1] // (2 * step)) * step))
    return found


def _inputs(route: Route, channels: int) -> int:
    """Input channels that have to be there at once for so many output channels."""
    return channels * route.box[0] // len(route.offsets) if route.groups > 1 else 1


def _rows(route: Route, rows: int) -> int:
    """Rows of the source for a tile of so many rows, at most."""
    wanted = (rows - 1) * route.stride[0] + (route.kernel[0] - 1) * route.dilation[0] + 1
    return min(wanted * route.pool[0], route.box[1])


def _fits(target: Box, channels: int, rows: int, feeding: list[Route], machine: Parameters) -> bool:
    size = channels * rows * target[2]
    if size > machine.accumulators:
        return False
    for route in feeding:
        if route.by_neuron:
            cells = codes = size
        else:
            cells = _inputs(route, channels) * _rows(route, rows) * route.box[2]
            per_group = channels if route.groups == 1 else len(route.offsets) // route.groups
            codes = _inputs(route, channels) * route.kernel[0] * route.kernel[1] * per_group
        if cells > machine.spike_buffer or codes > machine.weight_capacity:
            return False
    return True


def _codes(route: Route, channels: int, target: Box) -> int:
    """Weight codes of a route for so many output channels."""
    return -(-route.codes.size * channels // target[0])


def _traffic(target: Box, tiling: Tiling, feeding: list[Route], machine: Parameters) -> int:
    """External bits for weights and spikes of all tiles, about."""
    over_channels = -(-target[0] // tiling.channels)
    over_rows = -(-target[1] // tiling.rows)
    total = 0
    for route in feeding:
        weights = route.codes.size * (1 if tiling.resident else over_rows)
        spikes = route.box[0] * _rows(route, tiling.rows) * route.box[2] * over_rows
        # in one part and one row of tiles, spikes stay in the buffer for all channels
        stays = over_rows == 1 and len(feeding) == 1 and spikes <= machine.spike_buffer
        again = 1 if stays or route.groups > 1 else over_channels
        total += weights * machine.weight_bits + spikes * again * machine.slot_bits
    return total
