"""Core maps: bytes and back; whatever is damaged is refused, with its place."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc_ir import Integers, SnnccError
from snncc_loihi.binary import CORE, HEADER, map_bytes, read_map
from snncc_loihi.chip import load_chip
from snncc_loihi.core_map import Core, CoreMap
from snncc_loihi.synapses import read_lists
from snncc_loihi.words import Words, pack, unpack
from tests.conformance.loihi_maps import Maker

CHIP = load_chip("loihi2")
MAP = Maker(4, CHIP).map()
CONTENT = map_bytes(MAP)


def refusal(content: bytes) -> str:
    with pytest.raises(SnnccError) as caught:
        read_map(content, "map.bin")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "SNN060"
    assert diagnostic.place == "map.bin"
    return diagnostic.message


def test_the_map_says_enough() -> None:
    """What the tests below change is there to be changed."""
    assert len(MAP.cores) > 1
    assert len(MAP.host_axons)
    assert len(MAP.host_biases)
    assert all(len(core.synapses) and len(core.output_axons) for core in MAP.cores)


@given(st.integers(0, 1 << 32), st.sampled_from(["loihi1", "loihi2"]))
@settings(max_examples=60, deadline=None)
def test_round_trip(seed: int, name: str) -> None:
    core_map = Maker(seed, load_chip(name)).map()
    content = map_bytes(core_map)
    found = read_map(content, "map.bin")
    assert map_bytes(found) == content
    assert found.steps == core_map.steps
    for ours, theirs in zip(core_map.cores, found.cores, strict=True):
        for memory in Core.__dataclass_fields__:
            assert np.array_equal(getattr(ours, memory), getattr(theirs, memory))


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
@settings(max_examples=500, deadline=None)
def test_a_changed_byte_is_refused_or_read(at: int, change: int) -> None:
    changed = bytearray(CONTENT)
    changed[at] ^= change
    read_or_refused(bytes(changed))


@given(st.integers(0, len(CONTENT) - 1), st.binary(min_size=1, max_size=16))
@settings(max_examples=500, deadline=None)
def test_written_over(at: int, new: bytes) -> None:
    read_or_refused((CONTENT[:at] + new + CONTENT[at + len(new) :])[: len(CONTENT)])


def read_or_refused(content: bytes) -> None:
    """It is read as what it says, bit for bit, or refused with its place; nothing else."""
    try:
        found = map_bytes(read_map(content, "map.bin"))
    except SnnccError:
        assert ": " in refusal(content)
    else:
        assert found == content


@given(st.integers(0, len(CONTENT) - 1))
@settings(deadline=None)
def test_a_cut_map_is_refused(length: int) -> None:
    refusal(CONTENT[:length])


@given(st.binary(min_size=1, max_size=20))
@settings(deadline=None)
def test_an_extended_map_is_refused(more: bytes) -> None:
    assert f"should have {len(CONTENT)}" in refusal(CONTENT + more)


@pytest.mark.parametrize(
    ("at", "size", "number", "said"),
    [
        (0, 1, 0, "magic"),
        (8, 4, 2, "version is 2, should be 1"),
        (12, 4, 0, "there are 0 cores"),
        (12, 4, 0xFFFFFFFF, "there are 4294967295 cores"),
        (12, 4, 1 << 20, "should have 1048576 entries"),
        (24, 4, 0, "T is 0"),
        (28, 4, 1, "reserved"),
        (HEADER.size + 8, 8, (1 << 64) - 1, "bytes, should have"),
    ],
)
def test_header(at: int, size: int, number: int, said: str) -> None:
    """Counts are held against the length before anything is made of them."""
    changed = CONTENT[:at] + number.to_bytes(size, "little") + CONTENT[at + size :]
    assert said in refusal(changed)


def changed_core(number: int, **memories: Words) -> CoreMap:
    cores = list(MAP.cores)
    cores[number] = replace(cores[number], **memories)  # type: ignore[arg-type]
    return replace(MAP, cores=tuple(cores))


def with_field(kind: str, words: Words, at: int, **values: int) -> Words:
    fields: dict[str, Integers] = unpack(kind, words)
    for name, value in values.items():
        fields[name][at] = value
    return pack(kind, fields)


def core_field(memory: str, kind: str, **values: int) -> Callable[[], CoreMap]:
    """The last word of a memory of core 0 says something else."""

    def change() -> CoreMap:
        words = getattr(MAP.cores[0], memory)
        return changed_core(0, **{memory: with_field(kind, words, len(words) - 1, **values)})

    return change


def host_field(memory: str, kind: str, at: int = -1, **values: int) -> Callable[[], CoreMap]:
    def change() -> CoreMap:
        words = with_field(kind, getattr(MAP, memory), at, **values)
        return replace(
            MAP,
            host_axons=words if memory == "host_axons" else MAP.host_axons,
            host_biases=words if memory == "host_biases" else MAP.host_biases,
        )

    return change


def bit(memory: str, number: int) -> Callable[[], CoreMap]:
    def change() -> CoreMap:
        words = getattr(MAP.cores[0], memory).copy()
        words[0] |= np.uint64(1 << number)
        return changed_core(0, **{memory: words})

    return change


def places() -> CoreMap:
    cores = MAP.cores
    return replace(MAP, cores=(replace(cores[0], place=cores[1].place), *cores[1:]))


def unsorted_outputs() -> CoreMap:
    return changed_core(0, output_axons=MAP.cores[0].output_axons[::-1].copy())


def doubled_output() -> CoreMap:
    words = MAP.cores[0].output_axons
    return changed_core(0, output_axons=np.concatenate([words[:1], words]))


def unsorted_host() -> CoreMap:
    return replace(MAP, host_axons=MAP.host_axons[::-1].copy())


def host_to_open_axon() -> CoreMap:
    core = next(i for i, c in enumerate(MAP.cores) if not c.input_axon_fields["held"].all())
    axon = int(np.flatnonzero(MAP.cores[core].input_axon_fields["held"] == 0)[0])
    return host_field("host_axons", "host_axon", 0, core=core, axon=axon)()


def core_to_held_axon() -> CoreMap:
    core = next(i for i, c in enumerate(MAP.cores) if c.input_axon_fields["held"].any())
    axon = int(np.flatnonzero(MAP.cores[core].input_axon_fields["held"])[0])
    return core_field("output_axons", "output_axon", core=core, axon=axon)()


def before_the_first() -> CoreMap:
    """An axon whose list has a synapse of index 0 counts from a compartment that there is not."""
    lists = read_lists(MAP.cores[0])
    begins = np.array([lists.offsets[i:j].min(initial=1) for i, j in pairwise(lists.rows)])
    axon = int(np.flatnonzero(begins[lists.of_axon] == 0)[0])
    words = with_field("input_axon", MAP.cores[0].input_axons, axon, base=-9)
    return changed_core(0, input_axons=words)


WRONG: dict[str, Callable[[], CoreMap]] = {
    "the place is": places,
    "profile is 250, should be below": core_field("compartments", "compartment", profile=250),
    "threshold is 9999, should be below": core_field("compartments", "compartment", threshold=9999),
    "the program should be below 6": core_field("profiles", "profile", program=9),
    "current_decay should be 4095": core_field("profiles", "profile", current_decay=0),
    "potential_decay should be 0": core_field("profiles", "profile", potential_decay=1),
    "refractory should be 1": core_field("profiles", "profile", refractory=2),
    "most should be 1 or more": core_field("profiles", "profile", program=4, most=0),
    "most and signed should be 0": core_field("profiles", "profile", program=0, most=1),
    "most should be 1 at most": core_field("profiles", "profile", program=3, most=2),
    "profiles, word 0: bits": bit("profiles", 63),
    "thresholds, word 0: bits": bit("thresholds", 32),
    "formats, word 0: bits": bit("formats", 19),
    "input axons, word 0: bits": bit("input_axons", 53),
    "output axons, word 0: bits": bit("output_axons", 56),
    "weight_bits should be 1 to 8": core_field("formats", "format", weight_bits=0),
    "sign should be 0, 1 or 2": core_field("formats", "format", sign=3),
    "a run should have an index": core_field("formats", "format", run=1, index_bits=0),
    "its list ends at": core_field("input_axons", "input_axon", pointer=(1 << 20) - 1),
    "its base should be below": core_field("input_axons", "input_axon", base=9999),
    "it reaches compartment -9, should be 0 or more": before_the_first,
    "its compartment should be below": core_field("output_axons", "output_axon", compartment=9999),
    "should be one that there is": core_field("output_axons", "output_axon", core=99),
    "which should not be held": core_to_held_axon,
    "it is not behind the one before": unsorted_outputs,
    "should be held": host_to_open_axon,
    "it is before the one before": unsorted_host,
    "host axon": host_field("host_axons", "host_axon", axon=9999),
    "host bias": host_field("host_biases", "host_bias", compartment=9999),
    "by compartment and core": doubled_output,
}


@pytest.mark.parametrize("said", WRONG)
def test_unsound(said: str) -> None:
    assert said in refusal(map_bytes(WRONG[said]()))


def test_core_entries_are_eight_words() -> None:
    assert CORE.size == HEADER.size == 64
