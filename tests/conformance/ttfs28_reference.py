"""The ttfs28 machine word by word as docs/targets/ttfs28.md has it: slow, and independent of the
emulator and of the oracle. One addition after the other, every count where the page says so."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snncc_ttfs28.image import Image
from snncc_ttfs28.isa import Instruction
from snncc_ttfs28.machine import COUNTERS

NEITHER = None


@dataclass
class Reference:
    """Runs one image; the memories are as after the last `run`."""

    image: Image
    spikes: list[int] = field(default_factory=list)
    output: list[int] = field(default_factory=list)
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))

    def run(self, sample: NDArray[np.int16]) -> None:
        p = self.image.parameters
        self._input = [int(n) for n in sample]
        self.spikes = [p.slots] * p.spike_cells
        self.output = [0] * p.output_cells
        self.counts = np.zeros((len(self.image.names), len(COUNTERS)), np.int64)
        self._weights = [(1 << (p.weight_bits - 1)) - 1] * p.weight_capacity
        self._cells: list[int | None] = [NEITHER] * p.spike_buffer
        self._accumulators = [0] * p.accumulators
        for step in self.image.schedule:
            self._layer = step.layer
            name = "copy_weights" if step.name == "weights" else step.name
            getattr(self, f"_{name}")(step)

    def _count(self, counter: str, number: int) -> None:
        self.counts[self._layer, COUNTERS.index(counter)] += number

    def _bus(self, counter: str, bits: int) -> None:
        self._count(counter, bits)
        self._count("cycles", -(-bits // self.image.parameters.bus_bits))

    def _elements(self, number: int) -> int:
        return -(-number // self.image.parameters.processing_elements)

    def _end(self, step: Instruction) -> None:
        pass

    def _tile(self, step: Instruction) -> None:
        self._o, self._p, self._q = step.fields

    def _window(self, step: Instruction) -> None:
        self._w = step

    def _copy_weights(self, step: Instruction) -> None:
        for i in range(step["count"]):
            self._weights[step["to"] + i] = int(self.image.weights[step["first"] + i])
        self._bus("external_bits_read", step["count"] * self.image.parameters.weight_bits)

    def _clear(self, step: Instruction) -> None:
        for i in range(step["count"]):
            self._cells[i] = NEITHER
        self._count("cycles", self._elements(step["count"]))

    def _load(self, step: Instruction) -> None:
        memory = self._input if step["space"] else self.spikes
        sizes = (step["count_c"], step["count_y"], step["count_x"])
        for c, y, x in np.ndindex(sizes):
            source = step["from"] + c * step["step_c"] + y * step["step_y"] + x * step["step_x"]
            target = step["to"] + c * step["to_c"] + y * step["to_y"] + x * step["to_x"]
            self._cells[target] = memory[source]
        p = self.image.parameters
        bits = p.input_bits + 1 if step["space"] else p.slot_bits
        self._bus("external_bits_read", int(np.prod(sizes)) * bits)

    def _start(self, step: Instruction) -> None:
        size = self._o * self._p * self._q
        for i in range(size):
            bias = i if step["each"] else i // (self._p * self._q)
            self._accumulators[i] = int(self.image.biases[step["first"] + bias])
        biases = size if step["each"] else self._o
        self._count("external_bits_read", biases * self.image.parameters.accumulator_bits)
        self._count("accumulator_accesses", size)
        self._count("cycles", self._elements(size))

    def _integrate(self, step: Instruction) -> None:
        p, w = self.image.parameters, self._w
        channels, height, width = step["channels"], step["height"], step["width"]
        size = channels * height * width
        self._count("spike_buffer_reads", size)
        self._count("cycles", self._elements(size))
        phases = p.input_bits if step["kind"] else p.slots
        for phase in range(phases):
            for i in range(size):
                cell = self._cells[step["at"] + i]
                if cell is None:
                    continue
                if step["kind"]:
                    if not abs(cell) >> (p.input_bits - 1 - phase) & 1:
                        continue
                elif cell != phase:
                    continue
                c, y, x = i // (height * width), i // width % height, i % width
                y, x = y // w["pool_y"], x // w["pool_x"]
                if y >= height // w["pool_y"] or x >= width // w["pool_x"]:
                    continue
                s = phase * p.octave if step["kind"] else phase * (p.octave // p.tau)
                self._spike(step, c, y, x, s, bool(step["kind"]) and cell < 0)

    def _spike(self, step: Instruction, c: int, y: int, x: int, s: int, off: bool) -> None:
        p, w = self.image.parameters, self._w
        each = self._o // step["groups"]
        group = c // (step["channels"] // step["groups"])
        zero = (1 << (p.weight_bits - 1)) - 1
        most = (1 << (p.accumulator_bits - 1)) - 1
        operations = 0
        for ky, kx in np.ndindex(w["kernel_y"], w["kernel_x"]):
            ty = y + w["pad_y"] - ky * w["dilation_y"]
            tx = x + w["pad_x"] - kx * w["dilation_x"]
            if ty % w["stride_y"] or tx % w["stride_x"]:
                continue
            ty, tx = ty // w["stride_y"], tx // w["stride_x"]
            if not (0 <= ty < self._p and 0 <= tx < self._q):
                continue
            for o in range(group * each, (group + 1) * each):
                operations += 1
                place = (c * w["kernel_y"] + ky) * w["kernel_x"] + kx
                code = self._weights[step["weights"] + place * each + o - group * each]
                if code & zero == zero:
                    continue
                e = int(self.image.exponents[step["exponents"] + o])
                exponent = s + (code & zero) * (p.octave // p.resolution) + e
                product = int(self.image.constants[exponent % p.octave]) >> exponent // p.octave
                if (code > zero) != off:
                    product = -product
                at = (o * self._p + ty) * self._q + tx
                total = self._accumulators[at] + product
                self._accumulators[at] = min(max(total, -most - 1), most)
                self._count("saturations", int(self._accumulators[at] != total))
        self._count("synaptic_operations", operations)
        self._count("weight_buffer_reads", operations)
        self._count("accumulator_accesses", 2 * operations)
        self._count("cycles", self._elements(operations))

    def _to(self, step: Instruction, o: int, y: int, x: int) -> int:
        return step["to"] + o * step["step_c"] + y * step["step_y"] + x * step["step_x"]

    def _fire(self, step: Instruction) -> None:
        p = self.image.parameters
        table = self.image.thresholds[step["table"]].tolist()
        size = self._o * self._p * self._q
        for i, (o, y, x) in enumerate(np.ndindex(self._o, self._p, self._q)):
            reached = [k for k in range(p.slots) if self._accumulators[i] >= table[k]]
            slot = reached[0] if reached else p.slots
            self.spikes[self._to(step, o, y, x)] = slot
            self._count("spikes", int(bool(reached)))
            self._count("comparisons", slot + 1 if reached else p.slots)
        self._count("external_bits_read", p.slots * p.accumulator_bits)
        self._count("accumulator_accesses", size)
        self._count("cycles", p.slots * self._elements(size))
        self._bus("external_bits_written", size * p.slot_bits)

    def _read(self, step: Instruction) -> None:
        size = self._o * self._p * self._q
        for i, (o, y, x) in enumerate(np.ndindex(self._o, self._p, self._q)):
            self.output[self._to(step, o, y, x)] = self._accumulators[i]
        self._count("accumulator_accesses", size)
        self._bus("external_bits_written", size * self.image.parameters.accumulator_bits)

    def _pool(self, step: Instruction) -> None:
        p, w, reads = self.image.parameters, self._w, 0
        height, width = step["height"], step["width"]
        for o, ty, tx in np.ndindex(self._o, self._p, self._q):
            earliest = p.slots
            for ky, kx in np.ndindex(w["kernel_y"], w["kernel_x"]):
                y = ty * w["stride_y"] - w["pad_y"] + ky * w["dilation_y"]
                x = tx * w["stride_x"] - w["pad_x"] + kx * w["dilation_x"]
                if 0 <= y < height and 0 <= x < width:
                    cell = self._cells[step["at"] + (o * height + y) * width + x]
                    earliest = min(earliest, p.slots if cell is None else cell)
                    reads += 1
            self.spikes[self._to(step, o, ty, tx)] = earliest
            self._count("spikes", int(earliest < p.slots))
        self._count("spike_buffer_reads", reads)
        self._count("cycles", self._elements(reads))
        self._bus("external_bits_written", self._o * self._p * self._q * p.slot_bits)
