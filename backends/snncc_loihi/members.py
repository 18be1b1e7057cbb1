"""Which compartments of a core map are which neurons of the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snncc_ir import Graph, Integers, Node, SnnccError, Spikes, fail
from snncc_ir.ops import Population, Readout
from snncc_loihi.core_map import CoreMap, Program


@dataclass(frozen=True)
class Members:
    """A population's compartments that fire, or hold its potentials, in the order of its neurons.

    They are numbered over all cores. first_step: the chip's, in which the network's first is.
    """

    compartments: Integers
    first_step: int

    @property
    def size(self) -> int:
        return len(self.compartments)


def found_members(
    core_map: CoreMap, graph: Graph, names: Sequence[str], place: str
) -> dict[str, Members]:
    """By population; raises SNN060 where map and network do not fit each other.

    names: of the populations in the order in which labels number them.
    """

    def refuse(message: str) -> SnnccError:
        return fail("SNN060", message, place, "compile the network anew")

    cores = core_map.cores
    which = [core.compartment_fields["profile"] for core in cores]
    profiles = [core.profile_fields for core in cores]
    population = np.concatenate([core.label_fields["population"] for core in cores])
    neuron = np.concatenate([core.label_fields["neuron"] for core in cores])
    program = np.concatenate([f["program"][w] for f, w in zip(profiles, which, strict=True)])
    first = np.concatenate([f["first_step"][w] for f, w in zip(profiles, which, strict=True)])
    if population.size and population.max() >= len(names):
        raise refuse(f"there is a population {population.max()}, should be below {len(names)}")
    nodes = {node.name: node for node in graph}
    found = {}
    for number, name in enumerate(names):
        if name not in nodes:
            raise refuse(f"population '{name}' should be in the network")
        node = nodes[name]
        fires = program >= Program.FIRE_JOINED
        mine = np.flatnonzero((population == number) & (fires == spikes(node)))
        order = mine[np.argsort(neuron[mine], kind="stable")]
        size = int(np.prod(node.type.shape))
        if not np.array_equal(neuron[order], np.arange(size)):
            raise refuse(
                f"population '{name}' should have a compartment that "
                f"{'fires' if spikes(node) else 'integrates'} for each of its {size} neurons"
            )
        steps = np.unique(first[order])
        if len(steps) != 1 or steps[0] < delay(node):
            raise refuse(
                f"population '{name}' has first steps {steps.tolist()}, should have one, from "
                f"{delay(node)} on"
            )
        found[name] = Members(order, int(steps[0]) - delay(node))
    sources = [node.inputs[0] for node in graph.outputs]
    for name in (*sources, *(node.name for node in graph if isinstance(node.op, Population))):
        if name not in found:
            raise refuse(f"population '{name}' of the network should have compartments")
    return found


def spikes(node: Node) -> bool:
    return isinstance(node.type, Spikes)


def delay(node: Node) -> int:
    """Steps that a readout leaves out."""
    if isinstance(node.op, Population) and isinstance(node.op.model, Readout):
        return node.op.model.delay
    return 0
