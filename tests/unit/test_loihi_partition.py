"""Partitions: what they promise of messages, limits and errors, counted again from the map."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc_ir import Floats, Graph, GraphBuilder, Integers, SnnccError, f32, i8, i32
from snncc_ir.ops import Conv, Dense, Input, Output, Population, Readout, SignedIntegrateFire
from snncc_loihi.binary import map_bytes
from snncc_loihi.chip import Chip, load_chip
from snncc_loihi.core_map import CoreMap
from snncc_loihi.emit import make_map
from snncc_loihi.layers import Network, make_network
from snncc_loihi.mapping import Assignment, assign

CHIP = load_chip("loihi2")


def tower(depth: int, channels: int, side: int, seed: int = 0) -> Graph:
    """Convolutions one after the other, then classes."""
    random = np.random.default_rng(seed)
    builder = GraphBuilder("tower")
    last = builder.add("x", Input((2, side, side), 0.1, 31), []).name
    for number in range(depth):
        inputs = 2 if number == 0 else channels
        weight = i8(random.integers(-9, 10, (channels, inputs, 3, 3)))
        conv = Conv(weight, (1, 1), (1, 1, 1, 1), (1, 1), 1)
        model = SignedIntegrateFire(4, i32(50), i32(25))
        op = Population((channels, side, side), ((conv,),), i32(0), model, f32(1.0))
        last = builder.add(f"c{number}", op, [last]).name
    weight = i8(random.integers(-9, 10, (3, channels * side * side)))
    op = Population((3,), ((Dense(weight),),), i32(0), Readout(i32(10)), f32(1.0))
    builder.add("y", op, [last])
    builder.add("out", Output(), ["y"])
    return builder.graph()


def small(**limits: int) -> Chip:
    return replace(CHIP, limits=replace(CHIP.limits, **limits))


def spikes_of(network: Network, seed: int = 0) -> dict[int, Floats]:
    random = np.random.default_rng(seed)
    return {
        i: random.integers(0, 5, layer.size).astype(np.float64)
        for i, layer in enumerate(network.layers)
        if layer.model != "readout"
    }


def core_of_neurons(network: Network, core_map: CoreMap) -> Integers:
    first = np.array([layer.first for layer in network.layers])
    core = np.full(network.neurons, -1)
    for number, each in enumerate(core_map.cores):
        core[first[each.label_fields["population"]] + each.label_fields["neuron"]] = number
    return core


def counted(network: Network, core: Integers, spikes: Floats) -> float:
    """Spikes × other cores that hear them, neuron by neuron."""
    heard: dict[int, set[int]] = {}
    for link in network.links:
        if link.source < 0:
            continue
        synapses = link.synapses.listed()
        sources = network.layers[link.source].first + synapses.sources
        targets = network.layers[link.target].first + synapses.targets
        for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
            heard.setdefault(source, set()).add(int(core[target]))
    return float(sum(spikes[n] * len(cores - {int(core[n])}) for n, cores in heard.items()))


def mapped(graph: Graph, chip: Chip) -> tuple[Network, Assignment, CoreMap]:
    network = make_network(graph, chip)
    assignment = assign(network, spikes_of(network), chip)
    places = np.arange(assignment.arrangement.cores)
    return network, assignment, make_map(assignment, places, chip)


@given(st.integers(1, 4), st.integers(1, 5), st.integers(3, 9), st.integers(30, 300))
@settings(deadline=None, max_examples=20)
def test_messages_are_as_promised(depth: int, channels: int, side: int, size: int) -> None:
    """By segments, by input axons, and counted again from labels; every neuron is somewhere."""
    chip = small(compartments=size)
    network, assignment, core_map = mapped(tower(depth, channels, side), chip)
    core = core_of_neurons(network, core_map)
    assert (core >= 0).all()
    assert np.array_equal(np.bincount(core) <= size, np.ones(int(core.max()) + 1, bool))
    expected = counted(network, core, assignment.spikes)
    assert assignment.messages[2].sum() == expected
    assert sum(segment.messages for segment in assignment.segments) == expected


def test_tiles_beat_filling_cores_one_after_the_other() -> None:
    network, assignment, core_map = mapped(tower(4, 8, 16), small(compartments=512))
    ours = counted(network, core_of_neurons(network, core_map), assignment.spikes)
    count = assignment.arrangement.cores
    in_order = np.arange(network.neurons) * count // network.neurons
    assert ours < counted(network, in_order, assignment.spikes) / 2


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"input_axons": 20}, "input axons of a core, should be at most 20"),
        ({"core_bytes": 90, "compartments": 5}, "core bytes of a core, should be at most 90"),
        ({"thresholds": 0}, "thresholds, should be at most 0"),
        ({"profiles": 0}, "profiles, should be at most 0"),
    ],
)
def test_a_layer_that_does_not_fit(limits: dict[str, int], told: str) -> None:
    with pytest.raises(SnnccError) as caught:
        mapped(tower(2, 6, 6), small(**limits))
    assert caught.value.diagnostics[0].code == "SNN041"
    assert told in str(caught.value)


def test_more_cores_than_there_are() -> None:
    chip = small(compartments=10)
    chip = replace(chip, mesh=replace(chip.mesh, most_chips=1, cores=8))
    with pytest.raises(SnnccError, match=r"takes \d+ cores, should be at most 8"):
        mapped(tower(2, 4, 6), chip)


@pytest.mark.parametrize("side", [8, 7])
def test_boxes_and_lists_of_synapses_give_the_same_map(side: int) -> None:
    network = make_network(tower(4, 5, side), CHIP)
    links = tuple(replace(link, synapses=link.synapses.listed()) for link in network.links)
    chip, maps = small(compartments=200), []
    for each in (network, replace(network, links=links)):
        found = assign(each, spikes_of(each), chip)
        maps.append(make_map(found, np.arange(found.arrangement.cores), chip))
    assert map_bytes(maps[0]) == map_bytes(maps[1])


def test_the_same_again() -> None:
    first, second = (mapped(tower(3, 4, 8), small(compartments=200))[2] for _ in range(2))
    for ours, theirs in zip(first.cores, second.cores, strict=True):
        for name, words in vars(ours).items():
            if isinstance(words, np.ndarray):
                assert np.array_equal(words, getattr(theirs, name))
