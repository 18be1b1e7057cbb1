"""Reads ONNX files, whatever their bytes are; large weights stay where they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import helper, inliner

from snncc.onnx.constants import Stored
from snncc.onnx.domains import STANDARD, TRAINED
from snncc.onnx.quiet import quiet
from snncc.onnx.wire import IrregularError, LargeTensor, Span, split
from snncc_ir import fail, why


@dataclass(frozen=True)
class Model:
    """A checked model, in which large initializers are inputs, and where their numbers are."""

    proto: onnx.ModelProto
    stored: dict[str, Stored]

    @property
    def opset(self) -> int:
        """Of the standard operators."""
        return next((o.version for o in self.proto.opset_import if o.domain in STANDARD), 1)


def read_model(path: Path) -> Model:
    """The checked model. Raises SNN001 for a file that is no ONNX, SNN002 for an invalid graph."""
    proto, large = _parsed(path)
    if not proto.graph.node:
        raise fail(
            "SNN001",
            "the model file has no graph with nodes",
            str(path),
            "look at it with netron.app, and export the network again: torch.onnx.export(…)",
        )
    if not proto.graph.output:
        raise fail(
            "SNN002",
            "the model has no outputs, should have one at least",
            str(path),
            "export it again; onnx.utils.extract_model takes names of outputs",
        )
    stubs = [onnx.TensorProto.FromString(tensor.stub) for tensor in large]
    names = (*_texts(proto.graph), *(stub.name for stub in stubs))
    if not all(isinstance(text, str) for text in names):
        raise fail(
            "SNN001",
            "the model file has names that are no text, so it is damaged",
            str(path),
            "export the model again, or copy it again if it was transferred",
        )
    spans = [tensor.raw_data for tensor in large]
    stored = dict(_stored(proto, zip(stubs, spans, strict=True), path))
    _as_inputs(proto.graph, stored)
    _declare_domains(proto)
    try:
        proto = _sorted(proto)
        onnx.checker.check_model(proto)
        if proto.functions:
            proto = inliner.inline_selected_functions(proto, _trained(proto), exclude=True)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        raise fail(
            "SNN002",
            f"the model is not valid ONNX: {_line(error)}",
            str(path),
            "export it again with a newer exporter; onnx.checker.check_model says the same",
        ) from None
    return Model(proto, stored)


def check_file(path: Path) -> None:
    """Raises SNN001 unless `path` is a file that can be read as ONNX; weights are not looked at."""
    _parsed(path)


def model_digest(path: Path) -> str:
    """SHA-256 of a model's file, and of files in its folder with weights of it; raises SNN001."""
    folder = path.parent.resolve()
    proto, _ = _parsed(path)
    locations = sorted(
        {
            entry.value
            for tensor in proto.graph.initializer
            for entry in tensor.external_data
            if entry.key == "location"
        }
    )
    named = [(folder / name).resolve() for name in locations if "\0" not in name]
    digest = sha256()
    beside = [file for file in named if file.is_relative_to(folder) and file.is_file()]
    for file in (path, *beside):
        with file.open("rb") as content:
            while block := content.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_whole(path: Path) -> onnx.ModelProto:
    """The model with all weights, to be changed for other tools; of a path that was read before."""
    return onnx.load(path, format="protobuf")


def _parsed(path: Path) -> tuple[onnx.ModelProto, list[LargeTensor]]:
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "does not exist"
            raise fail(
                "SNN001", f"the model file {what}", str(path), "give the path of a .onnx file"
            )
        size = path.stat().st_size
        if size == 0:
            raise fail("SNN001", "the model file is empty", str(path), "export the model again")
        try:
            with path.open("rb") as file:
                content, large = split(file, size)
        except IrregularError:
            content, large = path.read_bytes(), []
        return onnx.ModelProto.FromString(content), large
    except (DecodeError, ValueError) as error:
        raise fail(
            "SNN001",
            f"the model file is not an ONNX file, or is cut off: {_line(error)}",
            str(path),
            "export the model again, or copy it again if it was transferred",
        ) from None
    except OSError as error:
        raise fail(
            "SNN001",
            f"the model file cannot be read: {why(error)}",
            str(path),
            "look at its path and permissions",
        ) from None


def _stored(
    proto: onnx.ModelProto, large: Iterable[tuple[onnx.TensorProto, Span]], path: Path
) -> Iterator[tuple[str, Stored]]:
    """The initializers whose numbers are left in files; those beside the model leave its graph."""
    taken = {tensor.name for tensor in proto.graph.initializer}
    for stub, span in large:
        if stub.name in taken or not stub.name:
            raise fail(
                "SNN002",
                f"the initializer '{stub.name}' is there twice, or has no name",
                str(path),
                "export the model again",
            )
        taken.add(stub.name)
        yield stub.name, Stored(stub, path, span)
    inside = [t for t in proto.graph.initializer if t.data_location != onnx.TensorProto.EXTERNAL]
    if len(inside) == len(proto.graph.initializer):
        return
    for tensor in proto.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            stub = onnx.TensorProto()
            stub.CopyFrom(tensor)
            yield stub.name, Stored(stub, path, None)
    kept = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in inside]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)


def _texts(graph: onnx.GraphProto) -> Iterator[str]:
    """All names; protocol buffers give bytes for what is no UTF-8."""
    for node in graph.node:
        yield from (node.name, node.op_type, node.domain, node.doc_string)
        yield from (*node.input, *node.output)
        for attribute in node.attribute:
            yield attribute.name
        for entry in node.metadata_props:
            yield from (entry.key, entry.value)
    for given in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        yield given.name


def _as_inputs(graph: onnx.GraphProto, stored: dict[str, Stored]) -> None:
    given = {value.name for value in graph.input}
    graph.input.extend(
        helper.make_tensor_value_info(name, tensor.stub.data_type, list(tensor.stub.dims))
        for name, tensor in stored.items()
        if name not in given
    )


def _sorted(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with each node behind those that it reads; some tools append what comes first."""
    known = {value.name for value in (*proto.graph.input, *proto.graph.initializer)}
    made = {name for node in proto.graph.node for name in node.output}
    for node in proto.graph.node:
        if any(name in made and name not in known for name in node.input):
            break
        known.update(node.output)
    else:
        return proto
    # imported here, because few models need it
    import onnx_ir
    from onnx_ir.passes.common import TopologicalSortPass

    with quiet():
        graph = onnx_ir.from_proto(proto)
        TopologicalSortPass()(graph)  # raises ValueError where nodes read each other in a circle
        return onnx_ir.to_proto(graph)


def _trained(proto: onnx.ModelProto) -> list[tuple[str, str]]:
    """Functions that are looked at as a whole, and not at what they are made of."""
    return [(f.domain, f.name) for f in proto.functions if f.domain == TRAINED]


def _declare_domains(proto: onnx.ModelProto) -> None:
    """Some exporters use operators of a domain of their own without an import of it."""
    declared = {opset.domain for opset in proto.opset_import}
    used = dict.fromkeys(node.domain for node in proto.graph.node)
    proto.opset_import.extend(
        helper.make_opsetid(domain, 1)
        for domain in used
        if domain not in declared and domain not in STANDARD
    )


def _line(error: Exception) -> str:
    """The first sentence of an error, which may stand in two lines."""
    first, *others = (str(error).strip() or type(error).__name__).splitlines()
    return " ".join([first.strip(), *others[:1]]) if first.rstrip().endswith(":") else first
