"""The description of a machine: sizes, defaults of what a network may choose, clock, energies.

It is one JSON file; that of the built-in machine is in `machines/`, a user may give another.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from snncc_backends import to_json
from snncc_ir import SnnccError, fail, why

BUILT_IN = "ttfs28"
COUNTERS = (
    "spikes", "synaptic_operations", "saturations", "weight_buffer_reads", "spike_buffer_reads",
    "accumulator_accesses", "comparisons", "external_bits_read", "external_bits_written", "cycles",
)  # fmt: skip
"""What the emulator counts for each layer, in its order."""

ENERGIES = {
    "synaptic_operation": ("synaptic_operations",),
    "weight_buffer_read": ("weight_buffer_reads",),
    "spike_buffer_read": ("spike_buffer_reads",),
    "accumulator_access": ("accumulator_accesses",),
    "comparison": ("comparisons",),
    "external_bit": ("external_bits_read", "external_bits_written"),
}
"""Each entry of the energy table, and the counters that it multiplies."""

ALLOWED: dict[str, tuple[int, int]] = {
    "slots": (2, 64), "weight_bits": (2, 8), "constant_bits": (8, 24),
    "accumulator_bits": (16, 32), "input_bits": (1, 12), "processing_elements": (1, 1 << 16),
    "weight_buffer": (1, 1 << 31), "spike_buffer": (1, 1 << 24), "accumulators": (1, 1 << 24),
    "bus_bits": (1, 1 << 16),
}  # fmt: skip
CHOICES = {"tau": (1, 2, 4, 8), "resolution": (1, 2, 4)}


@dataclass(frozen=True)
class Energy:
    """picojoule: of one event. source: where the number comes from."""

    picojoule: float
    source: str


@dataclass(frozen=True)
class Machine:
    """Names and ranges as in docs/targets/ttfs28.md; slots to input_bits are only defaults.

    clock_hz: cycles a second. static_watt: power that does not depend on what happens.
    """

    name: str
    description: str
    slots: int
    tau: int
    resolution: int
    weight_bits: int
    constant_bits: int
    accumulator_bits: int
    input_bits: int
    processing_elements: int
    weight_buffer: int
    spike_buffer: int
    accumulators: int
    bus_bits: int
    clock_hz: float
    static_watt: float
    energy: Mapping[str, Energy]

    @cached_property
    def content(self) -> bytes:
        """The description as canonical JSON."""
        table = {field.name: getattr(self, field.name) for field in fields(self)}
        table["energy"] = {
            key: {"picojoule": self.energy[key].picojoule, "source": self.energy[key].source}
            for key in ENERGIES
        }
        return to_json(table)

    @property
    def digest(self) -> bytes:
        """SHA-256 of `content`, 32 bytes."""
        return sha256(self.content).digest()


def load_machine(name: str) -> Machine:
    """The built-in machine by name, or a description by its path; raises SNN042."""
    if name == BUILT_IN:
        content = (files("snncc_ttfs28") / "machines" / f"{BUILT_IN}.json").read_bytes()
        return parse_machine(content, f"{BUILT_IN}.json")
    try:
        return parse_machine(Path(name).read_bytes(), name)
    except OSError as error:
        raise fail(
            "SNN042",
            f"the machine description cannot be read: {why(error)}",
            name,
            f"machine={BUILT_IN}, or the path of a .json file",
        ) from None


def parse_machine(content: bytes, place: str) -> Machine:
    """A machine from JSON; raises SNN042 for what is missing, unknown or out of range."""
    try:
        table = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"is no JSON: {why(error)}", place) from None
    if not isinstance(table, dict):
        raise _wrong("is no JSON object", place)
    names = {field.name: field.type for field in fields(Machine)}
    for key in sorted({*table} ^ {*names}):
        raise _wrong(f"{'lacks' if key in names else 'has an unknown'} '{key}'", place)
    values: dict[str, object] = {}
    for key, value in table.items():
        if key in ("name", "description"):
            if not isinstance(value, str):
                raise _wrong(f"has {key} {value!r}, should be text", place)
        elif key == "energy":
            value = _energies(value, place)
        elif not isinstance(value, int | float) or isinstance(value, bool):
            raise _wrong(f"has {key} {value!r}, should be a number", place)
        elif key in ALLOWED:
            low, high = ALLOWED[key]
            if not isinstance(value, int) or not low <= value <= high:
                raise _wrong(f"has {key} {value}, should be an integer {low} to {high}", place)
        elif key in CHOICES:
            if value not in CHOICES[key]:
                raise _wrong(f"has {key} {value}, should be one of {CHOICES[key]}", place)
        elif value < 0 or (key == "clock_hz" and value == 0):
            raise _wrong(f"has {key} {value}, should be positive", place)
        values[key] = value
    return Machine(**values)  # type: ignore[arg-type]


def _energies(value: object, place: str) -> dict[str, Energy]:
    if not isinstance(value, dict) or set(value) != set(ENERGIES):
        raise _wrong(f"has another energy table, should have {', '.join(ENERGIES)}", place)
    found = {}
    for key in ENERGIES:
        entry = value[key]
        number = entry.get("picojoule") if isinstance(entry, dict) else None
        if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number < 1e9:
            raise _wrong(f"has energy {key} {entry!r}, should have a number 'picojoule'", place)
        source = entry.get("source")
        if not isinstance(source, str) or not source:
            raise _wrong(f"has no 'source' for energy {key}, should name one", place)
        found[key] = Energy(float(number), source)
    return found


def _wrong(what: str, place: str) -> SnnccError:
    return fail(
        "SNN042",
        f"the machine description {what}",
        place,
        "docs/targets/ttfs28.md, which says what each number means",
    )
