"""Synapses of maps, lists of synapses, and their words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.testing import FAMILY, network
from snncc_ir import Integers
from snncc_ir.ops import MaxPool, Population
from snncc_loihi.chip import Chip, load_chip
from snncc_loihi.connections import Connections, pooling, projection
from snncc_loihi.core_map import Core
from snncc_loihi.cores import mantissa_and_exponent
from snncc_loihi.lists import AxonLists, Synapses, distinct
from snncc_loihi.packing import PackedCore, pack_core
from snncc_loihi.projections import connect, connect_pool
from snncc_loihi.words import Words, pack
from tests.conformance.loihi_reference import synapses_of

NONE: Words = np.zeros(0, np.uint64)
CHIPS = {name: load_chip(name) for name in ("loihi1", "loihi2")}


def current(found: Connections, spikes: Integers, size: int) -> Integers:
    """What synapses bring to each target, summed one by one."""
    total = np.zeros(size, np.int64)
    for source, target, weight in zip(found.sources, found.targets, found.weights, strict=True):
        total[target] += int(weight) * spikes[source]
    return total


@pytest.mark.parametrize("name", [name for name in FAMILY if not name.startswith("wide-w")])
def test_synapses_bring_what_a_map_brings(name: str) -> None:
    graph = network(name, "if")
    random = np.random.default_rng(3)
    for node in graph:
        if not isinstance(node.op, Population):
            continue
        for source, chain in zip(graph.operands(node), node.op.maps, strict=True):
            spikes = random.integers(-3, 4, source.type.shape)
            values = spikes[None].astype(np.float64)
            for op in chain:
                values = op.evaluate((values,))
            found = projection(chain, source.type)
            assert np.array_equal(
                current(found, spikes.reshape(-1), node.type.size), values.reshape(-1)
            )
            assert found.weights.all()


@pytest.mark.parametrize("name", [name for name in FAMILY if not name.startswith("wide-w")])
def test_boxes_are_what_is_listed(name: str) -> None:
    graph = network(name, "if")
    for node in graph:
        for place, source in enumerate(graph.operands(node)):
            if isinstance(node.op, Population):
                chain = node.op.maps[place]
                found, listed = connect(chain, source.type), projection(chain, source.type)
            elif isinstance(node.op, MaxPool):
                found, listed = connect_pool(node.op, source.type), pooling(node.op, source.type)
            else:
                continue
            assert found.count == listed.count
            assert np.array_equal(np.unique(found.values[found.values != 0]),
                                  np.unique(listed.values))  # fmt: skip
            for ours, theirs in zip(
                found.sums(node.type.size), listed.sums(node.type.size), strict=True
            ):
                assert np.array_equal(ours, theirs)
            every = found.listed()
            for part in ("rows", "targets", "lanes", "weights"):
                assert np.array_equal(getattr(every, part), getattr(listed, part))


def test_a_pool_hears_every_source_of_its_windows() -> None:
    graph = network("maxpool", "if")
    node, *_ = [node for node in graph if isinstance(node.op, MaxPool)]
    assert isinstance(node.op, MaxPool)
    (source,) = graph.operands(node)
    found = pooling(node.op, source.type)
    counts = np.random.default_rng(0).integers(0, 9, source.type.shape)
    expected = node.op.evaluate((counts[None].astype(np.float64),)).reshape(-1)
    largest = np.zeros(node.type.size, np.int64)
    np.maximum.at(largest, found.targets, counts.reshape(-1)[found.sources])
    assert np.array_equal(largest, expected)
    # no two sources of a window share a lane
    assert len(np.unique(found.targets * 1000 + found.lanes)) == len(found.targets)


Synapse = tuple[int, int, int, int]
"""Delay, exponent, compartment, weight."""


def as_lists(given: list[list[Synapse]], width: int) -> AxonLists:
    rows = np.cumsum([0, *map(len, given)])
    flat = np.array([each for one in given for each in sorted(one)], np.int64).reshape(-1, 4)
    delays, exponents, offsets, weights = flat.T
    return AxonLists.of(Synapses(rows, offsets, weights, delays, exponents, offsets // width))


def decoded(packed: PackedCore, chip: Chip) -> list[list[tuple[int, int, int]]]:
    """By the reference decoder of the simulator's tests; a synapse of weight 0 is none."""
    formats = packed.formats
    core = Core(0, NONE, NONE, NONE, NONE,
        pack("format", {
            "weight_bits": np.array([f.weight_bits for f in formats]),
            "sign": np.zeros(len(formats), np.int64),
            "index_bits": np.array([f.index_bits for f in formats]),
            "delay_bits": np.array([f.delay_bits for f in formats]),
            "exponent": np.array([f.exponent for f in formats]),
            "run": np.array([f.run for f in formats]),
        }), pack("input_axon", {
            "pointer": packed.pointers, "words": packed.lengths, "base": packed.bases,
            "held": np.zeros_like(packed.bases),
        }), packed.memory, NONE)  # fmt: skip
    step = chip.numbers.mixed_step
    return [
        sorted((s.delay, s.target, s.weight >> step) for s in synapses_of(core, axon, chip))
        for axon in range(len(packed.pointers))
    ]


