"""Checks what a schedule does, in one pass: docs/targets/ttfs28.md, section Errors.

There are no branches, so registers and the kinds of cells are known without running anything. The
emulator checks the same on its own, for images that snncc has never seen, and may have further
limits of its own on memory and time.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from snncc_ir import SnnccError, fail
from snncc_ttfs28.image import ALIGNMENT, ENTRY, HEADER, SECTIONS, Image, Parameters
from snncc_ttfs28.isa import INSTRUCTIONS, Instruction

MOST_SIZE = 4096
MOST_PAD = 1 << 24
MOST_MEMORY = 1 << 31
MOST_OPERATIONS = 1 << 40

MACHINE_AT = HEADER.size + ENTRY.size * len(SECTIONS)
SCHEDULE_AT = MACHINE_AT + -(-4 * len(Parameters.__dataclass_fields__) // ALIGNMENT) * ALIGNMENT
"""Bytes in the file: what stands before these sections has one size in every image."""

Triple = tuple[int, int, int]


def check_image(image: Image, place: str) -> None:
    """Raises SNN060, with the instruction's byte offset, for what contradicts itself.

    Covers *schedule*, *kinds* and *memory* of the page; sections and tables are checked before.
    """
    _Checker(image, place).check()


def memory(parameters: Parameters) -> int:
    """Bytes that an emulator allocates at least: each cell in the smallest number that holds it."""
    p = parameters
    numbers = 2 * (p.input_cells + p.spike_buffer) + 4 * (p.output_cells + p.accumulators)
    return numbers + p.spike_cells + p.weight_capacity


def _inside(base: int, count: Triple, step: Triple, cells: int) -> bool:
    """Whether all of base + Σ i·step, 0 ≤ i < count, lies in 0 … cells − 1."""
    reaches = [(n - 1) * s for n, s in zip(count, step, strict=True)]
    low = base + sum(min(reach, 0) for reach in reaches)
    high = base + sum(max(reach, 0) for reach in reaches)
    return 0 <= low and high < cells


def _steps(step: Instruction) -> Triple:
    return step["step_c"], step["step_y"], step["step_x"]


class _Checker:
    """The machine's registers and buffers, as far as they are known without running."""

    def __init__(self, image: Image, place: str) -> None:
        self._image, self._machine, self._place = image, image.parameters, place
        self._tile: Triple | None = None
        self._window: Instruction | None = None
        self._at = SCHEDULE_AT
        self._operations = 0

    def _refuse(self, message: str) -> SnnccError:
        return fail(
            "SNN060",
            f"SCHE at byte {self._at}: {message}",
            self._place,
            "compile the network anew, or copy the image again",
        )

    def check(self) -> None:
        if memory(self._machine) > MOST_MEMORY:
            raise fail(
                "SNN060",
                f"MACH at byte {MACHINE_AT + 28}: the memories are too large to emulate",
                self._place,
                "name a smaller machine with --set machine=",
            )
        # kinds of the spike buffer's cells: 0 neither, 1 slot codes, 2 input numbers
        self._kinds = np.zeros(self._machine.spike_buffer, np.uint8)
        schedule = self._image.schedule
        if not schedule:
            raise self._refuse("there is no end")
        for number, step in enumerate(schedule, 1):
            if (step.name == "end") != (number == len(schedule)):
                raise self._refuse("end should be the last instruction, and only that")
            self._instruction(step)
            if self._operations > MOST_OPERATIONS:
                raise self._refuse("the schedule has too much work to emulate")
            self._at += INSTRUCTIONS[step.name].size

    def _instruction(self, step: Instruction) -> None:
        match step.name:
            case "tile":
                self._set_tile(step)
            case "window":
                self._set_window(step)
            case "weights":
                self._weights(step)
            case "clear":
                self._clear(step)
            case "load":
                self._load(step)
            case "start":
                self._start(step)
            case "integrate":
                self._integrate(step)
            case "fire":
                self._fire(step)
            case "read":
                self._read(step)
            case "pool":
                self._pool(step)

    def _known_tile(self) -> Triple:
        if self._tile is None:
            raise self._refuse("tile is not set before")
        return self._tile

    def _registers(self) -> tuple[Triple, Instruction]:
        if self._tile is None or self._window is None:
            raise self._refuse("tile or window is not set before")
        return self._tile, self._window

    def _flag(self, step: Instruction, field: str) -> int:
        if step[field] > 1:
            raise self._refuse(f"{field} is {step[field]}, should be 0 or 1")
        return step[field]

    def _set_tile(self, step: Instruction) -> None:
        channels, height, width = step.fields
        if not all(1 <= size <= self._machine.accumulators for size in step.fields):
            raise self._refuse("a size of the tile is out of range")
        if channels * height * width > self._machine.accumulators:
            raise self._refuse("the tile is larger than the accumulators")
        self._tile = channels, height, width

    def _set_window(self, step: Instruction) -> None:
        for field, value in zip(INSTRUCTIONS["window"].fields, step.fields, strict=True):
            if field.signed:
                if not -MOST_PAD <= value <= MOST_PAD:
                    raise self._refuse("a pad is too large")
            elif not 1 <= value <= MOST_SIZE:
                raise self._refuse(f"a size of the window is {value}, should be 1 to {MOST_SIZE}")
        self._window = step

    def _weights(self, step: Instruction) -> None:
        first, count, to = step.fields
        if count < 1:
            raise self._refuse("count is 0")
        if first + count > self._image.weights.size:
            raise self._refuse("weights reads beyond section WGHT")
        if to + count > self._machine.weight_capacity:
            raise self._refuse("weights writes beyond the weight buffer")

    def _clear(self, step: Instruction) -> None:
        if step["count"] > self._machine.spike_buffer:
            raise self._refuse("count is beyond the spike buffer")
        self._kinds[: step["count"]] = 0

    def _load(self, step: Instruction) -> None:
        space = self._flag(step, "space")
        count = (step["count_c"], step["count_y"], step["count_x"])
        to = (step["to_c"], step["to_y"], step["to_x"])
        self._check_size(count)
        cells = self._machine.input_cells if space else self._machine.spike_cells
        if not _inside(step["from"], count, _steps(step), cells):
            raise self._refuse("load reads beyond its memory")
        if not _inside(step["to"], count, to, self._machine.spike_buffer):
            raise self._refuse("load writes beyond the spike buffer")
        # steps of axes of one cell are never taken, and may be too large for numpy
        strides = [t if n > 1 else 0 for n, t in zip(count, to, strict=True)]
        as_strided(self._kinds[step["to"] :], count, strides)[...] = space + 1

    def _start(self, step: Instruction) -> None:
        channels, height, width = self._known_tile()
        count = channels * height * width if self._flag(step, "each") else channels
        if step["first"] + count > self._image.biases.size:
            raise self._refuse("start reads beyond the biases")

    def _check_size(self, sizes: Triple) -> int:
        size = sizes[0] * sizes[1] * sizes[2]
        if min(sizes) < 1 or size > self._machine.spike_buffer:
            raise self._refuse("a box is empty or larger than the spike buffer")
        return size

    def _box(self, at: int, sizes: Triple, kind: int) -> None:
        """A box to be read, that should hold no cell of another kind."""
        size = self._check_size(sizes)
        if at + size > self._machine.spike_buffer:
            raise self._refuse("a box goes beyond the spike buffer")
        wrong = self._kinds[at : at + size] == 3 - kind
        if wrong.any():
            raise self._refuse(
                f"cell {at + int(wrong.argmax())} of the spike buffer is of the other kind"
            )

    def _integrate(self, step: Instruction) -> None:
        (outputs, _, _), window = self._registers()
        kind, groups = self._flag(step, "kind"), step["groups"]
        sizes = (step["channels"], step["height"], step["width"])
        self._box(step["at"], sizes, kind + 1)
        if groups < 1 or sizes[0] % groups or outputs % groups:
            raise self._refuse(f"{groups} groups do not divide {sizes[0]} and {outputs} channels")
        codes = sizes[0] * window["kernel_y"] * window["kernel_x"] * (outputs // groups)
        if step["weights"] + codes > self._machine.weight_capacity:
            raise self._refuse("integrate reads beyond the weight buffer")
        if step["exponents"] + outputs > self._image.exponents.size:
            raise self._refuse("integrate reads beyond the exponents")
        # the worst case: all taps of a spike in every cell, of input numbers in every plane
        planes = self._machine.input_bits if kind else 1
        self._operations += codes * sizes[1] * sizes[2] * planes

    def _fire(self, step: Instruction) -> None:
        tile = self._known_tile()
        if step["table"] >= len(self._image.thresholds):
            raise self._refuse("fire reads beyond the thresholds")
        if not _inside(step["to"], tile, _steps(step), self._machine.spike_cells):
            raise self._refuse("fire writes beyond the spike memory")

    def _read(self, step: Instruction) -> None:
        tile = self._known_tile()
        if not _inside(step["to"], tile, _steps(step), self._machine.output_cells):
            raise self._refuse("read writes beyond the output memory")

    def _pool(self, step: Instruction) -> None:
        tile, window = self._registers()
        if window["pool_y"] != 1 or window["pool_x"] != 1:
            raise self._refuse("pool_y and pool_x have to be 1")
        self._box(step["at"], (tile[0], step["height"], step["width"]), 1)
        if not _inside(step["to"], tile, _steps(step), self._machine.spike_cells):
            raise self._refuse("pool writes beyond the spike memory")
