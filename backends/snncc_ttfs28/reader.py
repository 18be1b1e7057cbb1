"""Takes an image apart; the checks are those of docs/targets/ttfs28.md, section Errors.

Those of sections and tables are here; `checker` has those of what the schedule does.
"""

import struct
from dataclasses import dataclass
from math import isfinite
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from snncc_ir import SnnccError, fail
from snncc_ttfs28.checker import check_image
from snncc_ttfs28.image import (
    ALIGNMENT,
    ENTRY,
    HEADER,
    MAGIC,
    MAP,
    SECTIONS,
    VERSION,
    Image,
    Map,
    Parameters,
    unpacked,
)  # fmt: skip
from snncc_ttfs28.isa import INSTRUCTIONS, NAMES, Instruction
from snncc_ttfs28.machine import ALLOWED, CHOICES

MOST_CELLS = 1 << 28
MOST_NAMES = 1 << 16
SIZES = {"EXPO": 2, "BIAS": 4, "THRE": 4, "CONS": 4, "MAPS": MAP.size}
"""Bytes of an element, in sections of equal ones."""


def read_image(content: bytes, place: str) -> Image:
    """An image from its bytes; raises SNN060 with the section and the byte offset in the file."""
    image = _Reader(content, place).image()
    check_image(image, place)
    return image


@dataclass(frozen=True)
class _Section:
    offset: int
    content: bytes
    elements: int