@st.composite
def cores(draw: st.DrawFn) -> tuple[list[list[Synapse]], int]:
    """A convolution on a tile with its edges, at any place in a core; and a few others."""
    channels, width, height = (draw(st.integers(1, 6)) for _ in range(3))
    first = draw(st.integers(0, 300))
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    kernel = random.integers(-127, 128, (3, 3, channels)) * (random.random((3, 3, channels)) < 0.9)
    lists = []
    for row in range(-1, height + 1):
        for column in range(-1, width + 1):
            found: list[Synapse] = []
            for dy, dx in np.ndindex(3, 3):
                y, x = row + dy - 1, column + dx - 1
                if 0 <= y < height and 0 <= x < width:
                    at = first + (y * width + x) * channels
                    found += [(0, 0, at + c, int(w)) for c, w in enumerate(kernel[dy, dx]) if w]
            if draw(st.booleans()):
                found.append((draw(st.integers(1, 20)), 0, draw(st.integers(0, 900)), 5))
            if draw(st.booleans()):
                found.append((0, draw(st.integers(1, 7)), draw(st.integers(0, 900)), -7))
            if found:
                lists.append(found)
    return lists, width * channels


@given(cores(), st.sampled_from(sorted(CHIPS)))
@settings(deadline=None, max_examples=40)
def test_packed_is_what_was_given(core: tuple[list[list[Synapse]], int], name: str) -> None:
    given_lists, width = core
    if not given_lists:
        return
    # fewer kinds of blocks than the chip has formats
    chip = replace(CHIPS[name], limits=replace(CHIPS[name].limits, formats=64))
    kinds = {(d, e) for one in given_lists for d, e, _, _ in one}
    if len(kinds) > 5:
        return
    packed = pack_core(as_lists(given_lists, width), chip)
    assert packed.bases.min() >= chip.limits.least_axon_base
    assert packed.bases.max() <= chip.limits.axon_base
    expected = [sorted((d, t, w << e) for d, e, t, w in one) for one in given_lists]
    assert decoded(packed, chip) == expected


def test_positions_of_a_convolution_share_their_weights() -> None:
    """All inner positions have one list, and those at the edges of the tile are parts of it."""
    channels, side = 8, 16
    kernel = np.arange(1, 3 * 3 * channels + 1).reshape(3, 3, channels)
    lists = [
        [
            (0, 0, (y * side + x) * channels + c, int(kernel[y - row + 1, x - column + 1, c]))
            for y in range(max(row - 1, 0), min(row + 2, side))
            for x in range(max(column - 1, 0), min(column + 2, side))
            for c in range(channels)
        ]
        for row in range(side)
        for column in range(side)
    ]
    synapses = as_lists(lists, side * channels)
    every = synapses.lists
    begin = np.repeat([min(t for _, _, t, _ in one) for one in lists], every.lengths)
    first, _ = distinct(replace(every, offsets=every.offsets - begin))
    assert len(first) == 9  # three kinds of rows and of columns
    packed = pack_core(synapses, CHIPS["loihi2"])
    # three runs of 4 words in the middle, of 3 at either side; top and bottom are parts of them
    assert len(packed.memory) == 3 * (4 + 3 + 3)


def test_mantissas_and_exponents() -> None:
    weights = np.array([0, 1, -127, 128, -128, 254, 255, -256, 127 << 7])
    mantissas, exponents = mantissa_and_exponent(weights)
    assert np.array_equal(mantissas << exponents, weights)
    assert mantissas.tolist() == [0, 1, -127, 64, -128, 127, 255, -128, 127]
