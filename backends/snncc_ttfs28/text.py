"""An image as text, for people and for diffs, and back to the same bytes."""

import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import TypeVar

import numpy as np
from lark import Lark, Token, Tree, UnexpectedInput
from numpy.typing import NDArray

from snncc_backends import syntax_error, wrong_text
from snncc_ir import SnnccError
from snncc_ttfs28.image import VERSION, Image, Map, Parameters, image_bytes
from snncc_ttfs28.isa import INSTRUCTIONS, Field, Instruction, instruction
from snncc_ttfs28.reader import read_image

A_LINE = 16
_TERMINALS = {
    "ROW": "a row of numbers", "CODES": "a row of weights", "SHAPE": "shape=CxHxW",
    "SCALE": "scale=, hexadecimal", "SETTING": "name=number", "INT": "an integer",
    "HASH": "64 hexadecimal digits", "NAME": "an instruction", "STRING": "a text in quotes",
    "$END": "the end",
}  # fmt: skip
"""The grammar's terminals by what a person types; the others are keywords."""

Number = TypeVar("Number", np.int32, np.uint16, np.uint32)


def disassemble(image: Image) -> str:
    """The text of an image; the same image gives the same text."""
    return "\n".join([*_lines(image), ""])


def _lines(image: Image) -> Iterator[str]:
    yield f"ttfs28 {VERSION}"
    yield f"machine {image.machine_hash.hex()}"
    yield "parameters"
    for field in fields(Parameters):
        yield f"  {field.name}={getattr(image.parameters, field.name)}"
    yield "names"
    for number, name in enumerate(image.names):
        yield f"  {number} {json.dumps(name)}"
    yield "maps"
    for each in image.maps:
        shape = "x".join(map(str, each.shape))
        yield (
            f"  {each.name} space={each.space} address={each.address} shape={shape} "
            f"levels={each.levels} scale={each.scale.hex()}"
        )
    yield "constants"
    yield from _rows(image.constants)
    yield "thresholds  # one table a line"
    for number, table in enumerate(image.thresholds.tolist()):
        yield f"  {number}: {' '.join(map(str, table))}"
    yield "biases"
    yield from _rows(image.biases)
    yield "exponents"
    yield from _rows(image.exponents)
    yield "weights  # sign and exponent code; . is zero"
    names = np.array(code_names(image.parameters.weight_bits))
    for start in range(0, image.weights.size, A_LINE):
        codes = names[image.weights[start : start + A_LINE]]
        yield f"  w{start}: {' '.join(codes)}"
    yield "schedule"
    layer = -1
    for step in image.schedule:
        if step.layer != layer:
            layer = step.layer
            yield f"  # layer {json.dumps(image.names[layer])}"
        form = INSTRUCTIONS[step.name]
        pairs = zip(form.fields, step.fields, strict=True)
        settings = "".join(f" {field.name}={value}" for field, value in pairs)
        yield f"  {step.name} layer={step.layer}{settings}"


def _rows(numbers: "NDArray[np.signedinteger | np.unsignedinteger]") -> Iterator[str]:
    for start in range(0, numbers.size, A_LINE):
        yield f"  {start}: {' '.join(map(str, numbers[start : start + A_LINE].tolist()))}"


def code_names(bits: int) -> list[str]:
    """What each weight code is called; the negative zero, which no image has, too."""
    zero = (1 << (bits - 1)) - 1
    return [
        "." if code == zero else f"{'-' if code > zero else '+'}{code & zero}"
        for code in range(1 << bits)
    ]


def assemble(text: str, place: str) -> bytes:
    """An image's bytes from its text.

    Raises SNN061 for text that does not fit, SNN060 for an image that contradicts itself.
    """
    try:
        tree = _grammar().parse(text)
    except UnexpectedInput as error:
        raise syntax_error(error, text, place, _TERMINALS) from None
    content = image_bytes(_Reader(tree, place).image())
    read_image(content, place)
    return content


@cache
def _grammar() -> Lark:
    return Lark.open_from_package("snncc_ttfs28", "image.lark", parser="lalr")


