"""The schedule of a network: instructions, and the tables that they point into."""

from collections.abc import Iterable, Sequence
from math import prod

import numpy as np

from snncc_ir import Integers, Node
from snncc_ir.ops import MaxPool
from snncc_ttfs28.boxes import Copy, copies
from snncc_ttfs28.image import Parameters
from snncc_ttfs28.isa import Instruction, instruction
from snncc_ttfs28.routes import Box, Route
from snncc_ttfs28.tables import Place, Tables
from snncc_ttfs28.tiling import Span, Tiling, part_channels, plan, source_rows, spans, too_large


class Scheduler:
    """Appends the instructions of layer after layer."""

    def __init__(self, machine: Parameters) -> None:
        self.machine = machine
        self.tables = Tables()
        self.instructions: list[Instruction] = []
        self._layer = 0
        self._window: tuple[int, ...] = ()
        self._tile: tuple[int, ...] = ()
        self._loaded: object = None
        """What is in the spike buffer, to be recognized when it is wanted again."""

    def population(
        self,
        layer: int,
        place: str,
        at: Place,
        feeding: list[Route],
        sources: Sequence[Place],
        bias: Integers,
        thresholds: Integers | None,
    ) -> None:
        """A layer: bias and thresholds are integers; bias (O) or (O, P, Q); none: a readout.

        place: for errors. Raises SNN041 when it does not fit the machine.
        """
        self._layer = layer
        outputs, height, _ = target = at.box
        tiling = plan(target, feeding, self.machine, place)
        exponents = [0 if r.by_neuron else self.tables.add_exponents(r.offsets) for r in feeding]
        first_bias = self.tables.add_biases(bias) if bias.ndim == 1 else -1
        table = 0 if thresholds is None else self.tables.add_thresholds(thresholds)
        for channels in spans(outputs, tiling.channels):
            held = self._hold(feeding, channels) if tiling.resident else None
            for rows in spans(height, tiling.rows):
                self._set_tile(channels.size, rows.size, target[2])
                if bias.ndim == 1:
                    self._add("start", first=first_bias + channels.first, each=0)
                else:
                    own = bias[channels.first : channels.last, rows.first : rows.last]
                    self._add("start", first=self.tables.add_biases(own), each=1)
                for number, (route, source) in enumerate(zip(feeding, sources, strict=True)):
                    weights = held[number] if held else None
                    if route.by_neuron:
                        self._each(route, source, target, channels, rows)
                        self._set_tile(channels.size, rows.size, target[2])
                    else:
                        self._integrate(
                            route, source, channels, rows, tiling, weights,
                            exponents[number] + channels.first,
                        )  # fmt: skip
                where = _written(at, channels, rows)
                if thresholds is None:
                    self._add("read", **where)
                else:
                    self._add("fire", table=table, **where)

    def pool(self, layer: int, place: str, at: Place, source: Place, node: Node) -> None:
        """A max pool."""
        if not isinstance(node.op, MaxPool):
            raise AssertionError("the node is a max pool")
        self._layer = layer
        window = node.op.window
        kernel, stride, pad, dilation = window2(
            window.kernel, window.stride, window.pads, window.dilation
        )
        one = np.zeros((1, *kernel, 1), np.int64)
        like = Route(
            node, source.box, None, (1, 1), one, one.reshape(-1)[:1], source.box[0], False,
            stride, pad, dilation,
        )  # fmt: skip
        channels, rows = source.box[0], at.box[1]
        while rows > 1 and not self._pool_fits(like, 1, rows, at):
            rows = -(-rows // 2)
        while channels > 1 and not self._pool_fits(like, channels, rows, at):
            channels = -(-channels // 2)
        if not self._pool_fits(like, channels, rows, at):
            raise too_large("a row of one channel", place)
        for some in spans(source.box[0], channels):
            for span in spans(at.box[1], rows):
                taken = source_rows(like, span)
                self._load(like, source, some, taken)
                down = taken.first + pad[0] - span.first * stride[0]
                self._set_window(kernel, stride, (down, pad[1]), dilation, (1, 1))
                self._set_tile(some.size, span.size, at.box[2])
                self._add(
                    "pool", at=0, height=taken.size, width=source.box[2],
                    **_written(at, some, span),
                )  # fmt: skip

    def _pool_fits(self, like: Route, channels: int, rows: int, at: Place) -> bool:
        cells = channels * max(source_rows(like, s).size for s in spans(at.box[1], rows))
        return (
            cells * like.box[2] <= self.machine.spike_buffer
            and channels * rows * at.box[2] <= self.machine.accumulators
        )

    def end(self) -> None:
        self._add("end")

    def _add(self, name: str, **fields: int) -> None:
        self.instructions.append(instruction(name, self._layer, **fields))

    def _set_tile(self, channels: int, height: int, width: int) -> None:
        if self._tile != (channels, height, width):
            self._tile = (channels, height, width)
            self._add("tile", channels=channels, height=height, width=width)

    def _set_window(
        self,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        pad: tuple[int, int],
        dilation: tuple[int, int],
        pool: tuple[int, int],
    ) -> None:
        numbers = (*kernel, *stride, *pad, *dilation, *pool)
        if self._window == numbers:
            return
        self._window = numbers
        names = ("kernel", "stride", "pad", "dilation", "pool")
        fields = [f"{name}_{axis}" for name in names for axis in "yx"]
        self._add("window", **dict(zip(fields, numbers, strict=True)))

    def _hold(self, feeding: list[Route], channels: Span) -> list[int]:
        """Loads the weights of all routes for some output channels; their places."""
        places, to = [], 0
        for route in feeding:
            places.append(to)
            if not route.by_neuron:
                to += self._load_weights(_weights(route, channels, None), to)
        return places

    def _load_weights(self, codes: Integers, to: int) -> int:
        first = self.tables.add_weights(codes, self.machine.weight_bits)
        self._add("weights", first=first, count=codes.size, to=to)
        return codes.size

    def _integrate(
        self,
        route: Route,
        source: Place,
        channels: Span,
        rows: Span,
        tiling: Tiling,
        weights: int | None,
        exponents: int,
    ) -> None:
        pooled = source_rows(route, rows)
        if pooled.size == 0:
            return
        taken = Span(pooled.first * route.pool[0], pooled.last * route.pool[0])
        for inputs in self._parts(route, channels, tiling):
            own = inputs if route.groups == 1 else None
            place = 0
            if weights is None:
                self._load_weights(_weights(route, channels, own), 0)
            else:
                per_channel = route.kernel[0] * route.kernel[1] * channels.size
                place = weights + (inputs.first * per_channel if route.groups == 1 else 0)
            self._load(route, source, inputs, taken)
            pad = (pooled.first + route.pad[0] - rows.first * route.stride[0], route.pad[1])
            self._set_window(route.kernel, route.stride, pad, route.dilation, route.pool)
            per_group = len(route.offsets) // route.groups
            self._add(
                "integrate", kind=source.space, at=0, channels=inputs.size, height=taken.size,
                width=route.box[2], groups=1 if route.groups == 1 else channels.size // per_group,
                weights=place, exponents=exponents,
            )  # fmt: skip

    def _parts(self, route: Route, channels: Span, tiling: Tiling) -> list[Span]:
        if route.groups == 1:
            return spans(route.box[0], part_channels(route, tiling, self.machine))
        inputs, outputs = route.box[0], len(route.offsets)
        return [Span(channels.first * inputs // outputs, channels.last * inputs // outputs)]

    def _each(self, route: Route, source: Place, target: Box, channels: Span, rows: Span) -> None:
        """A one-to-one route whose weights differ between the neurons of a channel."""
        neurons = np.arange(prod(target)).reshape(target)
        own = neurons[channels.first : channels.last, rows.first : rows.last]
        size = own.size
        self._load_weights(route.codes.reshape(-1)[own.reshape(-1)], 0)
        index = own if route.index is None else route.index.reshape(-1)[own]
        self._copy(copies(index), source, own.shape, index.min() < 0)
        self._set_window((1, 1), (1, 1), (0, 0), (1, 1), (1, 1))
        self._set_tile(size, 1, 1)
        exponents = self.tables.add_exponents(route.offsets[own.reshape(-1)])
        self._add("integrate", kind=source.space, at=0, channels=size, height=1, width=1,
                  groups=size, weights=0, exponents=exponents)  # fmt: skip

    def _load(self, route: Route, source: Place, inputs: Span, rows: Span) -> None:
        """Brings some channels and rows of a route's box into the spike buffer, if not there."""
        wanted = (source, None if route.index is None else route.index.tobytes(), inputs, rows)
        if self._loaded == (wanted, self._layer):
            return
        _, height, width = route.box
        shape = (inputs.size, rows.size, width)
        if route.index is None:
            first = (inputs.first * height + rows.first) * width
            step = (height * width, width, 1)
            self._copy([Copy((0, 0, 0), shape, first, step)], source, shape, False)
        else:
            index = route.index[inputs.first : inputs.last, rows.first : rows.last]
            self._copy(copies(index), source, shape, bool(index.min() < 0))
        self._loaded = (wanted, self._layer)

    def _copy(
        self, boxes: Iterable[Copy], source: Place, shape: tuple[int, ...], gaps: bool
    ) -> None:
        self._loaded = None
        if gaps:
            self._add("clear", count=prod(shape))
        to = (shape[1] * shape[2], shape[2], 1)
        for piece in boxes:
            self._add(
                "load", space=source.space,
                **{"from": source.address + piece.first},
                count_c=piece.count[0], count_y=piece.count[1], count_x=piece.count[2],
                step_c=piece.step[0], step_y=piece.step[1], step_x=piece.step[2],
                to=sum(p * t for p, t in zip(piece.place, to, strict=True)),
                to_c=to[0], to_y=to[1], to_x=to[2],
            )  # fmt: skip


def _written(at: Place, channels: Span, rows: Span) -> dict[str, int]:
    """The fields of fire, read and pool that say where a tile goes."""
    _, height, width = at.box
    first = at.address + (channels.first * height + rows.first) * width
    return {"to": first, "step_c": height * width, "step_y": width, "step_x": 1}


def window2(
    kernel: tuple[int, ...], stride: tuple[int, ...], pads: tuple[int, ...],
    dilation: tuple[int, ...],
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]:  # fmt: skip
    """A window in two dimensions; one dimension is one row of two."""
    if len(kernel) == 1:
        return (1, kernel[0]), (1, stride[0]), (0, pads[0]), (1, dilation[0])
    return (
        (kernel[0], kernel[1]), (stride[0], stride[1]), (pads[0], pads[1]),
        (dilation[0], dilation[1]),
    )  # fmt: skip


def _weights(route: Route, channels: Span, inputs: Span | None) -> Integers:
    """Codes for some output channels, and some input channels of an ungrouped route."""
    if route.groups == 1:
        part = route.codes if inputs is None else route.codes[inputs.first : inputs.last]
        return part[..., channels.first : channels.last]
    first = channels.first * route.box[0] // len(route.offsets)
    last = channels.last * route.box[0] // len(route.offsets)
    return route.codes[first:last]
