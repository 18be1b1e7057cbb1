"""The text of a core map back to bytes."""

from collections.abc import Mapping
from functools import cache

import numpy as np
from lark import Lark, Token, Tree, UnexpectedInput

from snncc_backends import syntax_error, wrong_text
from snncc_ir import SnnccError
from snncc_loihi.binary import MOST_STEPS, VERSION, map_bytes, read_map
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.words import LAYOUTS, Words, pack

_TERMINALS = {
    "ROW": "a row of name=number", "WORDS": "a row of words", "INT": "an integer",
    "HASH": "64 hexadecimal digits", "$END": "the end", "_INPUT_AXONS": "'input-axons'",
    "_OUTPUT_AXONS": "'output-axons'", "_HOST_AXONS": "'host-axons'",
    "_HOST_BIASES": "'host-biases'",
}  # fmt: skip
"""The grammar's terminals by what a person types; the others are keywords."""
PROGRAMS = {program.name.lower(): int(program) for program in Program}
MOST_PLACE = (1 << 63) - 1
MOST_ROWS = 1 << 24


def assemble(text: str, place: str) -> bytes:
    """A map's bytes from its text.

    Raises SNN061 for text that does not fit, SNN060 for a map that contradicts itself.
    """
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        raise syntax_error(error, text, place, _TERMINALS) from None
    content = map_bytes(_Reader(place).core_map(tree))
    read_map(content, place)
    return content


@cache
def _grammar() -> Lark:
    return Lark.open_from_package("snncc_loihi", "map.lark", parser="lalr")


class _Reader:
    """Puts a map together from the parse tree."""

    def __init__(self, place: str) -> None:
        self._place = place

    def core_map(self, tree: Tree[Token]) -> CoreMap:
        head, *cores, axons, biases = (part for part in tree.children if isinstance(part, Tree))
        version, digest, steps = _tokens(head)
        if int(version) != VERSION:
            raise self._fail(f"the version is {version}, should be {VERSION}", version)
        if not 1 <= int(steps) <= MOST_STEPS:
            raise self._fail(f"steps is {steps}, should be 1 to {MOST_STEPS}", steps)
        sent = self._rows(biases, ("host_bias", "host_weight"))
        return CoreMap(
            int(steps),
            bytes.fromhex(digest),
            tuple(self._core(i, part) for i, part in enumerate(cores)),
            self._rows(axons, ("host_axon",))["host_axon"],
            sent["host_bias"],
            sent["host_weight"],
        )

    def _fail(self, message: str, token: Token) -> SnnccError:
        return wrong_text(message, f"{self._place}, line {token.line}, column {token.column}")

    def _core(self, number: int, tree: Tree[Token]) -> Core:
        given, place = _tokens(tree)
        if int(given) != number:
            raise self._fail(f"core {given} stands here, should be core {number}", given)
        if int(place) > MOST_PLACE:
            raise self._fail(f"the place is {place}, should be at most {MOST_PLACE}", place)
        parts = {str(part.data): part for part in tree.children if isinstance(part, Tree)}
        both = self._rows(parts["compartments"], ("compartment", "label"))
        return Core(
            int(place),
            both["compartment"],
            both["label"],
            self._rows(parts["profiles"], ("profile",))["profile"],
            self._rows(parts["thresholds"], ("threshold",))["threshold"],
            self._rows(parts["formats"], ("format",))["format"],
            self._rows(parts["input_axons"], ("input_axon",))["input_axon"],
            self._words(parts["synapses"]),
            self._rows(parts["output_axons"], ("output_axon",))["output_axon"],
        )

    def _rows(self, tree: Tree[Token], kinds: tuple[str, ...]) -> dict[str, Words]:
        """Words of the kinds, whose fields stand together in each row."""
        layouts = {field.name: field for kind in kinds for field in LAYOUTS[kind]}
        columns: dict[str, list[int]] = {name: [] for name in layouts}
        count = 0
        for row in _tokens(tree):
            where, _, rest = row.partition(":")
            first, _, last = where.partition("..")
            end = int(last or first)
            if int(first) != count or end < count or (last and "neuron" not in layouts):
                raise self._fail(f"row {where} stands here, should begin with {count}", row)
            if end >= MOST_ROWS:
                raise self._fail(f"row {where} is too far, should be below {MOST_ROWS}", row)
            values = self._values(row, rest)
            if values.keys() != layouts.keys():
                raise self._fail(f"a row should have {', '.join(layouts)}", row)
            size = end + 1 - count
            for name, value in values.items():
                field, most = layouts[name], value + (size - 1) * (name == "neuron")
                if not field.least <= value <= most <= field.most:
                    raise self._fail(
                        f"{name} is {most}, should be {field.least} to {field.most}", row
                    )
                columns[name] += range(value, most + 1) if most > value else [value] * size
            count = end + 1
        arrays = {name: np.array(numbers, np.int64) for name, numbers in columns.items()}
        return {kind: pack(kind, arrays) for kind in kinds}

    def _values(self, row: Token, text: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for setting in text.split():
            name, _, value = setting.partition("=")
            if name in found:
                raise self._fail(f"{name} is given twice", row)
            if value in PROGRAMS and name == "program":
                found[name] = PROGRAMS[value]
            elif value.lstrip("-").isdecimal():
                found[name] = int(value)
            else:
                raise self._fail(f"{name} is '{value}', should be a number", row)
        return found

    def _words(self, tree: Tree[Token]) -> Words:
        found: list[int] = []
        for row in _tokens(tree):
            first, _, rest = row.partition(":")
            if int(first) != len(found):
                raise self._fail(f"row {first} stands here, should be {len(found)}", row)
            found += [int(word, 16) for word in rest.split()]
        return np.array(found, np.uint64)


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [token for token in tree.children if isinstance(token, Token)]
