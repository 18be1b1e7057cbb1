"""A core map as bytes and back; docs/targets/loihi.md has the format."""

import struct

import numpy as np

from snncc_ir import SnnccError, fail
from snncc_loihi.core_map import Core, CoreMap
from snncc_loihi.soundness import check_map
from snncc_loihi.words import Words

MAGIC = b"SNNCCMAP"
VERSION = 1
HEADER = struct.Struct("<8sIIIIII32s")
CORE = struct.Struct("<8Q")
WORD = 8
COUNTED = (
    "compartments", "profiles", "thresholds", "formats", "input_axons", "synapses", "output_axons",
)  # fmt: skip
"""Memories of which a core's entry says how many words they have, in order; labels are as many as
compartments."""
MEMORIES = ("compartments", "labels", *COUNTED[1:])
"""In the order of the file."""
MOST_STEPS = 65535
MOST_CORES = 1 << 24


def map_bytes(core_map: CoreMap) -> bytes:
    """The file; the same map gives the same bytes."""
    if len(core_map.host_weights) != len(core_map.host_biases):
        raise ValueError("there should be as many host weights as host biases")
    parts = [
        HEADER.pack(
            MAGIC,
            VERSION,
            len(core_map.cores),
            len(core_map.host_axons),
            len(core_map.host_biases),
            core_map.steps,
            0,
            core_map.chip_digest,
        )
    ]
    for core in core_map.cores:
        parts.append(CORE.pack(core.place, *(len(getattr(core, name)) for name in COUNTED)))
    for core in core_map.cores:
        parts += [_bytes(getattr(core, name)) for name in MEMORIES]
    parts += [
        _bytes(words)
        for words in (core_map.host_axons, core_map.host_biases, core_map.host_weights)
    ]
    return b"".join(parts)


def _bytes(words: Words) -> bytes:
    return words.astype("<u8").tobytes()


def read_map(content: bytes, place: str) -> CoreMap:
    """A map from its bytes; raises SNN060 with the place in it, what was found and should be."""
    core_map = _taken_apart(content, place)
    check_map(core_map, place)
    return core_map


def _taken_apart(content: bytes, place: str) -> CoreMap:
    def refuse(where: str, message: str) -> SnnccError:
        return fail(
            "SNN060", f"{where}: {message}", place,
            "compile the network anew, or copy the map again",
        )  # fmt: skip

    if not content.startswith(MAGIC):
        raise refuse("header at byte 0", f"the magic is another, should be {MAGIC.decode()}")
    if len(content) < HEADER.size:
        raise refuse(f"header at byte {len(content)}", "the file ends, should have 64 bytes")
    _, version, cores, axons, biases, steps, reserved, digest = HEADER.unpack_from(content)
    if version != VERSION:
        raise refuse("header at byte 8", f"the version is {version}, should be {VERSION}")
    if not 1 <= cores <= MOST_CORES:
        raise refuse("header at byte 12", f"there are {cores} cores, should be 1 to {MOST_CORES}")
    if not 1 <= steps <= MOST_STEPS:
        raise refuse("header at byte 24", f"T is {steps}, should be 1 to {MOST_STEPS}")
    if reserved:
        raise refuse("header at byte 28", f"the reserved number is {reserved}, should be 0")
    at = HEADER.size + CORE.size * cores
    if len(content) < at:
        raise refuse(
            f"core table at byte {len(content)}", f"the file ends, should have {cores} entries"
        )
    table = [CORE.unpack_from(content, HEADER.size + CORE.size * i) for i in range(cores)]
    words = sum(counts[0] + sum(counts) for _, *counts in table) + axons + 2 * biases
    if len(content) != at + WORD * words:
        raise refuse(
            "core table", f"the file has {len(content)} bytes, should have {at + WORD * words}"
        )

    def take(count: int) -> Words:
        nonlocal at
        found = np.frombuffer(content, "<u8", count, at).astype(np.uint64)
        at += WORD * count
        return found

    found = []
    for number, *counts in table:
        memories = {name: take(n) for name, n in zip(MEMORIES, [counts[0], *counts], strict=True)}
        found.append(Core(place=number, **memories))
    return CoreMap(steps, bytes(digest), tuple(found), take(axons), take(biases), take(biases))
