"""Core maps as text: there and back, what is told of wrong text, and differences."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.cli.main import cli
from snncc_ir import SnnccError
from snncc_loihi.binary import map_bytes, read_map
from snncc_loihi.chip import load_chip
from snncc_loihi.format import MapFormat
from snncc_loihi.words import pack, unpack
from tests.conformance.loihi_maps import Maker
from tests.unit.test_loihi_binary import CONTENT, MAP, changed_core, with_field

FORMAT = MapFormat()
TEXT = FORMAT.disassemble(CONTENT, "map.bin")


@given(st.integers(0, 1 << 32), st.sampled_from(["loihi1", "loihi2"]))
@settings(max_examples=40, deadline=None)
def test_round_trip(seed: int, name: str) -> None:
    content = map_bytes(Maker(seed, load_chip(name)).map())
    text = FORMAT.disassemble(content, "map.bin")
    assert FORMAT.assemble(text, "map.txt") == content
    assert FORMAT.differences(content, content, ("a", "b")) == []


def test_what_it_says() -> None:
    assert TEXT.startswith("loihi 1\nchip ")
    assert CONTENT.startswith(FORMAT.magic)
    core = MAP.cores[0]
    assert f"core 0 place {core.place}\n" in TEXT
    fields = core.output_axon_fields
    settings = " ".join(f"{name}={numbers[0]}" for name, numbers in fields.items())
    assert f"output-axons\n  0: {settings}\n" in TEXT
    # without its comments it says the same
    bare = "\n".join(line.partition("#")[0] for line in TEXT.splitlines())
    assert FORMAT.assemble(bare, "map.txt") == CONTENT


def test_equal_compartments_share_a_line() -> None:
    core = MAP.cores[0]
    size = 5000
    fields = {name: np.full(size, numbers[0]) for name, numbers in core.compartment_fields.items()}
    labels = {"neuron": np.arange(size) + 7, "population": np.zeros(size, np.int64)}
    labels["lane"] = labels["population"]
    profiles = core.profile_fields
    first = {**profiles, "program": profiles["program"] * 0 + 3, "most": profiles["most"] * 0,
             "signed": profiles["signed"] * 0}  # fmt: skip
    core_map = changed_core(
        0,
        compartments=pack("compartment", fields),
        labels=pack("label", labels),
        profiles=pack("profile", first),
    )
    content = map_bytes(core_map)
    text = FORMAT.disassemble(content, "map.bin")
    assert "\n  0..4999: " in text
    assert FORMAT.assemble(text, "map.txt") == content


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("loihi 1", "loihi 2", "the version is 2, should be 1"),
        (f"steps {MAP.steps}", "steps 0", "steps is 0, should be 1 to 65535"),
        ("core 1 place", "core 5 place", "core 5 stands here, should be core 1"),
        ("  0: program=", "  1: program=", "should begin with 0"),
        ("current_decay=4095", "current_decay=5000", "is 5000, should be 0 to 4095"),
        ("refractory=1", "refractory=x", "refractory is 'x', should be a number"),
        (" refractory=1", "", "a row should have program, bias_exponent"),
        (" refractory=1", " refractory=1 refractory=1", "refractory is given twice"),
        ("output-axons", "outputs", "is not understood, should be"),
        ("output-axons\n  0:", "output-axons\n  0..3:", "stands here, should begin with 0"),
        (f"core 0 place {MAP.cores[0].place}", f"core 0 place {1 << 64}", "should be at most"),
        ("  0: bias=", "  0..99999999: bias=", "is too far"),
    ],
)
def test_wrong_text(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(SnnccError) as caught:
        FORMAT.assemble(TEXT.replace(old, new, 1), "map.txt")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "SNN061"
    assert said in diagnostic.message
    assert diagnostic.place.startswith("map.txt, line ")


def test_text_of_an_unsound_map() -> None:
    with pytest.raises(SnnccError) as caught:
        FORMAT.assemble(TEXT.replace("refractory=1", "refractory=2", 1), "map.txt")
    assert caught.value.diagnostics[0].code == "SNN060"


@given(st.integers(0, len(TEXT) - 1), st.text(max_size=5))
@settings(max_examples=150, deadline=None)
def test_damaged_text(at: int, new: str) -> None:
    """It is read, or refused with a code; nothing else."""
    try:
        FORMAT.assemble(TEXT[:at] + new + TEXT[at + len(new) :], "map.txt")
    except SnnccError as error:
        codes = {each.code for each in error.diagnostics}
    else:
        codes = set()
    assert codes <= {"SNN060", "SNN061"}


def differences(other: bytes) -> list[str]:
    return FORMAT.differences(CONTENT, other, ("a", "b"))


def test_differences() -> None:
    core = MAP.cores[0]
    bias = int(core.compartment_fields["bias"][1])
    changed = with_field("compartment", core.compartments, 1, bias=bias + 2)
    found = differences(map_bytes(changed_core(0, compartments=changed)))
    assert found == [f"core 0: compartment 1 bias {bias} → {bias + 2}"]
    size = len(core.compartments)
    every = {**core.compartment_fields, "start": core.compartment_fields["start"] + 1}
    found = differences(map_bytes(changed_core(0, compartments=pack("compartment", every))))
    start = core.compartment_fields["start"][0]
    assert found == [
        f"core 0: {size} of {size} compartments differ in start, first compartment 0: "
        f"{start} → {start + 1}"
    ]
    fewer = changed_core(0, output_axons=core.output_axons[:-1])
    count = len(core.output_axons)
    assert differences(map_bytes(fewer)) == [f"core 0: {count} → {count - 1} output axons"]
    other = replace(MAP, steps=MAP.steps + 1, chip_digest=bytes(32),
                    host_biases=MAP.host_biases[:0], host_weights=MAP.host_weights[:0])  # fmt: skip
    assert differences(map_bytes(other)) == [
        "chip: another description",
        f"steps {MAP.steps} → {MAP.steps + 1}",
        f"{len(MAP.host_biases)} → 0 host biases",
    ]
    fewer = replace(MAP, cores=MAP.cores[:1])
    with pytest.raises(SnnccError):
        differences(map_bytes(fewer))


def test_lists_are_compared_wherever_they_lie() -> None:
    """Words moved behind an unused one mean the same; a weight that is another does not."""
    core = MAP.cores[0]
    axons = unpack("input_axon", core.input_axons)
    moved = changed_core(
        0,
        synapses=np.concatenate([np.zeros(1, np.uint64), core.synapses]),
        input_axons=pack("input_axon", {**axons, "pointer": axons["pointer"] + 1}),
    )
    assert differences(map_bytes(moved)) == []
    signs = unpack("format", core.formats)
    signs = {**signs, "sign": np.where(signs["sign"] == 1, 2, 1)}
    other = map_bytes(changed_core(0, formats=pack("format", signs)))
    found = differences(other)
    assert any("synapses differ in weight, first of input axon" in line for line in found)
    assert any(line.startswith("core 0: ") and " sign" in line for line in found)
    assert read_map(other, "map.bin").steps == MAP.steps


def test_commands(tmp_path: Path) -> None:
    runner = CliRunner()
    image, text, again = tmp_path / "a.bin", tmp_path / "a.txt", tmp_path / "b.bin"
    image.write_bytes(CONTENT)
    assert runner.invoke(cli, ["disasm", str(image), "-o", str(text)]).exit_code == 0
    assert text.read_text(encoding="utf-8") == TEXT
    assert runner.invoke(cli, ["asm", str(text), "-o", str(again)]).exit_code == 0
    assert again.read_bytes() == CONTENT
    same = runner.invoke(cli, ["diff", str(image), str(again)])
    assert (same.exit_code, same.output) == (0, "no difference\n")
    again.write_bytes(map_bytes(replace(MAP, steps=MAP.steps + 1)))
    other = runner.invoke(cli, ["diff", str(image), str(again)])
    assert other.exit_code == 1
    assert other.output.endswith(f"\nsteps {MAP.steps} → {MAP.steps + 1}\n")
    again.write_bytes(CONTENT[:100])
    assert "SNN060" in str(runner.invoke(cli, ["disasm", str(again)]).exception)
