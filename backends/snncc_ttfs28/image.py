"""An image of the machine, in memory and as bytes; docs/targets/ttfs28.md has the format."""

import struct
from dataclasses import astuple, dataclass
from math import lcm
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from snncc_ttfs28.isa import Instruction

MAGIC = b"TTFS28\r\n"
VERSION = 1
SECTIONS = ("MACH", "SCHE", "WGHT", "EXPO", "BIAS", "THRE", "CONS", "MAPS", "NAME")
HEADER = struct.Struct("<8sIIQII32s")
ENTRY = struct.Struct("<4sIQQQ")
MAP = struct.Struct("<IIIIIIIId")
ALIGNMENT = 8


@dataclass(frozen=True)
class Parameters:
    """The numbers of section MACH, in order."""

    slots: int
    tau: int
    resolution: int
    weight_bits: int
    constant_bits: int
    accumulator_bits: int
    input_bits: int
    processing_elements: int
    weight_buffer: int
    spike_buffer: int
    accumulators: int
    bus_bits: int
    input_cells: int
    spike_cells: int
    output_cells: int

    @property
    def octave(self) -> int:
        """L, exponent units an octave."""
        return lcm(self.tau, self.resolution)

    @property
    def slot_bits(self) -> int:
        """Bits of a slot code, no spike included."""
        return self.slots.bit_length()

    @property
    def weight_capacity(self) -> int:
        """Weight codes that the weight buffer holds."""
        return self.weight_buffer // self.weight_bits


@dataclass(frozen=True)
class Map:
    """Where a layer's numbers lie; space: 0 spike, 1 input, 2 output memory."""

    name: int
    space: int
    address: int
    shape: tuple[int, int, int]
    levels: int
    scale: float


@dataclass(frozen=True, eq=False)
class Image:
    """Everything the machine needs.

    weights: codes, uint8. exponents: uint16. biases: int32. thresholds: int32 (tables, slots).
    constants: uint32 (octave).
    """

    machine_hash: bytes
    parameters: Parameters
    schedule: tuple[Instruction, ...]
    weights: NDArray[np.uint8]
    exponents: NDArray[np.uint16]
    biases: NDArray[np.int32]
    thresholds: NDArray[np.int32]
    constants: NDArray[np.uint32]
    maps: tuple[Map, ...]
    names: tuple[str, ...]


def image_bytes(image: Image) -> bytes:
    """The file; the same image gives the same bytes."""
    contents = _contents(image)
    offset = HEADER.size + ENTRY.size * len(SECTIONS)
    entries, body = [], b""
    for name in SECTIONS:
        content, elements = contents[name]
        padding = -offset % ALIGNMENT
        offset += padding
        entries.append(ENTRY.pack(name.encode(), crc32(content), offset, len(content), elements))
        body += bytes(padding) + content
        offset += len(content)
    table = b"".join(entries)

    def header(checksum: int) -> bytes:
        return HEADER.pack(MAGIC, VERSION, len(SECTIONS), offset, checksum, 0, image.machine_hash)

    return header(crc32(header(0) + table)) + table + body


def _contents(image: Image) -> dict[str, tuple[bytes, int]]:
    """Bytes and number of elements of each section."""
    names = b"".join(struct.pack("<H", len(name.encode())) + name.encode() for name in image.names)
    maps = b"".join(
        MAP.pack(m.name, m.space, m.address, *m.shape, m.levels, 0, m.scale) for m in image.maps
    )
    parameters = astuple(image.parameters)
    return {
        "MACH": (struct.pack(f"<{len(parameters)}I", *parameters), len(parameters)),
        "SCHE": (b"".join(i.encoded() for i in image.schedule), len(image.schedule)),
        "WGHT": (packed(image.weights, image.parameters.weight_bits), image.weights.size),
        "EXPO": (image.exponents.astype("<u2").tobytes(), image.exponents.size),
        "BIAS": (image.biases.astype("<i4").tobytes(), image.biases.size),
        "THRE": (image.thresholds.astype("<i4").tobytes(), image.thresholds.size),
        "CONS": (image.constants.astype("<u4").tobytes(), image.constants.size),
        "MAPS": (maps, len(image.maps)),
        "NAME": (names, len(image.names)),
    }


def packed(codes: NDArray[np.uint8], bits: int) -> bytes:
    """Codes of `bits` bits end to end, the lowest bit first."""
    each = np.unpackbits(codes.reshape(-1, 1), axis=1, count=bits, bitorder="little")
    return np.packbits(each, bitorder="little").tobytes()


def unpacked(content: bytes, count: int, bits: int) -> NDArray[np.uint8]:
    """The first `count` codes of packed bytes."""
    each = np.unpackbits(np.frombuffer(content, np.uint8), count=count * bits, bitorder="little")
    codes: NDArray[np.uint8] = np.packbits(
        each.reshape(count, bits), axis=1, bitorder="little"
    ).reshape(-1)
    return codes
