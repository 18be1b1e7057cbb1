"""Graph to text. The same graph gives the same text, byte for byte."""

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields

import numpy as np

from snncc_ir.composed import Composed
from snncc_ir.graph import Graph, Node, Origin
from snncc_ir.ops import Model, Op
from snncc_ir.tensors import Array, Tensor
from snncc_ir.types import KINDS, Code, Shape, Spikes, Type

VERSION = 1
INLINE = 8
"""Tensors of up to this many elements, and those of one repeated value, stand in the text."""

_BARE = re.compile(r"[A-Za-z0-9_.\-/:]+\Z")
_KIND_NAMES = {kind: name for name, kind in KINDS.items()}
_REFERENCE = "@"


def print_graph(graph: Graph) -> str:
    """The text form. Larger tensors are named there; `graph_tensors` has them."""
    lines = [f"sir {VERSION}", f"graph {json.dumps(graph.name)} {{"]
    for node in graph:
        lines.append(f"  {_node(node)}")
        origin = _origin(node.origin)
        if origin:
            lines.append(f"      {origin}")
    return "\n".join([*lines, "}", ""])


def graph_tensors(graph: Graph) -> dict[str, Array]:
    """The tensors that `print_graph` names rather than writes, by name."""
    return {
        name: tensor.array
        for node in graph
        for name, tensor in _tensors(node.op, node.name)
        if not _is_inline(tensor)
    }


def node_tensors(node: Node) -> dict[str, Tensor]:
    """All tensors of one node, by name (`node.attribute`, nested attributes joined by dots)."""
    return dict(_tensors(node.op, node.name))


def print_type(type: Type) -> str:
    """Such as `spikes<16x8x8, rate{steps=32}>`."""
    code = ""
    if isinstance(type, Spikes):
        code = f", {_code(type.code)}"
    return f"{_KIND_NAMES[type.__class__]}<{_shape(type.shape)}{code}>"


def print_value(name: str) -> str:
    """A value's name: `%conv1`, quoted where it has to be."""
    return f"%{name}" if _BARE.match(name) else f"%{json.dumps(name)}"


def _node(node: Node) -> str:
    operands = ", ".join(print_value(name) for name in node.inputs)
    text = f"{print_value(node.name)} = {node.op.name}"
    if operands:
        text += f"({operands})"
    attributes = _attributes(node.op, node.name)
    if attributes:
        text += f" {{{attributes}}}"
    return f"{text} : {print_type(node.type)}"


def _origin(origin: Origin) -> str:
    if not origin.sources:
        return ""
    text = "from " + " + ".join(f"{s.op_type} {json.dumps(s.name)}" for s in origin.sources)
    return f"{text} by {', '.join(origin.passes)}" if origin.passes else text


def _code(code: Code) -> str:
    return f"{code.name}{{{_attributes(code, '')}}}" if fields(code) else code.name


def _shape(shape: Shape) -> str:
    return "x".join(map(str, shape))


def _attributes(owner: Op | Model | Code | Composed, path: str) -> str:
    return ", ".join(
        f"{field.name}={_item(getattr(owner, field.name), f'{path}.{field.name}')}"
        for field in fields(owner)
        if field.init and not _is_default(owner, field)
    )


def _is_default(owner: Op | Model | Code | Composed, field: Field[object]) -> bool:
    return field.default is not MISSING and bool(getattr(owner, field.name) == field.default)


def _item(item: object, path: str) -> str:
    match item:
        case None:
            return "none"
        case bool():
            return "true" if item else "false"
        case int() | float():
            return repr(item)
        case str():
            return json.dumps(item)
        case Composed():
            return f"{item.format}{{{_attributes(item, path)}}}"
        case Tensor():
            return _tensor(item, path)
        case tuple():
            return "[" + ", ".join(_item(e, f"{path}.{i}") for i, e in enumerate(item)) + "]"
        case Op() | Model():
            return f"{item.name}{{{_attributes(item, path)}}}"
    raise TypeError(f"attribute {path} has type {type(item).__name__}, which has no text form")


def _is_inline(tensor: Tensor) -> bool:
    return bool(np.isfinite(tensor.array).all()) and (
        0 < tensor.array.size <= INLINE or tensor.is_splat
    )


def _tensor(tensor: Tensor, path: str) -> str:
    head = f"{tensor.format}<{_shape(tensor.shape)}>"
    if not _is_inline(tensor):
        return f"{head}{_REFERENCE}{json.dumps(path)}#{tensor.digest}"
    if tensor.is_splat:
        return f"{head}({tensor.array.reshape(-1)[0]!s})"
    return f"{head}[{', '.join(str(number) for number in tensor.array.reshape(-1))}]"


def _tensors(item: object, path: str) -> Iterator[tuple[str, Tensor]]:
    match item:
        case Tensor() if not isinstance(item, Composed):
            yield path, item
        case tuple():
            for i, element in enumerate(item):
                yield from _tensors(element, f"{path}.{i}")
        case Op() | Model() | Composed():
            for field in (field for field in fields(item) if field.init):
                yield from _tensors(getattr(item, field.name), f"{path}.{field.name}")
