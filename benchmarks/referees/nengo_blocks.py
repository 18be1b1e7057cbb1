"""Core maps as blocks of nengo-loihi 1.1.0: for its validator, and for its emulator.

Needs nengo-loihi (`numpy < 1.24`; its `python_requires` is met by 3.11), which nothing of snncc
imports.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from nengo_loihi.block import Axon, LoihiBlock, Synapse, SynapseConfig
from nengo_loihi.builder.validate import validate_block
from nengo_loihi.emulator import EmulatorInterface
from nengo_loihi.hardware.allocators import Allocator
from nengo_loihi.hardware.nxsdk_objects import (
    MAX_COMPARTMENT_CFGS,
    MAX_SYNAPSE_CFGS,
    MAX_VTH_CFGS,
    Board,
)
from nengo_loihi.hardware.validate import validate_core
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.synapses import effective_weights, read_lists

V_MOST = (1 << 23) - 1
NEVER = 131071
"""The largest threshold, for compartments that do not fire themselves."""
FIRING = (Program.FIRE_ZERO, Program.FIRE_JOINED)


@dataclass(frozen=True)
class Limits:
    """What nengo-loihi counts on the fullest core, and its limits."""

    used: dict[str, tuple[int, int]]


def blocks_of(core_map: CoreMap, chip: Chip) -> list[LoihiBlock]:
    """A block for each core; integers as on the chip (nengo's discretized form).

    nengo has one format for all synapses of an axon: an axon with several is as many axons there,
    and words that lists share are counted once for each distinct list. It has no compartments that
    hand on numbers: those are plain ones here, with the most common threshold of the core.
    """
    blocks = [_compartments(core) for core in core_map.cores]
    found = [_synapses(block, core, chip) for block, core in zip(blocks, core_map.cores,
                                                                 strict=True)]  # fmt: skip
    for block, core in zip(blocks, core_map.cores, strict=True):
        fields = core.output_axon_fields
        axons: dict[int, tuple[Synapse, NDArray[np.int32]]] = {}
        for sender, target, number in zip(
            fields["compartment"], fields["core"], fields["axon"], strict=True
        ):
            for synapse, place in found[target][number]:
                _, targets = axons.setdefault(
                    id(synapse), (synapse, np.full(block.n_neurons, -1, np.int32))
                )
                targets[sender] = place
        for synapse, targets in axons.values():
            axon = Axon(int(np.sum(targets >= 0)))
            axon.target = synapse
            axon.set_compartment_axon_map(targets)
            block.add_axon(axon)
    return blocks


def validate(blocks: Iterable[LoihiBlock]) -> Limits:
    """Runs nengo-loihi's validators and its builder's stricter limits; raises what they do."""
    used: dict[str, tuple[int, int]] = {}
    board = Board()
    board.new_chip()
    for block in blocks:
        validate_block(block)
        if len(board.chips[-1].cores) == 128:
            board.new_chip()
        Allocator().block_to_new_core(block, board.chips[-1])
        core = board.chips[-1].cores[-1]
        validate_core(core)
        counts = {
            **block.utilization(),
            "compartment profiles": (len(core.compartment_cfgs), MAX_COMPARTMENT_CFGS - 1),
            "threshold profiles": (len(core.vth_cfgs), MAX_VTH_CFGS - 1),
            "synapse formats": (len(core.synapse_cfgs) - 1, MAX_SYNAPSE_CFGS),
        }
        for name, (count, most) in counts.items():
            assert count <= most, f"{name}: {count}, should be at most {most}"
            used[name] = max(used.get(name, (0, most)), (int(count), most))
    return Limits(used)


def can_emulate(core_map: CoreMap) -> bool:
    """Whether the emulator knows all programs: no joined compartments, no delays."""
    programs = {int(p) for core in core_map.cores for p in core.profile_fields["program"]}
    delays = any(read_lists(core).delays.any() for core in core_map.cores)
    return programs <= {Program.FIRE_ZERO, Program.INTEGRATE} and not delays


class Emulator:
    """nengo-loihi's emulator on a map; compartments start and end as the map says."""

    def __init__(self, core_map: CoreMap, chip: Chip) -> None:
        model = _Model(blocks_of(core_map, chip))
        self._map = core_map
        self._emulator = EmulatorInterface(model, seed=0)
        self._first = np.concatenate(
            [core.profile_fields["first_step"][core.compartment_fields["profile"]]
             for core in core_map.cores]
        )  # fmt: skip

    def run(self, currents: list[Integers]) -> tuple[NDArray[np.bool_], Integers]:
        """Spikes and potentials after each step of the chip, (steps, compartments of all cores)."""
        state = self._emulator.compartment
        bias = state.bias.copy() + np.concatenate(currents).astype(np.int32)
        state.voltage[:] = np.concatenate(
            [core.compartment_fields["start"] for core in self._map.cores]
        )
        threshold = state.vth.copy()
        spikes, potentials = [], []
        for step in range(self._map.last_step):
            works = (self._first <= step) & (step < self._first + self._map.steps)
            state.bias[:] = np.where(works, bias, 0)
            state.vth[:] = np.where(works, threshold, 1 << 30)
            self._emulator.step()
            spikes.append(state.spiked.copy())
            potentials.append(state.voltage.astype(np.int64))
        return np.array(spikes), np.array(potentials)


class _Model:
    """What the emulator asks of a model."""

    def __init__(self, blocks: list[LoihiBlock]) -> None:
        self.blocks = blocks
        self.inputs: list[object] = []
        self.probes: list[object] = []
        self.dt = 0.001


def _compartments(core: Core) -> LoihiBlock:
    fields = core.compartment_fields
    profile = {name: v[fields["profile"]] for name, v in core.profile_fields.items()}
    block = LoihiBlock(len(core.compartments), label=f"core {core.place}")
    part = block.compartment
    fires = np.isin(profile["program"], FIRING)
    vth = np.where(fires, core.threshold_mantissas[fields["threshold"]], NEVER) << 6
    part.dtype = np.int32
    part.decay_u = profile["current_decay"].astype(np.int32)
    part.decay_v = profile["potential_decay"].astype(np.int32)
    part.refract_delay = profile["refractory"].astype(np.int32)
    part.bias = (fields["bias"] << profile["bias_exponent"]).astype(np.int32)
    part.vth = vth.astype(np.int32)
    part.scale_u = part.scale_v = False
    part.vmin, part.vmax = -V_MOST, V_MOST
    part.noise_exp, part.noise_offset = 0, 0
    return block


def _synapses(block: LoihiBlock, core: Core, chip: Chip) -> dict[int, list[tuple[Synapse, int]]]:
    """Adds nengo's synapses, one for each format; where each input axon of the map is in them."""
    axons, lists = core.input_axon_fields, read_lists(core)
    effective = effective_weights(core, lists, chip.numbers) << chip.numbers.weight_shift
    found: dict[int, list[tuple[Synapse, int]]] = {i: [] for i in range(len(lists.of_axon))}
    for number, form in enumerate(zip(*core.format_fields.values(), strict=True)):
        fields = dict(zip(core.format_fields, map(int, form), strict=True))
        weights: list[NDArray[np.int32]] = []
        indices: list[NDArray[np.int32]] = []
        row_of: dict[int, int] = {}
        for which, (first, last) in enumerate(pairwise(lists.rows)):
            mine = first + np.flatnonzero(lists.formats[first:last] == number)
            if len(mine):
                row_of[which] = len(weights)
                offsets, values = lists.offsets[mine], effective[mine]
                if not fields["index_bits"]:  # with the zeros between, which take memory
                    offsets = np.arange(offsets.min(), offsets.max() + 1)
                    values = np.zeros(len(offsets), np.int64)
                    values[lists.offsets[mine] - offsets[0]] = effective[mine]
                weights.append(values.astype(np.int32)[None])
                indices.append(offsets.astype(np.int32)[None])
        used = [i for i, which in enumerate(lists.of_axon) if int(which) in row_of]
        rows = [row_of[int(lists.of_axon[i])] for i in used]
        if not used:
            continue
        synapse = Synapse(len(used))
        for place, i in enumerate(used):
            found[i].append((synapse, place))
        synapse.weights, synapse.indices = weights, indices
        synapse.axon_compartment_bases = axons["base"][used].tolist()
        synapse.axon_to_weight_map = np.array(rows)
        synapse.format(
            compression=0 if fields["index_bits"] else 3,
            idx_bits=SynapseConfig.INDEX_BITS_MAP.index(fields["index_bits"])
            if fields["index_bits"]
            else synapse.idx_bits(),  # of dense rows nengo counts none, and still wants to see some
            fanout_type=1 + fields["sign"],
            n_synapses=63,
            delay_bits=fields["delay_bits"],
            weight_bits=SynapseConfig.WEIGHT_BITS_MAP.index(fields["weight_bits"]),
            weight_exp=fields["exponent"],
        )
        block.add_synapse(synapse)
    return found
