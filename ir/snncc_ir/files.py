"""Graphs on disk: NAME.sir (text) and, beside it, NAME.safetensors (the tensors it names)."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load, save

from snncc_ir.diagnostics import fail, why
from snncc_ir.graph import Graph
from snncc_ir.parser import parse_graph
from snncc_ir.printer import graph_tensors, print_graph
from snncc_ir.tensors import Array


def tensor_bytes(graph: Graph) -> bytes:
    """The .safetensors file of a graph; the same graph gives the same bytes."""
    return pack(graph_tensors(graph))


def pack(tensors: dict[str, Array]) -> bytes:
    """A .safetensors file of arrays, in the order of their names."""
    return save({name: tensors[name].copy() for name in sorted(tensors)})


def unpack(content: bytes, file: str) -> dict[str, Array]:
    """The arrays of a .safetensors file; raises SNN012 when it is damaged."""
    try:
        return dict(load(content))
    except (SafetensorError, ValueError, KeyError) as error:
        raise fail(
            "SNN012",
            f"the file is not a safetensors file: {why(error)}",
            file,
            "take it from where the .sir file is from; both are written together",
        ) from None


def write_graph(graph: Graph, path: Path) -> None:
    """Writes `path` (.sir) and the .safetensors beside it."""
    path.write_text(print_graph(graph), encoding="utf-8", newline="\n")
    path.with_suffix(".safetensors").write_bytes(tensor_bytes(graph))


def read_graph(path: Path) -> Graph:
    """Reads `path` (.sir), with the .safetensors beside it if there is one.

    Raises SNN011 and SNN012 for files that cannot be read or do not fit.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail(
            "SNN011",
            f"the file cannot be read: {why(error)}",
            str(path),
            "a .sir file, such as `snncc MODEL.onnx … --dump-ir DIR` writes",
        ) from None
    beside = path.with_suffix(".safetensors")
    tensors = unpack(_content(beside), str(beside)) if beside.is_file() else {}
    return parse_graph(text, tensors, str(path))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise fail(
            "SNN012", f"the file cannot be read: {why(error)}", str(path), "look at its permissions"
        ) from None
