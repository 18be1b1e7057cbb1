"""Small core maps made by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Core, CoreMap, Program
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