class _Reader:
    """Puts an image together from the parse tree."""

    def __init__(self, tree: Tree[Token], place: str) -> None:
        self._place = place
        self._sections = {part.data: part for part in tree.children if isinstance(part, Tree)}

    def _fail(self, message: str, token: Token) -> SnnccError:
        return wrong_text(message, f"{self._place}, line {token.line}, column {token.column}")

    def image(self) -> Image:
        version, machine_hash = self._tokens(self._sections["head"])
        if int(version) != VERSION:
            raise self._fail(f"the version is {version}, should be {VERSION}", version)
        parameters = self._parameters(version)
        thresholds = self._numbers("thresholds", np.dtype(np.int32))
        if thresholds.size % parameters.slots:
            raise self._fail(f"{thresholds.size} thresholds are no tables of all slots", version)
        return Image(
            bytes.fromhex(machine_hash),
            parameters,
            tuple(self._instruction(part) for part in self._parts("schedule")),
            self._codes(parameters.weight_bits),
            self._numbers("exponents", np.dtype(np.uint16)),
            self._numbers("biases", np.dtype(np.int32)),
            thresholds.reshape(-1, parameters.slots),
            self._numbers("constants", np.dtype(np.uint32)),
            tuple(self._map(part) for part in self._parts("maps")),
            tuple(self._names()),
        )

    def _parts(self, section: str) -> list[Tree[Token]]:
        return [part for part in self._sections[section].children if isinstance(part, Tree)]

    def _tokens(self, tree: Tree[Token]) -> list[Token]:
        return [token for token in tree.children if isinstance(token, Token)]

    def _settings(self, tokens: list[Token]) -> dict[str, Token]:
        """Values by name; a value stands where its setting does."""
        found: dict[str, Token] = {}
        for token in tokens:
            name, _, value = token.partition("=")
            if name in found:
                raise self._fail(f"{name} is given twice", token)
            found[name] = Token.new_borrow_pos("INT", value, token)
        return found

    def _parameters(self, first: Token) -> Parameters:
        found = self._settings(self._tokens(self._sections["parameters"]))
        names = [field.name for field in fields(Parameters)]
        for name in sorted({*found} ^ {*names}):
            where = found.get(name, first)
            what = "is not known" if name in found else "is missing"
            raise self._fail(f"parameter {name} {what}", where)
        for name, value in found.items():
            if not 0 <= int(value) < 1 << 32:
                raise self._fail(f"{name} is {value}, should be a number of 32 bits", value)
        parameters = Parameters(**{name: int(value) for name, value in found.items()})
        for name in ("slots", "tau", "resolution", "weight_bits"):
            if not 1 <= getattr(parameters, name) <= 64:
                raise self._fail(f"{name} is out of range", found[name])
        return parameters

    def _names(self) -> Iterator[str]:
        for expected, part in enumerate(self._parts("names")):
            number, name = self._tokens(part)
            if int(number) != expected:
                raise self._fail(f"name {number} should be {expected}", number)
            try:
                text = json.loads(name)
                fits = len(text.encode()) < 1 << 16
            except ValueError:
                fits = False
            if not fits:
                raise self._fail("a name is too long, or no text", name)
            yield text

    def _map(self, part: Tree[Token]) -> Map:
        name, *tokens = self._tokens(part)
        found = self._settings(tokens)
        if set(found) != {"space", "address", "shape", "levels", "scale"}:
            raise self._fail("a map should have space, address, shape, levels and scale", name)
        channels, height, width = (int(size) for size in found["shape"].split("x"))
        space, address, levels = (int(found[key]) for key in ("space", "address", "levels"))
        for number in (int(name), space, address, levels, channels, height, width):
            if not 0 <= number < 1 << 32:
                raise self._fail(f"{number} should be a number of 32 bits", name)
        shape = (channels, height, width)
        try:
            scale = float.fromhex(found["scale"])
        except OverflowError:
            raise self._fail("a scale is too large", found["scale"]) from None
        return Map(int(name), space, address, shape, levels, scale)

    def _numbers(self, section: str, kind: "np.dtype[Number]") -> NDArray[Number]:
        """Rows of numbers, end to end; each begins with the index of its first (or its number)."""
        rows = self._tokens(self._sections[section])
        count, found = 0, []
        for number, row in enumerate(rows):
            first, _, rest = row.partition(":")
            if int(first) != (number if section == "thresholds" else count):
                raise self._fail(f"row {first} stands out of order", row)
            values = [int(value) for value in rest.split()]
            limits = np.iinfo(kind)
            if values and not limits.min <= min(values) <= max(values) <= limits.max:
                raise self._fail(f"a number does not fit {kind}", row)
            found += values
            count += len(values)
        return np.array(found, kind)

    def _codes(self, bits: int) -> NDArray[np.uint8]:
        names = {name: code for code, name in enumerate(code_names(min(bits, 8)))}
        found: list[int] = []
        for row in self._tokens(self._sections["weights"]):
            first, _, rest = row.partition(":")
            if int(first[1:]) != len(found):
                raise self._fail(f"row {first} should be w{len(found)}", row)
            try:
                found += [names[name] for name in rest.split()]
            except KeyError as error:
                raise self._fail(f"{error} is no weight of {bits} bits", row) from None
        return np.array(found, np.uint8)

    def _instruction(self, part: Tree[Token]) -> Instruction:
        name, *tokens = self._tokens(part)
        if name not in INSTRUCTIONS:
            raise self._fail(f"'{name}' is no instruction", name)
        given = self._settings(tokens)
        form = INSTRUCTIONS[name]
        expected = ["layer", *(field.name for field in form.fields)]
        if sorted(given) != sorted(expected):
            raise self._fail(f"{name} should have {', '.join(expected)}", name)
        for field in (Field("layer"), *form.fields):
            value, bits = int(given[field.name]), 16 if field.name == "layer" else 32
            low = -(1 << (bits - 1)) if field.signed else 0
            if not low <= value < low + (1 << bits):
                raise self._fail(f"{field.name} is {value}, should fit {bits} bits", name)
        numbers = {key: int(value) for key, value in given.items() if key != "layer"}
        return instruction(name, int(given["layer"]), **numbers)
