"""A core map as architecture and mapped network of SANA-FE 2.2 (YAML), to check the map with.

SANA-FE is an optional referee (GPL-3): it is not imported here. What its neurons do was found by
running it and from its source (`models.cpp`):

* leaky_integrate_fire: v += bias + u; fires when v > threshold; then reset_mode `hard`: v = 0;
  `soft`: v −= threshold; `none`: v stays. v may be negative; all numbers are doubles, v is cut to
  1/64 towards zero: integers are exact. A spike of step t arrives at t + 1 + delay, delay ≤ 5, with
  `accumulator_with_delay` inside the buffered unit. `potential` sets v; `threshold`, `bias` and
  `potential` may be changed between steps (`MappedNeuron.set_attributes`).
* input: plays one `spikes` list; each needs a unit of its own.
* One message for each spike and distinct core with a synapse, its own core too; XY routing.

Here the unit of potentials is the map's own, 2^0, in place of the 2^6 of SANA-FE's examples. The
equivalents, one SANA-FE neuron for each compartment so that updates count alike:

* FIRE_SUBTRACT (most 1, unsigned) fires when v ≥ θ = (vth + 1) << threshold_shift: `soft` with
  threshold θ and a potential that is 1 more throughout.
* FIRE_ZERO: `hard`.
* INTEGRATE with FIRE_JOINED after it: the first is `none` with the second's threshold and synapses,
  its own spike comes back to it as in the map; the second is a neuron that never fires.
* INTEGRATE_MAX, other INTEGRATE: never fire. Their synapses are real.
* FIRE_COUNT, and FIRE_JOINED after INTEGRATE_MAX, cannot be said there: `input` neurons, which play
  what the map's simulator found. All other neurons are SANA-FE's own, and the potentials of a
  pool's lanes are traced: whether what was played follows from them can be seen.
* Held currents and host biases: `host_currents` gives them as biases, one for each sample.
* first_step: whoever runs it holds threshold at `NEVER` and bias at 0 before and after the window.
* The synapse unit belongs to the target neuron. If one hears dense and sparse synapses (or if there
  are delays, which the delaying unit looks up by the number of a synapse in its unit), all go
  through one unit, priced as sparse (`one_unit`).
* An idle update is priced as an active one. chip_link is not known: chips are parts of one mesh.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers, SnnccError, fail
from snncc_loihi import sanafe_text
from snncc_loihi.chip import Chip, Costs
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.sanafe_text import HARD, NEVER, NONE, SOFT, Edges, Neurons
from snncc_loihi.synapses import AxonSynapses, axon_synapses
from snncc_loihi.words import unpack

MOST_DELAY = 5


@dataclass(frozen=True)
class SanaFe:
    """Two files for SANA-FE; neuron i of `sanafe_text.group(k)` is compartment i of core k."""

    architecture: str
    network: str
    neurons: tuple[Neurons, ...]
    one_unit: bool


def export(core_map: CoreMap, chip: Chip, costs: Costs) -> SanaFe:
    """Raises SNN052 for a map that SANA-FE cannot run."""
    neurons = tuple(_neurons(core, chip) for core in core_map.cores)
    lists = [axon_synapses(core, chip.numbers) for core in core_map.cores]
    edges = {
        (source, target): found
        for source, core in enumerate(core_map.cores)
        for target, found in _edges(chip, source, core, neurons[source], lists)
    }
    one_unit = _one_unit(core_map, edges)
    return SanaFe(
        sanafe_text.architecture(core_map, chip, costs, neurons),
        sanafe_text.network(core_map, chip, neurons, edges, one_unit),
        neurons,
        one_unit,
    )


def host_currents(core_map: CoreMap, chip: Chip, inputs: Integers) -> list[Integers]:
    """What the host's numbers bring to each compartment in each step, (C) for each core.

    inputs: all input numbers of a sample, (I).
    """
    found = [np.zeros(len(core.compartments), np.int64) for core in core_map.cores]
    biases = unpack("host_bias", core_map.host_biases)
    weights = unpack("host_weight", core_map.host_weights)["weight"]
    for i, weight in enumerate(weights):
        core, place = int(biases["core"][i]), int(biases["compartment"][i])
        fields = core_map.cores[core]
        profile = fields.compartment_fields["profile"][place]
        exponent = fields.profile_fields["bias_exponent"][profile]
        found[core][place] += (inputs[biases["input"][i]] * weight) << exponent
    lists: dict[int, AxonSynapses] = {}
    axons = unpack("host_axon", core_map.host_axons)
    for number, core, axon in zip(axons["input"], axons["core"], axons["axon"], strict=True):
        if core not in lists:
            lists[core] = axon_synapses(core_map.cores[core], chip.numbers)
        mine = slice(*lists[core].rows[axon : axon + 2])
        brought = lists[core].weights[mine] << chip.numbers.weight_shift
        np.add.at(found[core], lists[core].targets[mine], inputs[number] * brought)
    return found


def _neurons(core: Core, chip: Chip) -> Neurons:
    fields = core.compartment_fields
    profile = {name: values[fields["profile"]] for name, values in core.profile_fields.items()}
    program, count = profile["program"], len(core.compartments)
    bad = (profile["current_decay"] != 4095) | (profile["potential_decay"] != 0)
    if np.any(bad | (profile["refractory"] != 1)):
        raise _cannot("neurons with decays or refractory steps")
    subtract = program == Program.FIRE_SUBTRACT
    if np.any(subtract & ((profile["most"] != 1) | (profile["signed"] != 0))):
        raise _cannot("graded or signed spikes")
    mantissa = core.threshold_mantissas[fields["threshold"]]
    threshold = (mantissa << chip.numbers.threshold_shift).astype(np.float64)
    threshold[subtract] += 1 << chip.numbers.threshold_shift
    joined = program == Program.FIRE_JOINED
    pair = np.flatnonzero(joined[1:] & (program[:-1] == Program.INTEGRATE))
    sender = np.where(np.isin(program, (Program.INTEGRATE, Program.INTEGRATE_MAX)), -1,
                      np.arange(count))  # fmt: skip
    sender[pair], sender[pair + 1] = pair + 1, -1
    threshold[pair] = threshold[pair + 1]
    played = (sender >= 0) & (joined | (program == Program.FIRE_COUNT))
    threshold[(sender < 0) | played] = NEVER
    reset = np.where(subtract, SOFT, np.where(program == Program.FIRE_ZERO, HARD, NONE))
    return Neurons(
        sender,
        threshold,
        reset,
        fields["start"] + subtract,
        fields["bias"] << profile["bias_exponent"],
        profile["first_step"],
        played,
        (sender < 0) & ~joined,
    )


def _edges(
    chip: Chip, source: int, core: Core, neurons: Neurons, lists: list[AxonSynapses]
) -> Iterator[tuple[int, Edges]]:
    """By target core, in its order."""
    of_sender = {int(sent): i for i, sent in enumerate(neurons.sender) if sent >= 0}
    fields = core.output_axon_fields
    for target in np.unique(fields["core"]):
        mine, reached = fields["core"] == target, lists[target]
        senders, axons = fields["compartment"][mine], fields["axon"][mine]
        counts = np.diff(reached.rows)[axons]
        for i in np.flatnonzero(counts == 0)[:1]:
            raise _cannot(f"a message without synapses (core {source}, compartment {senders[i]})")
        ends = np.cumsum(counts)
        which = np.arange(ends[-1]) + np.repeat(reached.rows[axons] - (ends - counts), counts)
        yield (
            int(target),
            Edges(
                np.repeat([of_sender[int(sent)] for sent in senders], counts),
                reached.targets[which],
                reached.weights[which] << chip.numbers.weight_shift,
                reached.delays[which],
                reached.dense[which],
            ),
        )


def _one_unit(core_map: CoreMap, edges: Mapping[tuple[int, int], Edges]) -> bool:
    """Raises SNN052 for delays that are too long."""
    kinds = [np.zeros((len(core.compartments), 2), np.bool_) for core in core_map.cores]
    delays = 0
    for (_, target), part in edges.items():
        delays = max(delays, int(part.delays.max()))
        kinds[target][part.targets, part.dense.astype(np.int64)] = True
    if delays > MOST_DELAY:
        raise _cannot(f"a delay of {delays} steps, should be at most {MOST_DELAY}")
    both = any(bool(kind.all(1).any()) for kind in kinds)
    return both or (delays > 0 and any(bool(kind.any(0).all()) for kind in kinds))


def _cannot(what: str) -> SnnccError:
    return fail(
        "SNN052",
        f"SANA-FE cannot run {what}",
        hint="compile with --neuron if; docs/targets/loihi.md says what goes",
    )
