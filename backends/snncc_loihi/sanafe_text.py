"""The two YAML files of SANA-FE, as text; `sanafe_export` says what stands in them and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Chip, Cost, Costs, Mesh
from snncc_loihi.core_map import Core, CoreMap

Flags = NDArray[np.bool_]

NEVER = 1.0e12
"""A threshold that no potential reaches."""
IN_UNIT = 1024
"""Neurons that one of SANA-FE's somas and dendrites can hold."""
RESETS = ("none", "hard", "soft")
NONE, HARD, SOFT = range(3)


@dataclass(frozen=True)
class Neurons:
    """What the compartments of one core are in SANA-FE, (C) each.

    sender: the compartment whose spikes these are, −1 for none. threshold: `NEVER` for those that
    never fire. reset: of `RESETS`. potential: at first. bias: without the host's. played: the
    spikes have to be given. traced: readouts and lanes of max pools, whose potentials are wanted.
    """

    sender: Integers
    threshold: NDArray[np.float64]
    reset: Integers
    potential: Integers
    bias: Integers
    first_step: Integers
    played: Flags
    traced: Flags


@dataclass(frozen=True)
class Edges:
    """Synapses from one core to another, (S) each."""

    sources: Integers
    targets: Integers
    weights: Integers
    delays: Integers
    dense: Flags


def group(core: int) -> str:
    """SANA-FE sorts groups by name: leading zeros keep the order of cores."""
    return f"c{core:05}"


def architecture(core_map: CoreMap, chip: Chip, costs: Costs, neurons: tuple[Neurons, ...]) -> str:
    return "\n".join(_architecture(core_map, chip, costs, neurons)) + "\n"


def network(
    core_map: CoreMap,
    chip: Chip,
    neurons: tuple[Neurons, ...],
    edges: Mapping[tuple[int, int], Edges],
    one_unit: bool,
) -> str:
    return "\n".join(_network(core_map, chip, neurons, edges, one_unit)) + "\n"


def _architecture(
    core_map: CoreMap, chip: Chip, costs: Costs, neurons: tuple[Neurons, ...]
) -> Iterator[str]:
    """The lines of the architecture's file; cores that hold nothing have one unit of each."""
    mesh = chip.mesh
    width, height = _extent(core_map, mesh)
    units = {}
    for core, part in zip(core_map.cores, neurons, strict=True):
        units[_place(core, mesh, height)] = (int(part.played.sum()), int((~part.played).sum()))
    yield "architecture:"
    yield f"  name: {chip.name}"
    yield "  attributes:"
    yield "    topology: mesh"
    yield f"    width: {width}"
    yield f"    height: {height}"
    yield "    link_buffer_size: 16"
    yield "    sync_model: fixed"
    yield f"    latency_sync: {_seconds(costs.barrier)}"
    yield "  tile:"
    for tile in range(width * height):
        yield f"    - name: tile{tile}"
        yield "      attributes:"
        for side, hop in (("north", costs.hop_y), ("east", costs.hop_x),
                          ("south", costs.hop_y), ("west", costs.hop_x)):  # fmt: skip
            yield f"        energy_{side}_hop: {_joules(hop)}"
            yield f"        latency_{side}_hop: {_seconds(hop)}"
        yield "      core:"
        for number in range(mesh.cores_per_tile):
            yield from _core(number, *units.get((tile, number), (0, 1)), costs)


