"""Images of ttfs28 that no network was compiled to: random, valid, with every instruction."""

from dataclasses import astuple, dataclass, replace
from math import gcd, lcm, prod

import numpy as np

from snncc_ttfs28.image import Image, Map, Parameters
from snncc_ttfs28.isa import Instruction, instruction

Shape = tuple[int, int, int]
LAYERS = ("first", "earliest", "grouped conv", 'sum "of" two', "readout")
"""Names as they are allowed to be: spaces, quotes; each image also has one with other letters."""


@dataclass(frozen=True)
class Window:
    """Fields of the instruction; a pad is that of the whole layer."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    dilation: tuple[int, int] = (1, 1)
    pool: tuple[int, int] = (1, 1)


def small_image(seed: int) -> Image:
    """A valid image of some hundred weights; the same seed gives the same one.

    Five layers: a convolution of the input (kind 1) in tiles of rows, an earliest-spike pool, a
    grouped convolution over pooled places, a sum of two convolutions in tiles of channels, and a
    readout. Strides, dilations, pads, flipped loads, both sorts of biases are drawn.
    """
    builder = _Builder(seed)
    shape = builder.shape(3, 6)
    first = builder.layer(0, builder.shape(4, 5), (shape,), 1)
    pooled = builder.pool(first)
    wide = (pooled[0] * builder.draw(1, 3), *builder.shape(1, 4)[1:])
    grouped = builder.layer(2, wide, (pooled,), 0)
    builder.layer(3, builder.shape(4, 4), (grouped, first), 0)
    builder.readout(builder.draw(1, 4))
    return builder.image(prod(shape))


class _Builder:
    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        draw = self.draw
        self._parameters = Parameters(
            slots=draw(2, 12), tau=2 ** draw(0, 3), resolution=2 ** draw(0, 2),
            weight_bits=draw(2, 8), constant_bits=draw(8, 24), accumulator_bits=draw(16, 32),
            input_bits=draw(1, 6), processing_elements=draw(1, 9), weight_buffer=0,
            spike_buffer=0, accumulators=0, bus_bits=draw(1, 70), input_cells=0, spike_cells=0,
            output_cells=0,
        )  # fmt: skip
        self._steps: list[Instruction] = []
        self._weights: list[int] = []
        self._exponents: list[int] = []
        self._biases: list[int] = []
        self._thresholds: list[list[int]] = []
        self._maps: list[Map] = []
        self._places: dict[Shape, int] = {}
        # the largest that is used of: weight codes, spike buffer, accumulators
        self._used = [1, 1, 1]
        self._spikes = self._outputs = 0

    def draw(self, low: int, high: int) -> int:
        """low to high, both included."""
        return int(self._random.integers(low, high + 1))

    def shape(self, channels: int, extent: int) -> Shape:
        return self.draw(1, channels), self.draw(2, extent), self.draw(2, extent)

    def _emit(self, name: str, layer: int, **fields: int) -> None:
        self._steps.append(instruction(name, layer, **fields))

    def _use(self, what: int, size: int) -> None:
        self._used[what] = max(self._used[what], size)

    def _pair(self, low: int, high: int) -> tuple[int, int]:
        return self.draw(low, high), self.draw(low, high)

    def layer(self, number: int, target: Shape, sources: tuple[Shape, ...], kind: int) -> Shape:
        """A spiking layer; sources: shapes of layers in spike memory, or (kind 1) of the input."""
        place = self._spikes
        channels, height, width = target
        each = self.draw(0, 1)
        first = self._add_biases(prod(target) if each else channels)
        table = self._add_thresholds()
        half = height // 2
        parts = [(0, half), (half, height)] if kind and half else [(0, height)]
        spans = [(0, 1), (1, channels)] if number == 3 and channels > 1 else [(0, channels)]
        for top, bottom in parts:
            for low, high in spans:
                tile = (high - low, bottom - top, width)
                self._set_tile(number, tile)
                # each accumulator's own bias: laid out for whole tiles, so only used unsplit
                alone = each and len(parts) == len(spans) == 1
                self._emit("start", number, first=first + (0 if alone else low), each=int(alone))
                for shape in sources:
                    self._integrate(number, shape, tile, top, kind)
                steps = {"step_c": height * width, "step_y": width, "step_x": 1}
                to = place + low * height * width + top * width
                self._emit("fire", number, table=table, to=to, **steps)
        self._spikes += prod(target)
        self._places[target] = place
        self._maps.append(Map(number, 0, place, target, 0, float(self._random.random())))
        return target

    def pool(self, source: Shape) -> Shape:
        """An earliest-spike pool of a layer in spike memory, written transposed."""
        channels, height, width = source
        target = (channels, self.draw(1, height), self.draw(1, width))
        window = Window(self._pair(1, 3), self._pair(1, 2), self._pair(-1, 2), self._pair(1, 2))
        at = self._load(1, source, source, 0)
        self._set_window(1, window, 0)
        self._set_tile(1, target)
        self._emit(
            "pool", 1, at=at, height=height, width=width, to=self._spikes + prod(target) - 1,
            step_c=-target[1] * target[2], step_y=-target[2], step_x=-1,
        )  # fmt: skip
        self._places[target] = self._spikes
        self._maps.append(Map(1, 0, self._spikes, target, 0, 0.0))
        self._spikes += prod(target)
        return target

    def readout(self, channels: int) -> None:
        """All of the last layer through one window; written to output memory."""
        last = self._maps[-1].shape
        tile = (channels, 1, 1)
        self._set_tile(4, tile)
        self._emit("start", 4, first=self._add_biases(channels), each=1)
        at = self._load(4, last, last, 0)
        self._set_window(4, Window(last[1:], (1, 1), (last[1] - 1, last[2] - 1)), 0)
        self._send(4, at, last, tile, 1, last[1] * last[2], 0)
        self._emit("read", 4, to=self._outputs, step_c=1, step_y=0, step_x=0)
        self._maps.append(Map(4, 2, self._outputs, tile, 0, 0.1))
        self._outputs += channels

    def image(self, input_cells: int) -> Image:
        """All that was added, and a name that no instruction uses."""
        self._emit("end", 4)
        bits = self._parameters.weight_bits
        parameters = replace(
            self._parameters,
            weight_buffer=self._used[0] * bits + self.draw(0, 9),
            spike_buffer=self._used[1] + self.draw(0, 2),
            accumulators=self._used[2] + self.draw(0, 2),
            input_cells=input_cells,
            spike_cells=self._spikes + self.draw(0, 3),
            output_cells=self._outputs,
        )
        assert min(astuple(parameters)) >= 1
        octave = lcm(parameters.tau, parameters.resolution)
        fractions = (octave - 1 - np.arange(octave)) / octave
        constants = np.round(2.0 ** (parameters.constant_bits - 1 + fractions))
        levels = self.draw(1, (1 << parameters.input_bits) - 1)
        source = Map(0, 1, 0, (1, 1, input_cells), levels, 2.0 ** -self.draw(0, 60))
        return Image(
            self._random.bytes(32),
            parameters,
            tuple(self._steps),
            np.array(self._weights, np.uint8),
            np.array(self._exponents, np.uint16),
            np.array(self._biases, np.int32),
            np.array(self._thresholds, np.int32),
            constants.astype(np.uint32),
            (source, *self._maps),
            (*LAYERS, "größe # 1\n"),
        )

    def _set_tile(self, layer: int, tile: Shape) -> None:
        self._use(2, prod(tile))
        self._emit("tile", layer, channels=tile[0], height=tile[1], width=tile[2])

    def _set_window(self, layer: int, window: Window, top: int) -> None:
        """top: first row of the tile in its layer."""
        fields = {"pad": (window.pad[0] - top * window.stride[0], window.pad[1])}
        fields |= {k: getattr(window, k) for k in ("kernel", "stride", "dilation", "pool")}
        pairs = {
            f"{k}_{axis}": v
            for k, pair in fields.items()
            for axis, v in zip("yx", pair, strict=True)
        }
        self._emit("window", layer, **pairs)

    def _integrate(self, layer: int, source: Shape, tile: Shape, top: int, kind: int) -> None:
        """A box with room around what is loaded, through a window that is drawn."""
        box = (source[0], source[1] + self.draw(0, 2), source[2] + self.draw(0, 2))
        at = self._load(layer, source, box, kind)
        window = Window(
            self._pair(1, 3), self._pair(1, 2), self._pair(-1, 3), self._pair(1, 2),
            self._pair(1, 2),
        )  # fmt: skip
        self._set_window(layer, window, top)
        common = gcd(source[0], tile[0])
        groups = common if self.draw(0, 2) else 1
        self._send(layer, at, box, tile, groups, prod(window.kernel), kind)

    def _send(
        self, layer: int, at: int, box: Shape, tile: Shape, groups: int, taps: int, kind: int
    ) -> None:
        count, to = box[0] * taps * (tile[0] // groups), self.draw(0, 5)
        self._use(0, to + count)
        self._emit("weights", layer, first=len(self._weights), count=count, to=to)
        bits = self._parameters.weight_bits
        # the last code of all would be a negative zero
        self._weights += self._random.integers(0, (1 << bits) - 1, count).tolist()
        self._emit(
            "integrate", layer, kind=kind, at=at, channels=box[0], height=box[1], width=box[2],
            groups=groups, weights=to, exponents=len(self._exponents),
        )  # fmt: skip
        most = 6 * self._parameters.octave
        self._exponents += self._random.integers(0, most, tile[0]).tolist()

    def _load(self, layer: int, source: Shape, box: Shape, kind: int) -> int:
        """Loads a layer, or the input, into a cleared box; returns the box's first cell."""
        at, cells = self.draw(0, 3), source[1] * source[2]
        self._use(1, at + prod(box))
        self._emit("clear", layer, count=at + prod(box))
        start, step = 0 if kind else self._places[source], cells
        if self.draw(0, 1):
            start, step = start + (source[0] - 1) * cells, -cells
        y, x = (self.draw(0, b - s) for b, s in zip(box[1:], source[1:], strict=True))
        fields = {"space": kind, "from": start, "to": at + y * box[2] + x}
        fields |= {f"count_{axis}": n for axis, n in zip("cyx", source, strict=True)}
        fields |= {"step_c": step, "step_y": source[2], "step_x": 1}
        fields |= {"to_c": box[1] * box[2], "to_y": box[2], "to_x": 1}
        self._emit("load", layer, **fields)
        return at

    def _add_biases(self, count: int) -> int:
        first, most = len(self._biases), 1 << (self._parameters.accumulator_bits - 3)
        self._biases += self._random.integers(-most, most, count).tolist()
        return first

    def _add_thresholds(self) -> int:
        most = 1 << (self._parameters.accumulator_bits - 2)
        table = self._random.integers(1, most, self._parameters.slots)
        self._thresholds.append(sorted(table.tolist(), reverse=True))
        return len(self._thresholds) - 1
