"""The image: bytes and back; whatever is damaged is refused, with its place."""

import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc.testing import network
from snncc_backends import build
from snncc_ir import SnnccError
from snncc_ttfs28.checker import check_image
from snncc_ttfs28.differences import image_differences
from snncc_ttfs28.emit import make_image
from snncc_ttfs28.image import ENTRY, HEADER, SECTIONS, Image, image_bytes, packed, unpacked
from snncc_ttfs28.isa import INSTRUCTIONS, instruction
from snncc_ttfs28.machine import load_machine
from snncc_ttfs28.reader import read_image
from snncc_ttfs28.text import assemble, disassemble
from tests.conformance.test_ttfs28_emulator import SOURCES, changed
from tests.conformance.test_ttfs28_emulator import WRONG as WRONG_SCHEDULES
from tests.conformance.ttfs28_images import small_image
from tests.conftest import ROOT

IMAGE = make_image(network("maxpool", "ttfs"), load_machine("ttfs28"))
CONTENT = image_bytes(IMAGE)


def same(first: Image, second: Image) -> bool:
    return image_bytes(first) == image_bytes(second)


def refusal(content: bytes) -> str:
    with pytest.raises(SnnccError) as caught:
        read_image(content, "image.bin")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "SNN060"
    assert diagnostic.place == "image.bin"
    return diagnostic.message


def repaired(content: bytes) -> bytes:
    """With the length and all CRCs that the content asks for, as far as its table can be read."""
    changed = bytearray(content)
    struct.pack_into("<Q", changed, 16, len(changed))
    for number in range(len(SECTIONS)):
        at = HEADER.size + ENTRY.size * number
        _, _, offset, length, _ = ENTRY.unpack_from(changed, at)
        struct.pack_into("<I", changed, at + 4, crc32(changed[offset : offset + length]))
    struct.pack_into("<I", changed, 24, 0)
    table = HEADER.size + ENTRY.size * len(SECTIONS)
    struct.pack_into("<I", changed, 24, crc32(changed[:table]))
    return bytes(changed)


def section(name: str) -> tuple[int, int]:
    """Offset and length."""
    at = HEADER.size + ENTRY.size * SECTIONS.index(name)
    _, _, offset, length, _ = ENTRY.unpack_from(CONTENT, at)
    return offset, length


def with_bytes(name: str, at: int, new: bytes) -> bytes:
    """The image with some bytes of a section replaced, CRCs repaired."""
    offset, _ = section(name)
    return repaired(CONTENT[: offset + at] + new + CONTENT[offset + at + len(new) :])


def test_round_trip() -> None:
    assert same(read_image(CONTENT, "image.bin"), IMAGE)


