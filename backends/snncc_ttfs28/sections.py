"""What target ttfs28 adds to the report: when each layer runs, and how full the buffers are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snncc_backends import Column, Execution, Figure, Section
from snncc_templates import render
from snncc_ttfs28.format import Ttfs28Format
from snncc_ttfs28.image import Image, Parameters
from snncc_ttfs28.isa import Instruction
from snncc_ttfs28.machine import parse_machine
from snncc_ttfs28.reader import read_image

KINDS: Mapping[str, tuple[str, ...]] = {
    "weights": ("weights",),
    "loading spikes": ("load", "clear", "start"),
    "integrating spikes": ("integrate", "pool"),
    "firing": ("fire", "read"),
}
"""What a layer's time goes to: by the instructions."""
MEASURED = "integrating spikes"
"""The kind whose time depends on the spikes."""
COLORS = ("#e69f00", "#56b4e9", "#0072b2", "#009e73")
"""Of the kinds, from Okabe and Ito's."""
LABEL, RIGHT, WIDTH, ROW, HEAD = 190.0, 70.0, 900.0, 19.0, 30.0
INPUT_MEMORY = 1


@dataclass(frozen=True)
class LayerTime:
    """Of one layer: when it begins, cycles of each kind, and its tiles."""

    name: str
    start: float
    cycles: Mapping[str, float]
    tiles: int
    weight_bits: int

    @property
    def total(self) -> float:
        return sum(self.cycles.values())


def sections(folder: Path, execution: Execution | None) -> tuple[Section, ...]:
    """folder: of the bundle. execution: without it there is no time line."""
    path = folder / Ttfs28Format.path
    content = path.read_bytes()
    image = read_image(content, str(path))
    found = [memory(image, len(content))]
    if execution is not None and execution.activity:
        beside = path.parent / "machine.json"
        machine = parse_machine(beside.read_bytes(), str(beside))
        found.insert(0, timeline(layer_times(image, execution), machine.clock_hz))
    return tuple(found)


def layer_times(image: Image, execution: Execution) -> list[LayerTime]:
    """Layers in the order in which they run; means over the samples.

    The cycles of all instructions but those that take spikes follow from their fields; the rest of
    a layer's cycles, as they were counted, is theirs.
    """
    found: list[LayerTime] = []
    start = 0.0
    for layer, steps in _by_layer(image.schedule).items():
        name = image.names[layer]
        total = float(np.mean(execution.activity[name]["cycles"]))
        cycles = dict.fromkeys(KINDS, 0.0)
        tile = 0
        for step in steps:
            tile = int(np.prod(step.fields)) if step.name == "tile" else tile
            kind = next((kind for kind, names in KINDS.items() if step.name in names), None)
            if kind is not None and kind != MEASURED:
                cycles[kind] += known_cycles(step, tile, image.parameters)
        cycles[MEASURED] = total - sum(cycles.values())
        found.append(
            LayerTime(
                name,
                start,
                cycles,
                sum(step.name in ("fire", "read", "pool") for step in steps),
                sum(step["count"] for step in steps if step.name == "weights")
                * image.parameters.weight_bits,
            )
        )
        start += total
    return found


