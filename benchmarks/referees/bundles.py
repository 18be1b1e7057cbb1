"""What the referees need of a bundle of target loihi."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import snncc
from snncc_backends import Execution
from snncc_ir import Batch, Graph, Integers
from snncc_ir.ops import Input
from snncc_loihi.binary import read_map
from snncc_loihi.chip import Chip, parse_chip
from snncc_loihi.core_map import CoreMap

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
    core_map = read_map((folder / "loihi" / "map.bin").read_bytes(), "map.bin")
    table = json.loads((folder / "loihi" / "cores.json").read_bytes())
    return Loaded(bundle, core_map, chip, tuple(p["name"] for p in table["populations"]))


def input_numbers(graph: Graph, samples: Batch) -> Integers:
    """All input numbers of each sample, in the order of the map's host axons, (N, I)."""
    rows = []
    for node in graph.inputs:
        assert isinstance(node.op, Input)
        numbers = node.op.quantize(samples[node.name].astype(np.float64))
        rows.append(numbers.reshape(len(numbers), -1).astype(np.int64))
    return np.concatenate(rows, axis=1)


def trains(
    loaded: Loaded, senders: Sequence[Integers], execution: Execution, sample: int
) -> list[Flags]:
    """Recorded spikes of a sample, for each core (steps of the chip, compartments).

    senders: of each core, the compartments that send the spikes of their neurons.
    """
    found = []
    for core, sending in zip(loaded.core_map.cores, senders, strict=True):
        sends = np.isin(np.arange(len(core.compartments)), sending)
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
