"""What exporters write beside a node: the module that it comes from, and the line of a program."""

import ast
import re
from pathlib import PurePath

import onnx

_SCOPES = "pkg.torch.onnx.name_scopes"
_CLASSES = "pkg.torch.onnx.class_hierarchy"
_TRACE = "pkg.torch.onnx.stack_trace"
_LAYERS = "torch.nn.modules."
_FRAME = re.compile(r'File "([^"]+)", line (\d+)[^\n]*\n\s*([^\n]+)')
_LIBRARIES = ("site-packages", "dist-packages")


def written(node: onnx.NodeProto) -> tuple[str, str]:
    """A node's module path and its line of the user's program; empty where they are not known.

    torch's dynamo exporter writes both as metadata; its tracing exporter names nodes by their
    module path (`readable`), and in verbose mode has the lines as documentation.
    """
    metadata = {entry.key: entry.value for entry in node.metadata_props}
    frames = _FRAME.findall(metadata.get(_TRACE, node.doc_string))
    own = [frame for frame in frames if not any(part in frame[0] for part in _LIBRARIES)]
    line = ""
    if own:
        file, number, text = own[-1]
        line = f"{PurePath(file).name}:{number}: {text.strip()}"
    return _scope(metadata), line


def _scope(metadata: dict[str, str]) -> str:
    scopes, classes = (_texts(metadata.get(key, "")) for key in (_SCOPES, _CLASSES))
    if len(scopes) < 2 or len(classes) != len(scopes):
        return ""
    *modules, call = scopes
    if classes[-2].startswith(_LAYERS):
        return modules[-1]
    return f"{modules[-1]}.{call}" if modules[-1] else call


def _texts(literal: str) -> list[str]:
    """A list of texts as Python prints it; empty for anything else."""
    try:
        value = ast.literal_eval(literal)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return []
    return value if isinstance(value, list) and all(isinstance(v, str) for v in value) else []