def known_cycles(step: Instruction, tile: int, machine: Parameters) -> int:
    """Of an instruction that costs the same whatever the spikes are; docs/targets/ttfs28.md.

    tile: accumulators in use.
    """
    bus, elements = machine.bus_bits, machine.processing_elements
    match step.name:
        case "weights":
            return -(-step["count"] * machine.weight_bits // bus)
        case "clear":
            return -(-step["count"] // elements)
        case "load":
            cells = step["count_c"] * step["count_y"] * step["count_x"]
            from_input = step["space"] == INPUT_MEMORY
            bits = machine.input_bits + 1 if from_input else machine.slot_bits
            return -(-cells * bits // bus)
        case "start":
            return -(-tile // elements)
        case "fire":
            return machine.slots * -(-tile // elements) + -(-tile * machine.slot_bits // bus)
        case "read":
            return -(-tile * machine.accumulator_bits // bus)
    return 0


def _by_layer(schedule: Iterable[Instruction]) -> dict[int, list[Instruction]]:
    found: dict[int, list[Instruction]] = {}
    for step in schedule:
        if step.name != "end":
            found.setdefault(step.layer, []).append(step)
    return found


def timeline(times: list[LayerTime], clock_hz: float) -> Section:
    """The schedule of a sample: layer after layer, and what each one's time goes to."""
    end = sum(each.total for each in times)
    milliseconds = 1e3 * end / clock_hz
    longest = max(times, key=lambda each: each.total)
    shares = {kind: sum(each.cycles[kind] for each in times) / max(end, 1) for kind in KINDS}
    most = max(shares, key=lambda kind: shares[kind])
    return Section(
        "schedule",
        "Schedule of a sample",
        "Layers run one after the other, each in tiles that fit the buffers; the bars are cycles, "
        f"means over the samples. The longest is {longest.name} with "
        f"{100 * longest.total / max(end, 1):.0f} % of the time; {100 * shares[most]:.0f} % of all "
        f"cycles are for {most}. Nothing overlaps, so this is an upper bound.",
        svg=_picture(times, end, milliseconds),
        label=f"Time line of {len(times)} layers in {end:,.0f} cycles",
        columns=(
            Column("layer"),
            Column("tiles"),
            Column("start", "cycles"),
            Column("duration", "cycles"),
            *(Column(kind, "cycles") for kind in KINDS),
            Column("weights read", "bits"),
        ),
        rows=tuple(
            (
                each.name,
                each.tiles,
                round(each.start, 1),
                round(each.total, 1),
                *(round(each.cycles[kind], 1) for kind in KINDS),
                each.weight_bits,
            )
            for each in times
        ),
        figures=(Figure("cycles", end, "cycles"), Figure("latency", milliseconds, "ms")),
    )


def _picture(times: list[LayerTime], end: float, milliseconds: float) -> str:
    room = WIDTH - LABEL - RIGHT
    per_cycle = room / max(end, 1)
    bars = []
    for row, each in enumerate(times):
        at = each.start
        for kind, color in zip(KINDS, COLORS, strict=True):
            wide = each.cycles[kind] * per_cycle
            if wide > 0:
                title = f"{each.name}, {kind}: {each.cycles[kind]:,.0f} cycles"
                bars.append(
                    (round(LABEL + at * per_cycle, 2), row, max(round(wide, 2), 0.4), color, title)
                )
            at += each.cycles[kind]
    ticks = [
        (round(LABEL + share * room, 2), f"{share * milliseconds:.3g}")
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    return render(
        "ttfs28/schedule.svg.j2",
        width=WIDTH,
        height=HEAD + ROW * len(times) + 34,
        row=ROW,
        head=HEAD,
        label=LABEL,
        names=[each.name for each in times],
        ends=[
            (round(LABEL + (each.start + each.total) * per_cycle + 5, 2), f"{each.total:,.0f}")
            for each in times
        ],
        bars=bars,
        ticks=ticks,
        legend=list(zip(KINDS, COLORS, strict=True)),
    )


def memory(image: Image, size: int) -> Section:
    """How full the buffers get, and what lies beside them. size: bytes of the image."""
    machine, schedule = image.parameters, image.schedule
    weights = max((i["to"] + i["count"] for i in schedule if i.name == "weights"), default=0)
    spikes = max((_last_cell(i) for i in schedule if i.name == "load"), default=0)
    sums = max((int(np.prod(i.fields)) for i in schedule if i.name == "tile"), default=0)
    room = {
        "weight buffer": (weights, machine.weight_buffer // machine.weight_bits, "weights"),
        "spike buffer": (spikes, machine.spike_buffer, "cells"),
        "accumulators": (sums, machine.accumulators, "accumulators"),
    }
    inputs = machine.input_cells * (machine.input_bits + 1)
    outputs = machine.output_cells * machine.accumulator_bits
    outside = machine.spike_cells * machine.slot_bits
    used = ", ".join(f"{name} {100 * u / max(of, 1):.0f} %" for name, (u, of, _) in room.items())
    return Section(
        "memory",
        "Buffers and image",
        "The fullest that each buffer on the chip gets, and what lies in external memory.",
        columns=(
            Column("memory"),
            Column("used at most"),
            Column("of"),
            Column("used", "%"),
            Column("counted in"),
        ),
        rows=(
            *(
                (name, u, of, round(100 * u / max(of, 1), 1), unit)
                for name, (u, of, unit) in room.items()
            ),
            ("image", size, None, None, "bytes"),
            ("spike memory", _bytes(outside), None, None, "bytes"),
            ("input memory", _bytes(inputs), None, None, "bytes"),
            ("output memory", _bytes(outputs), None, None, "bytes"),
        ),
        figures=(Figure("image", size, "bytes"),),
        sentence=f"It fits: every layer is cut into tiles for the buffers ({used} at the fullest); "
        f"the image has {size / 1000:,.0f} kB.",
    )


def _last_cell(step: Instruction) -> int:
    """One behind the last cell of the spike buffer that a load writes."""
    last = sum((step[f"count_{axis}"] - 1) * step[f"to_{axis}"] for axis in "cyx")
    return step["to"] + last + 1


def _bytes(bits: int) -> int:
    return -(-bits // 8)
