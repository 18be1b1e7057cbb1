"""Where the large weights lie in a model's file, so that they need not be read with the rest.

A parser of protocol buffers copies every byte several times before anybody looks at it; here the
wire format (protobuf.dev/programming-guides/encoding) is walked from field to field of
`ModelProto`, `GraphProto` and its `TensorProto`s, and raw data is stepped over.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LARGE = 1024
"""Bytes of raw data from which on a tensor stays in the file."""
_MOST_FIELDS = 1 << 20
_GRAPH, _INITIALIZER, _NAME, _RAW_DATA, _DATA_LOCATION = 7, 5, 8, 9, 14
_LENGTH_DELIMITED = 2


class IrregularError(Exception):
    """The file is not as exporters write it; a whole parser has to look at it."""


@dataclass(frozen=True)
class Span:
    """Bytes of a file."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class LargeTensor:
    """An initializer whose numbers are left in the file: its `TensorProto` without them."""

    stub: bytes
    raw_data: Span


@dataclass(frozen=True)
class _Field:
    number: int
    kind: int
    whole: Span
    body: Span
    """Of a length-delimited field, its content."""


def split(file: BinaryIO, size: int) -> tuple[bytes, list[LargeTensor]]:
    """A serialized model without its large initializers, and those.

    Raises `IrregularError` for a file that cannot be walked.
    """
    walk = _Walk(file)
    model, large = [], []
    for field in walk.fields(Span(0, size)):
        if field.number == _GRAPH and field.kind == _LENGTH_DELIMITED:
            graph, found = _graph(walk, field.body)
            model.append(_record(_GRAPH, graph))
            large += found
        else:
            model.append(walk.read(field.whole))
    return b"".join(model), large


def _graph(walk: "_Walk", graph: Span) -> tuple[bytes, list[LargeTensor]]:
    kept, large = [], []
    for field in walk.fields(graph):
        tensor = None
        if field.number == _INITIALIZER and field.body.length >= LARGE:
            tensor = _tensor(walk, field.body)
        if tensor is None:
            kept.append(walk.read(field.whole))
        else:
            large.append(tensor)
    return b"".join(kept), large


def _tensor(walk: "_Walk", tensor: Span) -> LargeTensor | None:
    fields = list(walk.fields(tensor))
    raw = [field.body for field in fields if field.number == _RAW_DATA]
    elsewhere = any(field.number == _DATA_LOCATION for field in fields)
    if len(raw) != 1 or raw[0].length < LARGE or elsewhere:
        return None
    rest = [walk.read(field.whole) for field in fields if field.number != _RAW_DATA]
    return LargeTensor(b"".join(rest), raw[0])


class _Walk:
    """Reads fields of a file, up to a number that no exporter reaches."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, _MOST_FIELDS

    def fields(self, message: Span) -> Iterator[_Field]:
        """The fields of a message, in order."""
        position = message.start
        while position < message.end:
            self._left -= 1
            field = self._field(position)
            if field.whole.end > message.end or field.number == 0 or self._left < 0:
                raise IrregularError
            yield field
            position = field.whole.end

    def _field(self, start: int) -> _Field:
        self._file.seek(start)
        head = self._file.read(20)  # two numbers of at most ten bytes
        tag, body = _varint(head, 0)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            _, end = _varint(head, body)
        elif kind == 1:
            end = body + 8
        elif kind == _LENGTH_DELIMITED:
            length, body = _varint(head, body)
            end = body + length
        elif kind == 5:
            end = body + 4
        else:
            raise IrregularError
        return _Field(number, kind, Span(start, start + end), Span(start + body, start + end))

    def read(self, span: Span) -> bytes:
        self._file.seek(span.start)
        return self._file.read(span.length)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise IrregularError
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise IrregularError


def _record(number: int, body: bytes) -> bytes:
    """A length-delimited field."""
    head, length = bytearray([number << 3 | _LENGTH_DELIMITED]), len(body)
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + body
