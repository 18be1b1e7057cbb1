"""Runs the files of a bundle: arrays as they are written, or as cells of a device make them.

Nothing is taken from the network but its name for results: cells, routes and constants are those of
the files. With an ideal device and converters that do not saturate, sums are exact integers, and
spikes are those of the IR's semantics.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncc.backends import Estimate, Execution, Runner, batches, checked_steps
from snncc.ir import Batch, Graph, Integers, SnnccError, fail, unpack, why
from snncc.ir.ops import Window
from snncc_xbar.config import (
    CONFIG,
    TENSORS,
    Arrays,
    Config,
    InputPort,
    Kernel,
    Layer,
    Map,
    PlacedTile,
    read_config,
)
from snncc_xbar.device import Cells, Device
from snncc_xbar.emit import array_file
from snncc_xbar.energy import COUNTERS, estimate
from snncc_xbar.neurons import counted_maxima, fire

BATCH = 16

Counts = dict[str, Integers]


@dataclass
class Drive:
    """One map at work: what it adds to potentials, and what it counts on the way."""

    map: Map
    arrays: Arrays
    device: Device
    cells: Mapping[int, Cells]
    tensors: Mapping[str, Integers]
    random: np.random.Generator
    counts: Counts = field(default_factory=dict)

    def __call__(self, values: Integers) -> Integers:
        """Σ w·x of values (N, *source shape), as (N, neurons)."""
        self.counts = {name: np.zeros(len(values), np.int64) for name in COUNTERS}
        moved = values.reshape(len(values), -1)
        if self.map.routed:
            padded = np.concatenate([moved, np.zeros((len(moved), 1), np.int64)], axis=1)
            moved = padded[:, self.tensors[f"{self.map.tensors}.route"]].sum(axis=-1)
        moved = moved.reshape(-1, *self.map.moved)
        if self.map.scheme is None:
            self._add("multiplies", moved != 0)
            self._add("operations", np.abs(moved))
            scaled: Integers = moved * self.tensors[f"{self.map.tensors}.scale"]
            return scaled.reshape(len(values), -1)
        rows = self._rows(moved)
        self._add("operations", np.abs(rows) @ np.ones(rows.shape[2], np.float32))
        self.counts["operations"] *= self.map.outputs // self.map.groups
        sums = np.zeros((*rows.shape[:2], self.map.outputs), np.int64)
        for sign, bit, sent in self._pulses(rows):
            if sent.any():
                sums += (sign << bit) * self._sums(sent)
        factor = self.tensors[f"{self.map.tensors}.factor"]
        if np.any(factor != 1):
            self._add("multiplies", (sums != 0).any(axis=2, keepdims=True) * self.map.outputs)
        return np.moveaxis(sums * factor, 2, 1).reshape(len(values), -1)

    def _rows(self, moved: Integers) -> Cells:
        """(N, positions, rows), integers."""
        values = moved.astype(np.float32)
        kernel = self.map.kernel
        if kernel is None:
            return values.reshape(len(moved), 1, -1)
        slid = _window(kernel).slide(values)
        slid = slid.reshape(*slid.shape[:2], -1, int(np.prod(kernel.kernel)))
        rows = np.moveaxis(slid, 2, 1)
        return rows.reshape(len(moved), rows.shape[1], -1)

    def _pulses(self, rows: Cells) -> Iterator[tuple[int, int, Cells]]:
        """Sign, bit and pulses (N, positions, rows) of 0 and 1, one after the other."""
        if self.map.bits == 1 and not self.map.signed:
            yield 1, 0, rows
            return
        whole = rows.astype(np.int64)
        for sign in (1, -1) if self.map.signed else (1,):
            part = np.maximum(sign * whole, 0)
            for bit in range(self.map.bits):
                yield sign, bit, ((part >> bit) & 1).astype(np.float32)

    def _sums(self, sent: Cells) -> Integers:
        """One read of every array whose rows get a pulse: (N, positions, rows) of 0 and 1."""
        if self.map.scheme is None:
            raise AssertionError("only matrices are read")
        total: Cells = np.zeros((*sent.shape[:2], self.map.outputs), np.float32)
        self._add("rounds", sent @ np.ones(sent.shape[2], np.float32) > 0)
        for tile in self.map.tiles:
            part = sent[:, :, tile.row : tile.row + tile.rows]
            outputs = slice(tile.output, tile.output + tile.outputs)
            total[:, :, outputs] += self.map.scheme.decoded(self._read(tile, part))
        return np.rint(total).astype(np.int64)

    def _read(self, tile: PlacedTile, pulses: Cells) -> Cells:
        """What the converters give: the columns' currents in cells, rounded and cut off."""
        cells = self.cells[tile.array]
        currents = pulses @ cells
        counted = pulses @ np.stack([np.ones(len(cells), np.float32), cells.sum(axis=1)], axis=1)
        self._add("rows", counted[:, :, 0])
        self._add("cells", counted[:, :, 1])
        self._add("conversions", (counted[:, :, 0] > 0) * cells.shape[1])
        most = (1 << self.arrays.adc_bits) - 1
        if self.device.is_ideal and len(cells) <= most:
            return currents
        sums = np.rint(self.device.read(currents, self.random))
        self._add("saturations", sums > most)
        return np.clip(sums, 0, most)

    def _add(self, counter: str, number: NDArray[np.generic]) -> None:
        each = number.reshape(len(number), -1).sum(axis=1, dtype=np.float64)
        self.counts[counter] += np.rint(each).astype(np.int64)


