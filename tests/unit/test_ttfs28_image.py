"""The image: bytes and back; whatever is damaged is refused, with its place."""

import struct
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncc_ir import SnnccError
from snncc_ttfs28.emit import make_image
from snncc_ttfs28.image import ENTRY, HEADER, SECTIONS, Image, image_bytes, packed, unpacked
from snncc_ttfs28.isa import INSTRUCTIONS, instruction
from snncc_ttfs28.machine import load_machine
from snncc_ttfs28.reader import read_image
from tests.conformance.networks import network

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
