"""Lists of synapses: every kind of block, and what is wrong with one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc_ir import SnnccError
from snncc_loihi.binary import map_bytes, read_map
from snncc_loihi.chip import load_chip
from snncc_loihi.core_map import Core, CoreMap
from snncc_loihi.flat import flatten
from snncc_loihi.segments import segments
from snncc_loihi.synapse_blocks import ListError
from snncc_loihi.synapses import axon_synapses, effective_weights, read_lists
from snncc_loihi.words import LAYOUTS, pack, unpack
from tests.conformance.loihi_maps import Format, Maker, encoded
from tests.conformance.loihi_reference import synapses_of
from tests.unit.test_loihi_binary import CHIP, MAP, refusal, with_field


@given(st.integers(0, 1 << 32), st.sampled_from(["loihi1", "loihi2"]))
@settings(max_examples=60, deadline=None)
def test_synapses_as_the_reference(seed: int, name: str) -> None:
    chip = load_chip(name)
    for core in Maker(seed, chip).map().cores:
        found = axon_synapses(core, chip.numbers)
        for axon in range(len(core.input_axons)):
            mine = slice(found.rows[axon], found.rows[axon + 1])
            columns = (found.targets, found.delays, found.weights, found.dense)
            rows = list(zip(*(column[mine].tolist() for column in columns), strict=True))
            assert rows == [
                (each.target, each.delay, each.weight, each.dense)
                for each in synapses_of(core, axon, chip)
            ]


def list_core(blocks: list[int], forms: list[Format], compartments: int = 80) -> Core:
    """A core with one input axon whose list these words are."""
    base = MAP.cores[0]
    count = np.zeros(compartments, np.int64)
    one = np.zeros(1, np.int64)
    fields = {name: np.array([getattr(f, name) for f in forms]) for name in vars(forms[0])}
    return replace(
        base,
        compartments=pack("compartment", dict.fromkeys(
            ("bias", "profile", "threshold", "start"), count)),
        labels=pack("label", dict.fromkeys(("neuron", "population", "lane"), count)),
        profiles=pack("profile", {
            **dict.fromkeys((f.name for f in LAYOUTS["profile"]), one),
            "current_decay": one + 4095, "refractory": one + 1,
        }),
        formats=pack("format", fields),
        input_axons=pack("input_axon", {
            "pointer": one, "words": one + len(blocks), "base": one, "held": one}),
        synapses=np.array(blocks, np.uint64),
        output_axons=np.zeros(0, np.uint64),
    )  # fmt: skip


def list_refusal(words: list[int], form: Format) -> str:
    core_map = CoreMap(1, CHIP.digest, (list_core(words, [form]),), *[np.zeros(0, np.uint64)] * 3)
    return refusal(map_bytes(core_map))


def test_lists() -> None:
    plain, dense = Format(8, 0, 7, 2, 0, 0), Format(4, 1, 0, 0, 0, 0)
    run = Format(8, 0, 7, 0, 0, 1)
    assert "has format 3, should be below 1" in list_refusal([3 << 6], plain)
    assert "has 4 words, should end by word 1" in list_refusal([10], plain)
    words = encoded([(0, [(5, 1, 3)])], [plain])
    assert "bits after its end" in list_refusal([words[0] | 1 << 40], plain)
    assert "reaches compartment 127" in list_refusal(encoded([(0, [(127, 0, 1)])], [plain]), plain)
    found = encoded([(0, [(79, 0, 1), (80, 0, 1)])], [run])
    assert "reaches compartment 80" in list_refusal(found, run)
    # a dense synapse of weight 0 is none, even beyond the last compartment
    blocks = [(0, [(0, 0, 1)] * 64), (0, [(0, 0, 1)] * 16 + [(0, 0, 0)] * 9)]
    core = list_core(encoded(blocks, [dense]), [dense])
    assert read_lists(core).offsets.tolist() == list(range(80))
    blocks[1][1][16] = (0, 0, 2)
    assert "reaches compartment 80" in list_refusal(encoded(blocks, [dense]), dense)


def test_a_held_axon_has_no_delay() -> None:
    form = Format(8, 0, 7, 2, 0, 0)
    core = list_core(encoded([(0, [(5, 1, 3)])], [form]), [form])
    axons = with_field("input_axon", core.input_axons, 0, held=1)
    core_map = CoreMap(
        1, CHIP.digest, (replace(core, input_axons=axons),), *[np.zeros(0, np.uint64)] * 3
    )
    assert "should have no delay" in refusal(map_bytes(core_map))


def test_weights() -> None:
    """The grid's step and the exponent; what would be no integer is refused."""
    numbers = load_chip("loihi1").numbers
    for form, stored, weight in (
        (Format(8, 0, 7, 0, 0, 0), 0x80, -256),
        (Format(8, 0, 7, 0, -1, 0), 0x81, -127),
        (Format(8, 2, 7, 0, 3, 0), 255, -255 * 8),
        (Format(6, 1, 7, 0, -2, 0), 9, 9),
        (Format(1, 0, 7, 0, 0, 0), 1, -256),
    ):
        core = list_core(encoded([(0, [(0, 0, stored)])], [form]), [form])
        assert effective_weights(core, read_lists(core), numbers).tolist() == [weight]
    form = Format(8, 1, 7, 0, -1, 0)
    core = list_core(encoded([(0, [(0, 0, 3)])], [form]), [form])
    with pytest.raises(ListError, match=r"3 · 2\^-1, should be an integer"):
        effective_weights(core, read_lists(core), numbers)