class CrossbarRunner(Runner):
    """The files in a bundle's folder, on a device."""

    def __init__(self, folder: Path, graph: Graph, device: Device | None = None) -> None:
        """device: in place of the one that the network was compiled for.

        Raises SNN052 for files that do not fit one another.
        """
        self._graph = graph
        self._config = _config(folder)
        self._device = device or self._config.device
        self._tensors = _digital(folder / TENSORS)
        self._cells = dict(self._written(folder))
        kind = "ideal cells" if self._device.is_ideal else f"{self._device}"
        size = self._config.arrays
        self.description = f"{len(self._cells)} arrays of {size.rows}×{size.columns}, {kind}"

    def _written(self, folder: Path) -> list[tuple[int, Cells]]:
        """The conductances of each array's used part."""
        found = []
        for layer in self._config.layers:
            for each in layer.maps:
                for tile in each.tiles:
                    if each.scheme is None:
                        raise _unfit("an array without a way to write weights", folder / CONFIG)
                    cells = _array(folder / array_file(tile.array), self._config.arrays)
                    used = cells[: tile.rows, : each.scheme.width(tile.outputs)]
                    found.append((tile.array, self._device.conductances(used, tile.array)))
        return found

    def run(
        self,
        samples: Batch,
        steps: int | None = None,
        record: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Execution:
        steps = checked_steps(self._graph, steps)
        parts = []
        # the noise of reads goes on from batch to batch, and is the same in every run
        random = np.random.default_rng([self._device.seed, len(self._cells), 1])
        for batch in batches(samples, BATCH, progress):
            levels = {port.name: _levels(port, batch[port.name]) for port in self._config.inputs}
            parts.append(self._run(levels, steps, record, random))
        return Execution.joined(parts)

    def estimate(self, execution: Execution) -> Estimate | None:
        return estimate(self._config.arrays, execution.activity) if execution.activity else None

    def _run(
        self, numbers: Mapping[str, Integers], steps: int, record: bool, random: np.random.Generator
    ) -> Execution:
        """One batch, all steps."""
        batch = len(next(iter(numbers.values())))
        counts: dict[str, Counts] = {}
        held, potential = {}, {}
        for index, layer in enumerate(self._config.layers):
            counts[layer.name] = {name: np.zeros(batch, np.int64) for name in COUNTERS}
            if layer.model == "maxpool":
                continue
            bias = np.broadcast_to(self._tensors[f"{index}.bias"], layer.shape)
            constant = np.broadcast_to(bias, (batch, *layer.shape)).copy()
            for each in layer.maps:
                if each.source in numbers:
                    drive = self._drive(each, random)
                    constant += drive(numbers[each.source]).reshape(batch, *layer.shape)
                    _accumulate(counts[layer.name], drive.counts)
            held[layer.name] = constant
            start = self._tensors.get(f"{index}.start", np.zeros((), np.int64))
            potential[layer.name] = np.broadcast_to(start, constant.shape).copy()
        sent: dict[str, Integers] = {
            layer.name: np.zeros((batch, *layer.shape), np.int64) for layer in self._config.layers
        }
        read = dict.fromkeys(node.inputs[0] for node in self._graph.outputs)
        totals: dict[str, list[Integers]] = {name: [] for name in read}
        trains: dict[str, list[Integers]] = {}
        for step in range(steps):
            spikes: dict[str, Integers] = {}
            for index, layer in enumerate(self._config.layers):
                name = layer.name
                if layer.kernel is not None:
                    largest = counted_maxima(_window(layer.kernel), sent[layer.source])
                    spikes[name] = largest - sent[name]
                    sent[name] = largest
                elif step >= layer.delay:
                    potential[name] += held[name]
                    self._integrate(layer, spikes, potential[name], counts[name], random)
                    if layer.model != "readout":
                        theta = self._tensors[f"{index}.theta"]
                        spikes[name] = fire(layer, theta, potential[name], sent[name])
                        sent[name] = sent[name] + spikes[name]
                    counts[name]["updates"] += int(np.prod(layer.shape))
                if name in spikes:
                    flat = np.abs(spikes[name]).reshape(batch, -1)
                    counts[name]["spikes"] += flat.sum(axis=1)
                    trains.setdefault(name, []).append(spikes[name])
                if name in totals:
                    result = sent[name] if name in spikes else potential[name]
                    totals[name].append(result.copy())
        return Execution(
            steps,
            {name: np.stack(total, axis=1) for name, total in totals.items()},
            {name: counts[name]["spikes"] for name in trains},
            {
                layer.name: counts[layer.name]["operations"]
                for layer in self._config.layers
                if layer.model != "maxpool"
            },
            {name: np.stack(train, axis=1).astype(np.int8) for name, train in trains.items()}
            if record
            else {},
            counts,
        )

    def _integrate(
        self,
        layer: Layer,
        spikes: Mapping[str, Integers],
        potential: Integers,
        counts: Counts,
        random: np.random.Generator,
    ) -> None:
        """Adds what the spikes of this step bring."""
        for each in layer.maps:
            if each.source in spikes:
                drive = self._drive(each, random)
                potential += drive(spikes[each.source]).reshape(potential.shape)
                _accumulate(counts, drive.counts)

    def _drive(self, each: Map, random: np.random.Generator) -> Drive:
        return Drive(each, self._config.arrays, self._device, self._cells, self._tensors, random)


def _config(folder: Path) -> Config:
    path = folder / CONFIG
    try:
        value: object = json.loads(_bytes(path))
    except ValueError as error:
        raise _unfit(f"no JSON: {error}", path) from None
    return read_config(value, str(path))


def _digital(path: Path) -> dict[str, Integers]:
    try:
        tensors = unpack(_bytes(path), TENSORS)
    except SnnccError as error:
        raise _unfit(error.diagnostics[0].message, path) from None
    return {name: array.astype(np.int64) for name, array in tensors.items()}


def _array(path: Path, size: Arrays) -> NDArray[np.bool_]:
    """The cells of one array, (rows, columns)."""
    packed = np.frombuffer(_bytes(path), np.uint8)
    cells = size.rows * size.columns
    if packed.size != -(-cells // 8):
        raise _unfit(f"it has {packed.size} bytes, should have {-(-cells // 8)}", path)
    return np.unpackbits(packed, count=cells).astype(bool).reshape(size.rows, size.columns)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unfit(why(error), path) from None


def _unfit(message: str, path: Path) -> SnnccError:
    return fail(
        "SNN052", f"{path.name} cannot be run: {message}", str(path), "compile the network anew"
    )


def _window(kernel: Kernel) -> Window:
    return Window(kernel.kernel, kernel.stride, kernel.pads, kernel.dilation)


def _levels(port: InputPort, x: NDArray[np.generic]) -> Integers:
    units = np.rint(x.astype(np.float64) / port.scale)
    return np.clip(units, -port.levels, port.levels).astype(np.int64)


def _accumulate(counts: Counts, more: Counts) -> None:
    for name, number in more.items():
        counts[name] += number
