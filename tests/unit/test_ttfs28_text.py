"""Images as text and back, and what differs between two of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.cli.main import cli
from snncc.testing import FAMILY, network
from snncc_ir import SnnccError
from snncc_ttfs28.differences import image_differences
from snncc_ttfs28.emit import log_weights, make_image
from snncc_ttfs28.image import image_bytes
from snncc_ttfs28.machine import load_machine
from snncc_ttfs28.reader import read_image
from snncc_ttfs28.text import assemble, disassemble
from tests.conformance.test_ttfs28_emulator import changed

MACHINE = load_machine("ttfs28")
IMAGE = make_image(network("maxpool", "ttfs"), MACHINE)
TEXT = disassemble(IMAGE)


@pytest.mark.parametrize("name", FAMILY)
def test_round_trip(name: str) -> None:
    content = image_bytes(make_image(network(name, "ttfs"), MACHINE))
    text = disassemble(read_image(content, name))
    assert assemble(text, name) == content
    assert disassemble(read_image(assemble(text, name), name)) == text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ttfs28 1", "ttfs28 2", "the version is 2, should be 1"),
        ("  tau=2\n", "", "parameter tau is missing"),
        ("  tau=2\n", "  tau=2\n  speed=3\n", "parameter speed is not known"),
        ("  tau=2\n", "  tau=2\n  tau=2\n", "tau is given twice"),
        ("  tau=2\n", "  tau=200\n", "tau is out of range"),
        ("  fire ", "  ignite ", "'ignite' is no instruction"),
        ("  clear ", "  ", "is not understood"),
        (" each=0", "", "start should have layer, first, each"),
        (" pad_y=1 ", " pad_y=9999999999 ", "pad_y is 9999999999, should fit 32 bits"),
        ("  w0: ", "  w1: ", "row w1 should be w0"),
        ("  w0: ", "  w0: +99 ", "is no weight of 5 bits"),
        ("exponents\n  0: ", "exponents\n  0: 70000 ", "a number does not fit uint16"),
        ("biases\n  0:", "biases\n  4:", "row 4 stands out of order"),
        ("names\n  0", "names\n  5", "name 5 should be 0"),
        ("schedule\n", "schedul\n", "is not understood"),
    ],
)
def test_text_that_does_not_fit(old: str, new: str, message: str) -> None:
    text = TEXT.replace(old, new, 1)
    if old == "  clear ":
        text = TEXT.replace("  tile ", "  = ", 1)
    assert text != TEXT
    with pytest.raises(SnnccError) as caught:
        assemble(text, "image.txt")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "SNN061"
    assert message in diagnostic.message
    assert diagnostic.place.startswith("image.txt, line ")


def test_an_image_that_contradicts_itself_is_not_assembled() -> None:
    with pytest.raises(SnnccError, match="MAPS at byte") as caught:
        assemble(TEXT.replace("space=1 address=0", "space=1 address=9999", 1), "image.txt")
    assert caught.value.diagnostics[0].code == "SNN060"


@given(st.integers(0, len(TEXT) - 1), st.text(max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_text_is_understood_or_refused(at: int, new: str) -> None:
    codes = {"SNN060"}
    try:
        read_image(assemble(TEXT[:at] + new + TEXT[at + len(new) :], "image.txt"), "image.txt")
    except SnnccError as error:
        codes = {diagnostic.code for diagnostic in error.diagnostics}
    assert codes <= {"SNN060", "SNN061"}


def test_no_difference() -> None:
    assert list(image_differences(IMAGE, read_image(image_bytes(IMAGE), "again"))) == []


def test_differences_name_layer_and_field() -> None:
    weights = IMAGE.weights.copy()
    weights[0] ^= 1
    biases = IMAGE.biases.copy()
    biases[0] += 5
    other = changed("window", pad_y=0)(
        replace(
            IMAGE,
            parameters=replace(IMAGE.parameters, bus_bits=32),
            weights=weights,
            biases=biases,
        )
    )
    found = list(image_differences(IMAGE, other))
    assert found[0] == "parameters: bus_bits 64 → 32"
    assert any(
        line.startswith("layer 'a': instruction") and line.endswith("(window) pad_y 1 → 0")
        for line in found
    )
    assert any("layer 'a': 1 of 135 weights differ, first weight 0" in line for line in found)
    assert any("layer 'a': 1 of 5 biases differ, first bias 0" in line for line in found)
    assert len(found) == 4


def test_layers_that_only_one_has() -> None:
    other = make_image(network("dense", "ttfs"), MACHINE)
    found = list(image_differences(IMAGE, other))
    assert "layer 'a': only in the first" in found
    assert "layer 'h': only in the second" in found


def test_commands(tmp_path: Path) -> None:
    runner = CliRunner()
    image, text, again = tmp_path / "a.bin", tmp_path / "a.txt", tmp_path / "b.bin"
    image.write_bytes(image_bytes(IMAGE))
    assert runner.invoke(cli, ["disasm", str(image)]).output == TEXT
    assert runner.invoke(cli, ["disasm", str(image), "-o", str(text)]).exit_code == 0
    assert text.read_text(encoding="utf-8") == TEXT
    assert runner.invoke(cli, ["asm", str(text), "-o", str(again)]).exit_code == 0
    assert again.read_bytes() == image.read_bytes()
    same = runner.invoke(cli, ["diff", str(image), str(again)])
    assert (same.exit_code, same.output) == (0, "no difference\n")
    again.write_bytes(image_bytes(replace(IMAGE, machine_hash=bytes(32))))
    other = runner.invoke(cli, ["diff", str(image), str(again)])
    assert (other.exit_code, other.output) == (
        1,
        "1 place in the image\nmachine: another description\n",
    )


@pytest.mark.parametrize(
    ("command", "content", "code", "message"),
    [
        ("disasm", b"PK\x03\x04", "SNN060", "no image of any target"),
        ("disasm", IMAGE.names[0].encode(), "SNN060", "no image of any target"),
        ("disasm", image_bytes(IMAGE)[:200], "SNN060", "header at byte 200"),
        ("asm", b"hello", "SNN061", "the text begins with 'hello', should begin with ttfs28"),
        ("asm", b"\xff\xfe", "SNN061", "the text cannot be read"),
    ],
)
def test_wrong_files(command: str, content: bytes, code: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    arguments = [command, str(path), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(cli, arguments)
    assert isinstance(result.exception, SnnccError)
    assert result.exception.diagnostics[0].code == code
    assert message in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_weights_are_those_of_the_network() -> None:
    """Read from the text by eye: the first convolution's codes, channel by channel."""
    (weight,) = log_weights(network("maxpool", "ttfs")["a"])
    first = weight.codes.integers[:, 0, 0, 0]
    line = TEXT.split("\n  w0: ")[1].split("\n")[0].split()
    assert line[:5] == ["." if q == 0 else f"{'-' if q < 0 else '+'}{abs(q) - 1}" for q in first]
    assert np.array_equal(IMAGE.weights[:5] >> 4, first < 0)
