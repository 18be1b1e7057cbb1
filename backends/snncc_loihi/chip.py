"""The description of a chip: its mesh, limits, number formats, neurons, energies and times.

It is one JSON file (`chips/chip.schema.json` is its schema, where each entry says what it is);
those of the built-in chips are in `chips/`, a user may give another.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from snncc_backends import to_json
from snncc_ir import SnnccError, fail, why

BUILT_IN = ("loihi2", "loihi1")


@dataclass(frozen=True)
class Mesh:
    """Cores of a chip, tiles of `cores_per_tile` along x and y, chips in rows."""

    cores: int
    cores_per_tile: int
    width: int
    height: int
    chips_in_row: int
    most_chips: int

    def address(self, place: int) -> tuple[int, int, int, int]:
        """chip, tile, x and y of a physical core; x and y are counted over all chips.

        Tiles of a chip are numbered column by column: x = tile // height, y = tile % height.
        """
        chip, core = divmod(place, self.cores)
        tile = core // self.cores_per_tile
        row, column = divmod(chip, self.chips_in_row)
        x, y = divmod(tile, self.height)
        return chip, tile, column * self.width + x, row * self.height + y


@dataclass(frozen=True)
class Limits:
    """Of each core; 0 is no limit for synapse_words and core_bytes."""

    compartments: int
    input_axons: int
    output_axons: int
    synapse_words: int
    profiles: int
    thresholds: int
    formats: int
    least_axon_base: int
    axon_base: int
    delay: int
    core_bytes: int
    compartment_bytes: int
    axon_bytes: int


@dataclass(frozen=True)
class Numbers:
    """Number formats; widths are in bits."""

    weight_bits: tuple[int, ...]
    index_bits: tuple[int, ...]
    delay_bits: int
    mixed_step: int
    weight_shift: int
    most_exponent: int
    bias_mantissa: int
    bias_exponent: int
    threshold_mantissa: int
    threshold_shift: int
    potential_bits: int
    accumulator_bits: int


@dataclass(frozen=True)
class Features:
    """What neurons can do: soft_reset is `native`, `coupled` or `none`."""

    soft_reset: str
    signed_spikes: bool
    payload: int
    joins: bool
    held_currents: bool
    runs: bool


@dataclass(frozen=True)
class Cost:
    """Of one event."""

    picojoule: float
    nanosecond: float


@dataclass(frozen=True)
class Costs:
    """A set of energies and times that belong together; `source` says where they come from."""

    name: str
    source: str
    synapse_dense: Cost
    synapse_sparse: Cost
    update_idle: Cost
    update_active: Cost
    spike: Cost
    message: Cost
    receive: Cost
    hop_x: Cost
    hop_y: Cost
    chip_link: Cost
    barrier: Cost


@dataclass(frozen=True)
class Chip:
    """A chip; `content` is its description as canonical JSON."""

    name: str
    description: str
    mesh: Mesh
    limits: Limits
    numbers: Numbers
    features: Features
    costs: Mapping[str, Costs]
    default_costs: str
    content: bytes

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of `content`, 32 bytes."""
        return sha256(self.content).digest()

    @property
    def most_cores(self) -> int:
        """Cores of the largest system."""
        return self.mesh.cores * self.mesh.most_chips

    @property
    def models(self) -> tuple[str, ...]:
        """The neuron models that the chip can run, by their names in the IR."""
        features, found = self.features, ["hard-if", "readout"]
        native = features.soft_reset == "native"
        if native or (features.soft_reset == "coupled" and features.joins):
            found.append("if")
        if native and features.signed_spikes:
            found.append("signed-if")
        if native and features.payload > 1:
            found.append("graded")
        if native and features.payload > 1 and features.signed_spikes:
            found.append("signed-graded")
        return tuple(found)


def load_chip(name: str) -> Chip:
    """A built-in chip by name, or a description by its path; raises SNN042."""
    if name in BUILT_IN:
        return _built_in(name)
    try:
        return parse_chip(Path(name).read_bytes(), name)
    except OSError as error:
        raise fail(
            "SNN042",
            f"the chip description cannot be read: {why(error)}",
            name,
            f"--chip {' or '.join(BUILT_IN)}, or the path of a .json file",
        ) from None