@given(st.integers(2, 8), st.lists(st.integers(0, 255), max_size=50))
def test_packing(bits: int, numbers: list[int]) -> None:
    codes = np.array([n % (1 << bits) for n in numbers], np.uint8)
    content = packed(codes, bits)
    assert len(content) == -(-len(numbers) * bits // 8)
    assert np.array_equal(unpacked(content, len(numbers), bits), codes)
    # the specification's own words: bit n of the stream is bit n mod 8 of byte n // 8
    for n in range(len(numbers) * bits):
        bit = int(codes[n // bits]) >> n % bits & 1
        assert content[n // 8] >> n % 8 & 1 == bit


def test_an_instruction_has_all_of_its_fields() -> None:
    with pytest.raises(ValueError, match="should be"):
        instruction("tile", 0, channels=1)
    assert [form.opcode for form in INSTRUCTIONS.values()] == list(range(11))


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
@settings(max_examples=300)
def test_a_changed_byte_is_refused(at: int, change: int) -> None:
    changed = bytearray(CONTENT)
    changed[at] ^= change
    message = refusal(bytes(changed))
    assert " at byte " in message


@given(st.integers(0, len(CONTENT) - 1))
def test_a_cut_image_is_refused(length: int) -> None:
    refusal(CONTENT[:length])


@given(st.binary(min_size=1, max_size=20))
def test_an_extended_image_is_refused(more: bytes) -> None:
    refusal(CONTENT + more)
    assert "after the last section" in refusal(repaired(CONTENT + more))


@given(st.integers(HEADER.size, len(CONTENT) - 1), st.binary(min_size=1, max_size=8))
@settings(max_examples=400)
def test_behind_the_checksums(at: int, new: bytes) -> None:
    """With CRCs that fit, an image is read as what it says, or refused; nothing else."""
    changed = repaired((CONTENT[:at] + new + CONTENT[at + len(new) :])[: len(CONTENT)])
    try:
        image = read_image(changed, "image.bin")
    except SnnccError as error:
        codes = {diagnostic.code for diagnostic in error.diagnostics}
    else:
        codes = {"SNN060"}
        assert image_bytes(image) == changed
    assert codes == {"SNN060"}


U32 = struct.Struct("<I")
WRONG: dict[str, tuple[bytes, str, str]] = {
    "magic": (b"X" + CONTENT[1:], "header at byte 0", "the magic is another"),
    "version": (repaired(CONTENT[:8] + U32.pack(2) + CONTENT[12:]), "header at byte 8",
                "the format version is 2, should be 1"),
    "reserved": (repaired(CONTENT[:28] + U32.pack(1) + CONTENT[32:]), "header at byte 28",
                 "the reserved word is not 0"),
    "slots": (with_bytes("MACH", 0, U32.pack(65)), "MACH", "slots is 65, should be 2 to 64"),
    "tau": (with_bytes("MACH", 4, U32.pack(3)), "MACH", "tau is 3, should be one of (1, 2, 4, 8)"),
    "memory": (with_bytes("MACH", 48, U32.pack(1 << 29)), "MACH", "input_cells is 536870912"),
    "opcode": (with_bytes("SCHE", 0, b"\x0b"), "SCHE", "opcode 11 is not known"),
    "fields": (with_bytes("SCHE", 1, b"\x07"), "SCHE", "has 7 fields, should have"),
    "layer": (with_bytes("SCHE", 2, b"\xff\xff"), "SCHE", "the layer does not exist"),
    "weight": (with_bytes("WGHT", 0, b"\xff"), "WGHT", "weight 0 is a negative zero"),
    "threshold": (with_bytes("THRE", 4, U32.pack(1 << 30)), "THRE", "a threshold rises"),
    "constant": (with_bytes("CONS", 4, U32.pack(65535)), "CONS", "does not descend"),
    "name": (with_bytes("NAME", 2, b"\xff"), "NAME", "a name is not UTF-8"),
    "map": (with_bytes("MAPS", 8, U32.pack(1 << 27)), "MAPS", "a map goes beyond its memory"),
    "scale": (with_bytes("MAPS", 32, struct.pack("<d", np.nan)), "MAPS", "not finite"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_each_check(case: str) -> None:
    content, place, message = WRONG[case]
    found = refusal(content)
    assert found.startswith(place)
    assert message in found
    if not place.startswith("header"):
        offset = int(found.split(" at byte ")[1].split(":")[0])
        first, length = section(place)
        assert first <= offset < first + length


def test_no_huge_allocation(tmp_path: Path) -> None:
    """Sizes that are stated are believed only as far as the file has bytes for them."""
    at = HEADER.size + ENTRY.size * SECTIONS.index("WGHT")
    changed = bytearray(CONTENT)
    struct.pack_into("<Q", changed, at + 24, 1 << 60)
    assert "codes do not fit" in refusal(repaired(bytes(changed)))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("emulator")
    sources = [ROOT / "backends" / "snncc_ttfs28" / "emulator" / name for name in SOURCES]
    build(sources, folder / "ttfs28", ("-O1",))
    return folder / "ttfs28"


def verdict_of_the_emulator(emulator: Path, content: bytes) -> str:
    """What it says of an image; empty when it takes it."""
    path = emulator.parent / "image.bin"
    path.write_bytes(content)
    done = subprocess.run([emulator, path, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1)
    return done.stderr.strip()


@given(st.integers(0, 1 << 30))
@settings(max_examples=30, deadline=None)
def test_random_images(emulator: Path, seed: int) -> None:
    """Valid for checker and emulator; bytes and text lead back to the same bytes."""
    content = image_bytes(small_image(seed))
    assert image_bytes(small_image(seed)) == content
    image = read_image(content, "image.bin")
    assert image_bytes(image) == content
    assert assemble(disassemble(image), "image.txt") == content
    assert list(image_differences(image, small_image(seed))) == []
    assert verdict_of_the_emulator(emulator, content) == ""


def test_random_images_use_everything() -> None:
    steps = [step for seed in range(20) for step in small_image(seed).schedule]
    assert {step.name for step in steps} == set(INSTRUCTIONS)
    for name, field, values in (
        ("integrate", "kind", {0, 1}), ("load", "space", {0, 1}), ("start", "each", {0, 1}),
        ("integrate", "groups", {1, 2}), ("window", "stride_x", {1, 2}),
        ("window", "dilation_y", {1, 2}), ("window", "pool_x", {1, 2}), ("window", "pad_y", {-1}),
    ):  # fmt: skip
        assert values <= {step[field] for step in steps if step.name == name}, field
    assert any(step["step_c"] < 0 for step in steps if step.name == "load")


@pytest.mark.parametrize("case", WRONG_SCHEDULES)
def test_each_check_of_the_schedule(emulator: Path, case: str) -> None:
    change, _ = WRONG_SCHEDULES[case]
    content = image_bytes(change(IMAGE))
    place, _, message = refusal(content).partition(": ")
    assert place.startswith("SCHE at byte ")
    assert message
    assert verdict_of_the_emulator(emulator, content).startswith(f"{place}: ")


NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 3, 4096, 4097, 1 << 16, 1 << 24, (1 << 24) + 1, (1 << 32) - 1,
                     1 << 31, (1 << 31) - 1, (1 << 32) - (1 << 24), (1 << 32) - (1 << 24) - 1]),
    st.integers(0, 70), st.integers((1 << 32) - 9, (1 << 32) - 1),
)  # fmt: skip


@given(st.integers(0, 40), st.data())
@settings(max_examples=500, deadline=None)
def test_checker_and_emulator_agree(emulator: Path, seed: int, data: st.DataObject) -> None:
    """On images with a field replaced, an instruction dropped or twice, or another parameter:
    both take it, or both refuse it at the same byte. The emulator alone has limits of its own."""
    image = small_image(seed)
    steps = list(image.schedule)
    at = data.draw(st.integers(0, len(steps) - 1))
    what = data.draw(st.sampled_from(["field", "field", "field", "drop", "twice", "parameter"]))
    if what == "drop":
        del steps[at]
    elif what == "twice":
        steps.insert(data.draw(st.integers(0, len(steps))), steps[at])
    content = bytearray(image_bytes(replace(image, schedule=tuple(steps))))
    table = HEADER.size + ENTRY.size * len(SECTIONS)
    if what == "parameter":
        number = data.draw(st.integers(0, 14))
        struct.pack_into("<I", content, table + 4 * number, data.draw(NUMBERS))
    elif what == "field":
        sizes = [INSTRUCTIONS[step.name].size for step in steps]
        place = table + 64 + sum(sizes[:at])
        word = data.draw(st.integers(1, max(1, sizes[at] // 4 - 1)))
        struct.pack_into("<I", content, place + 4 * word, data.draw(NUMBERS))
    changed_content = repaired(bytes(content))
    theirs = verdict_of_the_emulator(emulator, changed_content)
    try:
        read_image(changed_content, "image.bin")
        ours = ""
    except SnnccError as error:
        (diagnostic,) = error.diagnostics
        assert diagnostic.code == "SNN060"
        ours = diagnostic.message
    if not ours:
        assert theirs == "" or "to emulate" in theirs
    elif "to emulate" not in theirs:
        assert theirs
        places = ours.partition(": ")[0], theirs.partition(": ")[0]
        # parameters are read by several tables; which of them is checked first is nobody's promise
        assert places[0] == places[1] or what == "parameter", (ours, theirs)


def test_a_cell_of_the_other_kind() -> None:
    """What is cleared or loaded again is of no kind, or of the last; read at its exact cell."""
    image = small_image(0)
    first = next(step for step in image.schedule if step.name == "load")
    assert first["space"] == 1
    with pytest.raises(SnnccError, match=r"cell \d+ of the spike buffer is of the other kind"):
        check_image(changed("integrate", kind=0)(image), "image.bin")
    steps = list(image.schedule)
    at = next(i for i, step in enumerate(steps) if step.name == "integrate")
    cells = instruction("clear", 0, count=image.parameters.spike_buffer)
    cleared = (*steps[:at], cells, *steps[at:])
    check_image(changed("integrate", kind=0)(replace(image, schedule=cleared)), "image.bin")


STEP = {step.name: step for step in reversed(IMAGE.schedule)}
TILE = next(step for step in IMAGE.schedule if step.name == "tile")
NEURONS = TILE["channels"] * TILE["height"] * TILE["width"]
SIZES = IMAGE.parameters
PAD = 1 << 24


@pytest.mark.parametrize(
    ("name", "fields", "field", "most", "message"),
    [
        ("window", {}, "pad_y", PAD, "a pad is too large"),
        ("window", {}, "kernel_y", 4096, "size of the window"),
        ("weights", {"count": 1}, "first", IMAGE.weights.size - 1, "beyond section WGHT"),
        ("weights", {}, "to", SIZES.weight_capacity - STEP["weights"]["count"],
         "beyond the weight buffer"),
        ("start", {"each": 0}, "first", IMAGE.biases.size - TILE["channels"], "the biases"),
        ("start", {"each": 1}, "first", 3, "the biases"),
        ("integrate", {}, "exponents", IMAGE.exponents.size - TILE["channels"], "the exponents"),
        ("fire", {}, "table", len(IMAGE.thresholds) - 1, "the thresholds"),
        ("fire", {}, "to", SIZES.spike_cells - NEURONS, "the spike memory"),
    ],
)  # fmt: skip
def test_the_last_that_fits(
    name: str, fields: dict[str, int], field: str, most: int, message: str
) -> None:
    """And one more, which does not."""
    image = IMAGE
    if fields.get("each"):
        image = replace(image, biases=np.zeros(NEURONS + most, np.int32))
    if field == "kernel_y":
        image = replace(image, parameters=replace(SIZES, weight_buffer=1 << 31))
    check_image(changed(name, **fields, **{field: most})(image), "image.bin")
    with pytest.raises(SnnccError, match=message):
        check_image(changed(name, **fields, **{field: most + 1})(image), "image.bin")


def test_all_of_the_spike_buffer_can_be_cleared() -> None:
    step = instruction("clear", 0, count=SIZES.spike_buffer)
    check_image(replace(IMAGE, schedule=(step, *IMAGE.schedule)), "image.bin")
    step = instruction("clear", 0, count=SIZES.spike_buffer + 1)
    with pytest.raises(SnnccError, match="SCHE at byte 416: count is beyond the spike buffer"):
        check_image(replace(IMAGE, schedule=(step, *IMAGE.schedule)), "image.bin")


def test_pads_go_both_ways() -> None:
    check_image(changed("window", pad_x=-PAD)(IMAGE), "image.bin")
    with pytest.raises(SnnccError, match="a pad is too large"):
        check_image(changed("window", pad_x=-PAD - 1)(IMAGE), "image.bin")


def test_memories_beyond_the_emulator() -> None:
    cells = 1 << 28
    large = replace(SIZES, input_cells=cells, spike_cells=cells, output_cells=cells)
    check_image(replace(IMAGE, parameters=large), "image.bin")
    large = replace(large, weight_buffer=1 << 31)
    found = refusal(image_bytes(replace(IMAGE, parameters=large)))
    assert found == f"MACH at byte {section('MACH')[0] + 28}: the memories are too large to emulate"


def test_too_much_work() -> None:
    """A short image that would run for days."""
    parameters = replace(SIZES, weight_buffer=1 << 31, spike_buffer=1 << 24)
    large = changed("window", kernel_y=4096, kernel_x=64)(replace(IMAGE, parameters=parameters))
    codes = TILE["channels"] * STEP["integrate"]["channels"] * 4096 * 64
    cells = (1 << 40) // (codes * SIZES.input_bits)
    check_image(changed("integrate", height=1, width=cells)(large), "image.bin")
    with pytest.raises(SnnccError, match="too much work to emulate"):
        check_image(changed("integrate", height=1, width=cells + 1)(large), "image.bin")


def test_text_of_unusual_numbers() -> None:
    """A negative zero is a scale, too: it is not below 0."""
    maps = (replace(IMAGE.maps[0], scale=-0.0), *IMAGE.maps[1:])
    content = image_bytes(replace(IMAGE, maps=maps))
    assert assemble(disassemble(read_image(content, "image.bin")), "image.txt") == content


LONG = "9" * 5000


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("", None, "image.txt, line 1, column 1"),
        ("ttfs28 1", f"ttfs28 {LONG}", "image.txt, line 1, column 28"),
        ("  tau=2\n", f"  tau={LONG}\n", "image.txt, line 5, column 27"),
        ("biases\n  0:", f"biases\n  {LONG}:", "column "),
        ("biases\n  0:", f"biases\n  0: {LONG}", "column "),
        ("  w0:", f"  w{LONG}:", "column "),
        ("names\n  0", f"names\n  {LONG}", "column 23"),
        ("shape=", f"shape={LONG}", "column "),
        (" scale=0x1.", f" scale=0x1.0p+{LONG} ", "column "),
        (" scale=0x1.", " scale=0x1.0p+99999 # ", "column "),
        ("parameters\n  slots=", "parameters\n  SLOTS=", "image.txt, line 4, column 3"),
    ],
)
def test_text_that_cannot_be_a_number(old: str, new: str | None, place: str) -> None:
    """Refused where it stands; Python itself refuses to read very long numbers."""
    text = "" if new is None else disassemble(IMAGE).replace(old, new, 1)
    with pytest.raises(SnnccError) as caught:
        assemble(text, "image.txt")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "SNN061"
    assert place in diagnostic.place


def test_a_syntax_error_says_what_should_be() -> None:
    text = disassemble(IMAGE).replace("\nmaps\n", "\nmap\n", 1)
    with pytest.raises(SnnccError, match="'map' is not understood, should be 'maps' or an integer"):
        assemble(text, "image.txt")


def test_two_maps_of_one_name() -> None:
    first = replace(IMAGE, maps=(*IMAGE.maps, IMAGE.maps[0]))
    second = replace(IMAGE, maps=(*IMAGE.maps, replace(IMAGE.maps[0], levels=7)))
    name = IMAGE.names[IMAGE.maps[0].name]
    assert list(image_differences(first, second)) == [f"map '{name} (2)': levels 31 → 7"]
    assert list(image_differences(IMAGE, first)) == [f"map '{name} (2)': only in the second"]


def test_a_sum_over_a_whole_map_is_one_integration() -> None:
    """Whatever the stride of its only window is: not one for each of its taps."""
    image = make_image(network("average", "ttfs"), load_machine("ttfs28"))
    readout = image.names.index("y.readout")
    steps = [step for step in image.schedule if step.layer == readout]
    assert [step.name for step in steps].count("integrate") == 1
    (window,) = (step for step in steps if step.name == "window")
    assert (window["pool_y"], window["pool_x"]) == (4, 4)