class _Reader:
    def __init__(self, content: bytes, place: str) -> None:
        self._content, self._place = content, place
        self._sections: dict[str, _Section] = {}

    def _refuse(self, section: str, offset: int, message: str) -> SnnccError:
        start = self._sections[section].offset if section in self._sections else 0
        return fail(
            "SNN060",
            f"{section} at byte {start + offset}: {message}",
            self._place,
            "compile the network anew, or copy the image again",
        )

    def image(self) -> Image:
        machine_hash = self._header()
        parameters = self._machine()
        weights = self._weights(parameters)
        exponents = self._numbers("EXPO", "<u2").astype(np.uint16)
        biases = self._numbers("BIAS", "<i4").astype(np.int32)
        limit = 1 << (parameters.accumulator_bits - 1)
        for i in np.flatnonzero((biases < -limit) | (biases >= limit))[:1]:
            raise self._refuse("BIAS", 4 * int(i), "a bias does not fit the accumulator")
        names = self._names()
        return Image(
            machine_hash,
            parameters,
            self._schedule(len(names)),
            weights,
            exponents,
            biases,
            self._thresholds(parameters),
            self._constants(parameters),
            self._maps(parameters, len(names)),
            names,
        )

    def _header(self) -> bytes:
        content = self._content
        table = HEADER.size + ENTRY.size * len(SECTIONS)
        if len(content) < 12:
            raise self._refuse("header", len(content), "the file ends in the header")
        if content[:8] != MAGIC:
            raise self._refuse("header", 0, "the magic is another, so this is no image of ttfs28")
        (version,) = struct.unpack_from("<I", content, 8)
        if version != VERSION:
            raise self._refuse("header", 8, f"the format version is {version}, should be {VERSION}")
        if len(content) < table:
            raise self._refuse("header", len(content), "the file ends in the header")
        _, _, count, length, checksum, reserved, machine_hash = HEADER.unpack_from(content)
        if count != len(SECTIONS):
            raise self._refuse("header", 12, f"there are {count} sections, should be 9")
        if length != len(content):
            raise self._refuse(
                "header", 16, f"the length is stated as {length}, should be {len(content)}"
            )
        if reserved:
            raise self._refuse("header", 28, "the reserved word is not 0")
        if checksum != crc32(content[:24] + bytes(4) + content[28:table]):
            raise self._refuse("header", 24, "the CRC of the header does not fit")
        end = table
        for number, name in enumerate(SECTIONS):
            end = self._entry(number, name, end)
        if end != len(content):
            raise self._refuse("header", end, "there is something after the last section")
        return bytes(machine_hash)

    def _entry(self, number: int, name: str, end: int) -> int:
        at = HEADER.size + ENTRY.size * number
        found, checksum, offset, length, elements = ENTRY.unpack_from(self._content, at)
        expected = end + -end % ALIGNMENT
        if found != name.encode():
            raise self._refuse("header", at, f"section {number} should be {name}")
        if offset != expected:
            raise self._refuse("header", at + 8, f"{name} starts at {offset}, should at {expected}")
        if offset + length > len(self._content):
            raise self._refuse("header", at + 16, f"{name} goes beyond the end of the file")
        for place in range(end, offset):
            if self._content[place]:
                raise self._refuse("header", place, f"the gap before {name} is not 0")
        content = self._content[offset : offset + length]
        self._sections[name] = _Section(offset, content, elements)
        if crc32(content) != checksum:
            raise self._refuse(name, 0, "the CRC of the section does not fit")
        return int(offset + length)

    def _machine(self) -> Parameters:
        section = self._sections["MACH"]
        names = list(Parameters.__dataclass_fields__)
        if len(section.content) != 4 * len(names) or section.elements != len(names):
            raise self._refuse("MACH", 0, f"there should be {len(names)} parameters")
        values = dict(zip(names, struct.unpack(f"<{len(names)}I", section.content), strict=True))
        for i, (name, value) in enumerate(values.items()):
            low, high = ALLOWED.get(name, (0, MOST_CELLS))
            if name in CHOICES:
                if value not in CHOICES[name]:
                    raise self._refuse(
                        "MACH", 4 * i, f"{name} is {value}, should be one of {CHOICES[name]}"
                    )
            elif not low <= value <= high:
                raise self._refuse("MACH", 4 * i, f"{name} is {value}, should be {low} to {high}")
        return Parameters(**values)

    def _weights(self, parameters: Parameters) -> NDArray[np.uint8]:
        section, bits = self._sections["WGHT"], parameters.weight_bits
        size = section.elements * bits
        if -(-size // 8) != len(section.content):
            raise self._refuse(
                "WGHT", 0, f"{section.elements} codes do not fit {len(section.content)} bytes"
            )
        if size % 8 and section.content[-1] >> size % 8:
            raise self._refuse("WGHT", size // 8, "bits after the last weight are not 0")
        codes = unpacked(section.content, section.elements, bits)
        for i in np.flatnonzero(codes == (1 << bits) - 1)[:1]:
            raise self._refuse("WGHT", int(i) * bits // 8, f"weight {i} is a negative zero")
        return codes

    def _numbers(self, name: str, kind: str) -> "NDArray[np.signedinteger | np.unsignedinteger]":
        section = self._sections[name]
        if section.elements * SIZES[name] != len(section.content):
            raise self._refuse(
                name, 0, f"{section.elements} elements do not fit {len(section.content)} bytes"
            )
        return np.frombuffer(section.content, kind)

    def _thresholds(self, parameters: Parameters) -> NDArray[np.int32]:
        flat = self._numbers("THRE", "<i4").astype(np.int32)
        if flat.size % parameters.slots:
            raise self._refuse("THRE", 0, f"{flat.size} thresholds are no tables of all slots")
        table = flat.reshape(-1, parameters.slots)
        rises = np.zeros(table.shape, bool)
        rises[:, 1:] = np.diff(table.astype(np.int64), axis=1) > 0
        for i in np.flatnonzero(rises | (table < 1))[:1]:
            raise self._refuse("THRE", 4 * int(i), "a threshold rises, or is below 1")
        return table

    def _constants(self, parameters: Parameters) -> NDArray[np.uint32]:
        table = self._numbers("CONS", "<u4").astype(np.uint32)
        if table.size != parameters.octave:
            raise self._refuse("CONS", 0, f"there should be {parameters.octave} constants")
        wrong = table >> parameters.constant_bits > 0
        wrong[1:] |= table[1:] >= table[:-1]
        for i in np.flatnonzero(wrong)[:1]:
            raise self._refuse("CONS", 4 * int(i), "a constant is too large, or does not descend")
        return table

    def _names(self) -> tuple[str, ...]:
        section, at, names = self._sections["NAME"], 0, []
        content = section.content
        while at < len(content):
            end = at + 2 + int.from_bytes(content[at : at + 2], "little")
            if len(content) - at < 2 or end > len(content):
                raise self._refuse("NAME", at, "the last name is cut off")
            try:
                names.append(content[at + 2 : end].decode())
            except UnicodeDecodeError as error:
                raise self._refuse("NAME", at + 2 + error.start, "a name is not UTF-8") from None
            at = end
        if len(names) != section.elements or len(names) > MOST_NAMES:
            raise self._refuse("NAME", 0, f"there are {len(names)}, stated are {section.elements}")
        return tuple(names)

    def _maps(self, parameters: Parameters, names: int) -> tuple[Map, ...]:
        self._numbers("MAPS", "<u1")
        content = self._sections["MAPS"].content
        cells = (parameters.spike_cells, parameters.input_cells, parameters.output_cells)
        maps = []
        for i, fields in enumerate(MAP.iter_unpack(content)):
            name, space, address, *shape, levels, reserved, scale = fields
            at = MAP.size * i
            if name >= names:
                raise self._refuse("MAPS", at, "a map has no name")
            if space > 2:
                raise self._refuse("MAPS", at + 4, f"space is {space}, should be 0 to 2")
            size = shape[0] * shape[1] * shape[2]
            if min(shape) < 1 or size > MOST_CELLS:
                raise self._refuse("MAPS", at + 12, "a map has an empty or too large shape")
            if address + size > cells[space]:
                raise self._refuse("MAPS", at + 8, "a map goes beyond its memory")
            most = (1 << parameters.input_bits) - 1
            if not 1 <= levels <= most if space == 1 else levels:
                raise self._refuse("MAPS", at + 24, f"levels is {levels}")
            if reserved:
                raise self._refuse("MAPS", at + 28, "the reserved word is not 0")
            if not isfinite(scale) or scale < 0:
                raise self._refuse("MAPS", at + 32, "a scale is negative or not finite")
            maps.append(Map(name, space, address, (shape[0], shape[1], shape[2]), levels, scale))
        return tuple(maps)

    def _schedule(self, names: int) -> tuple[Instruction, ...]:
        section, at, found = self._sections["SCHE"], 0, []
        content = section.content
        while at < len(content):
            if len(content) - at < 4:
                raise self._refuse("SCHE", at, "the schedule is cut off")
            (head,) = struct.unpack_from("<I", content, at)
            opcode, count, layer = head & 255, head >> 8 & 255, head >> 16
            if opcode not in NAMES:
                raise self._refuse("SCHE", at, f"opcode {opcode} is not known")
            form = INSTRUCTIONS[NAMES[opcode]]
            if count != len(form.fields):
                raise self._refuse(
                    "SCHE",
                    at,
                    f"opcode {opcode} has {count} fields, should have {len(form.fields)}",
                )
            if layer >= names:
                raise self._refuse("SCHE", at, "the layer does not exist")
            if len(content) - at < form.size:
                raise self._refuse("SCHE", at, "the schedule is cut off")
            _, *fields = struct.unpack_from(form.layout, content, at)
            found.append(Instruction(NAMES[opcode], layer, tuple(fields)))
            at += form.size
        if len(found) != section.elements:
            raise self._refuse(
                "SCHE", 0, f"there are {len(found)} instructions, stated are {section.elements}"
            )
        return tuple(found)