def _core(number: int, played: int, computed: int, costs: Costs) -> Iterator[str]:
    yield f"        - name: core{number}"
    yield (
        "          attributes: {buffer_position: dendrite, buffer_inside_unit: true, "
        f"max_neurons_supported: {played + computed}}}"
    )
    yield "          axon_in:"
    yield f"            - {_unit('in', '', costs.receive, '_message_in')}"
    yield "          soma:"
    soma = ", ".join(
        f"{kind}_{what}: {text(cost)}"
        for kind, text in (("energy", _joules), ("latency", _seconds))
        for what, cost in (
            ("access_neuron", costs.update_active),
            ("update_neuron", Cost(0, 0)),
            ("spike_out", costs.spike),
        )
    )
    for name, model, last in (
        ("neurons", "leaky_integrate_fire", (computed - 1) // IN_UNIT),
        ("played", "input", played - 1),
    ):
        if last >= 0:
            attributes = f"attributes: {{model: {model}, {soma}}}"
            yield f'            - {{name: "{name}[0..{last}]", {attributes}}}'
    yield "          dendrite:"
    sums = f"sums[0..{(played + computed - 1) // IN_UNIT}]"
    yield f"            - {_unit(sums, 'accumulator_with_delay', Cost(0, 0), '_update')}"
    yield "          synapse:"
    for name, cost in (("sparse", costs.synapse_sparse), ("dense", costs.synapse_dense)):
        yield f"            - {_unit(name, 'current_based', cost, '_process_spike')}"
    yield "          axon_out:"
    yield f"            - {_unit('out', '', costs.message, '_message_out')}"


def _unit(name: str, model: str, cost: Cost, what: str) -> str:
    kind = f"model: {model}, " if model else ""
    prices = f"energy{what}: {_joules(cost)}, latency{what}: {_seconds(cost)}"
    return f'{{name: "{name}", attributes: {{{kind}{prices}}}}}'


def _network(
    core_map: CoreMap,
    chip: Chip,
    neurons: tuple[Neurons, ...],
    edges: Mapping[tuple[int, int], Edges],
    one_unit: bool,
) -> Iterator[str]:
    """The lines of the network's file."""
    dense = [np.zeros(len(core.compartments), np.bool_) for core in core_map.cores]
    for (_, target), synapses in edges.items():
        dense[target][synapses.targets[synapses.dense]] = not one_unit
    yield "network:"
    yield "  name: snncc"
    yield "  groups:"
    for number, part in enumerate(neurons):
        yield f"    - name: {group(number)}"
        yield "      attributes: [force_update: true]"
        yield "      neurons:"
        lines = list(_attributes(part, dense[number]))
        first = 0
        for i, line in enumerate(lines):
            if i + 1 == len(lines) or lines[i + 1] != line:
                yield (
                    f"        - {first}..{i}: [{line}]" if i > first else f"        - {i}: [{line}]"
                )
                first = i + 1
    yield "  edges:" if edges else "  edges: []"
    for (source, target), synapses in edges.items():
        pairs = np.stack([synapses.sources, synapses.targets], 1).tolist()
        weights, delays = synapses.weights.tolist(), synapses.delays.tolist()
        yield (
            f"    - {group(source)} -> {group(target)}: [type: sparse, "
            f"source_target_pairs: {_list(pairs)}, weight: {_list(weights)}, "
            f"delay: {_list(delays)}]"
        )
    height = _extent(core_map, chip.mesh)[1]
    yield "mappings:"
    for number, core in enumerate(core_map.cores):
        tile, place = _place(core, chip.mesh, height)
        yield f"  - {group(number)}: [core: {tile}.{place}]"


def _attributes(part: Neurons, dense: Flags) -> Iterator[str]:
    """Of each neuron, as text."""
    inputs = neurons = 0
    for i, played in enumerate(part.played):
        dendrite = f'dendrite_hw_name: "sums[{i // IN_UNIT}]"'
        if played:
            yield f'log_spikes: true, soma_hw_name: "played[{inputs}]", {dendrite}'
            inputs += 1
            continue
        yield (
            f"log_spikes: {_flag(part.sender[i] >= 0)}, log_potential: {_flag(part.traced[i])}, "
            f"threshold: {float(part.threshold[i])!r}, reset_mode: {RESETS[part.reset[i]]}, "
            f"potential: {part.potential[i]}, bias: {part.bias[i]}, "
            f'soma_hw_name: "neurons[{neurons // IN_UNIT}]", {dendrite}, '
            f"synapse_hw_name: {'dense' if dense[i] else 'sparse'}"
        )
        neurons += 1


def _extent(core_map: CoreMap, mesh: Mesh) -> tuple[int, int]:
    """Tiles along x and y of all chips that hold something."""
    chips = 1 + max((core.place // mesh.cores for core in core_map.cores), default=0)
    return (
        mesh.width * min(chips, mesh.chips_in_row),
        mesh.height * -(-chips // mesh.chips_in_row),
    )


def _place(core: Core, mesh: Mesh, height: int) -> tuple[int, int]:
    """SANA-FE's tile, whose x is tile // height and y is tile % height, and the core in it."""
    _, _, x, y = mesh.address(core.place)
    return x * height + y, core.place % mesh.cores_per_tile


def _flag(value: np.bool_) -> str:
    return "true" if value else "false"


def _list(values: list[int] | list[list[int]]) -> str:
    return str(values).replace(" ", "")


def _joules(cost: Cost) -> str:
    return f"{Decimal(repr(cost.picojoule)).scaleb(-12):e}"


def _seconds(cost: Cost) -> str:
    return f"{Decimal(repr(cost.nanosecond)).scaleb(-9):e}"
