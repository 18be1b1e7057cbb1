"""What the referees need of a bundle of target loihi."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import snncc
from snncc_backends import Execution
from snncc_ir import Batch, Graph, Integers
from snncc_ir.ops import Input
from snncc_loihi.chip import Chip, Costs, parse_chip
from snncc_loihi.core_map import Core, CoreMap
from snncc_loihi.sanafe_export import SanaFe
from snncc_loihi.synapse_lists import axon_synapses

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Loaded:
    """populations: names, numbered as in the labels of compartments."""

    bundle: snncc.Bundle
    core_map: CoreMap
    chip: Chip
    populations: tuple[str, ...]


def load(folder: Path) -> Loaded:
    bundle = snncc.Bundle.load(folder)
    chip = parse_chip((folder / "loihi" / "chip.json").read_bytes(), "chip.json")
    core_map = read_map((folder / "loihi" / "map.bin").read_bytes())
    table = json.loads((folder / "loihi" / "cores.json").read_bytes())
    return Loaded(bundle, core_map, chip, tuple(p["name"] for p in table["populations"]))


def read_map(content: bytes) -> CoreMap:
    """A map's file, read as docs/targets/loihi.md says; `content` has been checked by its hash."""
    words = np.frombuffer(content, "<u8").astype(np.uint64)
    magic, version, cores, axons, biases, steps, _, digest = struct.unpack("<8s6I32s", content[:64])
    assert (magic, version) == (b"SNNCCMAP", 1), "should be a map of version 1"
    table = words[8 : 8 + 8 * cores].astype(np.int64).reshape(cores, 8)
    sizes = [int(size) for row in table for size in (row[1], *row[1:])] + [axons, biases, biases]
    parts = np.split(words[8 + 8 * cores :], np.cumsum(sizes))
    assert not len(parts.pop()), "should end with the host's weights"
    return CoreMap(
        steps,
        digest,
        tuple(Core(int(row[0]), *parts[8 * k : 8 * k + 8]) for k, row in enumerate(table)),
        *parts[8 * cores :],
    )


def input_numbers(graph: Graph, samples: Batch) -> Integers:
    """All input numbers of each sample, in the order of the map's host axons, (N, I)."""
    rows = []
    for node in graph.inputs:
        assert isinstance(node.op, Input)
        numbers = node.op.quantize(samples[node.name].astype(np.float64))
        rows.append(numbers.reshape(len(numbers), -1).astype(np.int64))
    return np.concatenate(rows, axis=1)


def trains(loaded: Loaded, export: SanaFe, execution: Execution, sample: int) -> list[Flags]:
    """Recorded spikes of a sample at the compartments that send them, for each core (steps of the
    chip, compartments)."""
    found = []
    for core, part in zip(loaded.core_map.cores, export.neurons, strict=True):
        sends = np.isin(np.arange(len(core.compartments)), part.sender)
        first = core.profile_fields["first_step"][core.compartment_fields["profile"]]
        train = np.zeros((loaded.core_map.last_step, len(core.compartments)), np.bool_)
        for number, name in enumerate(loaded.populations):
            mine = np.flatnonzero(sends & (core.label_fields["population"] == number))
            if name not in execution.spikes or not len(mine):
                continue
            sent = execution.spikes[name][sample]
            sent = sent.reshape(len(sent), -1)[:, core.label_fields["neuron"][mine]]
            steps = first[mine] + np.arange(len(sent))[:, None]
            train[steps, mine] = sent
        found.append(train)
    return found


@dataclass(frozen=True)
class Events:
    """What the spikes of a sample cause, as the map's words say."""

    dense: int
    sparse: int
    messages: int
    hops_x: int
    hops_y: int
    updates: int
    spikes: int

    def picojoules(self, costs: Costs) -> dict[str, float]:
        """By SANA-FE's kinds; every update is an active one."""
        network = (
            self.messages * (costs.message.picojoule + costs.receive.picojoule)
            + self.hops_x * costs.hop_x.picojoule
            + self.hops_y * costs.hop_y.picojoule
        )
        kinds = {
            "synapse": self.dense * costs.synapse_dense.picojoule
            + self.sparse * costs.synapse_sparse.picojoule,
            "soma": self.updates * costs.update_active.picojoule
            + self.spikes * costs.spike.picojoule,
            "network": network,
        }
        return {**kinds, "total": sum(kinds.values())}


def events(core_map: CoreMap, chip: Chip, spikes: Sequence[Flags]) -> Events:
    """spikes: for each core (steps, compartments)."""
    lists = [axon_synapses(core, chip.numbers) for core in core_map.cores]
    places = [chip.mesh.address(core.place)[2:] for core in core_map.cores]
    dense = sparse = messages = hops_x = hops_y = sent = 0
    for core, place, train in zip(core_map.cores, places, spikes, strict=True):
        counts, fields = train.sum(0), core.output_axon_fields
        sent += int(counts.sum())
        for compartment, target, axon in zip(
            fields["compartment"], fields["core"], fields["axon"], strict=True
        ):
            count, part = int(counts[compartment]), lists[target][axon]
            index_bits = core_map.cores[target].format_fields["index_bits"][part.formats]
            messages += count
            dense += count * int(np.sum(index_bits == 0))
            sparse += count * int(np.sum(index_bits > 0))
            hops_x += count * abs(places[target][0] - place[0])
            hops_y += count * abs(places[target][1] - place[1])
    updates = core_map.last_step * sum(len(core.compartments) for core in core_map.cores)
    return Events(dense, sparse, messages, hops_x, hops_y, updates, sent)
