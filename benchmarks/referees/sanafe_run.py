"""One sample through SANA-FE: an export with its host's numbers in, spikes, potentials, joules out.

Needs `sanafe` 2.2.9 (GPL-3), which nothing of snncc imports.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sanafe
from numpy.typing import NDArray

from snncc_ir import Integers
from snncc_loihi.core_map import CoreMap
from snncc_loihi.sanafe_export import SanaFe
from snncc_loihi.sanafe_text import NEVER, group

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Found:
    """What SANA-FE says of one sample.

    spikes: for each core (steps of the chip, compartments). potentials: of the traced ones,
    (steps, compartments), 0 elsewhere. joules: by SANA-FE's kinds. operations, messages, hops:
    their numbers. seconds: simulated time.
    """

    spikes: tuple[Flags, ...]
    potentials: tuple[NDArray[np.float64], ...]
    joules: dict[str, float]
    operations: int
    messages: int
    hops: int
    seconds: float


class Machine:
    """A chip of SANA-FE with a map on it.

    Attributes are set for dendrite and soma alike (`model_attributes`): SANA-FE 2.2.9 gives its
    soma_attributes to the dendrite.
    """

    def __init__(self, core_map: CoreMap, export: SanaFe) -> None:
        self._map, self._export = core_map, export
        with tempfile.TemporaryDirectory() as name, _quiet():
            folder = Path(name)
            (folder / "chip.yaml").write_text(export.architecture)
            (folder / "net.yaml").write_text(export.network)
            architecture = sanafe.load_arch(folder / "chip.yaml")
            network = sanafe.load_net(folder / "net.yaml", architecture)
            self._chip = sanafe.SpikingChip(architecture)
            self._chip.load(network)
        groups = self._chip.mapped_neuron_groups
        self._neurons = [list(groups[group(k)]) for k in range(len(core_map.cores))]
        self._cores = {group(k): k for k in range(len(core_map.cores))}

    def run(self, currents: Sequence[Integers], played: Sequence[Flags]) -> Found:
        """currents: `host_currents` of the sample. played: spikes of the neurons that SANA-FE
        cannot compute, for each core (steps of the chip, compartments)."""
        steps = self._map.last_step
        sizes = [len(core.compartments) for core in self._map.cores]
        spikes = [np.zeros((steps, size), np.bool_) for size in sizes]
        potentials = [np.zeros((steps, size)) for size in sizes]
        joules: dict[str, float] = {}
        operations, messages, hops, seconds = 0, 0, 0, 0.0
        self._chip.reset()
        self._begin(played)
        changes = self._changes(steps)
        for first, last in zip(changes, [*changes[1:], steps], strict=True):
            self._switch(first, currents)
            with _quiet():
                result = self._chip.sim(
                    last - first, spike_trace=True, potential_trace=True, perf_trace=True
                )
            for step, sent in enumerate(result["spike_trace"], first):
                for address in sent:
                    core = self._cores[address.group_name]
                    compartment = self._export.neurons[core].sender[address.neuron_offset]
                    spikes[core][step, compartment] = True
            for step, row in enumerate(result["potential_trace"], first):
                self._record(potentials, step, row)
            for kind, energy in result["energy"].items():
                joules[kind] = joules.get(kind, 0.0) + energy
            operations += result["spikes"]
            messages += result["packets_sent"]
            hops += sum(result["perf_trace"]["hops"])
            seconds += result["sim_time"]
        return Found(tuple(spikes), tuple(potentials), joules, operations, messages, hops, seconds)

    def _changes(self, steps: int) -> list[int]:
        """The steps before which attributes change."""
        first = {int(step) for part in self._export.neurons for step in part.first_step}
        return sorted({0} | first | {step + self._map.steps for step in first} - {steps})

    def _begin(self, played: Sequence[Flags]) -> None:
        for part, neurons, sent in zip(self._export.neurons, self._neurons, played, strict=True):
            for i, neuron in enumerate(neurons):
                if part.played[i]:
                    train = [bool(spike) for spike in sent[:, i]]
                    neuron.set_attributes(model_attributes={"spikes": train})
                else:
                    start = float(part.potential[i])
                    asleep = {"potential": start, "threshold": NEVER, "bias": 0.0}
                    neuron.set_attributes(model_attributes=asleep)

    def _switch(self, step: int, currents: Sequence[Integers]) -> None:
        """Neurons that start to work in this step, and those that have ended."""
        for part, neurons, current in zip(
            self._export.neurons, self._neurons, currents, strict=True
        ):
            bias = part.bias + current
            for i in np.flatnonzero((part.first_step == step) & ~part.played):
                awake = {"threshold": float(part.threshold[i]), "bias": float(bias[i])}
                neurons[i].set_attributes(model_attributes=awake)
            for i in np.flatnonzero((part.first_step + self._map.steps == step) & ~part.played):
                neurons[i].set_attributes(model_attributes={"threshold": NEVER, "bias": 0.0})

    def _record(
        self, potentials: list[NDArray[np.float64]], step: int, row: Sequence[float]
    ) -> None:
        """A row of SANA-FE's trace: all cores one after another."""
        values, start = np.array(row), 0
        for part, found in zip(self._export.neurons, potentials, strict=True):
            end = start + int(part.traced.sum())
            found[step, part.traced] = values[start:end]
            start = end


@contextmanager
def _quiet() -> Iterator[None]:
    """SANA-FE tells standard output and error of each step."""
    kept = [(handle, os.dup(handle)) for handle in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for handle, _ in kept:
            os.dup2(nowhere, handle)
        yield
    finally:
        for handle, copy in kept:
            os.dup2(copy, handle)
            os.close(copy)
        os.close(nowhere)
