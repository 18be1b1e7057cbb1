"""Text to graph: `parse_graph(print_graph(g), graph_tensors(g)) == g`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from snncc_ir.attributes import Text, attribute_types, coerced
from snncc_ir.composed import COMPOSED
from snncc_ir.diagnostics import SnnccError, fail, nearest
from snncc_ir.graph import Graph, GraphBuilder, Origin, Source
from snncc_ir.ops import MODELS, OPS
from snncc_ir.printer import VERSION, print_type
from snncc_ir.tensors import FORMATS, Array, Tensor
from snncc_ir.types import CODES, KINDS, Code, Shape, Spikes, Type

_TERMINALS = {
    "BARE": "a name", "NAME": "a name", "WORD": "an ONNX operator", "STRING": "a string in quotes",
    "SHAPE": "a shape", "INT": "an integer", "FLOAT": "a number", "FORMAT": "a tensor",
    "HEX": "16 hexadecimal digits", "$END": "the end", "LBRACE": "{", "RBRACE": "}", "LPAR": "(",
    "RPAR": ")", "LSQB": "[", "RSQB": "]", "COMMA": ",", "COLON": ":", "EQUAL": "=",
    "LESSTHAN": "<", "MORETHAN": ">", "PERCENT": "%", "PLUS": "+", "HASH": "#", "AT": "@",
}  # fmt: skip
"""The grammar's terminals by what a person types."""
_HINT = "`snncc MODEL.onnx … --dump-ir DIR` writes such texts; docs/design.md has the text form"


def parse_graph(text: str, tensors: Mapping[str, Array] | None = None, file: str = "text") -> Graph:
    """Reads the text form; `tensors` has what the text only names.

    Raises SNN011 for text that does not fit the grammar or an op's declaration, SNN012 for a named
    tensor that is missing or has other content, SNN010 for a graph that is not well formed.
    """
    try:
        graph = _Reader(tensors or {}, file).transform(_grammar().parse(text))
    except UnexpectedInput as error:
        raise _syntax_error(error, text, file) from None
    except VisitError as error:
        if isinstance(error.orig_exc, SnnccError):
            raise error.orig_exc from None
        raise
    if not isinstance(graph, Graph):
        raise AssertionError("the grammar's start rule gives a graph")
    return graph


@cache
def _grammar() -> Lark:
    return Lark.open_from_package("snncc_ir", "text.lark", parser="lalr", propagate_positions=True)


def _syntax_error(error: UnexpectedInput, text: str, file: str) -> SnnccError:
    expected: set[str] = set()
    if isinstance(error, UnexpectedToken):
        found = f"'{error.token}'" if error.token else "the end of the text"
        expected = error.accepts or error.expected
    elif isinstance(error, UnexpectedCharacters):
        found = f"'{text[error.pos_in_stream or 0]}'"
        expected = error.allowed
    elif isinstance(error, UnexpectedEOF):
        found, expected = "the end of the text", set(error.expected)
    else:
        found = "something else"
    wanted = sorted({_TERMINALS.get(name, name.lower()) for name in expected or ()})
    place = f"{file}, line {error.line}, column {error.column}" if error.line > 0 else file
    return fail("SNN011", f"found {found}, should be {' or '.join(wanted)}", place, _HINT)