def test_joined_compartments_follow_one_that_hands_on() -> None:
    core = list_core([], [Format(8, 0, 7, 0, 0, 0)], 2)
    profile = unpack("profile", core.profiles)
    two = {name: np.repeat(numbers, 2) for name, numbers in profile.items()}
    for program, first, fits in ((1, 0, True), (2, 0, True), (2, 1, False)):
        two["program"], two["first_step"] = np.array([0, program]), np.array([0, first])
        changed = replace(
            core,
            profiles=pack("profile", two),
            compartments=with_field("compartment", core.compartments, 1, profile=1),
        )
        content = map_bytes(CoreMap(1, CHIP.digest, (changed,), *[np.zeros(0, np.uint64)] * 3))
        if fits:
            read_map(content, "map.bin")
        else:
            assert "hands on its potential in the same steps" in refusal(content)


@given(st.integers(0, 1 << 32))
@settings(max_examples=40, deadline=None)
def test_what_may_arrive(seed: int) -> None:
    """The sums of segments and points are those of all synapses; lists bound them."""
    for core in Maker(seed, CHIP).map().cores:
        lists = read_lists(core)
        weights = effective_weights(core, lists, CHIP.numbers)
        near = lists.nearest
        made = segments(replace(lists, offsets=lists.offsets - near[lists.owners]), weights)
        payloads = np.arange(len(core.input_axons)) % 5
        base = core.input_axon_fields["base"] + near[lists.of_axon]
        sums = made.sums(base, lists.of_axon, payloads, len(core.compartments))
        found = axon_synapses(core, CHIP.numbers)
        expected = np.zeros(len(core.compartments), np.int64)
        each = np.repeat(payloads, np.diff(found.rows))
        np.add.at(expected, found.targets, np.abs(found.weights) * each)
        assert np.array_equal(sums, expected)
        assert sums.max(initial=0) <= (made.most[lists.of_axon] * payloads).sum()


@pytest.mark.parametrize(("apart", "fits"), [(True, True), (False, False)])
def test_sums_that_no_chip_has(apart: bool, fits: bool) -> None:
    """Six messages of 127 · 127 · 2^15: more than 2^31 if all reach one compartment."""
    form = Format(8, 0, 7, 0, 15, 0)
    words = [encoded([(0, [(i, 0, 127)])], [form])[0] for i in (0, 1)]
    core = list_core(words, [form])
    profile = {**core.profile_fields, "program": np.array([4]), "most": np.array([127])}
    axons = {"pointer": np.arange(2) * apart, "words": [1, 1], "base": [0, 0], "held": [0, 0]}
    outputs = {"compartment": np.arange(6), "core": np.zeros(6), "axon": np.arange(6) % 2}
    core = replace(
        core,
        profiles=pack("profile", profile),
        input_axons=pack("input_axon", {k: np.asarray(v, np.int64) for k, v in axons.items()}),
        output_axons=pack("output_axon", {k: np.asarray(v, np.int64) for k, v in outputs.items()}),
    )
    content = map_bytes(CoreMap(1, CHIP.digest, (core,), *[np.zeros(0, np.uint64)] * 3))
    core_map = read_map(content, "map.bin")
    if fits:
        flatten(core_map, CHIP, CHIP.costs[CHIP.default_costs], 0, "map.bin")
    else:
        with pytest.raises(SnnccError, match="adds up to 3171090432, should be at most 2147483647"):
            flatten(core_map, CHIP, CHIP.costs[CHIP.default_costs], 0, "map.bin")