@cache
def _built_in(name: str) -> Chip:
    return parse_chip(_file(f"{name}.json"), f"{name}.json")


def parse_chip(content: bytes, place: str) -> Chip:
    """A chip from JSON; raises SNN042 for what breaks the schema or contradicts itself."""
    try:
        table = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _wrong(f"is no JSON: {why(error)}", place) from None
    finding = best_match(_validator().iter_errors(table))
    if finding is not None:
        where = ".".join(map(str, finding.absolute_path)) or "the whole"
        raise _wrong(f"is wrong at {where}: {finding.message[:300]}", place)

    def values(part: str) -> dict[str, object]:
        found = {key: entry["value"] for key, entry in table[part].items()}
        return {k: tuple(sorted(v)) if isinstance(v, list) else v for k, v in found.items()}

    costs = {name: _costs(name, entries) for name, entries in table["costs"].items()}
    chip = Chip(
        table["name"],
        table["description"],
        Mesh(**values("mesh")),  # type: ignore[arg-type]
        Limits(**values("limits")),  # type: ignore[arg-type]
        Numbers(**values("numbers")),  # type: ignore[arg-type]
        Features(**values("features")),  # type: ignore[arg-type]
        costs,
        table["default_costs"],
        to_json(table),
    )
    for what in contradictions(chip):
        raise _wrong(what, place)
    return chip


def contradictions(chip: Chip) -> list[str]:
    """What a chip says of itself that cannot be, one sentence each."""
    mesh, limits, numbers, features = chip.mesh, chip.limits, chip.numbers, chip.features
    found = []
    if mesh.width * mesh.height * mesh.cores_per_tile != mesh.cores:
        found.append(
            f"has {mesh.cores} cores, should be width · height · cores_per_tile = "
            f"{mesh.width * mesh.height * mesh.cores_per_tile}"
        )
    if not limits.synapse_words and not limits.core_bytes:
        found.append("has no limit on synapses, should have synapse_words or core_bytes")
    taken = limits.compartments * limits.compartment_bytes
    if limits.core_bytes and taken > limits.core_bytes:
        found.append(
            f"has {limits.compartments} compartments of {limits.compartment_bytes} bytes in "
            f"{limits.core_bytes} bytes, should have room for them"
        )
    reach = limits.axon_base + (1 << max(numbers.index_bits)) - 1
    if reach < limits.compartments - 1:
        found.append(
            f"reaches compartment {reach} with axon_base and index_bits, should be at least "
            f"{limits.compartments - 1}"
        )
    if limits.delay >= 1 << numbers.delay_bits:
        found.append(f"has delays of {limits.delay} in {numbers.delay_bits} bits, should fit them")
    if max(numbers.weight_bits) > 8:
        found.append(f"has weights of {max(numbers.weight_bits)} bits, should be at most 8")
    if numbers.potential_bits > 24:
        found.append(f"has potentials of {numbers.potential_bits} bits, should be at most 24")
    if features.soft_reset == "coupled" and not features.joins:
        found.append("has a coupled soft reset without joins, should have both or neither")
    if features.held_currents and features.payload == 1:
        found.append("has held currents without graded spikes, should have a payload above 1")
    if chip.default_costs not in chip.costs:
        found.append(
            f"has default_costs '{chip.default_costs}', should be one of {', '.join(chip.costs)}"
        )
    return found


def _costs(name: str, entries: Mapping[str, Mapping[str, float]]) -> Costs:
    events = {
        field.name: Cost(float(entries[field.name]["picojoule"]),
                         float(entries[field.name]["nanosecond"]))
        for field in fields(Costs)
        if field.name not in ("name", "source")
    }  # fmt: skip
    return Costs(name=name, source=str(entries["source"]), **events)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(_file("chip.schema.json")))


def _file(name: str) -> bytes:
    return (files("snncc_loihi") / "chips" / name).read_bytes()


def _wrong(what: str, place: str) -> SnnccError:
    return fail(
        "SNN042",
        f"the chip description {what}",
        place,
        "docs/targets/loihi.md, which says what each number means; loihi2.json is an example",
    )
