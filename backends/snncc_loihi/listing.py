"""A core map as text, for people and for diffs; `assembler.py` reads it back to the same bytes."""

from collections.abc import Iterator

import numpy as np

from snncc_ir import Integers
from snncc_loihi.binary import VERSION
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.synapses import SynapseLists, read_lists
from snncc_loihi.words import unpack

WORDS_A_LINE = 4
AXONS_NAMED = 8
"""Of those that name the same list."""


def disassemble(core_map: CoreMap) -> str:
    """The text of a sound map; the same map gives the same text."""
    return "\n".join([*_lines(core_map), ""])


def _lines(core_map: CoreMap) -> Iterator[str]:
    yield f"loihi {VERSION}"
    yield f"chip {core_map.chip_digest.hex()}"
    yield f"steps {core_map.steps}"
    for number, core in enumerate(core_map.cores):
        yield f"core {number} place {core.place}"
        yield "profiles"
        for i, settings in enumerate(_rows(core.profile_fields)):
            yield f"  {i}: program={program_name(core, i)} {settings.partition(' ')[2]}"
        yield "thresholds"
        yield from _numbered(unpack("threshold", core.thresholds))
        yield "formats"
        yield from _numbered(core.format_fields)
        yield "compartments  # i..k: the same, of neurons that follow one another"
        yield from _compartments(core)
        yield "input-axons"
        yield from _numbered(core.input_axon_fields)
        yield "synapses  # of a list: compartment after the base:stored weight@delay"
        yield from _synapses(core)
        yield "output-axons"
        yield from _numbered(core.output_axon_fields)
    yield "host-axons"
    yield from _numbered(unpack("host_axon", core_map.host_axons))
    yield "host-biases"
    weights = unpack("host_weight", core_map.host_weights)
    yield from _numbered({**unpack("host_bias", core_map.host_biases), **weights})


def program_name(core: Core, profile: int) -> str:
    """As it is written in text."""
    return Program(int(core.profile_fields["program"][profile])).name.lower()


def _rows(fields: dict[str, Integers]) -> Iterator[str]:
    columns = [numbers.tolist() for numbers in fields.values()]
    pattern = " ".join(f"{name}={{}}" for name in fields)
    for row in zip(*columns, strict=True):
        yield pattern.format(*row)


def _numbered(fields: dict[str, Integers]) -> Iterator[str]:
    for i, row in enumerate(_rows(fields)):
        yield f"  {i}: {row}"


def _compartments(core: Core) -> Iterator[str]:
    """Those that differ only in their neurons, which count up, in one line."""
    fields = {**core.compartment_fields, **core.label_fields}
    table = np.stack(list(fields.values()), axis=1)
    follows = np.ones(len(table), bool)
    steps = np.diff(table, axis=0)
    wanted = np.array([name == "neuron" for name in fields])
    follows[1:] = np.any(steps != wanted, axis=1)
    starts = np.flatnonzero(follows)
    ends = np.append(starts[1:], len(table))
    rows = _rows({name: numbers[starts] for name, numbers in fields.items()})
    for start, end, row in zip(starts.tolist(), ends.tolist(), rows, strict=True):
        place = str(start) if end == start + 1 else f"{start}..{end - 1}"
        yield f"  {place}: {row}"


def _synapses(core: Core) -> Iterator[str]:
    """All words; before those where lists begin, what they say."""
    lists = read_lists(core)
    words = [f"{word:016x}" for word in core.synapses.tolist()]
    axons = np.argsort(lists.of_axon, kind="stable")
    named = np.concatenate(
        [[0], np.cumsum(np.bincount(lists.of_axon, minlength=len(lists.pointers)))]
    )
    begun: dict[int, list[int]] = {}
    for i, pointer in enumerate(lists.pointers.tolist()):
        begun.setdefault(pointer, []).append(i)
    breaks = sorted({0, *begun, len(words)})
    for at, end in zip(breaks, breaks[1:] or breaks, strict=False):
        for i in begun.get(at, []):
            mine = axons[named[i] : named[i + 1]].tolist()
            more = ", …" if len(mine) > AXONS_NAMED else ""
            names = ", ".join(map(str, mine[:AXONS_NAMED]))
            yield f"  # axon {names}{more}: {_told(lists, i)}"
        for start in range(at, end, WORDS_A_LINE):
            yield f"  {start}: {' '.join(words[start : min(start + WORDS_A_LINE, end)])}"


def _told(lists: SynapseLists, which: int) -> str:
    mine = slice(lists.rows[which], lists.rows[which + 1])
    synapses = zip(
        lists.offsets[mine].tolist(),
        lists.stored[mine].tolist(),
        lists.delays[mine].tolist(),
        strict=True,
    )
    return " ".join(
        f"{offset}:{stored:+}@{delay}" if delay else f"{offset}:{stored:+}"
        for offset, stored, delay in synapses
    )