class _Reader(Transformer[Token, Any]):
    """Builds the graph from the parse tree, bottom up."""

    def __init__(self, tensors: Mapping[str, Array], file: str) -> None:
        super().__init__()
        self._tensors, self._file = tensors, file

    def _fail(self, message: str, token: Token | None = None, hint: str = "") -> SnnccError:
        place = self._file if token is None else f"{self._file}, line {token.line}"
        return fail("SNN011", message, place, hint or _HINT)

    @v_args(inline=True)
    def start(self, version: Token, name: Token, *nodes: Callable[[GraphBuilder], None]) -> Graph:
        if int(version) != VERSION:
            raise self._fail(f"the text has version {version}, should be {VERSION}", version)
        builder = GraphBuilder(json.loads(name))
        for add in nodes:
            add(builder)
        # not builder.graph(): what stands in the text is kept, needed or not
        return Graph(builder.name, tuple(builder[name] for name in builder.names))

    def node(self, parts: list[Any]) -> Callable[[GraphBuilder], None]:
        name, op_name = parts[0], parts[1]
        inputs: tuple[str, ...] = ()
        attributes: dict[str, object] = {}
        origin = Origin()
        type: Type | None = None
        for part in parts[2:]:
            match part:
                case _Operands():
                    inputs = part.names
                case dict():
                    attributes = part
                case Origin():
                    origin = part
                case Type():
                    type = part
        op = self._construct(op_name, attributes, OPS)

        def add(builder: GraphBuilder) -> None:
            place = f"{self._file}, line {op_name.line}"
            try:
                node = builder.add(name, op, inputs, origin)
            except SnnccError as error:
                raise SnnccError(
                    replace(found, place=f"{place}: {found.place}" if found.place else place)
                    for found in error.diagnostics
                ) from None
            if node.type != type:
                raise fail(
                    "SNN010",
                    f"'{name}' is written with type {print_type(type) if type else 'none'}, "
                    f"should be {print_type(node.type)}",
                    place,
                    "write the type that follows from its op and operands",
                )

        return add

    def operands(self, parts: list[str | None]) -> "_Operands":
        return _Operands(tuple(part for part in parts if part is not None))

    @v_args(inline=True)
    def value(self, token: Token) -> str:
        return json.loads(token) if token.type == "STRING" else str(token)

    def attributes(self, parts: list[tuple[Token, object] | None]) -> dict[str, object]:
        result: dict[str, object] = {}
        for part in parts:
            if part is None:
                continue
            if part[0] in result:
                raise self._fail(f"attribute '{part[0]}' is given twice", part[0])
            result[str(part[0])] = part[1]
        return result

    @v_args(inline=True)
    def attribute(self, name: Token, item: object) -> tuple[Token, object]:
        return name, item

    @v_args(inline=True)
    def number(self, token: Token) -> Token:
        return token

    def none(self, parts: list[object]) -> None:
        return None

    def true(self, parts: list[object]) -> bool:
        return True

    def false(self, parts: list[object]) -> bool:
        return False

    @v_args(inline=True)
    def string(self, token: Token) -> object:
        return Text(json.loads(token))

    def items(self, parts: list[object]) -> tuple[object, ...]:
        return () if parts == [None] else tuple(parts)

    @v_args(inline=True)
    def construct(self, name: Token, attributes: dict[str, object]) -> object:
        return self._construct(name, attributes, {**OPS, **MODELS, **COMPOSED})

    @v_args(inline=True)
    def shape(self, token: Token | None) -> Shape:
        return () if token is None else _dims(token)

    def splat(self, parts: list[Token]) -> list[Token]:
        return parts

    def inline(self, parts: list[Token]) -> list[Token]:
        return parts

    @v_args(inline=True)
    def reference(self, name: Token, digest: Token) -> "_Reference":
        return _Reference(json.loads(name), str(digest))

    @v_args(inline=True)
    def tensor(self, format: Token, shape: Shape, content: "list[Token] | _Reference") -> Tensor:
        dtype = FORMATS[str(format)]
        if isinstance(content, _Reference):
            return self._referenced(content, str(format), shape)
        try:
            numbers = np.array([float(t) if dtype.kind == "f" else int(t) for t in content])
            if dtype.kind == "i" and not np.array_equal(numbers.astype(dtype), numbers):
                raise OverflowError
        except (ValueError, OverflowError):
            raise self._fail(f"a number does not fit format {format}", content[0]) from None
        size = int(np.prod(shape, dtype=np.int64))
        if len(content) not in (1, size):
            raise self._fail(f"{len(content)} numbers are given for a shape of {size}", content[0])
        return Tensor(np.broadcast_to(numbers.astype(dtype), (size,)).reshape(shape).copy())

    def _referenced(self, reference: "_Reference", format: str, shape: Shape) -> Tensor:
        if reference.name not in self._tensors:
            raise fail(
                "SNN012",
                f"tensor '{reference.name}' is missing, should be in the .safetensors file beside",
                self._file,
                "copy the .safetensors file together with the .sir file",
            )
        tensor = Tensor(self._tensors[reference.name])
        if (tensor.format, tensor.shape, tensor.digest) != (format, shape, reference.digest):
            raise fail(
                "SNN012",
                f"tensor '{reference.name}' is {tensor!r}, should be of format {format}, "
                f"shape {list(shape)} and digest {reference.digest}",
                self._file,
                "the .safetensors file is of another version; take both from one place",
            )
        return tensor

    @v_args(inline=True)
    def value_type(self, kind: Token, shape: Token, code: Code | None) -> Type:
        if kind not in KINDS:
            raise self._fail(f"type '{kind}' is not known, should be {', '.join(KINDS)}", kind)
        if KINDS[kind] is Spikes:
            return Spikes(_dims(shape), code or Code())
        return KINDS[kind](_dims(shape))

    @v_args(inline=True)
    def code(self, name: Token, attributes: dict[str, object] | None = None) -> object:
        return self._construct(name, attributes or {}, CODES)

    def origin(self, parts: list[Any]) -> Origin:
        sources = tuple(part for part in parts if isinstance(part, Source))
        return Origin(sources, tuple(str(part) for part in parts if isinstance(part, Token)))

    @v_args(inline=True)
    def source(self, op_type: Token, name: Token) -> Source:
        return Source(str(op_type), json.loads(name))

    def _construct(
        self, name: Token, attributes: dict[str, object], table: Mapping[str, type[Any]]
    ) -> Any:
        """An op, model or code from its attributes, each checked against its field."""
        if str(name) not in table:
            message = f"'{name}' is not known, should be one of {', '.join(table)}"
            raise self._fail(message, name, nearest(name, table))
        declared = table[str(name)]
        hints = attribute_types(declared)
        unknown = sorted(set(attributes) - set(hints))
        if unknown:
            known = f"should be one of {', '.join(hints)}" if hints else "it has none"
            message = f"{name} has no attribute '{unknown[0]}', {known}"
            raise self._fail(message, name, nearest(unknown[0], hints))
        values = {}
        for key, value in attributes.items():
            try:
                values[key] = coerced(value, hints[key])
            except TypeError:
                raise self._fail(f"attribute '{key}' of {name} has a wrong type", name) from None
        try:
            return declared(**values)
        except TypeError:
            missing = sorted(set(hints) - set(attributes))
            raise self._fail(f"{name} lacks one of: {', '.join(missing)}", name) from None
        except ValueError as error:
            raise self._fail(f"{name}: {error}", name) from None


class _Operands:
    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names


class _Reference:
    def __init__(self, name: str, digest: str) -> None:
        self.name, self.digest = name, digest


def _dims(token: Token) -> Shape:
    return tuple(int(size) for size in token.split("x"))
