"""Small core maps made by hand, and what they do, step by step, as the specification says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.synapse_lists import axon_synapses
from snncc_loihi.words import Words, pack

WEIGHT_BITS, INDEX_BITS, DELAY_BITS = 8, 6, 3


@dataclass(frozen=True)
class Compartment:
    program: Program
    first: int = 0
    threshold: int = 1
    bias: int = 0
    bias_exponent: int = 0
    start: int = 0
    most: int = 0


@dataclass(frozen=True)
class Part:
    """A core: axons are lists of (target, stored weight, delay). sends: (compartment, core, axon).

    dense: axons without indices and delays, with a weight for each compartment. exponent: of all
    weights.
    """

    place: int
    compartments: Sequence[Compartment]
    axons: Sequence[Sequence[tuple[int, int, int]]] = ()
    sends: Sequence[tuple[int, int, int]] = ()
    dense: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    exponent: int = 0


@dataclass(frozen=True)
class Host:
    """axons: (input, core, axon). biases: (input, core, compartment, weight)."""

    axons: Sequence[tuple[int, int, int]] = ()
    biases: Sequence[tuple[int, int, int, int]] = field(default=())


def make_map(chip: Chip, steps: int, parts: Sequence[Part], host: Host | None = None) -> CoreMap:
    host = host or Host()
    axons, biases = _columns(host.axons, 3), _columns(host.biases, 4)
    return CoreMap(
        steps,
        chip.digest,
        tuple(_core(part) for part in parts),
        pack("host_axon", dict(zip(("input", "core", "axon"), axons, strict=True))),
        pack("host_bias", dict(zip(("input", "core", "compartment"), biases[:3], strict=True))),
        pack("host_weight", {"weight": biases[3]}),
    )


def run_map(core_map: CoreMap, chip: Chip, currents: Sequence[Integers]) -> tuple[
    list[NDArray[np.bool_]], list[Integers]
]:  # fmt: skip
    """Spikes and potentials of each core, (steps, compartments); one compartment after another."""
    numbers = chip.numbers
    lists = [axon_synapses(core, numbers) for core in core_map.cores]
    sizes = [len(core.compartments) for core in core_map.cores]
    steps = core_map.last_step
    arriving = [np.zeros((steps + 9, size), np.int64) for size in sizes]
    potential = [core.compartment_fields["start"].copy() for core in core_map.cores]
    spikes = [np.zeros((steps, size), np.bool_) for size in sizes]
    trace = [np.zeros((steps, size), np.int64) for size in sizes]
    sent = [np.zeros(size, np.int64) for size in sizes]
    for step in range(steps):
        for k, core in enumerate(core_map.cores):
            joined = 0
            for i in range(sizes[k]):
                profile = core.compartment_fields["profile"][i]
                fields = {name: int(v[profile]) for name, v in core.profile_fields.items()}
                if not fields["first_step"] <= step < fields["first_step"] + core_map.steps:
                    continue
                bias = int(core.compartment_fields["bias"][i]) << fields["bias_exponent"]
                potential[k][i] += arriving[k][step, i] + bias + currents[k][i]
                mantissa = int(core.threshold_mantissas[core.compartment_fields["threshold"][i]])
                program, v = Program(fields["program"]), int(potential[k][i])
                fires = 0
                if program == Program.INTEGRATE:
                    joined = v
                elif program == Program.INTEGRATE_MAX:
                    joined = max(joined, v)
                elif program == Program.FIRE_JOINED:
                    fires = joined > mantissa << numbers.threshold_shift
                elif program == Program.FIRE_ZERO:
                    fires = v > mantissa << numbers.threshold_shift
                    potential[k][i] = 0 if fires else v
                elif program == Program.FIRE_SUBTRACT:
                    fires = v >= (mantissa + 1) << numbers.threshold_shift
                    potential[k][i] -= fires * ((mantissa + 1) << numbers.threshold_shift)
                else:
                    fires = joined - int(sent[k][i])
                sent[k][i] += fires
                spikes[k][step, i] = fires
            trace[k][step] = potential[k]
        for k, core in enumerate(core_map.cores):
            axons = core.output_axon_fields
            for i, target, axon in zip(
                axons["compartment"], axons["core"], axons["axon"], strict=True
            ):
                if spikes[k][step, i]:
                    found = lists[target][axon]
                    when = step + 1 + found.delays
                    np.add.at(arriving[target], (when, found.targets), found.weights)
    return spikes, trace


def _core(part: Part) -> Core:
    compartments = part.compartments
    numbers = np.arange(len(compartments))
    column = {
        name: np.array([getattr(c, name) for c in compartments], np.int64)
        for name in ("program", "first", "threshold", "bias", "bias_exponent", "start", "most")
    }
    zero = np.zeros_like(numbers)
    names = ("program", "bias_exponent", "most", "first")
    rows = np.stack([column[name] for name in names], axis=1)
    profiles, profile = np.unique(rows, axis=0, return_inverse=True)
    shared = dict(zip(names, profiles.T, strict=True))
    none = np.zeros(len(profiles), np.int64)
    lists = [_list(axon, i in part.dense) for i, axon in enumerate(part.axons)]
    lengths = np.array([len(words) for words in lists], np.int64)
    held = np.array([i in part.held for i in range(len(lists))], np.int64)
    sends = _columns(sorted(part.sends), 3)
    return Core(
        part.place,
        pack("compartment", {"bias": column["bias"], "profile": profile.reshape(-1),
                             "threshold": numbers, "start": column["start"]}),
        pack("label", {"neuron": numbers, "population": zero, "lane": zero}),
        pack("profile", {
            "program": shared["program"], "bias_exponent": shared["bias_exponent"],
            "most": shared["most"], "signed": none, "first_step": shared["first"],
            "current_decay": none + 4095, "potential_decay": none, "refractory": none + 1,
        }),
        pack("threshold", {"mantissa": column["threshold"]}),
        pack("format", {
            "weight_bits": np.array([WEIGHT_BITS] * 2), "sign": np.array([0, 0]),
            "index_bits": np.array([INDEX_BITS, 0]), "delay_bits": np.array([DELAY_BITS, 0]),
            "exponent": np.array([part.exponent] * 2), "run": np.array([0, 0]),
        }),
        pack("input_axon", {
            "pointer": np.cumsum(lengths) - lengths, "words": lengths, "base": held * 0,
            "held": held,
        }),
        np.concatenate([np.zeros(0, np.uint64), *lists]),
        pack("output_axon", dict(zip(("compartment", "core", "axon"), sends, strict=True))),
    )  # fmt: skip


def _list(axon: Sequence[tuple[int, int, int]], dense: bool) -> Words:
    """One block, lowest bits first."""
    bits, place = len(axon) - 1 | dense << 6, 10
    for target, stored, delay in axon:
        entry = stored & 0xFF if dense else target | delay << 6 | (stored & 0xFF) << 9
        bits |= entry << place
        place += 8 if dense else 17
    words = -(-place // 64)
    return np.frombuffer(bits.to_bytes(8 * words, "little"), "<u8").astype(np.uint64)


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> list[Integers]:
    table: Integers = np.array(rows, np.int64).reshape(-1, count)
    return list(table.T)
